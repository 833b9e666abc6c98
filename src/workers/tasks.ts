/**
 * What travels between the main thread and the workers: plain data, shared memory and errors as records.
 * @module
 */
import type { Circuit } from '../../circuits/circuit.ts'
import { CircuitError } from '../../circuits/error.ts'
import type { Witness } from '../../circuits/solve.ts'
import type { Blinding, ProofSums } from '../engine/assemble.ts'
import type { ColumnData, ColumnTask } from '../engine/columns.ts'
import type { Tables } from '../engine/fixedBase.ts'
import type { Intake } from '../engine/intake.ts'
import type { Msm, Windows } from '../engine/msm.ts'
import type { Group } from '../engine/runtime.ts'
import type { Session } from '../engine/session.ts'
import type { Pass } from '../engine/transforms.ts'
import { type ErrorCode, type ErrorDetails, VeritensorError } from '../errors.ts'
import type { Proof, VerifyingKey } from '../groth16/keys.ts'

/** Which proofs a thread verifies before it gives them out: every one, or only its first. */
export type Checks = 'every' | 'first'

/** What a thread of a proving pool is given once. Arrays lie on shared memory. */
export type ProverData = { readonly circuit: Circuit | undefined; readonly checks?: Checks | undefined } & (
  | { readonly engine: 'ours'; readonly session: Session }
  | { readonly engine: 'snarkjs'; readonly zkey: Uint8Array; readonly verifyingKey: VerifyingKey }
)

/** What is to be proved: inputs of the circuit, from which the witness follows, or the witness itself. */
export type Source = { readonly inputs: readonly (number | bigint)[] } | { readonly values: Witness }

/** One inference on one thread: fill the witness, prove, check the proof. */
export type ProveTask = {
  readonly kind: 'prove'
  readonly source: Source
  /** Room of the thread and of the proof; -1 where snarkjs proves. */
  readonly slot: number
  readonly place: number
  /** Only for tests, which compare proofs: instead of fresh random numbers. */
  readonly blinding?: Blinding | undefined
}

/** A piece of a proof that several threads make together. All but the first and the last may be run again. */
export type PieceTask = { readonly slot: number } & (
  | { readonly kind: 'take-in'; readonly source: Source; readonly place: number; readonly windows: Windows }
  | {
      readonly kind: 'pass'
      readonly place: number
      readonly pass: Pass
      readonly first: number
      readonly end: number
    }
  | { readonly kind: 'sum'; readonly msm: Msm }
  | {
      readonly kind: 'finish'
      readonly sums: ProofSums
      readonly publicSignals: readonly bigint[]
      readonly blinding?: Blinding | undefined
    }
)

/** Of `take-in`. */
export type TakenIn = {
  readonly intake: Intake
  readonly publicSignals: readonly bigint[]
  readonly witnessMs: number
}

/** Of `finish`. */
export type Finished = { readonly proof: Proof; readonly checkMs: number }

/** What a thread of a set-up is given once. */
export type MultiplierData = { readonly engine: 'multiples'; readonly tables: Tables }

/** Multiples of a generator, for the set-up: `scalars` on shared memory. */
export type MultiplyTask = {
  readonly kind: 'multiply'
  readonly group: Group
  readonly scalars: Uint8Array
  readonly slot: number
}

/** What a thread of phase 2 is given once. */
export type CombinerData = { readonly engine: 'columns'; readonly columns: ColumnData }

/** Sums over columns. */
export type ColumnsTask = { readonly kind: 'columns'; readonly slot: number; readonly sums: ColumnTask }

export type Task = ProveTask | PieceTask | MultiplyTask | ColumnsTask

/** Milliseconds of each step of a proof. */
export type ProofStats = { readonly witnessMs: number; readonly proofMs: number; readonly checkMs: number }

export type ProveResult = {
  readonly proof: Proof
  readonly publicSignals: readonly bigint[]
  readonly stats: ProofStats
}

/** A thread reports how far task `id` has come. */
export type ProgressMessage = { readonly task: number; readonly fraction: number; readonly phase: string }

/** An error as a record that survives structured cloning. */
export type ErrorRecord = {
  readonly code: ErrorCode
  readonly message: string
  readonly details: ErrorDetails
  readonly fix: string | undefined
}

export type Reply = { readonly value: unknown } | { readonly error: ErrorRecord }

/** A bug of ours or of a library came up in a worker. */
export class UnexpectedError extends VeritensorError {
  constructor(message: string, details: ErrorDetails = {}) {
    super('internal/unexpected', message, { details, fix: 'Please report this with the input that caused it.' })
  }
}

/** Plain data only: what can't be cloned becomes text. */
function plain(value: unknown, depth = 0): unknown {
  if (value === null || ['string', 'number', 'boolean', 'bigint', 'undefined'].includes(typeof value)) return value
  if (depth < 4 && Array.isArray(value)) return value.map((v) => plain(v, depth + 1))
  if (depth < 4 && typeof value === 'object')
    return Object.fromEntries(Object.entries(value).map(([key, v]) => [key, plain(v, depth + 1)]))
  return String(value)
}

/** An error for the way to another thread. Whatever is not ours becomes `internal/unexpected`. */
export function toRecord(error: unknown): ErrorRecord {
  const known =
    error instanceof VeritensorError
      ? error
      : error instanceof CircuitError
        ? new VeritensorError(error.code, error.message, { details: error.details })
        : new UnexpectedError(error instanceof Error ? error.message : String(error), {
            stack: error instanceof Error ? error.stack : undefined,
          })
  return { code: known.code, message: known.message, details: plain(known.details) as ErrorDetails, fix: known.fix }
}

/** The error of a record. Its class is the base class: tell errors apart by `code`. */
export const fromRecord = ({ code, message, details, fix }: ErrorRecord): VeritensorError =>
  new VeritensorError(code, message, { details, ...(fix === undefined ? {} : { fix }) })
