/**
 * Exact stand-ins for float rescalings. A runtime maps an accumulator to an integer by a float32 product and a rounding; that
 * is a monotone staircase, and a rational slope has the same steps.
 * @module
 */
import { belowRows, type Ratio } from '../../circuits/gadgets/rescale.ts'

/** A monotone function from integers in [lo, hi] to integers in the window [least, most], by its steps. */
export type Staircase = {
  readonly lo: number
  readonly hi: number
  readonly least: number
  readonly most: number
  /** The value at lo. */
  readonly first: number
  /** starts[i] is the smallest x in (lo, hi] whose value is first + 1 + i or more. Not decreasing. */
  readonly starts: Float64Array
}

/** The steps of a monotone f on [lo, hi], clamped to [least, most]. */
export function staircaseOf(
  f: (x: number) => number,
  [lo, hi]: readonly [number, number],
  [least, most]: readonly [number, number],
): Staircase {
  const at = (x: number): number => Math.min(Math.max(f(x), least), most)
  const first = at(lo)
  const starts = new Float64Array(at(hi) - first)
  let from = lo
  for (let i = 0; i < starts.length; i++) {
    // f(below) < first + 1 + i ≤ f(above)
    let [below, above] = [from, hi]
    if (at(from) >= first + 1 + i) above = from
    else
      while (above - below > 1) {
        const middle = Math.floor((below + above) / 2)
        if (at(middle) >= first + 1 + i) above = middle
        else below = middle
      }
    starts[i] = above
    from = above
  }
  return { lo, hi, least, most, first, starts }
}

/** Rows that depend on the ratio: bits of the remainder, their bound, and the correction of halves. */
const rowsOf = (q: number, even: boolean): number => Math.ceil(Math.log2(q)) + belowRows(q) + (even ? 4 : 0)

/** Largest p tried one by one. A staircase of n steps that a line has needs none above n. */
const MAX_P = 2048
/** Steps up to which every p is tried. */
const MAX_STEPS = 1024

/**
 * The r for which ⌊(p·x + r)/q⌋, clamped to the window, is the staircase for every x in [lo, hi]: an exact check, since both are
 * monotone and so equal if their steps are. With step k beginning at b this says q·k ≤ p·b + r and p·(b - 1) + r < q·k; with
 * `even`, by one more where k is odd. Undefined where there is none.
 */
export function offsetFor(stairs: Staircase, p: number, q: number, even: boolean): number | undefined {
  const { lo, hi, least, most, first, starts } = stairs
  let from = Number.NEGATIVE_INFINITY
  let to = Number.POSITIVE_INFINITY
  const odd = (k: number): number => (even && k % 2 !== 0 ? 1 : 0)
  for (let i = 0; i < starts.length; i++) {
    const k = first + 1 + i
    const need = q * k + odd(k) - p * starts[i]!
    if (need > from) from = need
    if (need + p - 1 < to) to = need + p - 1
    if (from > to) return undefined
  }
  const last = first + starts.length
  // before the first step and after the last one the clamp helps only at the ends of the window
  if (first > least) from = Math.max(from, q * first + odd(first) - p * lo)
  if (last < most) to = Math.min(to, q * (last + 1) + odd(last + 1) - 1 - p * hi)
  if (from > to) return undefined
  const r = Number.isFinite(from) ? from : Number.isFinite(to) ? to : 0
  return Number.isSafeInteger(r) && Number.isSafeInteger(p * hi + r) && Number.isSafeInteger(p * lo + r) ? r : undefined
}

/**
 * The ratio of fewest rows that is the staircase for every x in [lo, hi]; undefined where none was found. `slope` is about
 * how much the value grows per step of x.
 */
export function ratioFor(stairs: Staircase, slope: number): Ratio | undefined {
  let best: Ratio | undefined
  let rows = Number.POSITIVE_INFINITY
  const consider = (p: number, q: number, even: boolean): void => {
    if (p < 1 || q < (even ? 2 : 1) || !Number.isSafeInteger(q) || rowsOf(q, even) >= rows) return
    const r = offsetFor(stairs, p, q, even)
    if (r === undefined) return
    best = { p, q, r, even }
    rows = rowsOf(q, even)
  }
  const few = stairs.starts.length <= MAX_STEPS
  for (const even of [false, true]) {
    if (few)
      for (let p = 1; p <= MAX_P; p++) {
        const q = p / slope
        if (Math.log2(q) - 1 >= rows) break
        for (const near of [Math.floor(q), Math.ceil(q), Math.floor(q) - 1, Math.ceil(q) + 1]) consider(p, near, even)
      }
    for (let n = 0; n <= 40; n++)
      for (const p of [Math.floor(slope * 2 ** n), Math.ceil(slope * 2 ** n)]) consider(p, 2 ** n, even)
    if (best !== undefined) return best
  }
  // where the slope itself is wrong in many places, float rounding breaks ties without a rule: no line is nearly right
  const forced = byForce(stairs, slope)
  return forced === undefined || forced.except!.length > 2 * MAX_EXCEPTIONS
    ? forced
    : withExceptions(stairs, slope, forced)
}

/** Most steps that may begin elsewhere than a ratio says, and most places where the slope itself may be corrected. */
const MAX_EXCEPTIONS = 4
const MAX_FORCED = 24

/**
 * Where float rounding moved a few steps off any line: the ratio that is right but for the fewest places, with these named.
 * Exact as well: the exceptions are the differences of the steps themselves.
 */
function withExceptions(stairs: Staircase, slope: number, forced: Ratio): Ratio {
  let best = forced
  let rows = rowsOf(forced.q, false) + 3 * forced.except!.length
  for (let p = 1; p <= MAX_P && stairs.starts.length <= MAX_STEPS; p++)
    for (const q of [Math.floor(p / slope), Math.ceil(p / slope)]) {
      if (q < 1 || rowsOf(q, false) + 3 >= rows) continue
      const found = fewestExceptions(stairs, p, q, MAX_EXCEPTIONS)
      if (found === undefined) continue
      const cost = rowsOf(q, false) + 3 * found.except!.length
      if (cost < rows) [best, rows] = [found, cost]
    }
  return best
}

/** The line of the slope itself, with every place named where float rounding left it. */
function byForce(stairs: Staircase, slope: number): Ratio | undefined {
  let best: Ratio | undefined
  for (let n = 1; n <= 40; n++) {
    const [p, q] = [Math.round(slope * 2 ** n), 2 ** n]
    if (p < 1) continue
    const start = (i: number): number => Math.ceil((q * (stairs.first + 1 + i) - q / 2) / p)
    const line = { ...stairs, starts: stairs.starts.map((_, i) => start(i)) }
    const r = offsetFor(line, p, q, false)
    const except = differences(stairs, line)
    if (r === undefined || except === undefined || except.length > MAX_FORCED) continue
    if (best === undefined || n + 3 * except.length < Math.log2(best.q) + 3 * best.except!.length)
      best = { p, q, r, even: false, except }
  }
  return best
}

function fewestExceptions(stairs: Staircase, p: number, q: number, most: number): Ratio | undefined {
  const { first, starts } = stairs
  const need = starts.map((b, i) => q * (first + 1 + i) - p * b)
  const sorted = need.toSorted()
  // r must lie in [need, need + p - 1] for all steps but a few of the most extreme
  for (let count = 1; count <= Math.min(most, starts.length - 1); count++)
    for (let above = 0; above <= count; above++) {
      const from = sorted.at(-1 - above)!
      const to = sorted[count - above]! + p - 1
      if (from > to) continue
      const kept = (i: number): boolean => need[i]! <= from && need[i]! + p - 1 >= from
      const trimmed = {
        ...stairs,
        starts: starts.map((b, i) => (kept(i) ? b : Math.ceil((q * (first + 1 + i) - from) / p))),
      }
      const r = offsetFor(trimmed, p, q, false)
      if (r === undefined) continue
      const except = differences(stairs, trimmed)
      if (except === undefined || except.length > MAX_EXCEPTIONS) continue
      return { p, q, r, even: false, except }
    }
  return undefined
}

/** Places where two staircases with as many steps differ. */
function differences(wanted: Staircase, given: Staircase): { at: number; by: number }[] | undefined {
  const places = new Map<number, number>()
  for (let i = 0; i < wanted.starts.length; i++) {
    const [a, b] = [wanted.starts[i]!, given.starts[i]!]
    if (Math.abs(a - b) > MAX_EXCEPTIONS) return undefined
    for (let x = Math.min(a, b); x < Math.max(a, b); x++) places.set(x, (places.get(x) ?? 0) + (a < b ? 1 : -1))
  }
  return [...places].filter(([, by]) => by !== 0).map(([at, by]) => ({ at, by }))
}

/** A ratio whose result counts one less at exact quotients k where `down` says so for k - first - 1. */
export type TiedRatio = { readonly ratio: Ratio; readonly down: Uint8Array }

/**
 * For factors that are simple fractions but for float rounding, which then breaks ties one way or the other without a rule: a
 * ratio that is the staircase but for some places where p·x + r is q·k without remainder, and the step to k begins one later.
 * Undefined where there is none. Exact: step k begins at b where q·k ≤ p·b + r < q·k + p, or at b + 1 for q·k = p·b + r.
 */
export function tiedRatioFor(stairs: Staircase, slope: number): TiedRatio | undefined {
  const { first, starts, least, most, lo, hi } = stairs
  if (starts.length > MAX_STEPS) return undefined
  for (let p = 1; p <= MAX_P; p++)
    for (const q of [Math.floor(p / slope), Math.ceil(p / slope)]) {
      if (q < 1) continue
      const need = starts.map((b, i) => q * (first + 1 + i) - p * b)
      const low = need.reduce((m, v) => Math.min(m, v), Number.POSITIVE_INFINITY)
      const top = need.reduce((m, v) => Math.max(m, v), Number.NEGATIVE_INFINITY)
      if (top - low !== p) continue
      const r = low + p
      const down = Uint8Array.from(need, (v) => (v === low ? 1 : 0))
      const last = first + starts.length
      // at the ends of the range no step may begin that the staircase does not have
      if (first > least && p * lo + r < q * first) continue
      if (last < most && p * hi + r >= q * (last + 1)) continue
      return { ratio: { p, q, r, even: false }, down }
    }
  return undefined
}
