import type { Bits, Builder } from '../builder.ts'
import { type LC, magnitude } from '../lc.ts'

/** Largest K with lcm(1 … K) below 2⁵³. */
const MAX_LCM = 40

const gcd = (a: bigint, b: bigint): bigint => (b === 0n ? a : gcd(b, a % b))

/** lcm(1 … k). */
export function lcmUpTo(k: number): bigint {
  let l = 1n
  for (let i = 2n; i <= BigInt(k); i++) l = (l / gcd(l, i)) * i
  return l
}

/**
 * 1 if x = 0 else 0.
 *
 * Proves: z = [x = 0], for any field element x. With a constant L ≠ 0 (mod p) and a hint v:
 *   x·v = L·(1 - z)   x·z = 0   v·z = 0
 * x = 0 forces z = 1 by the first row; x ≠ 0 forces z = 0 by the second, and v = L/x by the first. The third only makes
 * v unique for x = 0, so that every wire of a circuit is determined by its inputs.
 * For |x| ≤ K small, L = lcm(1 … K) makes v a small integer, which keeps provers fast; otherwise L = 1.
 * Cost: 3 rows.
 */
export function isZero(cs: Builder, x: LC): LC {
  const value = cs.constantValue(x)
  if (value !== undefined) return cs.constant(value === 0n ? 1 : 0)
  if (x.range !== null && (x.range.lo > 0n || x.range.hi < 0n)) return cs.constant(0)
  const bound = x.range === null ? cs.F.p : magnitude(x.range)
  // every prime factor of lcm(1 … K) is at most K, so it is invertible where K < p
  const small = bound <= MAX_LCM && bound < cs.F.p
  const L = small ? lcmUpTo(Number(bound)) : 1n
  const [v] = small
    ? cs.hint('quotientOf', [x], 1, { params: [Number(L)], honest: { lo: -L, hi: L } })
    : cs.hint('inverse', [x], 1, { honest: null })
  // z is the wire that makes the first row hold; L is invertible, so the row pins it
  const [z] = cs.hint('isZero', [x], 1, { honest: { lo: 0n, hi: 1n } })
  cs.assertMul(
    x,
    v!,
    cs.combine([
      [L, cs.ONE],
      [-L, z!],
    ]),
  ) // x·v = L·(1 - z)
  cs.assertMul(x, z!, cs.constant(0)) // x·z = 0
  cs.assertMul(v!, z!, cs.constant(0)) // v·z = 0
  return cs.proven(z!, 0n, 1n)
}

/**
 * 1 if `first` = 1 and bits [from, to) are all 0, else 0; `first` is a boolean.
 *
 * Proves: that, as the product first·Π(1 - bitᵢ), or as isZero((1 - first) + Σ bitᵢ) where that takes fewer rows.
 * Cost: min(to - from, 3) rows; one less product where first is the constant 1.
 */
export function allZero(cs: Builder, first: LC, bits: Bits, from: number, to: number): LC {
  const count = Math.max(to - from, 0)
  const products = cs.constantValue(first) === undefined ? count : count - 1
  if (products > 3)
    return isZero(
      cs,
      cs.combine([
        [1, cs.countOnes(bits, from, to)],
        [1, cs.ONE],
        [-1, first],
      ]),
    )
  let all = first
  for (let i = from; i < to; i++)
    all = cs.mul(
      all,
      cs.combine([
        [1, cs.ONE],
        [-1, cs.bit(bits, i)],
      ]),
    )
  return all
}
