import { describe, expect, test } from 'vitest'
import { createBuilder } from '../../../circuits/builder.ts'
import { createField, Fr } from '../../../circuits/field.ts'
import { divide } from '../../../circuits/gadgets/divide.ts'
import { atFullWidth, codeOf, type GadgetCase, onSmallFields } from '../../support/gadgetSuite.ts'

type Ends = readonly [number, number]

const byConstant = (n: Ends, d: number, rows: number): GadgetCase => ({
  name: `[${n}] / ${d}`,
  inputs: [n],
  rows,
  build: (cs, [x]) => {
    const q = divide(cs, x!, cs.constant(d))
    expect(q.range).toEqual({ lo: BigInt(Math.floor(n[0] / d)), hi: BigInt(Math.floor(n[1] / d)) })
    return q
  },
  expected: ([x]) => BigInt(Math.floor(Number(x) / d)),
})

const byWire = (n: Ends, d: Ends, rows: number): GadgetCase => ({
  name: `[${n}] / [${d}]`,
  inputs: [n, d],
  rows,
  build: (cs, [x, y]) => {
    const q = divide(cs, x!, y!)
    expect(q.range).toEqual({ lo: BigInt(Math.floor(n[0] / d[1])), hi: BigInt(Math.floor(n[1] / d[0])) })
    return q
  },
  expected: ([x, y]) => (x! - (x! % y!)) / y!,
})

describe('divide', () => {
  // bits of quotient, remainder and d - 1 - remainder with their sums; one product for a wire
  onSmallFields(byConstant([0, 9], 3, 3 + 3 + 3 + 0))
  onSmallFields(byConstant([0, 20], 3, 4 + 3 + 3))
  onSmallFields(byConstant([0, 20], 7, 3 + 4 + 4))
  onSmallFields(byConstant([5, 12], 5, 3 + 4 + 4))
  onSmallFields(byConstant([0, 5], 2, 3 + 3 + 3))
  onSmallFields(byConstant([0, 6], 4, 2 + 4 + 4))
  onSmallFields(byWire([0, 9], [1, 3], 5 + 3 + 3 + 1))
  onSmallFields(byWire([0, 12], [2, 5], 4 + 4 + 4 + 1))
  onSmallFields(byWire([3, 7], [3, 4], 3 + 4 + 4 + 1))
  onSmallFields(byWire([0, 3], [1, 2], 3 + 3 + 3 + 1))
  atFullWidth(byConstant([0, 49 * 255], 49, 9 + 7 + 7), 1)
  atFullWidth(byConstant([0, 2 ** 24], 1000, 16 + 11 + 11), 2)
  atFullWidth(byWire([0, 256 * 4095], [256, 2560], 13 + 13 + 13 + 1), 3)
  atFullWidth(byWire([0, 2 ** 40], [1, 2 ** 20], 42 + 22 + 22 + 1), 4)

  test('is free for divisor 1 and dividends below the divisor', () => {
    const cs = createBuilder(Fr)
    const n = cs.proven(cs.input('private', null), 0n, 9n)
    expect(divide(cs, n, cs.constant(1))).toBe(n)
    expect(cs.constantValue(divide(cs, n, cs.constant(10)))).toBe(0n)
    expect(cs.rows()).toBe(0)
  })

  test('refuses unproven ranges, negative dividends, divisors that may be 0, and products that wrap', () => {
    const cs = createBuilder(createField(251n))
    const [x, y] = [cs.input('private', null), cs.input('private', null)]
    const refuse = (n: readonly [bigint, bigint] | null, d: readonly [bigint, bigint] | null): string =>
      codeOf(() => divide(cs, n === null ? x : cs.proven(x, ...n), d === null ? y : cs.proven(y, ...d)))
    expect(refuse(null, [1n, 3n])).toBe('circuit/overflow')
    expect(refuse([0n, 9n], null)).toBe('circuit/overflow')
    expect(refuse([-1n, 9n], [1n, 3n])).toBe('circuit/overflow')
    expect(refuse([0n, 9n], [0n, 3n])).toBe('circuit/overflow')
    expect(refuse([0n, 9n], [-3n, -1n])).toBe('circuit/overflow')
    // 2^5 · 2^2 + 2^2 < 251, 2^6 · 2^2 + 2^2 is not
    expect(refuse([0n, 31n], [1n, 3n])).toBe('no error')
    expect(refuse([0n, 32n], [1n, 3n])).toBe('circuit/aliasing')
  })
})
