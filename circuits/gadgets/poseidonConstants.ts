import { Fr } from '../field.ts'

/** Full rounds for every width. Source: Grassi et al., "Poseidon", eprint 2019/458, section 5.4 (128-bit security, x⁵). */
export const FULL_ROUNDS = 8

/** Partial rounds by width t = 2 … 17. Source: circomlib's parameter choice for BN254. */
export const PARTIAL_ROUNDS = [56, 57, 56, 60, 60, 63, 64, 63, 60, 66, 60, 65, 70, 60, 64, 68] as const

export type PoseidonConstants = {
  readonly partialRounds: number
  /** One row of t constants per round. */
  readonly roundConstants: readonly (readonly bigint[])[]
  /** The Cauchy matrix M[i][j] = 1 / (xᵢ + yⱼ). */
  readonly mds: readonly (readonly bigint[])[]
}

const cache = new Map<number, PoseidonConstants>()

/**
 * Constants for width t over BN254's scalar field, from the Grain LFSR.
 *
 * Source: eprint 2019/458, appendix E (generation of round constants) and section 4.1 with appendix F (Cauchy matrix).
 * Throws RangeError unless 2 ≤ t ≤ 17.
 */
export function poseidonConstants(t: number): PoseidonConstants {
  const partialRounds = PARTIAL_ROUNDS[t - 2]
  if (partialRounds === undefined) throw new RangeError(`poseidon: width ${t} is not in 2 … 17`)
  const known = cache.get(t)
  if (known !== undefined) return known
  const fieldBits = 254
  const nextBit = grain(fieldBits, t, FULL_ROUNDS, partialRounds)
  const nextInteger = (): bigint => {
    let digits = '0b'
    for (let i = 0; i < fieldBits; i++) digits += nextBit()
    return BigInt(digits)
  }
  const nextElement = (): bigint => {
    for (;;) {
      const x = nextInteger()
      if (x < Fr.p) return x
    }
  }
  const roundConstants = Array.from({ length: FULL_ROUNDS + partialRounds }, () =>
    Array.from({ length: t }, nextElement),
  )
  let points: bigint[]
  do points = Array.from({ length: 2 * t }, () => Fr.mod(nextInteger()))
  while (new Set(points).size < 2 * t)
  const mds = points.slice(0, t).map((x) => points.slice(t).map((y) => Fr.inv(Fr.add(x, y))))
  const constants = { partialRounds, roundConstants, mds }
  cache.set(t, constants)
  return constants
}

/** The 80-bit Grain LFSR in self-shrinking mode, seeded with the parameters. */
function grain(fieldBits: number, t: number, fullRounds: number, partialRounds: number): () => number {
  const bitsOf = (x: number, n: number): number[] => Array.from({ length: n }, (_, i) => (x >> (n - 1 - i)) & 1)
  // bit i of the register is at (first + i) mod 80
  const state = Uint8Array.of(
    ...bitsOf(1, 2), // prime field
    ...bitsOf(0, 4), // S-box x^α
    ...bitsOf(fieldBits, 12),
    ...bitsOf(t, 12),
    ...bitsOf(fullRounds, 10),
    ...bitsOf(partialRounds, 10),
    ...new Array<number>(30).fill(1),
  )
  let first = 0
  const at = (i: number): number => state[first + i < 80 ? first + i : first + i - 80]!
  const step = (): number => {
    const bit = at(62) ^ at(51) ^ at(38) ^ at(23) ^ at(13) ^ at(0)
    state[first] = bit
    first = first === 79 ? 0 : first + 1
    return bit
  }
  for (let i = 0; i < 160; i++) step()
  return () => {
    while (step() === 0) step()
    return step()
  }
}
