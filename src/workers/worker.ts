/**
 * What runs in the threads of a pool. Piscina calls the default export with one task at a time.
 * @module
 */
import { parentPort, workerData } from 'node:worker_threads'
import { solve } from '../../circuits/solve.ts'
import { VeritensorError } from '../errors.ts'
import { fixedBase } from '../groth16/fixedBase.ts'
import { decodeProof, decodePublicSignals } from '../groth16/keys.ts'
import { type Verifier, verifierOf } from '../groth16/verify.ts'
import { encodeWtns } from '../groth16/wtns.ts'
import { curveWasm, loadSnarkjs, progressLogger } from './snarkjs.ts'
import {
  type MultiplyTask,
  type ProgressMessage,
  type ProveResult,
  type ProverData,
  type ProveTask,
  type Reply,
  type Task,
  toRecord,
} from './tasks.ts'

/** The proving key made a proof that does not verify: some of its points are wrong, or its matrix C is another one. */
class CorruptKeyError extends VeritensorError {
  constructor() {
    super('key/corrupt', 'the witness satisfies the circuit, but the proof made with this key does not verify', {
      fix: 'Compare the digest of the .zkey file, copy it again or run the setup again.',
    })
  }
}

const share = { solving: 0.02, checking: 0.98 }

let verifier: Verifier | undefined
const multipliers = new Map<string, ReturnType<typeof fixedBase>>()

/** Runs one task. Never rejects: errors travel as records. */
export default async function run(request: { readonly id: number; readonly task: Task }): Promise<Reply> {
  try {
    const { id, task } = request
    return { value: task.kind === 'prove' ? await prove(id, task) : await multiply(task) }
  } catch (error) {
    return { error: toRecord(error) }
  }
}

async function multiply({ group, scalars, windowBits }: MultiplyTask): Promise<Uint8Array> {
  const key = `${group} ${windowBits}`
  let multiplier = multipliers.get(key)
  if (multiplier === undefined) {
    multiplier = curveWasm().then((wasm) => fixedBase(wasm, group, windowBits))
    multipliers.set(key, multiplier)
  }
  return (await multiplier)(scalars)
}

async function prove(id: number, { inputs }: ProveTask): Promise<ProveResult> {
  const { circuit, zkey, verifyingKey } = workerData as ProverData
  const progress = (fraction: number, phase: string): void =>
    parentPort?.postMessage({ task: id, fraction, phase } satisfies ProgressMessage)
  const times = [performance.now()]
  progress(0, 'witness')
  // solve checks every row: a wrong witness would give an invalid proof without a word
  const wtns = encodeWtns(solve(circuit, inputs))
  times.push(performance.now())
  const snarkjs = (await loadSnarkjs()).snarkjs()
  const logger = progressLogger((fraction, phase) =>
    progress(share.solving + (share.checking - share.solving) * fraction, phase),
  )
  const made = await snarkjs.groth16.prove({ type: 'mem', data: zkey }, { type: 'mem', data: wtns }, logger)
  times.push(performance.now())
  progress(share.checking, 'check')
  const [proof, publicSignals] = [decodeProof(made.proof), decodePublicSignals(made.publicSignals)]
  verifier ??= verifierOf(verifyingKey)
  if (!verifier(publicSignals, proof)) throw new CorruptKeyError()
  times.push(performance.now())
  const [start, solved, proved, checked] = times as [number, number, number, number]
  return {
    proof,
    publicSignals,
    stats: { witnessMs: solved - start, proofMs: proved - solved, checkMs: checked - proved },
  }
}
