import type { LCId, Wire } from '../circuit.ts'
import type { Knowledge } from './knowledge.ts'
import { rangeOfSum, unknownOf } from './knowledge.ts'
import { patternsOf } from './patterns.ts'
import { addTerm, addTo, lineOf, rowsOfWire, type Sum } from './rows.ts'

/** Other rows of a wire that are looked at for a bound. */
const MAX_PARTNERS = 64
/** Bounds from other rows that one row may use. */
const MAX_GROUPS = 8
/** Most open wires of a row that another one is bounded by. */
const MAX_SIDE = 512

/** Part of a sum whose change between two witnesses is bounded by `width`, which is below the sum of its terms' widths. */
type Group = { readonly wires: ReadonlySet<Wire>; readonly saving: bigint }

const abs = (x: bigint): bigint => (x < 0n ? -x : x)

/**
 * Digits: Σ c·x is known, each open x is an integer with a range, and the coefficients leave room: each |c| exceeds what all
 * smaller terms together can change. Then every open x is determined.
 *
 * Proof: for the differences d of two witnesses, Σ c·d = 0 mod p, and over the integers, since Σ |c|·width < p. The d ≠ 0 with
 * the largest |c| would be at least |c|, which the others can't make up for.
 * Bits are the case of widths 1 and powers of two below p, packed slots that of wider digits.
 *
 * Where the widths alone don't do, other rows may bound part of the sum: remainder + rest = d - 1 with rest ≥ 0 gives
 * remainder < d, and so do rows that forbid patterns of its bits.
 */
export function digits(known: Knowledge, row: number): readonly Wire[] {
  const open = unknownOf(known, lineOf(known.rows, row))
  return separable(known, open, row) ? [...open.keys()] : []
}

/** Digits for the open wires of a combination whose value is determined. */
export function digitsOf(known: Knowledge, lc: LCId): readonly Wire[] {
  const open = unknownOf(known, addTo(known.rows, new Map(), 1n, lc))
  return separable(known, open) ? [...open.keys()] : []
}

function separable(known: Knowledge, open: Sum, row?: number): boolean {
  const { rows, ranges } = known
  if (open.size === 0) return false
  for (const w of open.keys()) if (!ranges.has(w)) return false
  const terms = Array.from(open, ([wire, k]) => ({ wire, size: abs(k), reach: abs(k) * ranges.width(wire) }))
  // of equals the wider one first: the others are more likely to be bounded as a group
  const compare = (x: bigint, y: bigint): number => (x < y ? 1 : x > y ? -1 : 0)
  terms.sort((x, y) => compare(x.size, y.size) || compare(x.reach, y.reach))
  const sum = terms.reduce((n, t) => n + t.reach, 0n)
  const groups: Group[] = []
  for (;;) {
    let intact = [...groups]
    let rest = sum
    const bound = (): bigint => intact.reduce((n, g) => n - g.saving, rest)
    if (bound() >= rows.F.p) return false
    const stuck = terms.findIndex(({ wire, size, reach }) => {
      rest -= reach
      intact = intact.filter((g) => !g.wires.has(wire))
      return reach > 0n && size <= bound()
    })
    if (stuck < 0) return true
    if (row === undefined || groups.length >= MAX_GROUPS) return false
    const smaller = new Set(terms.slice(stuck + 1).map((t) => t.wire))
    for (const group of groups) for (const w of group.wires) smaller.delete(w)
    const patterns = patternGroups(known, open, terms, smaller)
    groups.push(...patterns)
    if (patterns.length > 0) continue
    let found: Group | undefined
    for (const { wire } of terms.slice(stuck, stuck + 2)) found ??= boundBy(known, row, open, wire, smaller)
    if (found === undefined) return false
    groups.push(found)
  }
}

/** Bits among `within` that rows X·Y = 0 keep below what they could spell. */
function patternGroups(
  { rows, ranges }: Knowledge,
  open: Sum,
  terms: readonly { readonly wire: Wire; readonly size: bigint }[],
  within: ReadonlySet<Wire>,
): Group[] {
  const bits = terms.filter(({ wire }) => within.has(wire) && ranges.boolean[wire] === 1)
  return [true, false].flatMap((positive) => {
    const ofSign = bits.filter(({ wire }) => open.get(wire)! > 0n === positive)
    return patternsOf(
      rows,
      ranges,
      ofSign.map(({ wire, size }) => ({ wire, weight: size })),
    ).flatMap(({ bits, greatest }) => {
      const saving = bits.reduce((n, { weight }) => n + weight, 0n) - greatest
      return saving > 0n ? [{ wires: new Set(bits.map(({ wire }) => wire)), saving }] : []
    })
  })
}

/** A group among `within` that another linear row of `wire` bounds, by itself or after `wire` is eliminated. */
function boundBy(known: Knowledge, row: number, open: Sum, wire: Wire, within: ReadonlySet<Wire>): Group | undefined {
  const { rows, count } = known
  for (const partner of rowsOfWire(rows, wire, MAX_PARTNERS)) {
    if (partner === row || rows.linear[partner] === 0) continue
    if (count[rows.other[partner]!]! + count[rows.sides[3 * partner + 2]!]! > MAX_SIDE) continue
    for (const read of [direct, eliminate]) {
      const relation = read(known, row, open, partner, wire)
      if (relation === undefined || ![...relation.part.keys()].every((w) => within.has(w))) continue
      const group = boundFrom(known, relation)
      if (group !== undefined) return group
    }
  }
  return undefined
}

/** Σ part + Σ rest = value, with `part` among a row's open terms, `rest` of open wires too and `value` of known ones. */
export type Relation = { readonly part: Sum; readonly rest: Sum; readonly value: Sum }

/** What a linear row sets to 0, scaled so that `wire` has the coefficient k. */
function scaledLine({ rows }: Knowledge, row: number, wire: Wire, k: bigint): Sum | undefined {
  const line = lineOf(rows, row)
  const own = line.get(wire)
  if (own === undefined) return undefined
  const scale = k * rows.F.inv(own)
  for (const [w, c] of line) line.set(w, rows.F.signed(scale * c))
  return line
}

/** The second row scaled so that what it shares with the first has equal coefficients. */
function direct(known: Knowledge, _row: number, open: Sum, partner: number, wire: Wire): Relation | undefined {
  const line = scaledLine(known, partner, wire, open.get(wire)!)
  if (line === undefined) return undefined
  const [part, rest, value]: [Sum, Sum, Sum] = [new Map(), new Map(), new Map()]
  for (const [w, k] of line) {
    if (known.open[w] === 0) value.set(w, -k)
    else if (open.get(w) === k) part.set(w, k)
    else rest.set(w, k)
  }
  return { part, rest, value }
}

/** The first row plus a multiple of the second, so that `wire` is gone. */
export function eliminate(known: Knowledge, row: number, open: Sum, partner: number, wire: Wire): Relation | undefined {
  const { rows } = known
  const line = scaledLine(known, partner, wire, -open.get(wire)!)
  if (line === undefined) return undefined
  const [part, rest, value]: [Sum, Sum, Sum] = [new Map(open), new Map(), new Map()]
  part.delete(wire)
  line.delete(wire)
  for (const [w, k] of lineOf(rows, row)) if (known.open[w] === 0) value.set(w, -k)
  for (const [w, k] of line) {
    if (known.open[w] === 0) addTerm(rows.F, value, w, -k)
    else rest.set(w, k)
  }
  return { part, rest, value }
}

/** part = value - rest, as far as that is narrower than part's own range and nothing wraps. */
function boundFrom(known: Knowledge, { part, rest, value }: Relation): Group | undefined {
  const [g, h, k] = [part, rest, value].map((sum) => rangeOfSum(known.ranges, sum))
  if (g === undefined || h === undefined || k === undefined || part.size === 0) return undefined
  const { p } = known.rows.F
  if (g.hi + h.hi - k.lo >= p || k.hi - g.lo - h.lo >= p) return undefined
  const own = g.hi - g.lo
  const width = [k.hi - h.lo - g.lo, g.hi + h.hi - k.lo, h.hi - h.lo].reduce((m, v) => (v < m ? v : m))
  // a negative width: there is no witness, and 0 is as good
  return width < own ? { wires: new Set(part.keys()), saving: own - (width < 0n ? 0n : width) } : undefined
}
