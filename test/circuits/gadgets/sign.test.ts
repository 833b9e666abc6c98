import { describe, expect, test } from 'vitest'
import { createBuilder } from '../../../circuits/builder.ts'
import { createField, Fr } from '../../../circuits/field.ts'
import { relu, signedWidth, signSplit } from '../../../circuits/gadgets/sign.ts'
import { atFullWidth, codeOf, type GadgetCase, onSmallFields } from '../../support/gadgetSuite.ts'

type Ends = readonly [number, number]

const split = (range: Ends, width: number): GadgetCase => ({
  name: `signSplit of [${range}]`,
  inputs: [range],
  rows: width + 1,
  build: (cs, [x]) => {
    const made = signSplit(cs, x!)
    expect(made.width).toBe(width)
    return [made.positive, cs.fromBits(made.bits, 0, width - 1)]
  },
  expected: ([x]) => (x! >= 0n ? [1n, x!] : [0n, x! + 2n ** BigInt(width - 1)]),
})

const reluOf = (range: Ends, width: number): GadgetCase => ({
  name: `relu of [${range}]`,
  inputs: [range],
  rows: width + 2,
  build: (cs, [x]) => {
    const y = relu(cs, x!)
    expect(y.range).toEqual({ lo: 0n, hi: BigInt(range[1]) })
    return y
  },
  expected: ([x]) => (x! > 0n ? x! : 0n),
})

describe('signSplit', () => {
  onSmallFields(split([-4, 3], 3))
  onSmallFields(split([-8, 7], 4))
  onSmallFields(split([-3, 1], 3))
  // one bit is x + 1, and the range of x makes it Boolean
  onSmallFields(split([-1, 0], 1), { idle: [0] })
  onSmallFields(split([0, 5], 4))
  onSmallFields(split([-5, -2], 4))
  atFullWidth(split([-(2 ** 23), 2 ** 23 - 1], 24), 1)

  test('the width holds both ends', () => {
    expect(signedWidth({ lo: -8n, hi: 7n })).toBe(4)
    expect(signedWidth({ lo: -8n, hi: 8n })).toBe(5)
    expect(signedWidth({ lo: -9n, hi: 0n })).toBe(5)
    expect(signedWidth({ lo: 0n, hi: 0n })).toBe(1)
    expect(signedWidth({ lo: -1n, hi: -1n })).toBe(1)
    expect(signedWidth({ lo: 3n, hi: 4n })).toBe(4)
  })
})

describe('relu', () => {
  onSmallFields(reluOf([-4, 3], 3))
  onSmallFields(reluOf([-8, 7], 4))
  onSmallFields(reluOf([-7, 2], 4))
  onSmallFields(reluOf([-1, 1], 2))
  atFullWidth(reluOf([-(2 ** 23), 2 ** 23 - 1], 24), 2)
  atFullWidth(reluOf([-129, 70_000], 18), 3)
  atFullWidth(reluOf([-(2 ** 52), 2 ** 52], 54), 4)

  test('is free where the range decides', () => {
    const cs = createBuilder(Fr)
    const x = cs.input('private', null)
    const [high, low] = [cs.proven(x, 0n, 9n), cs.proven(x, -9n, 0n)]
    expect(relu(cs, high)).toBe(high)
    expect(cs.constantValue(relu(cs, low))).toBe(0n)
    expect(cs.rows()).toBe(0)
  })

  test('refuses values without a range or too wide for the field', () => {
    const cs = createBuilder(createField(31n))
    const x = cs.input('private', null)
    expect(codeOf(() => relu(cs, x))).toBe('circuit/overflow')
    expect(codeOf(() => signSplit(cs, x))).toBe('circuit/overflow')
    expect(codeOf(() => relu(cs, cs.proven(x, -9n, 7n)))).toBe('circuit/overflow')
    const wide = createBuilder(Fr)
    const y = wide.input('private', null)
    expect(codeOf(() => relu(wide, wide.proven(y, -1n, 2n ** 251n)))).toBe('circuit/aliasing')
    expect(codeOf(() => relu(wide, wide.proven(y, -1n, 2n ** 252n)))).toBe('circuit/overflow')
    expect(codeOf(() => relu(wide, wide.proven(y, -1n, 2n ** 251n - 1n)))).toBe('no error')
  })
})
