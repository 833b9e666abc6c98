/**
 * What runs in the threads of a pool. Piscina calls the default export with one task at a time.
 * @module
 */
import { parentPort, workerData } from 'node:worker_threads'
import { solve, type Witness } from '../../circuits/solve.ts'
import { SelfTestError } from '../engine/selfTest.ts'
import { VeritensorError } from '../errors.ts'
import { type Proof, ProofFormatError, type VerifyingKey } from '../groth16/keys.ts'
import { type Verifier, verifierOf } from '../groth16/verify.ts'
import { columnPiece, multiplyPiece, proveOnEngine, type QuickCheck, runPiece } from './enginePieces.ts'
import { proveWithSnarkjs } from './snarkjsProof.ts'
import {
  type CombinerData,
  type MultiplierData,
  type ProgressMessage,
  type ProveResult,
  type ProverData,
  type ProveTask,
  type Reply,
  type Source,
  type Task,
  toRecord,
} from './tasks.ts'

/** The proving key made a proof that does not verify: some of its points are wrong, or its matrix C is another one. */
class CorruptKeyError extends VeritensorError {
  constructor() {
    super('key/corrupt', 'the witness satisfies the circuit, but the proof made with this key does not verify', {
      fix: 'Compare the digests of the .zkey and .qkey files, copy them again or run the setup again.',
    })
  }
}

let verifier: Verifier | undefined

/** Runs one task. Never rejects: errors travel as records. */
export default async function run(request: { readonly id: number; readonly task: Task }): Promise<Reply> {
  try {
    const { id, task } = request
    switch (task.kind) {
      case 'prove':
        return { value: await prove(id, task) }
      case 'multiply':
        return { value: multiplyPiece(workerData as MultiplierData, task) }
      case 'columns':
        return { value: columnPiece(workerData as CombinerData, task) }
      default:
        return { value: runPiece(engineData(), task, { witness, check }) }
    }
  } catch (error) {
    return { error: toRecord(error) }
  }
}

function engineData(): Extract<ProverData, { engine: 'ours' }> {
  const data = workerData as ProverData
  if (data.engine !== 'ours') throw new Error('this pool proves with snarkjs')
  return data
}

/** The witness of a source; `solve` checks every row: a wrong one would give an invalid proof without a word. */
function witness(source: Source): Witness {
  if ('values' in source) return source.values
  const { circuit } = workerData as ProverData
  if (circuit === undefined) throw new Error('this pool has no circuit')
  return solve(circuit, source.inputs)
}

let valid = false

/**
 * Lets no proof out that does not verify, unless only the first is to be checked, and was. The thread's first proof is for
 * `verifierOf`, with which the engine's check must agree from then on; whatever that refuses goes to `verifierOf` again.
 *
 * Throws CorruptKeyError and SelfTestError.
 */
function check(verifyingKey: VerifyingKey, publicSignals: readonly bigint[], proof: Proof, quick?: QuickCheck): void {
  if (valid && (workerData as ProverData).checks === 'first') return
  const quickly = quick?.(publicSignals, proof)
  if (valid && quickly === true) return
  valid = verifies(verifyingKey, publicSignals, proof)
  if (!valid) throw new CorruptKeyError()
  if (quickly === false) throw new SelfTestError('the check of a proof that is right')
}

function verifies(verifyingKey: VerifyingKey, publicSignals: readonly bigint[], proof: Proof): boolean {
  verifier ??= verifierOf(verifyingKey)
  try {
    return verifier(publicSignals, proof)
  } catch (error) {
    // sums of points off the curve lie anywhere
    if (error instanceof ProofFormatError) return false
    throw error
  }
}

/** Shortest time between two reports of one phase. */
const PROGRESS_MS = 50

/** Shares of the time before the proof proper, and up to the check. */
const share = { solving: 0.02, checking: 0.98 }

async function prove(id: number, task: ProveTask): Promise<ProveResult> {
  const data = workerData as ProverData
  let [reported, at] = ['', 0]
  const progress = (fraction: number, phase: string): void => {
    const now = performance.now()
    if (phase === reported && now - at < PROGRESS_MS) return
    ;[reported, at] = [phase, now]
    parentPort?.postMessage({ task: id, fraction, phase } satisfies ProgressMessage)
  }
  const times = [performance.now()]
  progress(0, 'witness')
  const values = witness(task.source)
  times.push(performance.now())
  const within = (fraction: number, phase: string): void =>
    progress(share.solving + (share.checking - share.solving) * fraction, phase)
  const made: { readonly proof: Proof; readonly publicSignals: readonly bigint[]; readonly quick?: QuickCheck } =
    data.engine === 'ours'
      ? proveOnEngine(data.session, task, values, within)
      : await proveWithSnarkjs(data.zkey, values, within)
  const { proof, publicSignals } = made
  times.push(performance.now())
  progress(share.checking, 'check')
  const { verifyingKey } = data.engine === 'ours' ? data.session : data
  check(verifyingKey, publicSignals, proof, made.quick)
  times.push(performance.now())
  const [start, solved, proved, checked] = times as [number, number, number, number]
  return {
    proof,
    publicSignals,
    stats: { witnessMs: solved - start, proofMs: proved - solved, checkMs: checked - proved },
  }
}
