import type { Builder } from '../builder.ts'
import { CircuitError } from '../error.ts'
import type { LC } from '../lc.ts'
import { toBits } from './bits.ts'

/** Rows that a table of 2ⁿ entries takes besides the bits of its index, with `low` bits in the lower half. */
export const lookupRows = (n: number, low: number): number => {
  const high = n - low
  return 2 ** high - 1 - high + (2 ** low - 1 - low) + (2 ** high - 1)
}

/** The split of n bits that takes the fewest rows. */
export const bestSplit = (n: number): number => {
  let best = n
  for (let low = 0; low <= n; low++) if (lookupRows(n, low) < lookupRows(n, best)) best = low
  return best
}

/**
 * table[x - lo].
 *
 * The bits of x - lo are cut in two. The product of the bits in a set l (a monomial) is one row for each set of two or more.
 * By Möbius inversion over subsets, table[i] = Σ_h Σ_l C[h][l]·mono_h(i)·mono_l(i) with
 * C[h][l] = Σ_(h'⊆h, l'⊆l) ±table[h'l'], and one row for each h ≠ ∅ multiplies mono_h by Σ_l C[h][l]·mono_l.
 *
 * Proves: y is that entry. Requires: a proven range of x within [lo, lo + table.length); 2 to 2¹² entries, integers of
 * magnitude below 2⁴⁰. Cost: 37 rows for 256 entries, 83 for 1,024, and n + 1 for the bits.
 */
export function lookup(cs: Builder, x: LC, table: readonly number[], lo: bigint): LC {
  const n = Math.max(1, Math.ceil(Math.log2(table.length)))
  if (table.length < 1 || n > 12)
    throw new CircuitError('circuit/overflow', `lookup: ${table.length} entries, 1 to 4096 fit`)
  if (table.some((y) => !Number.isInteger(y) || Math.abs(y) >= 2 ** 40))
    throw new CircuitError('circuit/overflow', 'lookup: entries must be integers of magnitude below 2^40')
  if (x.range === null || x.range.lo < lo || x.range.hi >= lo + BigInt(table.length))
    throw new CircuitError('circuit/overflow', `lookup: the index is not proven to lie in the table's domain`)
  if (table.every((y) => y === table[0])) return cs.constant(table[0]!)

  const low = bestSplit(n)
  const [L, H] = [1 << low, 1 << (n - low)]
  // entries past the end of the table are never read; repeating the last keeps the coefficients small
  const C = Array.from({ length: L * H }, (_, i) => table[Math.min(i, table.length - 1)]!)
  for (let bit = 1; bit < L * H; bit <<= 1)
    for (let mask = 0; mask < L * H; mask++) if (mask & bit) C[mask]! -= C[mask ^ bit]!

  const bits = toBits(
    cs,
    cs.combine([
      [1, x],
      [-lo, cs.ONE],
    ]),
    n,
  )
  /** Products of the bits from `first` on, by subset. */
  const monomials = (first: number, count: number): LC[] => {
    const out: LC[] = [cs.ONE]
    for (let mask = 1; mask < 1 << count; mask++) {
      const top = 31 - Math.clz32(mask)
      const rest = out[mask ^ (1 << top)]!
      const bit = cs.bit(bits, first + top)
      out.push(rest === cs.ONE ? bit : cs.mul(rest, bit))
    }
    return out
  }
  const lows = monomials(0, low)
  const highs = monomials(low, n - low)
  const inner = highs.map((_, h) => cs.combine(lows.map((mono, l) => [C[h * L + l]!, mono] as const)))
  const products: LC[] = []
  const due = highs.flatMap((_, h) => (h > 0 && inner[h]!.wires.length > 0 ? [h] : []))
  let y = inner[0]!
  due.forEach((h, k) => {
    // the last row yields y itself, so that users of y meet one wire and not this sum
    if (k === due.length - 1) y = cs.mulAdd(highs[h]!, inner[h]!, cs.add(y, ...products))
    else products.push(cs.mul(highs[h]!, inner[h]!))
  })
  const used = table.slice(Number(x.range.lo - lo), Number(x.range.hi - lo) + 1)
  const [least, most] = [used.reduce((m, v) => Math.min(m, v)), used.reduce((m, v) => Math.max(m, v))]
  return cs.proven(y, BigInt(least), BigInt(most))
}
