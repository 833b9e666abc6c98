/**
 * Multiplication by halves (Gallant, Lambert, Vanstone 2001): on y² = x³ + 3 the map (x, y) ↦ (βx, y), β³ = 1, multiplies a
 * point of G1 by λ, λ³ = 1, so that k·P = k₁·P + k₂·(λP) with k₁, k₂ of half the length.
 * @module
 */
import { R } from '../groth16/bn254.ts'

/** A cube root of 1 modulo r, and the one modulo q that belongs to it. */
export const LAMBDA = 4407920970296243842393367215006156084916469457145843978461n
export const BETA = 2203960485148121921418603742825762020974279258880205651966n

/** A short basis of the lattice of (k₁, k₂) with k₁ + k₂·λ ≡ 0: neighbours in Euclid's algorithm for r and λ (their section 4). */
const basis = (() => {
  let [r0, r1, t0, t1] = [R, LAMBDA, 0n, 1n]
  while (r1 * r1 >= R) {
    const q = r0 / r1
    ;[r0, r1, t0, t1] = [r1, r0 - q * r1, t1, t0 - q * t1]
  }
  const q = r0 / r1
  const next: readonly [bigint, bigint] = [r0 - q * r1, -(t0 - q * t1)]
  const before: readonly [bigint, bigint] = [r0, -t0]
  const norm = ([a, b]: readonly [bigint, bigint]): bigint => a * a + b * b
  return [[r1, -t1], norm(next) < norm(before) ? next : before] as const
})()

/** a/b to the nearest integer, b > 0. */
const nearest = (a: bigint, b: bigint): bigint => {
  const twice = 2n * a + b
  return twice >= 0n ? twice / (2n * b) : -((-twice + 2n * b - 1n) / (2n * b))
}

/** k₁, k₂ with k ≡ k₁ + k₂·λ (mod r), both below 2¹²⁸ in magnitude. */
export function halves(k: bigint): readonly [bigint, bigint] {
  const [[a1, b1], [a2, b2]] = basis
  const determinant = a1 * b2 - a2 * b1
  const sign = determinant < 0n ? -1n : 1n
  const c1 = nearest(sign * b2 * k, sign * determinant)
  const c2 = nearest(-sign * b1 * k, sign * determinant)
  return [k - c1 * a1 - c2 * a2, -c1 * b1 - c2 * b2]
}
