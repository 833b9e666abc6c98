import type { LCId, Wire } from '../circuit.ts'
import type { Choice } from './choices.ts'
import type { Knowledge } from './knowledge.ts'
import { addTo, type Rows, rowsOfWire, type Sum } from './rows.ts'

/** Selectors up to which pairs are compared; beyond, the table of their coefficients would be too large. */
const MAX_SELECTORS = 4096
/** Largest coefficient of a selector, so that sums of four are exact. */
const MAX_COEFFICIENT = 2 ** 28

/** T = slope·m + Σ_j weights[j]·e_j + … with 0 ≤ T ≤ most; determined terms are left out. Without m the slope is 0. */
type Score = {
  readonly weights: ReadonlyMap<Wire, number>
  readonly m: Wire | undefined
  readonly slope: bigint
  readonly most: bigint
}

/**
 * Selection: booleans e with Σ e = 1, a wire m, and for each i an integer T_i ≥ 0 with
 *   e_i·T_i = 0   and   T_i = s·m + Σ_j A_ij·e_j + …       (… are determined).
 * Let one witness select c and another c' ≠ c. T_c = 0 in the first and T_c' = 0 in the second, so m and the determined
 * parts cancel from T_c' in the first plus T_c in the second: the sum is A_c'c - A_cc + A_cc' - A_c'c'. If that is, mod p,
 * more than both T can reach together (it is -1 in the argmax gadget), no such pair of witnesses exists: the selection is
 * determined, and with T_c = 0 so is m.
 */
export function selection(known: Knowledge, { row, selectors }: Choice): readonly Wire[] {
  const { rows, open } = known
  const n = selectors.length
  if (n > MAX_SELECTORS || !selectors.some((e) => open[e] === 1)) return []
  const chosen = new Map(selectors.map((e, i) => [e, i]))
  const scores: (Score | undefined)[] = []
  const usedRows = new Set<number>([row])
  let m: Wire | undefined
  const take = (r: number, target: LCId): Score | undefined => {
    const score = scoreOf(known, r, target, chosen)
    if (score === undefined || (m !== undefined && score.m !== undefined && score.m !== m)) return undefined
    m ??= score.m
    usedRows.add(r)
    return score
  }
  for (const e of selectors) {
    const target = zeroedBy(known, e)
    let score: Score | undefined
    if (target !== undefined) {
      for (let u = rows.usersStart[target]!; score === undefined && u < rows.usersStart[target + 1]!; u++)
        if (rows.linear[rows.users[u]!] === 1) score = take(rows.users[u]!, target)
      if (score === undefined) return []
    }
    scores.push(score)
  }
  // rows without any T say T = 0 whatever is selected, and serve any selector
  if (scores.includes(undefined)) {
    if (m === undefined) return []
    const spare = rowsOfWire(rows, m).filter((r) => rows.linear[r] === 1 && !usedRows.has(r))
    for (let i = 0; i < n; i++) {
      while (scores[i] === undefined && spare.length > 0) scores[i] = take(spare.pop()!, rows.empty)
      if (scores[i] === undefined) return []
    }
  }
  return exclusive(rows, selectors, scores as Score[]) ? [...selectors, ...(m === undefined ? [] : [m])] : []
}

/** Whether no two selections can both have a witness. */
function exclusive({ F }: Rows, selectors: readonly Wire[], scores: readonly Score[]): boolean {
  const n = selectors.length
  if (scores.some(({ slope }) => F.mod(slope - scores[0]!.slope) !== 0n)) return false
  const position = new Map(selectors.map((e, i) => [e, i]))
  const weights = new Int32Array(n * n)
  scores.forEach((score, i) => {
    for (const [e, k] of score.weights) weights[i * n + position.get(e)!] = k
  })
  const most = scores.reduce((top, s) => (s.most > top ? s.most : top), 0n)
  for (let c = 0; c < n; c++)
    for (let d = 0; d < c; d++) {
      const sum = weights[d * n + c]! - weights[c * n + c]! + weights[c * n + d]! - weights[d * n + d]!
      const residue = F.mod(BigInt(sum))
      if (residue <= 2n * most && residue <= scores[c]!.most + scores[d]!.most) return false
    }
  return true
}

/** T of a row e·T = 0, an integer that is not negative. */
function zeroedBy({ rows, ranges }: Knowledge, e: Wire): LCId | undefined {
  const { homesStart, homes, start, users, usersStart, linear, sides, empty } = rows
  for (let h = homesStart[e]!; h < homesStart[e + 1]!; h++) {
    const lc = homes[h]!
    if (start[lc + 1]! - start[lc]! !== 1) continue
    for (let u = usersStart[lc]!; u < usersStart[lc + 1]!; u++) {
      const r = users[u]!
      if (linear[r] === 1 || sides[3 * r + 2] !== empty) continue
      const target = sides[3 * r] === lc ? sides[3 * r + 1]! : sides[3 * r]!
      const range = ranges.interval(target)
      if (range !== undefined && range.lo >= 0n) return target
    }
  }
  return undefined
}

/** The score that a linear row gives the combination `target` on one of its sides; for the empty one, the row as 0 = …. */
function scoreOf(
  { rows, open, ranges }: Knowledge,
  row: number,
  target: LCId,
  chosen: ReadonlyMap<Wire, number>,
): Score | undefined {
  const { F, values, factor, other, sides, empty } = rows
  const [o, c] = [other[row]!, sides[3 * row + 2]!]
  const k = values[factor[row]!]!
  let sum: Sum
  // k·o = c
  if (target === empty) sum = addTo(rows, addTo(rows, new Map(), k, o), -1n, c)
  else if (target === o) sum = addTo(rows, new Map(), F.inv(k), c)
  else if (target === c) sum = addTo(rows, new Map(), k, o)
  else return undefined
  let [m, slope]: [Wire | undefined, bigint] = [undefined, 0n]
  for (const [w, coefficient] of sum) {
    if (open[w] === 0 || chosen.has(w)) continue
    if (m !== undefined) return undefined
    ;[m, slope] = [w, coefficient]
  }
  // 0 = … may be scaled, to have the slope 1 that rows of scores usually have
  const scale = target === empty && m !== undefined ? F.inv(slope) : 1n
  const weights = new Map<Wire, number>()
  for (const e of chosen.keys()) {
    const weight = Number(F.signed(scale * (sum.get(e) ?? 0n)))
    if (Math.abs(weight) > MAX_COEFFICIENT) return undefined
    if (weight !== 0) weights.set(e, weight)
  }
  return { weights, m, slope: F.signed(scale * slope), most: ranges.interval(target)!.hi }
}
