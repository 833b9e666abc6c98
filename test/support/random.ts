/** A seeded source of pseudo-random numbers (mulberry32), for tests and their generators. */
export type Random = {
  /** Uniform in [0, 1). */
  unit(): number
  /** Uniform integer in [lo, hi]. */
  integer(lo: number, hi: number): number
  pick<T>(items: readonly T[]): T
  /** Standard normal. */
  normal(): number
}

export function seeded(seed: number): Random {
  let state = seed >>> 0
  const unit = (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
  return {
    unit,
    integer: (lo, hi) => lo + Math.floor(unit() * (hi - lo + 1)),
    pick: (items) => items[Math.floor(unit() * items.length)]!,
    normal: () => Math.sqrt(-2 * Math.log(1 - unit())) * Math.cos(2 * Math.PI * unit()),
  }
}
