import type { Builder } from '../builder.ts'
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
 *   x·v = L·(1 - z)   x·z = 0
 * x = 0 forces z = 1 by the first row; x ≠ 0 forces z = 0 by the second, and v = L/x then satisfies the first.
 * For |x| ≤ K small, L = lcm(1 … K) makes v a small integer, which keeps provers fast; otherwise L = 1.
 * Cost: 2 rows. v is not unique for x = 0; z is.
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
  return cs.proven(z!, 0n, 1n)
}
