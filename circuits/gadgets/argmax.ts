import type { Builder } from '../builder.ts'
import { CircuitError } from '../error.ts'
import { bitLength, type LC } from '../lc.ts'
import { toBits } from './bits.ts'

/**
 * Index of the first largest of n values.
 *
 * Proves: the result is the least c with x_c = max x. Hints: a one-hot e and the maximum m. Let after_i = Σ_(j>i) e_j.
 *   e_i·e_i = e_i      Σ e_i = 1
 *   m - x_i - after_i = Σ 2ᵏ·b_ik ≥ 0     for every i
 *   e_i · Σ 2ᵏ·b_ik = 0                   for every i
 * The selected c has after_c = 0, so m = x_c; then x_i ≤ x_c for i > c and x_i < x_c for i < c.
 * Requires: proven ranges of width W with 2^B + W + 1 ≤ p for its B bits, or a negative m - x_i - after_i ≥ -W - 1 would have
 * B bits mod p. Cost: n·(B + 3) + 1 rows at most.
 */
export function argmax(cs: Builder, values: readonly LC[]): LC {
  const n = values.length
  if (n === 0 || values.some((x) => x.range === null))
    throw new CircuitError('circuit/overflow', 'argmax: needs at least one value, each with a proven range')
  if (n === 1) return cs.constant(0)
  const ranges = values.map((x) => x.range!)
  const highest = ranges.reduce((m, { hi }) => (hi > m ? hi : m), ranges[0]!.hi)
  const lowest = ranges.reduce((m, { lo }) => (lo < m ? lo : m), ranges[0]!.lo)
  if ((1n << BigInt(bitLength(highest - lowest))) + (highest - lowest) + 1n > cs.F.p)
    throw new CircuitError('circuit/aliasing', `argmax: [${lowest}, ${highest}] is too wide to compare`)
  const [m] = cs.hint('maximum', values, 1, { honest: { lo: lowest, hi: highest } })
  const e = cs.hint('firstMaximum', values, n, { honest: { lo: 0n, hi: 1n } })
  for (const selected of e) cs.assertMul(selected, selected, selected)
  cs.assertEqual(cs.add(...e), cs.ONE)
  let after = cs.constant(0)
  for (let i = n - 1; i >= 0; i--) {
    const bits = toBits(
      cs,
      cs.combine([
        [1, m!],
        [-1, values[i]!],
        [-1, after],
      ]),
      bitLength(highest - ranges[i]!.lo),
    )
    cs.assertMul(e[i]!, cs.fromBits(bits), cs.constant(0))
    after = cs.add(after, e[i]!)
  }
  return cs.proven(cs.combine(e.map((selected, i) => [i, selected] as const)), 0n, BigInt(n - 1))
}
