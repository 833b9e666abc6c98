import type { Wire } from '../circuit.ts'
import { bitLength, magnitude, type Range } from '../lc.ts'
import { type Listed, lister, type RowRef, refOf } from './counts.ts'
import { negate, plus, product, times } from './intervals.ts'
import type { Ranges } from './ranges.ts'
import { type Rows, rowsOfWire } from './rows.ts'

/** What the re-derived intervals say. */
export type RangeReport = {
  /** Wires that the rows prove to be integers in an interval within (-p/2, p/2]. */
  readonly bounded: number
  /** Wires that may be any field element as far as intervals tell. */
  readonly unbounded: number
  /** The bounded wire of the largest magnitude. */
  readonly widestWire: (RowRef & { readonly wire: Wire; readonly bits: number }) | undefined
  /** The row over bounded wires whose two sides differ most over the integers. */
  readonly widestRow: (RowRef & { readonly bits: number }) | undefined
  /** Bits of the field's order. */
  readonly fieldBits: number
  /** Rows over bounded wires that may hold mod p without holding over the integers. */
  readonly wrapping: Listed<RowRef & { readonly bits: number }>
  /** Other wires that the solver takes for integers below 2⁵³ although the rows don't prove it. */
  readonly unprovenWires: Listed<RowRef & { readonly wire: Wire }>
  /** Inputs that the solver takes from a range only, which the rows don't enforce. */
  readonly unprovenInputs: Listed<{ readonly wire: Wire; readonly claimed: Range; readonly proven: Range | undefined }>
}

const SAFE = BigInt(Number.MAX_SAFE_INTEGER)

/**
 * Checks every row over bounded wires: where k·o - c or a·b - c stays within (-p, p), the row holds over the integers.
 */
export function reportRanges(rows: Rows, ranges: Ranges): RangeReport {
  const { F, circuit, linear, other, factor, sides, values, start, wire } = rows
  const isBoolean = (lc: number): boolean =>
    start[lc + 1]! - start[lc]! === 1 && ranges.boolean[wire[start[lc]!]!] === 1
  const wrapping = lister<RowRef & { readonly bits: number }>()
  let widestRow: RangeReport['widestRow']
  let greatest = 0n
  for (let r = 0; r < rows.count; r++) {
    const [a, b, c] = [sides[3 * r]!, sides[3 * r + 1]!, sides[3 * r + 2]!]
    if (linear[r] === 0 && a === b && isBoolean(a)) continue
    const right = ranges.interval(c)
    if (right === undefined) continue
    const x = ranges.interval(linear[r] === 1 ? other[r]! : a)
    const y = linear[r] === 1 ? x : ranges.interval(b)
    if (x === undefined || y === undefined) continue
    const value = plus(linear[r] === 1 ? times(values[factor[r]!]!, x) : product(x, y), negate(right))
    const size = magnitude(value)
    if (size >= F.p) wrapping.add({ ...refOf(rows, r), bits: bitLength(size) })
    if (size > greatest) {
      greatest = size
      widestRow = { ...refOf(rows, r), bits: bitLength(size) }
    }
  }
  const firstInput = 1 + circuit.publicOutputs
  const behindInputs = firstInput + circuit.publicInputs + circuit.privateInputs
  const unprovenWires = lister<RowRef & { readonly wire: Wire }>()
  let [bounded, widest, most] = [0, 0, 0n]
  for (let w = 1; w < rows.wires; w++) {
    if (ranges.boolean[w] === 1) {
      bounded++
      continue
    }
    const range = ranges.of(w)
    const size = range && magnitude(range)
    const isInput = w >= firstInput && w < behindInputs
    if (circuit.wideWire[w] === 0 && !isInput && (size === undefined || size > SAFE)) {
      const [row] = rowsOfWire(rows, w, 4)
      if (row !== undefined) unprovenWires.add({ wire: w, ...refOf(rows, row) })
    }
    if (size === undefined) continue
    bounded++
    if (size > most) [widest, most] = [w, size]
  }
  const at = widest === 0 ? undefined : rowsOfWire(rows, widest, 4)[0]
  const unproven = lister<{ wire: Wire; claimed: Range; proven: Range | undefined }>()
  for (let i = 0; i < circuit.publicInputs + circuit.privateInputs; i++) {
    const [lo, hi] = [circuit.inputRanges[2 * i]!, circuit.inputRanges[2 * i + 1]!]
    if (!Number.isFinite(lo)) continue
    const w = firstInput + i
    const proven = ranges.of(w)
    const claimed = { lo: BigInt(lo), hi: BigInt(hi) }
    if (proven === undefined || proven.lo < claimed.lo || proven.hi > claimed.hi)
      unproven.add({ wire: w, claimed, proven })
  }
  return {
    bounded,
    unbounded: rows.wires - 1 - bounded,
    widestWire: at === undefined ? undefined : { ...refOf(rows, at), wire: widest, bits: bitLength(most) },
    widestRow,
    fieldBits: bitLength(F.p),
    wrapping: wrapping.list(),
    unprovenWires: unprovenWires.list(),
    unprovenInputs: unproven.list(),
  }
}
