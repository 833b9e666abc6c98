import type { Builder } from '../builder.ts'
import { CircuitError } from '../error.ts'
import { bitLength, type LC } from '../lc.ts'
import { toBits } from './bits.ts'

/**
 * ⌊n/d⌋ for a non-negative n and a positive divisor, which may be a constant or a wire.
 *
 * Hint q; r = n - q·d.
 * Proves: 0 ≤ q < 2^bq, 0 ≤ r < 2^bd and 0 ≤ d - 1 - r < 2^bd, hence n = q·d + r with 0 ≤ r < d over the integers: all of
 * q·d + r stays below p, so the equation mod p is one of integers. Both bounds on r are needed.
 * Requires: proven ranges, n in [0, N], d in [1, D], 2^bq·2^bd + 2^bd < p with bq bits for N/d_min and bd for D.
 * Cost: bq + 2·bd + 3 rows, one more for a wire d.
 */
export function divide(cs: Builder, n: LC, d: LC): LC {
  if (n.range === null || d.range === null || n.range.lo < 0n || d.range.lo < 1n)
    throw new CircuitError('circuit/overflow', 'divide: needs proven ranges, dividend ≥ 0 and divisor ≥ 1')
  const bq = bitLength(n.range.hi / d.range.lo)
  const bd = bitLength(d.range.hi)
  if ((1n << BigInt(bq + bd)) + (1n << BigInt(bd)) >= cs.F.p || n.range.hi >= cs.F.p)
    throw new CircuitError(
      'circuit/aliasing',
      `divide: a quotient of ${bq} bits times a divisor of ${bd} overflows the field`,
    )
  const [lo, hi] = [n.range.lo / d.range.hi, n.range.hi / d.range.lo]
  if (d.range.hi === 1n) return n
  if (hi === 0n) return cs.constant(0)
  const [q] = cs.hint('quotient', [n, d], 1, { honest: { lo: 0n, hi } })
  toBits(cs, q!, bq)
  const product = cs.mul(q!, d)
  const r = cs.combine([
    [1, n],
    [-1, product],
  ])
  toBits(cs, r, bd)
  toBits(
    cs,
    cs.combine([
      [1, d],
      [-1, cs.ONE],
      [-1, r],
    ]),
    bd,
  )
  return cs.proven(q!, lo, hi)
}
