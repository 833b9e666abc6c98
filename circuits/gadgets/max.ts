import type { Builder } from '../builder.ts'
import { CircuitError } from '../error.ts'
import { bitLength, type LC } from '../lc.ts'
import { toBits } from './bits.ts'

/**
 * max(a, c).
 *
 * Proves: y = a if a ≥ c, else c. With b such that -2ᵇ ≤ a - c < 2ᵇ, the bits of a - c + 2ᵇ have [a ≥ c] on top, and
 * y = c + top·(a - c); a - c enters that row as its bits, so that long combinations stay on the c side.
 * Requires: proven ranges of both. Cost: b + 3 rows; none where the ranges decide.
 */
export function maximum(cs: Builder, a: LC, c: LC): LC {
  if (a.range === null || c.range === null)
    throw new CircuitError('circuit/overflow', 'maximum: both values need proven ranges')
  if (a.range.lo >= c.range.hi) return a
  if (c.range.lo >= a.range.hi) return c
  const difference = cs.sub(a, c)
  const { lo, hi } = difference.range!
  const b = Math.max(bitLength(hi), bitLength(-lo - 1n))
  const offset = 1n << BigInt(b)
  const bits = toBits(
    cs,
    cs.combine([
      [1, difference],
      [offset, cs.ONE],
    ]),
    b + 1,
  )
  const spelled = cs.combine([
    [1, cs.fromBits(bits)],
    [-offset, cs.ONE],
  ])
  const larger = a.range.lo > c.range.lo ? a.range.lo : c.range.lo
  const top = a.range.hi > c.range.hi ? a.range.hi : c.range.hi
  return cs.mulAdd(cs.bit(bits, b), spelled, c, { lo: larger, hi: top })
}

/** min(a, c) = -max(-a, -c). Proves, requires and costs as `maximum` does. */
export const minimum = (cs: Builder, a: LC, c: LC): LC => cs.scale(-1, maximum(cs, cs.scale(-1, a), cs.scale(-1, c)))

/** The largest of k ≥ 1 values. Cost: k - 1 times that of `maximum`. */
export function maximumOf(cs: Builder, values: readonly LC[]): LC {
  if (values.length === 0) throw new CircuitError('circuit/overflow', 'maximumOf: no values')
  return values.reduce((m, x) => maximum(cs, m, x))
}
