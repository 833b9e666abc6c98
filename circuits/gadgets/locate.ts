import type { Builder } from '../builder.ts'
import { CircuitError } from '../error.ts'
import { bitLength, type LC } from '../lc.ts'
import { rangeCheck, toBits } from './bits.ts'
import { signedWidth, signSplit } from './sign.ts'

/** How a value is compared with thresholds: `interval` finds its place among all of them, `each` takes one after the other. */
export type LocateMethod = 'interval' | 'each'

type Ends = { readonly lo: bigint; readonly hi: bigint }

/** Ends at which intervals begin besides lo, and the bits of the longest interval less one. */
type Cuts = { readonly at: readonly bigint[]; readonly width: number }

/**
 * The thresholds and, between them, further ends that shorten long intervals: each takes one row, each bit of width two.
 */
function cutsFor(thresholds: readonly number[], { lo, hi }: Ends): Cuts {
  const ends = [lo, ...thresholds.map(BigInt), hi + 1n]
  const gaps = ends.slice(1).map((end, i) => end - ends[i]!)
  const longest = gaps.reduce((m, gap) => (gap > m ? gap : m))
  const partsAt = (width: number, gap: bigint): bigint => ((gap - 1n) >> BigInt(width)) + 1n
  let width = bitLength(longest - 1n)
  const rows = (w: number): bigint => 2n * BigInt(w) + gaps.reduce((n, gap) => n + partsAt(w, gap), 0n)
  while (width > 0 && rows(width - 1) < rows(width)) width--
  const at = gaps.flatMap((gap, i) => {
    const further = Array.from({ length: Number(partsAt(width, gap)) - 1 }, (_, k) => BigInt(k + 1) << BigInt(width))
    return [...(i === 0 ? [] : [ends[i]!]), ...further.map((offset) => ends[i]! + offset)]
  })
  return { at, width }
}

/** Rows of either method; `proven` is whether the value's range is proved already. */
export function locateRows(thresholds: readonly number[], ends: Ends, proven: boolean): Record<LocateMethod, number> {
  const count = thresholds.length
  const wide = bitLength(ends.hi - ends.lo)
  const power = ends.hi - ends.lo + 1n === 1n << BigInt(wide)
  const checked = proven ? 0 : (wide + 1) * (power ? 1 : 2)
  if (count === 0) return { interval: checked, each: checked }
  const { at, width } = cutsFor(thresholds, ends)
  const signs = thresholds.reduce(
    (n, t) => n + signedWidth({ lo: ends.lo - BigInt(t), hi: ends.hi - BigInt(t) }) + 1,
    0,
  )
  return { interval: 2 * (width + 1) + at.length + (at.length > 1 ? 1 : 0), each: checked + signs }
}

/**
 * [x ≥ t] for each of k ascending thresholds t_1 < … < t_k in (lo, hi]: a monotone code of the place of x among them.
 *
 * By `interval`: further ends cut long intervals in parts where that takes fewer rows; let t_1 … t_k be all of them. Hints
 * e_1 … e_k tell in which of the intervals [t_i, t_(i+1)) x lies (t_0 = lo, t_(k+1) = hi + 1), with e_0 = 1 - Σ e_i; w is the
 * width of the longest interval less one.
 *   e_i·e_i = e_i                                  for i = 0 … k (for k = 1 that of e_0 follows)
 *   x - Σ e_i·t_i = Σ 2ʲ·b_j                       w bits
 *   Σ e_i·(t_(i+1) - 1) - x = Σ 2ʲ·c_j             w bits
 * The k + 1 booleans have the sum 1, so exactly one is 1, as k + 1 < p. Both numbers of w bits are then at least 0 and their
 * sum is ≡ t_(i+1) - 1 - t_i; each is below 2ʷ ≤ p/2, so the sum is one of integers and t_i ≤ x < t_(i+1). The intervals are
 * disjoint residues, so the code is unique. [x ≥ t_i] is e_i + … + e_k.
 *
 * By `each`: the sign of x - t_i, which takes fewer rows for one or two thresholds.
 *
 * Proves: the codes, and that lo ≤ x ≤ hi where the range of x does not say so. Requires: whole thresholds as above, lo
 * and hi their own signed representatives. x may be any field element. Cost: 2·(w + 1) + k + 1 rows (k for k = 1) by `interval`;
 * `each` takes k·(B + 1) with B the signed width of x - t_i, and a range check where x has no range.
 */
export function locate(
  cs: Builder,
  x: LC,
  thresholds: readonly number[],
  lo: bigint,
  hi: bigint,
  method?: LocateMethod,
): LC[] {
  const sorted = thresholds.every((t, i) => Number.isSafeInteger(t) && (i === 0 || t > thresholds[i - 1]!))
  if (!sorted || hi < lo || thresholds.some((t) => BigInt(t) <= lo || BigInt(t) > hi))
    throw new CircuitError('circuit/overflow', `locate: thresholds must ascend within (${lo}, ${hi}]`)
  const proven = x.range !== null && x.range.lo >= lo && x.range.hi <= hi
  if (x.range !== null && !proven)
    throw new CircuitError('circuit/overflow', `locate: the value is not proven to lie in [${lo}, ${hi}]`)
  if (thresholds.length === 0) {
    if (!proven) rangeCheck(cs, x, lo, hi)
    return []
  }
  const rows = locateRows(thresholds, { lo, hi }, proven)
  if ((method ?? (rows.interval <= rows.each ? 'interval' : 'each')) === 'each') {
    const bounded = proven ? x : rangeCheck(cs, x, lo, hi)
    return thresholds.map(
      (t) =>
        signSplit(
          cs,
          cs.combine([
            [1, bounded],
            [-t, cs.ONE],
          ]),
        ).positive,
    )
  }
  const { at, width } = cutsFor(thresholds, { lo, hi })
  const located = cs.proven(x, lo, hi) // refuses ends that are not their own signed representatives
  if (BigInt(at.length) + 1n >= cs.F.p)
    throw new CircuitError('circuit/aliasing', `locate: ${at.length + 1} intervals do not fit the field of ${cs.F.p}`)
  const inside = cs.hint('interval', [located, ...at.map((end) => cs.constant(end))], at.length, {
    honest: { lo: 0n, hi: 1n },
  })
  const before = cs.combine([[1, cs.ONE], ...inside.map((e) => [-1, e] as const)])
  for (const e of inside) cs.assertMul(e, e, e)
  if (inside.length > 1) cs.assertMul(before, before, before)
  const starts = [lo, ...at]
  const lasts = [...at.map((end) => end - 1n), hi]
  /** The number of the interval's row: values[0] + Σ e_i·(values[i] - values[0]). */
  const chosen = (values: readonly bigint[]): LC =>
    cs.combine([[values[0]!, cs.ONE], ...inside.map((e, i) => [values[i + 1]! - values[0]!, e] as const)])
  toBits(cs, cs.sub(located, chosen(starts)), width)
  toBits(cs, cs.sub(chosen(lasts), located), width)
  const place = new Map(at.map((end, i) => [end, i]))
  return thresholds.map((t) => cs.proven(cs.add(...inside.slice(place.get(BigInt(t))!)), 0n, 1n))
}
