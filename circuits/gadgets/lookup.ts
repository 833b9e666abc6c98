import type { Bits, Builder } from '../builder.ts'
import { CircuitError } from '../error.ts'
import type { LC, Range } from '../lc.ts'
import { toBits } from './bits.ts'
import { type Rounding, requantise, requantiseFree, requantiseWindow, shiftRight } from './requantise.ts'
import { allZero } from './zero.ts'

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

/** Products of the bits of an index, by subset, of its lower and of its upper bits. */
type Index = {
  readonly bits: number
  readonly low: number
  readonly lows: readonly LC[]
  readonly highs: readonly LC[]
}

/** The products of `count` bits from `first` on, `low` of them in the lower half. */
function indexOf(cs: Builder, bits: Bits, first: number, count: number): Index {
  const low = bestSplit(count)
  const monomials = (from: number, n: number): LC[] => {
    const out: LC[] = [cs.ONE]
    for (let mask = 1; mask < 1 << n; mask++) {
      const top = 31 - Math.clz32(mask)
      const rest = out[mask ^ (1 << top)]!
      const bit = cs.bit(bits, from + top)
      out.push(rest === cs.ONE ? bit : cs.mul(rest, bit))
    }
    return out
  }
  return { bits: count, low, lows: monomials(first, low), highs: monomials(first + low, count - low) }
}

/** The entry of 2ⁿ ones at an index of n bits, as a sum; its last product is one wire. */
function entryAt(cs: Builder, { bits, low, lows, highs }: Index, entries: readonly number[]): LC {
  const L = 1 << low
  const C = [...entries]
  for (let bit = 1; bit < 1 << bits; bit <<= 1)
    for (let mask = 0; mask < 1 << bits; mask++) if (mask & bit) C[mask]! -= C[mask ^ bit]!
  const inner = highs.map((_, h) => cs.combine(lows.map((mono, l) => [C[h * L + l]!, mono] as const)))
  const products: LC[] = []
  const due = highs.flatMap((_, h) => (h > 0 && inner[h]!.wires.length > 0 ? [h] : []))
  let y = inner[0]!
  due.forEach((h, k) => {
    // the last row yields y itself, so that users of y meet one wire and not this sum
    if (k === due.length - 1) y = cs.mulAdd(highs[h]!, inner[h]!, cs.add(y, ...products))
    else products.push(cs.mul(highs[h]!, inner[h]!))
  })
  return y
}

function checkTables(tables: readonly (readonly number[])[]): void {
  const [first] = tables
  if (first === undefined || first.length < 1 || first.length > 4096)
    throw new CircuitError('circuit/overflow', `lookup: ${first?.length ?? 0} entries, 1 to 4096 fit`)
  if (tables.some((table) => table.length !== first.length))
    throw new CircuitError('circuit/overflow', 'lookup: the tables differ in length')
  if (tables.some((table) => table.some((y) => !Number.isInteger(y) || Math.abs(y) >= 2 ** 40)))
    throw new CircuitError('circuit/overflow', 'lookup: entries must be integers of magnitude below 2^40')
}

/** Least and greatest entry for indices in a range, the table beginning at lo. */
function entriesIn(table: readonly number[], lo: bigint, { lo: from, hi: to }: Range): Range {
  const used = table.slice(Number(from - lo), Number(to - lo) + 1)
  return { lo: BigInt(used.reduce((m, v) => Math.min(m, v))), hi: BigInt(used.reduce((m, v) => Math.max(m, v))) }
}

/** table[x - lo]: `lookupAll` of one table. */
export const lookup = (cs: Builder, x: LC, table: readonly number[], lo: bigint): LC =>
  lookupAll(cs, x, [table], lo)[0]!

/**
 * table[x - lo] for each of one or more tables of the same length.
 *
 * The bits of x - lo are cut in two. The product of the bits in a set l (a monomial) is one row for each set of two or more.
 * By Möbius inversion over subsets, table[i] = Σ_h Σ_l C[h][l]·mono_h(i)·mono_l(i) with
 * C[h][l] = Σ_(h'⊆h, l'⊆l) ±table[h'l'], and one row for each h ≠ ∅ multiplies mono_h by Σ_l C[h][l]·mono_l.
 *
 * Proves: each result is that entry. Requires: a proven range of x within [lo, lo + table.length); 1 to 2¹² entries, integers of
 * magnitude below 2⁴⁰. Cost: 37 rows for 256 entries, 83 for 1,024, and n + 1 for the bits; 15, or 31, for each further table.
 */
export function lookupAll(cs: Builder, x: LC, tables: readonly (readonly number[])[], lo: bigint): LC[] {
  checkTables(tables)
  const length = tables[0]!.length
  const { range } = x
  if (range === null || range.lo < lo || range.hi >= lo + BigInt(length))
    throw new CircuitError('circuit/overflow', `lookup: the index is not proven to lie in the table's domain`)
  const n = Math.max(1, Math.ceil(Math.log2(length)))
  let index: Index | undefined
  return tables.map((table) => {
    if (table.every((y) => y === table[0])) return cs.constant(table[0]!)
    index ??= indexOf(
      cs,
      toBits(
        cs,
        cs.combine([
          [1, x],
          [-lo, cs.ONE],
        ]),
        n,
      ),
      0,
      n,
    )
    // entries past the end of the table are never read; repeating the last keeps the coefficients small
    const entries = Array.from({ length: 1 << n }, (_, i) => table[Math.min(i, length - 1)]!)
    const y = entryAt(cs, index, entries)
    const used = entriesIn(table, lo, range)
    return cs.proven(y, used.lo, used.hi)
  })
}

/**
 * table[requantise(x) - first] for each of one or more tables: a rounding shift with saturation, then a table.
 *
 * With the bits, `ok` and `positive` of `requantise`, the result of which is lo + u, lo or lo + M: the table T of u, over the
 * low n bits of u, is read before saturation, and
 *   y = ok·(T(u) - T(M)) + positive·(T(M) - T(0)) + T(0)
 * is T(u), T(M) or T(0). Where ok = 0, T(u) is an entry at some n bits and counts for nothing. The bits of u serve the
 * table, so that the saturated integer need not be split again.
 * Proves: each result is that entry. Requires: as `requantise` and `lookupAll`, the integers of x's range rounded within the
 * tables. Cost: that of `requantise` and n + 1 rows fewer than `lookupAll` has; where hi - lo + 1 is no power of two both.
 */
export function roundedLookup(
  cs: Builder,
  x: LC,
  rounding: Rounding,
  tables: readonly (readonly number[])[],
  first: bigint,
): LC[] {
  checkTables(tables)
  const { shift, lo, hi } = rounding
  const n = Math.log2(Number(hi - lo + 1n))
  const { range } = x
  const separately =
    range === null || !Number.isInteger(n) || n < 1 || n > 12 || requantiseFree(cs, x, rounding) !== undefined
  if (separately) return lookupAll(cs, requantise(cs, x, shift, lo, hi), tables, first)
  const clamp = (t: bigint): bigint => (t < lo ? lo : t > hi ? hi : t)
  const [least, most] = [shiftRight(range.lo, shift), shiftRight(range.hi, shift)]
  const domain: Range = { lo: clamp(least), hi: clamp(most) }
  if (domain.lo < first || domain.hi >= first + BigInt(tables[0]!.length))
    throw new CircuitError('circuit/overflow', `lookup: the index is not proven to lie in the table's domain`)
  const used = tables.map((table) => entriesIn(table, first, domain))
  if (used.every((entries) => entries.lo === entries.hi)) return used.map((entries) => cs.constant(entries.lo))
  const { offset, width, signed } = requantiseWindow(range, rounding)
  const bits = toBits(
    cs,
    cs.combine([
      [1, x],
      [offset, cs.ONE],
    ]),
    width,
  )
  const spelled = signed ? width - 1 : width
  const count = Math.min(n, spelled - shift)
  const saturates = most > hi
  const positive = signed ? cs.bit(bits, width - 1) : cs.ONE
  const ok = saturates ? allZero(cs, positive, bits, shift + n, spelled) : positive
  const index = indexOf(cs, bits, shift, count)
  return tables.map((table, t) => {
    /** Entry for u, or for the nearest integer that x's range allows. */
    const entry = (u: number): number => {
      const y = lo + BigInt(u)
      return table[Number((y < domain.lo ? domain.lo : y > domain.hi ? domain.hi : y) - first)]!
    }
    const entries = used[t]!
    if (entries.lo === entries.hi) return cs.constant(entries.lo)
    const inner = entryAt(
      cs,
      index,
      Array.from({ length: 1 << count }, (_, u) => entry(u)),
    )
    const [bottom, top] = [entry(0), entry((1 << n) - 1)]
    const y =
      ok === cs.ONE
        ? inner
        : saturates
          ? cs.mulAdd(
              ok,
              cs.combine([
                [1, inner],
                [-top, cs.ONE],
              ]),
              cs.combine([
                [top - bottom, positive],
                [bottom, cs.ONE],
              ]),
            )
          : cs.mulAdd(
              ok,
              cs.combine([
                [1, inner],
                [-bottom, cs.ONE],
              ]),
              cs.constant(bottom),
            )
    return cs.proven(y, entries.lo, entries.hi)
  })
}
