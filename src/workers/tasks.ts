/**
 * What travels between the main thread and the workers: plain data, shared memory and errors as records.
 * @module
 */
import type { Circuit } from '../../circuits/circuit.ts'
import { CircuitError } from '../../circuits/error.ts'
import { type ErrorCode, type ErrorDetails, VeritensorError } from '../errors.ts'
import type { Group } from '../groth16/fixedBase.ts'
import type { Proof, VerifyingKey } from '../groth16/keys.ts'

/** What a thread of a proving pool is given once. Arrays lie on shared memory. */
export type ProverData = {
  readonly circuit: Circuit
  readonly zkey: Uint8Array
  readonly verifyingKey: VerifyingKey
}

/** One inference: fill the witness, prove, check the proof. */
export type ProveTask = { readonly kind: 'prove'; readonly inputs: readonly (number | bigint)[] }

/** Multiples of a generator, for the setup: `scalars` on shared memory, `windowBits` as `windowBits()` advises. */
export type MultiplyTask = {
  readonly kind: 'multiply'
  readonly group: Group
  readonly scalars: Uint8Array
  readonly windowBits: number
}

export type Task = ProveTask | MultiplyTask

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
