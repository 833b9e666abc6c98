import type { LCId, Wire } from '../circuit.ts'
import { digitsOf, eliminate, type Relation } from './digits.ts'
import { type Knowledge, rangeOfSum, unknownOf } from './knowledge.ts'
import { addTerm, addTo, coefficientOf, lineOf, rowsOfWire, type Sum } from './rows.ts'

/** Rows of a product wire that are looked at. */
const MAX_PARTNERS = 64

/**
 * Quotient by a divisor that is a wire. With w = q·d, d determined:
 *   ±w + R + … = 0   and   ∓w + S + … = 0    (… are determined, R and S integers with lower bounds)
 * add up to R + S = K for a determined K, so between two witnesses R changes by at most W = K - min R - min S. If the divisor
 * exceeds that, D - W ≥ 1 for D = d or -d, then a change of q by 1 or more would move w by at least D > W: q and w are
 * determined.
 *
 * Proof that this holds over the integers: W is one in [0, width R + width S], D = W + E with E ≥ 1 from the rows' constants
 * or ranges, and D·(width of q) + W < p. Neither d nor the dividend needs a range of its own.
 */
export function quotient(known: Knowledge, row: number): readonly Wire[] {
  const { rows, count, last, ranges } = known
  const [o, c] = [rows.other[row]!, rows.sides[3 * row + 2]!]
  // the product is the one open wire beside the remainder's bits
  for (const side of [o, c]) {
    if (count[side] !== 1) continue
    const w = last[side]!
    const partners = rowsOfWire(rows, w, MAX_PARTNERS)
    const products = partners.flatMap((r) => productOf(known, r, w) ?? [])
    if (products.length === 0) continue
    const open = unknownOf(known, lineOf(rows, row))
    if (!open.has(w) || [...open.keys()].some((v) => v !== w && !ranges.has(v))) continue
    for (const partner of partners) {
      if (partner === row || rows.linear[partner] === 0 || !singles(known, partner, w)) continue
      const relation = eliminate(known, row, open, partner, w)
      if (relation === undefined) continue
      for (const { divisor, multiple, slope } of products)
        if (exceeds(known, relation, open.get(w)!, divisor, multiple, slope))
          return [w, ...(count[multiple] === 1 ? [last[multiple]!] : digitsOf(known, multiple))]
    }
  }
  return []
}

/** A row d·q = k·w + … with d determined and q an integer, both as combinations. */
type Product = { readonly divisor: LCId; readonly multiple: LCId; readonly slope: bigint }

function productOf({ rows, count, last, ranges }: Knowledge, row: number, w: Wire): Product | undefined {
  if (rows.linear[row] === 1) return undefined
  const [a, b, c] = [rows.sides[3 * row]!, rows.sides[3 * row + 1]!, rows.sides[3 * row + 2]!]
  if (count[c] !== 1 || last[c] !== w) return undefined
  for (const [divisor, multiple] of [
    [a, b],
    [b, a],
  ] as const)
    if (count[divisor] === 0 && count[multiple]! > 0 && ranges.interval(multiple) !== undefined)
      return { divisor, multiple, slope: coefficientOf(rows, c, w) }
  return undefined
}

/** Whether one side of a linear row has w as its only open wire. */
const singles = ({ rows, count, last }: Knowledge, row: number, w: Wire): boolean =>
  [rows.other[row]!, rows.sides[3 * row + 2]!].some((lc) => count[lc] === 1 && last[lc] === w)

/** Whether the step of w, the divisor times `alpha` / `slope`, exceeds what the relation lets the rest of the row change. */
function exceeds(
  { rows, ranges }: Knowledge,
  { part, rest, value }: Relation,
  alpha: bigint,
  divisor: LCId,
  multiple: LCId,
  slope: bigint,
): boolean {
  const { F } = rows
  const [g, h] = [rangeOfSum(ranges, part), rangeOfSum(ranges, rest)]
  if (g === undefined || h === undefined) return false
  const least = g.lo + h.lo
  const change = g.hi + h.hi - least
  const ratio = F.signed(alpha * F.inv(slope))
  const steps = ranges.interval(multiple)!
  for (const sign of [1n, -1n]) {
    // E = D - W, with W = value - least
    const excess: Sum = addTo(rows, new Map(), sign * ratio, divisor)
    for (const [w, k] of value) addTerm(F, excess, w, -k)
    addTerm(F, excess, 0, least)
    const e = rangeOfSum(ranges, excess)
    if (e !== undefined && e.lo >= 1n && (change + e.hi) * (steps.hi - steps.lo) + change < F.p) return true
  }
  return false
}
