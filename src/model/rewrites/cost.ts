import { type Builder, createBuilder } from '../../../circuits/builder.ts'
import { CircuitError } from '../../../circuits/error.ts'
import { Fr } from '../../../circuits/field.ts'
import type { LC, Range } from '../../../circuits/lc.ts'

/**
 * The cost model: rows that a gadget takes for inputs of some ranges, counted by building it. Infinity where it is refused.
 */
export function rowsOn(ranges: readonly Range[], build: (cs: Builder, xs: readonly LC[]) => unknown): number {
  const cs = createBuilder(Fr)
  const xs = ranges.map(({ lo, hi }) => cs.proven(cs.input('private', { lo, hi }), lo, hi))
  try {
    build(cs, xs)
    return cs.rows()
  } catch (error) {
    if (error instanceof CircuitError) return Number.POSITIVE_INFINITY
    throw error
  }
}
