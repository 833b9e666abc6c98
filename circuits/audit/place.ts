import type { LCId, Wire } from '../circuit.ts'
import type { Choice } from './choices.ts'
import type { Knowledge } from './knowledge.ts'
import { addTo, type Sum } from './rows.ts'

/** Selectors up to which pairs are compared. */
const MAX_SELECTORS = 4096
/** Combinations of a selector that are looked at, and scores that are combined. */
const MAX_HOMES = 64
const MAX_SCORES = 8

/** T = value + Σ_j weights[j]·e_j with 0 ≤ T ≤ most, where `value` is determined; weights[n] is that of no selector. */
type Score = { readonly weights: readonly bigint[]; readonly value: Sum; readonly most: bigint }

/**
 * Place: at most one of the booleans e is 1 (or exactly one), and integers T ≥ 0 are determined up to the choice,
 *   T = … + Σ_j A_j·e_j.
 * If of two of them the determined parts cancel up to a constant, then T(c) in a witness that chose c plus T'(d) in one that
 * chose d is a constant: k + A_c + A'_d. Where that is, mod p, more than both can reach together, c and d exclude each
 * other. If all choices do, the choice is determined. (x - first ≥ 0 and last - x ≥ 0 for disjoint intervals.)
 */
export function place(known: Knowledge, { selectors, some }: Omit<Choice, 'row'>): readonly Wire[] {
  const { rows, open } = known
  if (selectors.length > MAX_SELECTORS || !selectors.some((e) => open[e] === 1)) return []
  const position = new Map(selectors.map((e, i) => [e, i]))
  const scores = scoresOf(known, selectors, position)
  const choices = selectors.length + (some ? 0 : 1)
  const { F } = rows
  const cancelling: { readonly a: Score; readonly b: Score; readonly k: bigint }[] = []
  for (const a of scores)
    for (const b of scores) {
      if (a === b) continue
      const sum: Sum = new Map(a.value)
      for (const [w, k] of b.value) {
        const total = F.signed((sum.get(w) ?? 0n) + k)
        if (total === 0n) sum.delete(w)
        else sum.set(w, total)
      }
      if (sum.size === 0 || (sum.size === 1 && sum.has(0))) cancelling.push({ a, b, k: sum.get(0) ?? 0n })
    }
  if (cancelling.length === 0) return []
  for (let c = 0; c < choices; c++)
    for (let d = 0; d < c; d++) {
      const apart = cancelling.some(({ a, b, k }) => F.mod(k + a.weights[c]! + b.weights[d]!) > a.most + b.most)
      if (!apart) return []
    }
  return selectors
}

/** Scores in linear rows whose open wires besides T are selectors. */
function scoresOf(
  { rows, open, count, ranges }: Knowledge,
  selectors: readonly Wire[],
  position: ReadonlyMap<Wire, number>,
): Score[] {
  const { F, homesStart, homes, start, wire, usersStart, users, linear, other, factor, sides, values } = rows
  const found: Score[] = []
  const seen = new Set<LCId>()
  // a score that tells choices apart has all selectors but perhaps one
  for (const e of [selectors[0]!, selectors.at(-1)!])
    for (let h = homesStart[e]!; h < Math.min(homesStart[e + 1]!, homesStart[e]! + MAX_HOMES); h++) {
      const lc = homes[h]!
      if (seen.has(lc) || found.length >= MAX_SCORES || start[lc + 1]! - start[lc]! < 2) continue
      seen.add(lc)
      let others = count[lc]!
      for (let i = start[lc]!; i < start[lc + 1]!; i++) if (open[wire[i]!] === 1 && position.has(wire[i]!)) others--
      if (others > 0) continue
      for (let u = usersStart[lc]!; u < usersStart[lc + 1]!; u++) {
        const r = users[u]!
        const [o, c] = [other[r]!, sides[3 * r + 2]!]
        if (linear[r] === 0 || o === c) continue
        // k·o = c
        const target = lc === c ? o : c
        const k = values[factor[r]!]!
        const range = ranges.interval(target)
        if (range === undefined || range.lo < 0n) continue
        // 0·o = c says as much of T = 0
        const value = addTo(rows, new Map(), lc === o ? k : k === 0n ? 1n : F.inv(k), lc)
        const weights = selectors.map((w) => value.get(w) ?? 0n)
        for (const w of selectors) value.delete(w)
        found.push({ weights: [...weights, 0n], value, most: range.hi })
      }
    }
  return found
}
