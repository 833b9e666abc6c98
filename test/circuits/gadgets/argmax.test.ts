import { describe, expect, test } from 'vitest'
import { createBuilder } from '../../../circuits/builder.ts'
import { createField, Fr } from '../../../circuits/field.ts'
import { argmax } from '../../../circuits/gadgets/argmax.ts'
import { atFullWidth, codeOf, type GadgetCase, onSmallFields } from '../../support/gadgetSuite.ts'

type Ends = readonly [number, number]

const of = (ranges: readonly Ends[]): GadgetCase => ({
  name: `argmax of ${ranges.length < 5 ? ranges.map((r) => `[${r}]`).join(' ') : `${ranges.length} × [${ranges[0]}]`}`,
  inputs: ranges,
  build: (cs, xs) => {
    const c = argmax(cs, xs)
    expect(c.range).toEqual({ lo: 0n, hi: BigInt(ranges.length - 1) })
    return c
  },
  expected: (xs) => {
    let best = 0
    xs.forEach((x, i) => {
      if (x > xs[best]!) best = i
    })
    return BigInt(best)
  },
})

const same = (n: number, range: Ends): Ends[] => Array.from({ length: n }, () => range)

describe('argmax', () => {
  // of two selectors with sum 1 either one's row makes the other Boolean
  onSmallFields(of(same(2, [0, 3])), { fields: 3, idle: [0, 1] })
  onSmallFields(of(same(2, [-2, 2])), { fields: 3, idle: [0, 1] })
  onSmallFields(of(same(2, [0, 7])), { fields: 3, idle: [0, 1] })
  onSmallFields(of(same(2, [0, 14])), { fields: 1, idle: [0, 1] })
  onSmallFields(of(same(3, [0, 2])))
  onSmallFields(of(same(3, [-1, 2])))
  // values that differ by at most 1 leave the first selector no other value
  onSmallFields(of(same(4, [0, 1])), { idle: [0] })
  // the second value is never selected, the last selector has what is left
  onSmallFields(
    of([
      [0, 3],
      [-3, 1],
      [2, 4],
    ]),
    { idle: [2] },
  )
  onSmallFields(
    of([
      [0, 1],
      [5, 6],
    ]),
    { idle: [0, 1] },
  )
  atFullWidth(of(same(10, [-(2 ** 21), 2 ** 21 - 1])), 1, { samples: 30, liars: 5, lies: 400 })
  // many ties
  atFullWidth(of(same(5, [0, 2])), 2, { samples: 120, liars: 20, lies: 200 })
  atFullWidth(
    of([
      [-9, 9],
      [0, 255],
      [-128, 127],
    ]),
    3,
  )

  test('of one value is 0', () => {
    const cs = createBuilder(Fr)
    const x = cs.proven(cs.input('private', null), 0n, 5n)
    expect(cs.constantValue(argmax(cs, [x]))).toBe(0n)
    expect(cs.rows()).toBe(0)
  })

  test('refuses values without a range, no values, and differences that alias', () => {
    const refuse = (p: bigint, lo: bigint, hi: bigint): string =>
      codeOf(() => {
        const cs = createBuilder(createField(p))
        const xs = [0, 1].map(() => cs.input('private', null))
        argmax(
          cs,
          xs.map((x) => cs.proven(x, lo, hi)),
        )
      })
    const cs = createBuilder(Fr)
    expect(codeOf(() => argmax(cs, []))).toBe('circuit/overflow')
    expect(codeOf(() => argmax(cs, [cs.constant(1), cs.input('private', null)]))).toBe('circuit/overflow')
    // over F_31 a difference of -15 - 1 would be 15, which has 4 bits
    expect(refuse(31n, 0n, 14n)).toBe('no error')
    expect(refuse(31n, 0n, 15n)).toBe('circuit/aliasing')
    expect(refuse(Fr.p, -(2n ** 251n), 2n ** 251n - 1n)).toBe('no error')
    expect(refuse(Fr.p, -(2n ** 251n), 2n ** 251n)).toBe('circuit/aliasing')
  })
})
