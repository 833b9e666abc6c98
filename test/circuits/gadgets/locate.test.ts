import { describe, expect, test } from 'vitest'
import { createBuilder } from '../../../circuits/builder.ts'
import { createField, Fr } from '../../../circuits/field.ts'
import { type LocateMethod, locate, locateRows } from '../../../circuits/gadgets/locate.ts'
import { atFullWidth, codeOf, type GadgetCase, onSmallFields } from '../../support/gadgetSuite.ts'

/** [x ≥ t] for thresholds within [lo, hi]; `proven` says whether the input comes with that range. */
const place = (thresholds: number[], lo: number, hi: number, proven: boolean, method: LocateMethod): GadgetCase => ({
  name: `${method}: ${thresholds.slice(0, 4)} of [${lo}, ${hi}]${proven ? '' : ', any element'}`,
  inputs: [proven ? [lo, hi] : null],
  rows: locateRows(thresholds, { lo: BigInt(lo), hi: BigInt(hi) }, proven)[method],
  build: (cs, [x]) => {
    const bits = locate(cs, x!, thresholds, BigInt(lo), BigInt(hi), method)
    for (const bit of bits) expect(bit.range).toEqual({ lo: 0n, hi: 1n })
    return bits
  },
  expected: ([x]) =>
    x! < BigInt(lo) || x! > BigInt(hi) ? undefined : thresholds.map((t) => (x! >= BigInt(t) ? 1n : 0n)),
  ...(proven ? {} : { sample: (random) => [Fr.mod(BigInt(random.integer(lo, hi)))] }),
})

describe('locate', () => {
  // intervals of the same length, a power of two: either number's bit follows from the other
  onSmallFields(place([2], 0, 3, true, 'interval'), { idle: [1, 3] })
  onSmallFields(place([2], 0, 3, false, 'interval'), { idle: [1, 3] })
  // without its own row a selector may be what the others leave of 1; with so few intervals that fits none of them
  onSmallFields(place([3], 0, 7, true, 'interval'), { idle: [0, 1, 2] })
  onSmallFields(place([3], 0, 7, false, 'interval'), { idle: [0] })
  onSmallFields(place([-2, 1], -4, 3, true, 'interval'), { idle: [1] })
  onSmallFields(place([-2, 1], -4, 3, false, 'interval'))
  onSmallFields(place([1, 4, 5], 0, 6, false, 'interval'))
  onSmallFields(place([1, 2, 3, 9], 0, 9, true, 'interval'))
  onSmallFields(place([2], 0, 4, true, 'each'))
  onSmallFields(place([-2, 3], -4, 3, false, 'each'))
  onSmallFields(place([], -2, 3, false, 'interval'))
  const codes = [-1082130432, 1, 1071644672, 1078523331, 1078523332, 1092616192]
  atFullWidth(place(codes, -(2 ** 31), 2 ** 31 - 1, false, 'interval'), 1)
  atFullWidth(place(codes, -(2 ** 31), 2 ** 31 - 1, true, 'interval'), 2)
  atFullWidth(place([7, 1000], -1000, 1000, true, 'each'), 3)

  test('takes the cheaper method', () => {
    for (const [thresholds, proven] of [
      [[5], true],
      [[5], false],
      [[5, 9], true],
      [[5, 9, 13], true],
    ] as const) {
      const cs = createBuilder(Fr)
      const given = cs.input('private', null)
      locate(cs, proven ? cs.proven(given, 0n, 255n) : given, thresholds, 0n, 255n)
      const rows = locateRows(thresholds, { lo: 0n, hi: 255n }, proven)
      expect(cs.rows()).toBe(Math.min(rows.interval, rows.each))
    }
  })

  test('refuses thresholds out of order or range, other ranges, and fields that alias', () => {
    const code = (p: bigint, thresholds: number[], lo: bigint, hi: bigint, range?: readonly [bigint, bigint]): string =>
      codeOf(() => {
        const cs = createBuilder(createField(p))
        const x = cs.input('private', null)
        locate(cs, range === undefined ? x : cs.proven(x, ...range), thresholds, lo, hi, 'interval')
      })
    expect(code(Fr.p, [3, 3], 0n, 7n)).toBe('circuit/overflow')
    expect(code(Fr.p, [4, 3], 0n, 7n)).toBe('circuit/overflow')
    expect(code(Fr.p, [0], 0n, 7n)).toBe('circuit/overflow')
    expect(code(Fr.p, [8], 0n, 7n)).toBe('circuit/overflow')
    expect(code(Fr.p, [1.5], 0n, 7n)).toBe('circuit/overflow')
    expect(code(Fr.p, [3], 0n, 7n, [0n, 8n])).toBe('circuit/overflow')
    expect(code(7n, [3], 0n, 7n)).toMatch(/^circuit/)
  })
})
