/**
 * Our engine in a worker thread: whole proofs, and pieces of proofs that several threads make together.
 * @module
 */
import { getRandomValues } from 'node:crypto'
import { Fr } from '../../circuits/field.ts'
import { type Witness, wireValue } from '../../circuits/solve.ts'
import { assembleProof, type Blinding, drawBlinding, type KeyPoints, keyPoints } from '../engine/assemble.ts'
import { type ColumnSums, columnSums } from '../engine/columns.ts'
import { multiples } from '../engine/fixedBase.ts'
import { takeIn } from '../engine/intake.ts'
import { multiScalar } from '../engine/msm.ts'
import { checkPairing, pairingPlace } from '../engine/pairing.ts'
import { type Phase, phaseShares, proofSums } from '../engine/prove.ts'
import { atSlot, openRuntime, type Runtime } from '../engine/runtime.ts'
import type { Session } from '../engine/session.ts'
import { runPass, writeBias } from '../engine/transforms.ts'
import { AbortedError } from '../errors.ts'
import type { Proof, VerifyingKey } from '../groth16/keys.ts'
import type {
  ColumnsTask,
  CombinerData,
  Finished,
  MultiplierData,
  MultiplyTask,
  PieceTask,
  ProveTask,
  Source,
  TakenIn,
} from './tasks.ts'

let runtime: Runtime | undefined
let points: KeyPoints | undefined

/** This thread's instance, with its room where the task says. */
function runtimeAt({ variant, module, memory }: Pick<Session, 'variant' | 'module' | 'memory'>, base: number): Runtime {
  runtime = runtime === undefined ? openRuntime(variant, module, memory, base) : atSlot(runtime, base)
  return runtime
}

const blindingOf = (given: Blinding | undefined): Blinding => given ?? drawBlinding((bytes) => getRandomValues(bytes))

const pointsOf = ({ header, verifyingKey }: Session): KeyPoints => {
  points ??= keyPoints(header, verifyingKey)
  return points
}

const publicSignalsOf = ({ verifyingKey }: Session, witness: Witness): bigint[] =>
  Array.from({ length: verifyingKey.nPublic }, (_, i) => wireValue(Fr, witness, i + 1))

/** Words for the phases of a proof. */
export const PHASE_NAMES: Readonly<Record<Phase, string>> = {
  ...{ witness: 'witness', rows: 'rows', columns: 'polynomials', results: 'polynomials' },
  ...{ a: 'sum A', b1: 'sum B1', b2: 'sum B2', c: 'sum C', h: 'sum H', check: 'check' },
}

/** Phases between `witness` and `check`, in their order. */
const SUM_PHASES = ['rows', 'columns', 'results', 'a', 'b1', 'b2', 'c', 'h'] as const

/** A whole proof. Stops between rounds when the proof's room says so: throws AbortedError. */
export function proveOnEngine(
  session: Session,
  { slot, place, blinding }: ProveTask,
  witness: Witness,
  onProgress: (fraction: number, phase: string) => void,
): { readonly proof: Proof; readonly publicSignals: readonly bigint[]; readonly quick: QuickCheck } {
  const thread = runtimeAt(session, session.layout.slots[slot]!)
  const { key, proofs } = session.layout
  const proof = proofs[place]!
  const stop = new Int32Array(session.memory.buffer, proof.abort, 1)
  const shares = phaseShares(key)
  const sharesOf = (phases: readonly Phase[]): number => phases.reduce((sum, phase) => sum + shares[phase], 0)
  const all = sharesOf(SUM_PHASES)
  const sums = proofSums(thread, session.plan, key, proof, witness, (phase, share) => {
    if (Atomics.load(stop, 0) !== 0) throw new AbortedError('the proof')
    const before = sharesOf(SUM_PHASES.slice(0, Math.max((SUM_PHASES as readonly Phase[]).indexOf(phase), 0)))
    onProgress((before + shares[phase] * share) / all, PHASE_NAMES[phase])
  })
  return {
    proof: assembleProof(thread, key, pointsOf(session), sums, blindingOf(blinding)),
    publicSignals: publicSignalsOf(session, witness),
    quick: quickCheck(thread, session),
  }
}

/** What `verifierOf` decides for the session's key, on the engine. */
export type QuickCheck = (publicSignals: readonly bigint[], proof: Proof) => boolean

function quickCheck(thread: Runtime, { layout, verifyingKey }: Session): QuickCheck {
  const place = pairingPlace(verifyingKey.nPublic, layout.key.pairing)
  return (publicSignals, proof) => checkPairing(thread, place, verifyingKey, publicSignals, proof)
}

/** One piece of a proof. */
export function runPiece(
  { session }: { readonly session: Session },
  task: PieceTask,
  edge: {
    readonly witness: (source: Source) => Witness
    readonly check: (key: VerifyingKey, publicSignals: readonly bigint[], proof: Proof, quick: QuickCheck) => void
  },
): unknown {
  const thread = runtimeAt(session, session.layout.slots[task.slot]!)
  const { key, proofs } = session.layout
  switch (task.kind) {
    case 'take-in': {
      const start = performance.now()
      const witness = edge.witness(task.source)
      const witnessMs = performance.now() - start
      const proof = proofs[task.place]!
      const intake = takeIn(thread, session.plan, key, proof, witness)
      writeBias(thread, proof, task.windows)
      return { intake, publicSignals: publicSignalsOf(session, witness), witnessMs } satisfies TakenIn
    }
    case 'pass':
      return runPass(thread, key, proofs[task.place]!, task.pass, task.first, task.end, session.plan.vanishing)
    case 'sum':
      return multiScalar(thread, task.msm)
    case 'finish': {
      const proof = assembleProof(thread, key, pointsOf(session), task.sums, blindingOf(task.blinding))
      const start = performance.now()
      edge.check(session.verifyingKey, task.publicSignals, proof, quickCheck(thread, session))
      return { proof, checkMs: performance.now() - start } satisfies Finished
    }
  }
}

/** Multiples of a generator. */
export const multiplyPiece = ({ tables }: MultiplierData, { group, scalars, slot }: MultiplyTask): Uint8Array =>
  multiples(runtimeAt(tables, tables.slots[slot]!), tables.tables[group], group, scalars)

/** Sums over columns. */
export const columnPiece = ({ columns }: CombinerData, { sums, slot }: ColumnsTask): ColumnSums =>
  columnSums(runtimeAt(columns, columns.slots[slot]!), sums)
