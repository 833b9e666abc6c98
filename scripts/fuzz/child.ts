/**
 * The process in which mutants are compiled, one after the other: sends what each comes to.
 * @module
 */
import { tryMutant } from './outcome.ts'
import type { Target } from './target.ts'

/** A target, which is kept; or a mutant of one, by position. */
export type Order = { readonly target: Target } | { readonly mutant: Uint8Array; readonly of: number }

const targets: Target[] = []
process.on('message', (order: Order) => {
  if ('target' in order) targets.push(order.target)
  else process.send!(tryMutant(order.mutant, targets[order.of]!))
})
process.on('disconnect', () => process.exit(0)) // the parent is gone
