import type { Builder } from '../../../circuits/builder.ts'
import { toBits } from '../../../circuits/gadgets/bits.ts'
import { requantise } from '../../../circuits/gadgets/requantise.ts'
import type { LC } from '../../../circuits/lc.ts'
import type { Input } from './support.ts'

/** How the results of a packed product are bounded: their own bits, those of a requantisation, or the bits of the sum. */
export type Bounding = 'bits' | 'requantise' | 'sum'

const [ROWS, COLUMNS, INNER, SLOT] = [2, 3, 4, 20]

const free = (x: LC): LC => ({ ...x, range: null })

/**
 * Y = X·W of private wires [2, 4]·[4, 3] in slots of 20 bits: rows X_k·W_k = P_k of words, and Σ P_k = Σ y_ij·2^(20·(i + 2j)).
 * Every y lies in ±2^16. `careless` is a slot without bounds of its own (of `sum`: whose lowest bit is any element), or none.
 * `most` is what a requantisation takes for the greatest |y|.
 */
export function slots(cs: Builder, input: Input, bounding: Bounding, careless = -1, most = 1n << 16n): LC {
  const x = Array.from({ length: ROWS * INNER }, () => input(-128, 127))
  const w = Array.from({ length: INNER * COLUMNS }, () => input(-128, 127))
  const place = (slot: number): bigint => 1n << BigInt(SLOT * slot)
  const words = Array.from({ length: INNER }, (_, k) =>
    cs.mul(
      cs.combine(Array.from({ length: ROWS }, (_, i) => [place(i), x[i * INNER + k]!] as const)),
      cs.combine(Array.from({ length: COLUMNS }, (_, j) => [place(ROWS * j), w[k * COLUMNS + j]!] as const)),
    ),
  )
  const count = ROWS * COLUMNS
  const offset = 1n << BigInt(SLOT - 1)
  const sum = cs.combine([
    ...words.map((word) => [1n, word] as const),
    ...Array.from({ length: count }, (_, s) => [offset * place(s), cs.ONE] as const),
  ])
  if (bounding === 'sum') {
    const bits = cs.bits(sum, SLOT * count)
    const spelled = Array.from({ length: SLOT * count }, (_, i) => [1n << BigInt(i), cs.bit(bits, i)] as const)
    if (careless < 0) cs.assertEqual(cs.combine(spelled), sum)
    else {
      // one bit stands for itself and is nowhere said to be one
      const [loose] = cs.hint('isZero', [sum], 1, { honest: { lo: 0n, hi: 1n } })
      const others = spelled.filter((_, i) => i !== SLOT * careless)
      cs.assertEqual(
        cs.combine([
          ...others.map(([k, bit]) => [k, free(bit)] as const),
          [place(careless), loose!],
          [place(careless), free(cs.bit(bits, SLOT * careless))],
        ]),
        free(sum),
      )
    }
    return cs.fromBits(bits, 0, SLOT)
  }
  // from the top slot down: what is left after the higher ones, divided
  const shifted: LC[] = []
  for (let s = count - 1; s >= 0; s--) {
    const higher = shifted.map((y, k) => [-place(count - 1 - k), y] as const)
    shifted.push(
      ...cs.hint('quotient', [cs.combine([[1n, free(sum)], ...higher]), cs.constant(place(s))], 1, { honest: null }),
    )
  }
  shifted.reverse()
  cs.assertEqual(cs.combine(shifted.map((y, s) => [place(s), y] as const)), free(sum))
  const results = shifted.map((y, s) => {
    const value = cs.combine([
      [1n, y],
      [-offset, cs.ONE],
    ])
    if (s === careless) return cs.constant(0)
    if (bounding === 'bits') return cs.sub(cs.fromBits(toBits(cs, y, SLOT)), cs.constant(offset))
    // with 2^5 + 2^13 added it needs two bits more than `most`
    return requantise(cs, { ...value, range: { lo: -most, hi: most } }, 6, -128n, 127n)
  })
  return cs.add(...results)
}
