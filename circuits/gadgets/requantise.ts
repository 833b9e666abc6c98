import type { Builder } from '../builder.ts'
import { CircuitError } from '../error.ts'
import { bitLength, type LC, type Range } from '../lc.ts'
import { bitsOfRange, toBits } from './bits.ts'
import { minimum } from './max.ts'
import { signedWidth } from './sign.ts'
import { allZero } from './zero.ts'

/** ⌊(x + 2^(s-1)) / 2ˢ⌋ for s ≥ 1, x for s = 0: division by a power of two, halves rounded up. */
export const shiftRight = (x: bigint, shift: number): bigint =>
  shift === 0 ? x : (x + (1n << BigInt(shift - 1))) >> BigInt(shift)

/**
 * clamp(⌊(x + 2^(s-1)) / 2ˢ⌋, lo, hi): rounds half up, saturates, and with lo = 0 is fused with a ReLU.
 *
 * Let v = x + 2^(s-1) - lo·2ˢ, so that the unclamped result is lo + u with u = ⌊v/2ˢ⌋, and 2ⁿ - 1 = M ≥ hi - lo. v is
 * split into a sign and bits; u is the number its bits from s upwards spell.
 *
 * Proves: y = lo + clamp(u, 0, M), as follows. ok = [positive = 1 and the bits from s+n up to the sign are 0] is 1 iff
 * 0 ≤ u ≤ M, and y - lo = ok·(u - M) + positive·M is u, M or 0. Where the range of
 * x rules saturation out on a side, its part is left out. If hi - lo < M, a minimum with hi follows.
 * Requires: a proven range of x, 2^B - 1 ≤ p/2 for the width B of v. Cost: B + 2 + min(k, 3) rows with saturation for
 * k = B - 1 - s - n (B + 2 if only at lo, B + 1 if none), and n + 2 more if hi - lo + 1 is no power of two.
 */
export function requantise(cs: Builder, x: LC, shift: number, lo: bigint, hi: bigint): LC {
  if (x.range === null) throw new CircuitError('circuit/overflow', 'requantise: the value has no proven range')
  if (hi < lo) throw new CircuitError('circuit/overflow', `requantise: [${lo}, ${hi}] is empty`)
  const least = shiftRight(x.range.lo, shift)
  const most = shiftRight(x.range.hi, shift)
  const clamp = (t: bigint): bigint => (t < lo ? lo : t > hi ? hi : t)
  if (clamp(least) === clamp(most)) return cs.constant(clamp(least))
  if (shift === 0 && least >= lo && most <= hi) return x

  const n = bitLength(hi - lo)
  const M = (1n << BigInt(n)) - 1n
  const half = shift === 0 ? 0n : 1n << BigInt(shift - 1)
  const v = cs.combine([
    [1, x],
    [half - (lo << BigInt(shift)), cs.ONE],
  ])
  const range = v.range as Range
  const low = cs.constant(lo)
  let y: LC
  if (range.lo >= 0n) {
    const bits = bitsOfRange(cs, v)
    const top = most - lo
    if (top <= M)
      y = cs.combine([
        [1, cs.fromBits(bits, shift)],
        [1, low],
      ])
    else {
      const ok = allZero(cs, cs.ONE, bits, shift + n, bits.count)
      const u = cs.fromBits(bits, shift, shift + n)
      // only ok·(u - M) matters, and ok = 1 makes the bits above s+n zero: the low n bits of u are u
      y = cs.mulAdd(
        ok,
        cs.combine([
          [1, u],
          [-M, cs.ONE],
        ]),
        cs.constant(lo + M),
        { lo: least > lo ? least : lo, hi: lo + M },
      )
    }
  } else {
    const width = signedWidth(range)
    const bits = toBits(
      cs,
      cs.combine([
        [1, v],
        [1n << BigInt(width - 1), cs.ONE],
      ]),
      width,
    )
    const positive = cs.bit(bits, width - 1)
    const u = cs.fromBits(bits, shift, Math.min(shift + n, width - 1))
    if (most - lo <= M) {
      // bits above s+n are zero whenever positive = 1
      y = cs.mulAdd(positive, u, low, { lo, hi: most })
    } else {
      const ok = allZero(cs, positive, bits, shift + n, width - 1)
      y = cs.mulAdd(
        ok,
        cs.combine([
          [1, u],
          [-M, cs.ONE],
        ]),
        cs.combine([
          [M, positive],
          [1, low],
        ]),
        { lo, hi: lo + M },
      )
    }
  }
  const claimed = y.range as Range
  y = cs.proven(y, claimed.lo > least ? claimed.lo : least > lo ? least : lo, claimed.hi < most ? claimed.hi : most)
  return (y.range as Range).hi > hi ? minimum(cs, y, cs.constant(hi)) : y
}
