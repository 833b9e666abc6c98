import { describe, expect, test } from 'vitest'
import { createBuilder } from '../../../circuits/builder.ts'
import { createField, Fr } from '../../../circuits/field.ts'
import { isZero, lcmUpTo } from '../../../circuits/gadgets/zero.ts'
import { solve } from '../../../circuits/solve.ts'
import { atFullWidth, type GadgetCase, type InputRange, onSmallFields } from '../../support/gadgetSuite.ts'

const zero = (range: InputRange): GadgetCase => ({
  name: `isZero of ${range === null ? 'any element' : `[${range}]`}`,
  inputs: [range],
  rows: 3,
  build: (cs, [x]) => {
    const z = isZero(cs, x!)
    expect(z.range).toEqual({ lo: 0n, hi: 1n })
    return z
  },
  expected: ([x]) => (x === 0n ? 1n : 0n),
})

describe('isZero', () => {
  onSmallFields(zero(null), { fields: 6 })
  onSmallFields(zero(null), { above: 120 })
  // the small form, up to the largest K that the prime allows: L = lcm(1 … K) has only factors below p
  for (const k of [1, 2, 3, 8, 13, 40]) onSmallFields(zero([-k, k]), { fields: 4 })
  onSmallFields(zero([0, 5]))
  onSmallFields(zero([-1, 0]))
  onSmallFields(zero([-45, 44]))
  atFullWidth(zero(null), 1)
  atFullWidth(zero([0, 40]), 2)
  atFullWidth(zero([-40, 12]), 3)
  atFullWidth(zero([-41, 12]), 4)
  atFullWidth(zero([-(2 ** 52), 2 ** 52]), 5)

  test('takes the small form up to 40 and the inverse beyond', () => {
    const hintsOf = (lo: bigint, hi: bigint): readonly string[] => {
      const cs = createBuilder(Fr)
      isZero(cs, cs.proven(cs.input('private', { lo, hi }), lo, hi))
      return cs.build().hintNames
    }
    expect(hintsOf(-40n, 40n)).toEqual(['quotientOf', 'isZero'])
    expect(hintsOf(0n, 41n)).toEqual(['inverse', 'isZero'])
    expect(hintsOf(-41n, 0n)).toEqual(['inverse', 'isZero'])
  })

  test('lcm(1 … 40) is an exact double and a multiple of all of them', () => {
    expect(lcmUpTo(40)).toBeLessThan(2n ** 53n)
    expect(lcmUpTo(41)).toBeGreaterThan(2n ** 53n)
    for (let k = 1n; k <= 40n; k++) expect(lcmUpTo(40) % k).toBe(0n)
  })

  test('decides constants and ranges without 0 for nothing', () => {
    const cs = createBuilder(createField(17n))
    const x = cs.input('private', { lo: 1n, hi: 4n })
    expect(cs.constantValue(isZero(cs, cs.constant(0)))).toBe(1n)
    expect(cs.constantValue(isZero(cs, cs.constant(5)))).toBe(0n)
    expect(cs.constantValue(isZero(cs, cs.sub(x, x)))).toBe(1n)
    expect(cs.constantValue(isZero(cs, cs.proven(x, 1n, 4n)))).toBe(0n)
    expect(cs.constantValue(isZero(cs, cs.proven(x, -4n, -1n)))).toBe(0n)
    // multiples of the prime are 0, whatever integer they were written as
    expect(cs.constantValue(isZero(cs, cs.constant(17)))).toBe(1n)
    expect(cs.constantValue(isZero(cs, cs.constant(-34)))).toBe(1n)
    expect(cs.constantValue(isZero(cs, cs.constant(18)))).toBe(0n)
    expect(cs.rows()).toBe(0)
  })

  test('the hint for products beyond 2^53 is checked exactly', () => {
    const cs = createBuilder(Fr)
    const x = cs.input('private', { lo: -40n, hi: 40n })
    isZero(cs, cs.proven(x, -40n, 40n))
    const circuit = cs.build()
    for (let v = -40; v <= 40; v++) solve(circuit, [v])
  })
})
