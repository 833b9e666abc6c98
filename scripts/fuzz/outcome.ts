import { CircuitError } from '../../circuits/error.ts'
import { VeritensorError } from '../../src/errors.ts'
import { isRefusal } from '../support/serve.ts'
import { compileMutant, type Target } from './target.ts'

/** How a mutant ended: compiled, refused by a typed error, or in a way that no file may cause. */
export type Outcome =
  | { readonly kind: 'compiled' }
  | { readonly kind: 'refused'; readonly code: string }
  | { readonly kind: 'untyped'; readonly message: string; readonly stack: string }

/** Codes of circuit errors that a model may cause: its numbers are too large for the field, or it is too large. */
const refusals = ['circuit/overflow', 'circuit/aliasing', 'limit/rows']

/** What compiling a mutant comes to. */
export function tryMutant(bytes: Uint8Array, target: Target): Outcome {
  try {
    compileMutant(bytes, target)
    return { kind: 'compiled' }
  } catch (error) {
    if (error instanceof VeritensorError && isRefusal(error)) return { kind: 'refused', code: error.code }
    if (error instanceof CircuitError && refusals.includes(error.code)) return { kind: 'refused', code: error.code }
    const { message, stack = '' } = error instanceof Error ? error : new Error(String(error))
    return { kind: 'untyped', message, stack }
  }
}
