import type { Wire } from '../circuit.ts'
import type { Range } from '../lc.ts'
import { plus, times } from './intervals.ts'
import type { Ranges } from './ranges.ts'
import type { Rows, Sum } from './rows.ts'

/** What lemmas may use: the rows, the ranges that they imply, and which wires are not yet shown to be determined. */
export type Knowledge = {
  readonly rows: Rows
  readonly ranges: Ranges
  /** 1 for wires that are not yet shown to be determined. */
  readonly open: Uint8Array
  /** Open wires of each combination. */
  readonly count: Uint32Array
  /** XOR of them: the one where the count is 1. */
  readonly last: Uint32Array
}

/** The open wires of a sum with their coefficients. */
export function unknownOf({ open }: Knowledge, sum: Sum): Sum {
  const found: Sum = new Map()
  for (const [w, k] of sum) if (open[w] === 1) found.set(w, k)
  return found
}

/** Interval of a sum, or undefined where a wire has none. */
export function rangeOfSum(ranges: Ranges, sum: Sum): Range | undefined {
  let total: Range = { lo: 0n, hi: 0n }
  for (const [w, k] of sum) {
    const range: Range | undefined = ranges.of(w as Wire)
    if (range === undefined) return undefined
    total = plus(total, times(k, range))
  }
  return total
}
