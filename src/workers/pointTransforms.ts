/**
 * Sums of points of G1 times field elements, and Fourier transforms over points, in the threads of a combiner. Points come and
 * go as key files hold them, one after the other; those at infinity are all zeros.
 *
 * A factor k is two coefficients of half its length, for a point and for λ times it (`engine/glv.ts`).
 * @module
 */
import { type Digits, digitsOf, matrixOf } from '../engine/columns.ts'
import { BETA, halves } from '../engine/glv.ts'
import { PAIR } from '../engine/kernels/field.ts'
import { montgomeryOf, POINT_BYTES, type Runtime, SHARED, writeInteger } from '../engine/runtime.ts'
import { Q, R, rootOfUnity } from '../groth16/bn254.ts'
import { type Combiner, importPoints, isInfinity } from './combiner.ts'

/** Points of a file. */
export type Points = Uint8Array

/** Bytes of a point. */
export const SIZE = 64

/** Field elements by which points are multiplied. */
export type Factors = { readonly digits: Digits }

export const factorsOf = (factors: readonly bigint[]): Factors => ({
  digits: digitsOf([1n, ...factors.flatMap((factor) => halves(factor))]),
})

/** A term of a sum: which point, and which of the factors; without one the point itself. */
export type Term = readonly [point: number, factor?: number | undefined]

/** base⁰ … base^(count-1). */
export function powersOf(base: bigint, count: number): bigint[] {
  const powers = [1n]
  while (powers.length < count) powers.push((powers.at(-1)! * base) % R)
  return powers
}

/** Multiplications that a transform of 2^power points tells of. */
export const transformWork = (power: number): number => (power - 1) * 2 ** (power - 1)

/** Memory for sums over `count` points. */
export const bytesForPoints = (count: number): number => 2 * count * POINT_BYTES.g1 + PAIR

/**
 * For a combiner with memory for `most` points, and transforms of 2^power points. `advance` is told of multiplications as they are
 * done.
 */
export function pointTransforms(combiner: Combiner, most: number, power: number, advance: (count: number) => void) {
  const { runtime, room, staging } = combiner
  const N = 2 ** power
  const endomorphism = room + 2 * most * POINT_BYTES.g1
  writeEndomorphism(runtime, endomorphism)

  /** `count` sums. `onPiece` is told how many are done. */
  const sums = async (
    points: Points,
    { digits }: Factors,
    count: number,
    terms: (i: number) => readonly Term[],
    onPiece?: (sums: number) => void,
  ): Promise<Points> => {
    const given = points.length / SIZE
    importPoints(runtime, 'g1', points, room, staging)
    importPoints(runtime, 'g1', points, room + given * POINT_BYTES.g1, staging, endomorphism)
    const matrix = matrixOf(count, (i) =>
      terms(i).flatMap(([point, factor]): [number, number][] => {
        if (isInfinity(points.subarray(SIZE * point, SIZE * (point + 1)))) return []
        if (factor === undefined) return [[point, 0]]
        return [
          [point, 1 + 2 * factor],
          [given + point, 2 + 2 * factor],
        ]
      }),
    )
    return combiner.sums('g1', digits, [{ matrix, points: room }], count, onPiece)
  }

  /** The i-th point times the factor of number `factor(i)`, if any, which is so for a `share` of them. */
  const scale = (
    points: Points,
    factors: Factors,
    factor: (i: number) => number | undefined,
    share = 1,
  ): Promise<Points> => {
    const term = (i: number): Term[] => [[i, factor(i)]]
    return sums(points, factors, points.length / SIZE, term, (count) => advance(share * count))
  }

  const minus = factorsOf([R - 1n])
  /** Sums and differences of points `half` apart; the other way round where `swapped` says so. */
  const butterflies = (points: Points, half: number, swapped: (j: number) => boolean): Promise<Points> =>
    sums(points, minus, N, (i) => {
      const upper = (i & half) !== 0
      const x = upper ? i - half : i
      return [[x], upper === swapped(x & (half - 1)) ? [x + half] : [x + half, 0]]
    })

  const roots = factorsOf(powersOf(rootOfUnity(power), N / 2))
  /** Points in upper halves times ω^exponent(j), for j from 1 on. */
  const twiddle = (points: Points, half: number, exponent: (j: number) => number): Promise<Points> => {
    const factor = (i: number): number | undefined => {
      const j = i & (half - 1)
      return (i & half) === 0 || j === 0 ? undefined : exponent(j)
    }
    return half === 1 ? Promise.resolve(points) : scale(points, roots, factor, 0.5)
  }

  return {
    sums,
    scale,
    /** Σ ω^(it)·Pᵢ for all t, in bit-reversed order. */
    async forward(points: Points): Promise<Points> {
      let now = points
      for (let half = N / 2; half >= 1; half /= 2) {
        const step = N / (2 * half)
        now = await twiddle(await butterflies(now, half, () => false), half, (j) => step * j)
      }
      return now
    },
    /** Σ ω^(-bt)·Pₜ for all b, from bit-reversed order; ω^-e = -ω^(N/2 - e). */
    async backward(points: Points): Promise<Points> {
      let now = points
      for (let half = 1; half < N; half *= 2) {
        const step = N / (2 * half)
        now = await butterflies(await twiddle(now, half, (j) => N / 2 - step * j), half, (j) => j !== 0)
      }
      return now
    },
  }
}

/** The factor that takes points of files to λ times them in limbs: it multiplies x by β. */
function writeEndomorphism({ kernels, words, slot, variant }: Runtime, to: number): void {
  const beta = slot.exchange
  writeInteger(words, beta + PAIR, (BETA * montgomeryOf(variant)) % Q)
  kernels.fqSet!(beta, beta + PAIR)
  kernels.fqMul!(to, SHARED.fromFile, beta)
  kernels.fqCopyLane!(to, SHARED.fromFile, 1)
}
