import type { Bits, Builder } from '../builder.ts'
import { CircuitError } from '../error.ts'
import type { Field } from '../field.ts'
import { bitLength, type LC } from '../lc.ts'

/** Most bits that a value may be taken apart into: the greatest n with 2ⁿ - 1 ≤ p/2. 252 for BN254. */
export const mostBits = (F: Field): number => bitLength(F.p / 2n + 1n) - 1

/**
 * Decomposes x into n bits, least significant first.
 *
 * Proves: 0 ≤ x < 2ⁿ and bits[i] is bit i of x.
 * Requires: 2ⁿ - 1 ≤ p/2. Beyond that bits would leave the range of integers, and from 2ⁿ ≥ p on x and x + p would both have
 * a decomposition. x may be any field element.
 * Cost: n + 1 rows, x on the c side of one.
 */
export function toBits(cs: Builder, x: LC, n: number): Bits {
  if (n > mostBits(cs.F))
    throw new CircuitError('circuit/aliasing', `toBits: 2^${n} - 1 exceeds half the field order ${cs.F.p}`, { bits: n })
  const bits = cs.bits(x, n) // bᵢ·bᵢ = bᵢ
  cs.assertEqual(cs.fromBits(bits), x) // Σ 2ⁱ·bᵢ = x
  return bits
}

/**
 * Bits of a value that its range proves to be an integer in [0, 2ⁿ) for the least such n.
 *
 * Proves: bits[i] is bit i of x. Requires: range.lo ≥ 0. Cost: n + 1 rows.
 */
export function bitsOfRange(cs: Builder, x: LC): Bits {
  if (x.range === null || x.range.lo < 0n)
    throw new CircuitError('circuit/overflow', 'bitsOfRange: the value needs a proven range [0, hi]')
  return toBits(cs, x, bitLength(x.range.hi))
}

/**
 * Proves lo ≤ x ≤ hi for any field element x, and returns x with that range.
 *
 * With w = hi - lo and n the least such that w < 2ⁿ: x - lo has n bits, and where w + 1 is no power of two so has hi - x.
 * Both hold only for x - lo in [0, w], since 2ⁿ⁺¹ < p keeps x - lo < 2ⁿ and hi - x < 2ⁿ from wrapping.
 * Cost: n + 1 rows, or 2n + 2.
 */
export function rangeCheck(cs: Builder, x: LC, lo: bigint, hi: bigint): LC {
  const n = bitLength(hi - lo)
  if (hi < lo || 1n << BigInt(n + 1) >= cs.F.p)
    throw new CircuitError('circuit/overflow', `rangeCheck: [${lo}, ${hi}] does not fit the field of order ${cs.F.p}`)
  toBits(
    cs,
    cs.combine([
      [1, x],
      [-lo, cs.ONE],
    ]),
    n,
  )
  if (hi - lo + 1n !== 1n << BigInt(n))
    toBits(
      cs,
      cs.combine([
        [hi, cs.ONE],
        [-1, x],
      ]),
      n,
    )
  return cs.proven(x, lo, hi)
}
