import type { Range } from '../lc.ts'

export const negate = ({ lo, hi }: Range): Range => ({ lo: -hi, hi: -lo })
export const plus = (x: Range, y: Range): Range => ({ lo: x.lo + y.lo, hi: x.hi + y.hi })
export const times = (k: bigint, { lo, hi }: Range): Range =>
  k < 0n ? { lo: k * hi, hi: k * lo } : { lo: k * lo, hi: k * hi }

/** Interval of a product. */
export function product(x: Range, y: Range): Range {
  const ends = [x.lo * y.lo, x.lo * y.hi, x.hi * y.lo, x.hi * y.hi]
  return { lo: ends.reduce((m, v) => (v < m ? v : m)), hi: ends.reduce((m, v) => (v > m ? v : m)) }
}

/** Both at once; where they contradict each other there is no witness, and either will do. */
export const meet = (x: Range, y: Range): Range => {
  const [lo, hi] = [x.lo > y.lo ? x.lo : y.lo, x.hi < y.hi ? x.hi : y.hi]
  return lo <= hi ? { lo, hi } : x
}

/** Least interval with these numbers in it. */
export const hullOf = (all: readonly bigint[]): Range => ({
  lo: all.reduce((m, x) => (x < m ? x : m)),
  hi: all.reduce((m, x) => (x > m ? x : m)),
})

/** The integers x with k·x in a range. */
export function quotients({ lo, hi }: Range, k: bigint): Range {
  if (k < 0n) return quotients({ lo: -hi, hi: -lo }, -k)
  const floor = (n: bigint): bigint => (n >= 0n ? n / k : -((-n + k - 1n) / k))
  return { lo: -floor(-lo), hi: floor(hi) }
}
