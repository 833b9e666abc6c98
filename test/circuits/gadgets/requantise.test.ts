import { describe, expect, test } from 'vitest'
import { createBuilder } from '../../../circuits/builder.ts'
import { createField, Fr } from '../../../circuits/field.ts'
import { requantise, shiftRight } from '../../../circuits/gadgets/requantise.ts'
import { atFullWidth, codeOf, type GadgetCase, onSmallFields } from '../../support/gadgetSuite.ts'

type Ends = readonly [number, number]

/** round half up of x / 2^shift, in doubles. */
const rounded = (x: number, shift: number): number => (shift === 0 ? x : Math.floor(x / 2 ** shift + 0.5))

const clamped = (x: number, shift: number, [lo, hi]: Ends): number => Math.min(Math.max(rounded(x, shift), lo), hi)

const to = (range: Ends, shift: number, window: Ends, rows: number): GadgetCase => ({
  name: `requantise [${range}] >> ${shift} to [${window}]`,
  inputs: [range],
  rows,
  build: (cs, [x]) => {
    const y = requantise(cs, x!, shift, BigInt(window[0]), BigInt(window[1]))
    // the range that is claimed is the exact one
    expect(y.range).toEqual({
      lo: BigInt(clamped(range[0], shift, window)),
      hi: BigInt(clamped(range[1], shift, window)),
    })
    return y
  },
  expected: ([x]) => BigInt(clamped(Number(x), shift, window)),
})

/** Rows of B bits and their sum, of [no bit above the window] by products or isZero, and of the last product. */
const both = (B: number, shift: number, n: number): number => B + 1 + Math.min(B - 1 - shift - n, 3) + 1
/** The same for values that are never negative, whose bits have no sign. */
const high = (B: number, shift: number, n: number): number => B + 1 + Math.min(B - shift - n - 1, 3) + 1
/** Rows of the minimum that windows of other widths take besides. */
const clip = (difference: number): number => difference + 3

describe('requantise', () => {
  describe('saturating on both sides', () => {
    onSmallFields(to([-20, 20], 1, [-2, 1], both(6, 1, 2)))
    onSmallFields(to([-20, 20], 2, [-1, 0], both(6, 2, 1)))
    onSmallFields(to([-13, 13], 0, [-2, 1], both(5, 0, 2)))
    onSmallFields(to([-30, 30], 0, [-4, 3], both(7, 0, 3)))
    onSmallFields(to([-30, 30], 3, [-1, 0], both(7, 3, 1)))
    onSmallFields(to([-16, 15], 1, [-4, 3], both(6, 1, 3)))
    onSmallFields(to([-30, 30], 0, [-1, 0], both(6, 0, 1)))
    onSmallFields(to([-20, 7], 1, [0, 3], both(6, 1, 2))) // by one at the high end
  })
  describe('fused with a ReLU', () => {
    onSmallFields(to([-20, 20], 1, [0, 3], both(6, 1, 2)))
    onSmallFields(to([-20, 20], 2, [0, 1], both(6, 2, 1)))
    onSmallFields(to([-3, 28], 1, [0, 7], both(6, 1, 3)))
  })
  describe('saturating only at the low end', () => {
    onSmallFields(to([-20, 10], 1, [-2, 5], 5 + 1 + 1))
    onSmallFields(to([-20, 5], 1, [0, 3], 6 + 1 + 1))
    onSmallFields(to([-20, 5], 0, [-2, 5], 6 + 1 + 1))
    onSmallFields(to([-9, 3], 1, [-2, 13], 5 + 1 + 1)) // a window wider than the bits
  })
  describe('not saturating', () => {
    onSmallFields(to([-16, 13], 2, [-4, 3], 5 + 1))
    onSmallFields(to([-20, 20], 3, [-3, 4], 6 + 1))
    onSmallFields(to([0, 13], 1, [0, 7], 4 + 1))
    onSmallFields(to([3, 13], 2, [-4, 3], 5 + 1))
  })
  describe('saturating only at the high end', () => {
    onSmallFields(to([0, 30], 1, [0, 3], high(5, 1, 2)))
    onSmallFields(to([-1, 30], 2, [0, 1], high(6, 2, 1)))
    onSmallFields(to([-4, 20], 1, [-2, 1], high(5, 1, 2)))
    onSmallFields(to([0, 30], 0, [0, 7], high(5, 0, 3)))
  })
  describe('windows of other widths take a minimum besides', () => {
    onSmallFields(to([-20, 20], 1, [-2, 2], both(6, 1, 3) + clip(3)))
    onSmallFields(to([-20, 20], 1, [-3, 2], both(6, 1, 3) + clip(3)))
    onSmallFields(to([-20, 20], 2, [-1, 1], both(6, 2, 2) + clip(2)))
    onSmallFields(to([0, 20], 1, [0, 4], high(5, 1, 3) + clip(3)))
    onSmallFields(to([-20, 14], 1, [0, 5], 6 + 1 + 1 + clip(3)))
    onSmallFields(to([0, 14], 1, [0, 5], 4 + 1 + clip(3)))
  })

  describe('at full width', () => {
    atFullWidth(to([-(2 ** 23), 2 ** 23 - 1], 11, [-128, 127], both(25, 11, 8)), 1)
    atFullWidth(to([-(2 ** 23), 2 ** 23 - 1], 9, [0, 255], both(25, 9, 8)), 2)
    atFullWidth(to([-(2 ** 23) + 2 ** 15, 2 ** 23 - 2 ** 15 - 1], 16, [-127, 127], 24 + 1), 3)
    atFullWidth(to([-(2 ** 23), 30_000], 8, [0, 127], 24 + 1 + 1), 4)
    atFullWidth(to([0, 2 ** 23], 8, [0, 255], high(24, 8, 8)), 5)
    atFullWidth(to([0, 255 * 9], 4, [0, 255], 12 + 1), 6)
    atFullWidth(to([-(2 ** 23), 2 ** 23 - 1], 7, [-100, 100], both(25, 7, 8) + clip(8)), 7)
    atFullWidth(to([-(2 ** 40), 2 ** 40], 30, [-128, 127], both(42, 30, 8)), 8)
    atFullWidth(to([-(2 ** 23), 2 ** 23], 0, [-128, 127], both(25, 0, 8)), 9)
    atFullWidth(to([-(2 ** 50), 2 ** 50], 2, [0, 65_535], both(52, 2, 16)), 10, { liars: 3, lies: 150 })
  })

  test('is free where the range decides', () => {
    const cs = createBuilder(Fr)
    const x = cs.proven(cs.input('private', { lo: -9n, hi: 9n }), -9n, 9n)
    const constant = (shift: number, lo: bigint, hi: bigint) => cs.constantValue(requantise(cs, x, shift, lo, hi))
    expect(constant(1, 5n, 9n)).toBe(5n)
    expect(constant(1, -30n, -4n)).toBe(-4n)
    expect(constant(5, -128n, 127n)).toBe(0n)
    expect(constant(5, 0n, 127n)).toBe(0n)
    expect(constant(1, 3n, 3n)).toBe(3n)
    expect(requantise(cs, x, 0, -9n, 9n)).toBe(x)
    expect(requantise(cs, x, 0, -128n, 127n)).toBe(x)
    expect(cs.rows()).toBe(0)
  })

  test('refuses what it can not do', () => {
    const cs = createBuilder(createField(97n))
    const x = cs.input('private', null)
    expect(codeOf(() => requantise(cs, x, 1, 0n, 3n))).toBe('circuit/overflow')
    expect(codeOf(() => requantise(cs, cs.proven(x, -9n, 9n), 1, 3n, 0n))).toBe('circuit/overflow')
    // 40 + 2 + 8 leaves half the field
    expect(codeOf(() => requantise(cs, cs.proven(x, -40n, 40n), 2, -2n, 1n))).toBe('circuit/overflow')
  })

  test('shiftRight rounds halves up on both sides of 0', () => {
    for (let x = -40; x <= 40; x++)
      for (let s = 0; s < 6; s++) expect(shiftRight(BigInt(x), s)).toBe(BigInt(rounded(x, s)))
  })
})
