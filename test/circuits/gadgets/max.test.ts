import { describe, expect, test } from 'vitest'
import { createBuilder } from '../../../circuits/builder.ts'
import { createField, Fr } from '../../../circuits/field.ts'
import { maximum, maximumOf, minimum } from '../../../circuits/gadgets/max.ts'
import { atFullWidth, codeOf, type GadgetCase, onSmallFields } from '../../support/gadgetSuite.ts'

type Ends = readonly [number, number]

const larger = (a: Ends, c: Ends, rows: number): GadgetCase => ({
  name: `maximum of [${a}] and [${c}]`,
  inputs: [a, c],
  rows,
  build: (cs, [x, y]) => {
    const z = maximum(cs, x!, y!)
    expect(z.range).toEqual({ lo: BigInt(Math.max(a[0], c[0])), hi: BigInt(Math.max(a[1], c[1])) })
    return z
  },
  expected: ([x, y]) => (x! > y! ? x! : y!),
})

const smaller = (a: Ends, c: Ends): GadgetCase => ({
  name: `minimum of [${a}] and [${c}]`,
  inputs: [a, c],
  build: (cs, [x, y]) => {
    const z = minimum(cs, x!, y!)
    expect(z.range).toEqual({ lo: BigInt(Math.min(a[0], c[0])), hi: BigInt(Math.min(a[1], c[1])) })
    return z
  },
  expected: ([x, y]) => (x! < y! ? x! : y!),
})

const largestOf = (ranges: readonly Ends[]): GadgetCase => ({
  name: `maximumOf ${ranges.map((r) => `[${r}]`).join(' ')}`,
  inputs: ranges,
  build: (cs, xs) => maximumOf(cs, xs),
  expected: (xs) => [...xs].sort((a, b) => (a < b ? -1 : 1)).at(-1)!,
})

describe('maximum', () => {
  onSmallFields(larger([0, 3], [0, 3], 2 + 3))
  onSmallFields(larger([-4, 3], [-4, 3], 3 + 3))
  onSmallFields(larger([-4, 3], [0, 0], 2 + 3))
  onSmallFields(larger([0, 7], [5, 9], 4 + 3))
  onSmallFields(larger([-1, 0], [-1, 0], 1 + 3))
  onSmallFields(larger([3, 5], [0, 4], 3 + 3))
  atFullWidth(larger([-128, 127], [-128, 127], 8 + 3), 1)
  atFullWidth(larger([-(2 ** 23), 2 ** 23 - 1], [-(2 ** 23), 2 ** 23 - 1], 24 + 3), 2)
  atFullWidth(larger([-(2 ** 30), 5], [-3, 2 ** 30], 31 + 3), 3)

  test('is free where the ranges decide, ties included', () => {
    const cs = createBuilder(Fr)
    const a = cs.proven(cs.input('private', null), 5n, 9n)
    const c = cs.proven(cs.input('private', null), 0n, 5n)
    expect(maximum(cs, a, c)).toBe(a)
    expect(maximum(cs, c, a)).toBe(a)
    expect(maximumOf(cs, [a])).toBe(a)
    expect(cs.rows()).toBe(0)
  })

  test('refuses values without a range, differences that alias, and no values', () => {
    const cs = createBuilder(createField(31n))
    const x = cs.input('private', null)
    const y = cs.input('private', null)
    expect(codeOf(() => maximum(cs, x, cs.constant(0)))).toBe('circuit/overflow')
    expect(codeOf(() => maximum(cs, cs.constant(0), x))).toBe('circuit/overflow')
    expect(codeOf(() => maximum(cs, cs.proven(x, -7n, 7n), cs.proven(y, -7n, 7n)))).toBe('circuit/overflow')
    expect(codeOf(() => maximum(cs, cs.proven(x, 0n, 8n), cs.proven(y, 0n, 8n)))).toBe('circuit/overflow')
    expect(codeOf(() => maximum(cs, cs.proven(x, 0n, 7n), cs.proven(y, 0n, 7n)))).toBe('no error')
    expect(codeOf(() => maximumOf(cs, []))).toBe('circuit/overflow')
  })
})

describe('minimum', () => {
  onSmallFields(smaller([-4, 3], [-4, 3]))
  onSmallFields(smaller([0, 7], [5, 5]))
  onSmallFields(smaller([-2, 6], [1, 3]))
  atFullWidth(smaller([-(2 ** 23), 2 ** 23 - 1], [-100, 255]), 4)
})

describe('maximumOf', () => {
  onSmallFields(
    largestOf([
      [0, 3],
      [0, 3],
      [0, 3],
    ]),
    { fields: 1 },
  )
  onSmallFields(
    largestOf([
      [-2, 1],
      [0, 2],
      [-1, 3],
    ]),
    { fields: 1 },
  )
  atFullWidth(largestOf(Array.from({ length: 4 }, () => [-(2 ** 23), 2 ** 23 - 1] as const)), 5)
  atFullWidth(largestOf(Array.from({ length: 9 }, () => [0, 255] as const)), 6)
})
