import type { Bits, Builder } from '../builder.ts'
import { CircuitError } from '../error.ts'
import { bitLength, type LC, type Range } from '../lc.ts'
import { toBits } from './bits.ts'

/** x = low - (1 - positive)·2^(B-1): `positive` is 1 iff x ≥ 0, and then `low` = Σ 2ⁱ·bitᵢ over the lower bits is x. */
export type SignSplit = { readonly bits: Bits; readonly width: number; readonly positive: LC }

/** Least B with -2^(B-1) ≤ x < 2^(B-1) for every x of the range. */
export const signedWidth = ({ lo, hi }: Range): number => 1 + Math.max(bitLength(hi), bitLength(-lo - 1n))

/**
 * Bits of x + 2^(B-1), whose top bit is the sign of x; B follows from the range of x.
 *
 * Proves: the top bit is [x ≥ 0] and the lower B-1 bits are x + [x < 0]·2^(B-1).
 * Requires: a proven range, 2^B - 1 ≤ p/2. Cost: B + 1 rows.
 */
export function signSplit(cs: Builder, x: LC): SignSplit {
  if (x.range === null) throw new CircuitError('circuit/overflow', 'signSplit: the value has no proven range')
  const width = signedWidth(x.range)
  const bits = toBits(
    cs,
    cs.combine([
      [1, x],
      [1n << BigInt(width - 1), cs.ONE],
    ]),
    width,
  )
  return { bits, width, positive: cs.bit(bits, width - 1) }
}

/**
 * max(x, 0).
 *
 * Proves: y = x if x ≥ 0, else 0. With the split above, y = positive · Σ_(i<B-1) 2ⁱ·bitᵢ.
 * Requires: a proven range. Cost: B + 2 rows; none where the range decides.
 */
export function relu(cs: Builder, x: LC): LC {
  if (x.range !== null && x.range.lo >= 0n) return x
  if (x.range !== null && x.range.hi <= 0n) return cs.constant(0)
  const { bits, width, positive } = signSplit(cs, x)
  return cs.mulAdd(positive, cs.fromBits(bits, 0, width - 1), cs.constant(0), { lo: 0n, hi: x.range!.hi })
}
