import { describe, expect, test } from 'vitest'
import { createBuilder } from '../../../circuits/builder.ts'
import { Fr } from '../../../circuits/field.ts'
import { belowRows, type Ratio, remainderBits, rescale, rescaled } from '../../../circuits/gadgets/rescale.ts'
import { atFullWidth, codeOf, type GadgetCase, onSmallFields } from '../../support/gadgetSuite.ts'

type Ends = readonly [number, number]

const below = (x: Ends, q: number): GadgetCase => ({
  name: `[${x}] below ${q}`,
  inputs: [x],
  build: (cs, [v]) => {
    remainderBits(cs, v!, q)
    return []
  },
  expected: ([v]) => (v! >= 0n && v! < BigInt(q) ? [] : undefined),
})

const scaled = (
  x: Ends,
  [p, r, q, even]: readonly [number, number, number, boolean?],
  [lo, hi]: Ends,
  except: NonNullable<Ratio['except']> = [],
): GadgetCase => {
  const ratio: Ratio = { p, r, q, even: even === true, except }
  const expected = (v: number): number => {
    const exact = (p * v + r) / q
    const t = even && Number.isInteger(exact) && exact % 2 !== 0 ? exact - 1 : Math.floor(exact)
    return Math.min(Math.max(t, lo), hi) + except.reduce((sum, { at, by }) => (at === v ? sum + by : sum), 0)
  }
  return {
    name: `(${p}·[${x}] + ${r}) / ${q}${even ? ' to even' : ''} in [${lo}, ${hi}]`,
    inputs: [x],
    build: (cs, [v]) => {
      const y = rescale(cs, v!, ratio, BigInt(lo), BigInt(hi))
      expect(Number(y.range!.lo)).toBeLessThanOrEqual(expected(x[0]))
      expect(Number(y.range!.hi)).toBeGreaterThanOrEqual(expected(x[1]))
      return y
    },
    expected: ([v]) => BigInt(expected(Number(v))),
  }
}

describe('remainders', () => {
  for (const q of [2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16]) onSmallFields(below([-3, 20], q))
  atFullWidth(below([-5, 5000], 3000), 1)
  test('cost what their odd part costs', () => {
    expect([2, 4, 3, 6, 5, 9, 7, 11, 2 ** 20, 9 * 2 ** 20].map(belowRows)).toEqual([0, 0, 1, 1, 1, 1, 2, 2, 0, 1])
    for (let q = 2; q < 300; q++) {
      const cs = createBuilder(Fr)
      remainderBits(cs, cs.input('private', null), q)
      expect(cs.rows()).toBe((q - 1).toString(2).length + 1 + belowRows(q))
    }
  })
})

describe('rescale', () => {
  onSmallFields(scaled([-9, 9], [1, 1, 3], [-2, 1]))
  onSmallFields(scaled([-9, 9], [2, 1, 5], [-2, 1]))
  onSmallFields(scaled([0, 12], [2, 1, 5], [0, 3]))
  onSmallFields(scaled([0, 12], [1, 1, 3], [0, 3]))
  onSmallFields(scaled([-6, 4], [3, 2, 4], [-1, 0]))
  onSmallFields(scaled([-4, 4], [1, 0, 3], [-2, 2]))
  onSmallFields(scaled([-9, 9], [1, 2, 4, true], [-2, 1]))
  onSmallFields(scaled([-9, 9], [1, 1, 2, true], [-1, 2]))
  onSmallFields(scaled([1, 9], [1, 1, 2, true], [0, 3]))
  onSmallFields(scaled([2, 9], [1, 1, 2, true], [1, 4]))
  atFullWidth(scaled([-(2 ** 20), 2 ** 20], [113, 51200, 9 * 2 ** 13], [-128, 127]), 2)
  atFullWidth(scaled([-(2 ** 15), 2 ** 15], [1, 128, 256, true], [-128, 127]), 3)
  atFullWidth(scaled([-(2 ** 15), 2 ** 15], [3, 300, 600, true], [-127, 128]), 4)
  atFullWidth(scaled([-(2 ** 24), 2 ** 24], [201, -77, 2 ** 24 - 3], [-100, 27]), 5)

  onSmallFields(scaled([-5, 5], [1, 1, 3], [-1, 1], [{ at: 1, by: 1 }]))
  onSmallFields(
    scaled(
      [-5, 5],
      [2, 1, 5],
      [-2, 1],
      [
        { at: -4, by: 1 },
        { at: 4, by: -1 },
        { at: 99, by: 1 },
      ],
    ),
  )
  atFullWidth(scaled([-(2 ** 20), 2 ** 20], [113, 51200, 9 * 2 ** 13], [-128, 127], [{ at: 0, by: 1 }]), 6)

  test('refuses exceptions that leave the window', () => {
    const cs = createBuilder(Fr)
    const x = cs.proven(cs.input('private', null), -9n, 9n)
    const ratio: Ratio = { p: 1, r: 0, q: 3, even: false, except: [{ at: 9, by: 1 }] }
    expect(codeOf(() => rescale(cs, x, ratio, -3n, 3n))).toBe('circuit/overflow')
    expect(codeOf(() => rescale(cs, x, ratio, -3n, 4n))).toBe('no error')
  })

  test('agrees with its integer meaning', () => {
    expect([-3n, -1n, 1n, 3n, 5n].map((x) => rescaled(x, { p: 1, r: 1, q: 2, even: true }))).toEqual([
      -2n,
      0n,
      0n,
      2n,
      2n,
    ])
    expect(rescaled(-7n, { p: 2, r: 0, q: 3, even: false })).toBe(-5n)
  })

  test('refuses unproven ranges, empty windows, ratios that are none, and products that wrap', () => {
    const cs = createBuilder(Fr)
    const x = cs.input('private', null)
    const in9 = cs.proven(x, -9n, 9n)
    const ratio: Ratio = { p: 1, r: 0, q: 3, even: false }
    expect(codeOf(() => rescale(cs, x, ratio, 0n, 3n))).toBe('circuit/overflow')
    expect(codeOf(() => rescale(cs, in9, ratio, 3n, 0n))).toBe('circuit/overflow')
    expect(codeOf(() => rescale(cs, in9, { ...ratio, p: 0 }, 0n, 3n))).toBe('circuit/overflow')
    expect(codeOf(() => rescale(cs, in9, { ...ratio, q: 1, even: true }, 0n, 3n))).toBe('circuit/overflow')
    expect(codeOf(() => rescale(cs, in9, { ...ratio, q: 0.5 }, 0n, 3n))).toBe('circuit/overflow')
    const huge = cs.proven(x, 0n, Fr.p / 2n - 5n)
    expect(codeOf(() => rescale(cs, huge, ratio, 0n, 3n))).toBe('circuit/overflow')
  })
})
