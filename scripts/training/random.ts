/** A seeded source of numbers: the same seed gives the same sequence on every machine. Not for cryptography. */
export type Random = {
  /** Uniform in [0, 1), a multiple of 2⁻³². */
  readonly uniform: () => number
  /** Uniform integer in [0, n), for n ≤ 2³². */
  readonly below: (n: number) => number
  /** Standard normal deviate. */
  readonly normal: () => number
}

/**
 * xoshiro128** of Blackman and Vigna (https://prng.di.unimi.it/xoshiro128starstar.c), its state filled from the seed
 * by a Weyl sequence through the 32-bit finaliser of MurmurHash3.
 */
export function createRandom(seed: number): Random {
  const state = Uint32Array.from({ length: 4 }, (_, i) => finalise(seed + Math.imul(i + 1, 0x9e3779b9)))
  const uniform = () => next(state) / 2 ** 32
  return {
    uniform,
    below: (n) => Math.floor(uniform() * n),
    // Box and Muller; 1 − u lies in (0, 1], so the logarithm is finite.
    normal: () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform()),
  }
}

/** Permutes the array in place, every order equally likely (Fisher and Yates). */
export function shuffle(random: Random, items: number[]): number[] {
  for (let i = items.length - 1; i > 0; i--) {
    const j = random.below(i + 1)
    const held = items[i]!
    items[i] = items[j]!
    items[j] = held
  }
  return items
}

function next(s: Uint32Array): number {
  const result = Math.imul(rotate(Math.imul(s[1]!, 5), 7), 9) >>> 0
  const t = s[1]! << 9
  s[2]! ^= s[0]!
  s[3]! ^= s[1]!
  s[1]! ^= s[2]!
  s[0]! ^= s[3]!
  s[2]! ^= t
  s[3] = rotate(s[3]!, 11)
  return result
}

const rotate = (x: number, k: number): number => (x << k) | (x >>> (32 - k))

function finalise(x: number): number {
  let h = x | 0
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return h ^ (h >>> 16)
}
