import type { Bits, Builder } from '../builder.ts'
import { CircuitError } from '../error.ts'
import { bitLength, type LC, type Range } from '../lc.ts'
import { toBits } from './bits.ts'
import { minimum } from './max.ts'
import { signedWidth } from './sign.ts'
import { allZero } from './zero.ts'

/** ⌊(x + 2^(s-1)) / 2ˢ⌋ for s ≥ 1, x for s = 0: division by a power of two, halves rounded up. */
export const shiftRight = (x: bigint, shift: number): bigint =>
  shift === 0 ? x : (x + (1n << BigInt(shift - 1))) >> BigInt(shift)

/** A rounding shift with saturation: clamp(⌊(x + 2^(shift-1)) / 2^shift⌋, lo, hi). */
export type Rounding = { readonly shift: number; readonly lo: bigint; readonly hi: bigint }

/** How a value is taken apart: x + offset lies in [0, 2^width) for every x of its range; `signed` if a top bit tells u ≥ 0. */
export type Window = { readonly offset: bigint; readonly width: number; readonly signed: boolean }

const clampTo = ({ lo, hi }: Rounding, t: bigint): bigint => (t < lo ? lo : t > hi ? hi : t)

/** The result where x's range decides it without any row: a constant, or x as it is. */
export function requantiseFree(cs: Builder, x: LC, rounding: Rounding): LC | undefined {
  const { shift, lo, hi } = rounding
  if (x.range === null) throw new CircuitError('circuit/overflow', 'requantise: the value has no proven range')
  if (hi < lo) throw new CircuitError('circuit/overflow', `requantise: [${lo}, ${hi}] is empty`)
  const [least, most] = [shiftRight(x.range.lo, shift), shiftRight(x.range.hi, shift)]
  if (clampTo(rounding, least) === clampTo(rounding, most)) return cs.constant(clampTo(rounding, least))
  return shift === 0 && least >= lo && most <= hi ? x : undefined
}

/** The window in which a requantisation of a value of some range wants its bits. */
export function requantiseWindow(range: Range, { shift, lo }: Rounding): Window {
  const offset = (shift === 0 ? 0n : 1n << BigInt(shift - 1)) - (lo << BigInt(shift))
  const v = { lo: range.lo + offset, hi: range.hi + offset }
  if (v.lo >= 0n) return { offset, width: bitLength(v.hi), signed: false }
  const width = signedWidth(v)
  return { offset: offset + (1n << BigInt(width - 1)), width, signed: true }
}

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
  const rounding = { shift, lo, hi }
  const free = requantiseFree(cs, x, rounding)
  if (free !== undefined) return free
  const range = x.range as Range
  const { offset, width } = requantiseWindow(range, rounding)
  const shifted = cs.combine([
    [1, x],
    [offset, cs.ONE],
  ])
  return requantiseBits(cs, toBits(cs, shifted, width), range, rounding)
}

/**
 * The same from bits that are there already.
 *
 * Requires: x lies in `range`, `bits` are those of x + offset for `requantiseWindow(range, rounding)`, and not
 * `requantiseFree`. Cost: that of `requantise` less B + 1.
 */
export function requantiseBits(cs: Builder, bits: Bits, range: Range, rounding: Rounding): LC {
  const { shift, lo, hi } = rounding
  const least = shiftRight(range.lo, shift)
  const most = shiftRight(range.hi, shift)
  const { width, signed } = requantiseWindow(range, rounding)
  const n = bitLength(hi - lo)
  const M = (1n << BigInt(n)) - 1n
  const low = cs.constant(lo)
  let y: LC
  if (!signed) {
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
