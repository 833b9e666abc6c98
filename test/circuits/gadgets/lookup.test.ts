import { describe, expect, test } from 'vitest'
import { createBuilder } from '../../../circuits/builder.ts'
import { Fr } from '../../../circuits/field.ts'
import { bestSplit, lookup, lookupAll, lookupRows, roundedLookup } from '../../../circuits/gadgets/lookup.ts'
import { shiftRight } from '../../../circuits/gadgets/requantise.ts'
import { atFullWidth, codeOf, type GadgetCase, onSmallFields } from '../../support/gadgetSuite.ts'
import { seeded } from '../../support/random.ts'

/** A table from `lo` on, with an index that may cover less than its domain. */
const of = (
  name: string,
  table: readonly number[],
  lo: number,
  range: readonly [number, number] = [lo, lo + table.length - 1],
  rows?: number,
): GadgetCase => ({
  name: `lookup in ${name}`,
  inputs: [range],
  ...(rows === undefined ? {} : { rows }),
  build: (cs, [x]) => {
    const y = lookup(cs, x!, table, BigInt(lo))
    const used = table.slice(range[0] - lo, range[1] - lo + 1)
    expect(y.range).toEqual({ lo: BigInt(Math.min(...used)), hi: BigInt(Math.max(...used)) })
    return y
  },
  expected: ([x]) => BigInt(table[Number(x) - lo]!),
})

const random = seeded(41)
const noise = (n: number, magnitude: number): number[] =>
  Array.from({ length: n }, () => random.integer(-magnitude, magnitude))

describe('lookup', () => {
  // one bit is x itself, and the range of x makes it Boolean
  onSmallFields(of('2 entries', [5, -3], 0, undefined, 2), { idle: [0] })
  onSmallFields(of('3 entries', [1, 0, 2], -1))
  onSmallFields(of('4 entries', [1, 7, 3, 0], 0, undefined, 3 + 1))
  onSmallFields(of('4 entries, half of them used', [1, 7, 3, -9], 0, [1, 2]))
  onSmallFields(of('8 entries', [1, 0, 3, -1, 2, 2, -4, 1], -4, undefined, 4 + 2))
  onSmallFields(of('7 entries', [1, 0, 3, -1, 2, 2, -4], -4))
  onSmallFields(of('16 entries', noise(16, 3), -8, undefined, 5 + 5))
  onSmallFields(of('13 entries', noise(13, 3), 2))
  onSmallFields(of('13 entries, 5 of them used', noise(13, 3), 2, [4, 8]))
  atFullWidth(of('256 random entries', noise(256, 127), -128, undefined, 9 + 37), 1)
  atFullWidth(of('1,024 random entries', noise(1024, 2 ** 40 - 1), -512, undefined, 11 + 83), 2, { liars: 4 })
  atFullWidth(of('200 of 256 entries', noise(256, 255), 0, [20, 219]), 3)
  atFullWidth(of('a 77-entry table', noise(77, 255), -10), 4)
  atFullWidth(
    of(
      'a sigmoid',
      Array.from({ length: 256 }, (_, i) => Math.round(255 / (1 + Math.exp(-(i - 128) / 24)))),
      -128,
      undefined,
      9 + 37,
    ),
    5,
  )

  test('every size up to 4,096 gets enough index bits', () => {
    for (const n of [1, 2, 3, 4, 5, 8, 9, 16, 17, 31, 32, 33, 64, 128, 129, 512, 1024, 1025, 2048, 2049, 4096]) {
      const cs = createBuilder(Fr)
      const x = cs.proven(cs.input('private', { lo: 0n, hi: BigInt(n - 1) }), 0n, BigInt(n - 1))
      const table = Array.from({ length: n }, (_, i) => (i * i) % 97)
      const y = lookup(cs, x, table, 0n)
      expect(y.range!.hi).toBe(BigInt(Math.max(...table)))
    }
  })

  test('rows per split are the fewest', () => {
    expect([4, 5, 6, 7, 8, 9, 10, 12].map((n) => lookupRows(n, bestSplit(n)))).toEqual([5, 8, 15, 22, 37, 52, 83, 177])
  })

  test('constant tables are free', () => {
    const cs = createBuilder(Fr)
    const x = cs.proven(cs.input('private', null), 0n, 3n)
    expect(cs.constantValue(lookup(cs, x, [7, 7, 7, 7], 0n))).toBe(7n)
    expect(cs.rows()).toBe(0)
  })

  test('refuses unproven indices, indices outside, and tables that are too long or not of integers', () => {
    const cs = createBuilder(Fr)
    const x = cs.input('private', null)
    const at = (lo: bigint, hi: bigint, table: readonly number[], first = 0n): string =>
      codeOf(() => lookup(cs, cs.proven(x, lo, hi), table, first))
    expect(codeOf(() => lookup(cs, x, [1, 2], 0n))).toBe('circuit/overflow')
    expect(at(-1n, 1n, [1, 2])).toBe('circuit/overflow')
    expect(at(0n, 2n, [1, 2])).toBe('circuit/overflow')
    expect(at(0n, 1n, [1, 2], 1n)).toBe('circuit/overflow')
    expect(at(0n, 1n, [])).toBe('circuit/overflow')
    expect(at(0n, 1n, new Array(4097).fill(0))).toBe('circuit/overflow')
    expect(at(0n, 1n, [1, 0.5])).toBe('circuit/overflow')
    expect(at(0n, 1n, [1, Number.NaN])).toBe('circuit/overflow')
    expect(at(0n, 1n, [1, 2 ** 40])).toBe('circuit/overflow')
  })
})

const clampBetween = (v: bigint, lo: bigint, hi: bigint): bigint => (v < lo ? lo : v > hi ? hi : v)

/** Tables behind a rounding shift to [lo, hi], the first entry standing for lo. */
const rounded = (
  name: string,
  tables: readonly (readonly number[])[],
  [shift, lo, hi]: readonly [number, number, number],
  range: readonly [number, number],
  rows?: number,
): GadgetCase => ({
  name: `rounded lookup, ${name}`,
  inputs: [range],
  ...(rows === undefined ? {} : { rows }),
  build: (cs, [x]) => roundedLookup(cs, x!, { shift, lo: BigInt(lo), hi: BigInt(hi) }, tables, BigInt(lo)),
  expected: ([x]) => {
    const y = clampBetween(shiftRight(x!, shift), BigInt(lo), BigInt(hi))
    return tables.map((table) => BigInt(table[Number(y) - lo]!))
  },
})

describe('rounded lookup', () => {
  const four = [2, -1, 3, 1]
  onSmallFields(rounded('no saturation, no sign', [four], [1, 0, 3], [0, 6]))
  onSmallFields(rounded('saturating below', [four], [1, 0, 3], [-5, 6]))
  onSmallFields(rounded('saturating above', [four], [0, 0, 3], [0, 9]))
  onSmallFields(rounded('saturating on both sides', [four], [0, -2, 1], [-6, 5]))
  onSmallFields(rounded('saturating on both sides, shifted', [four], [1, -2, 1], [-9, 7]))
  onSmallFields(rounded('two tables', [four, [0, 1, 1, 0]], [1, -2, 1], [-9, 7]))
  onSmallFields(rounded('one of two tables constant', [four, [5, 5, 5, 5]], [1, 0, 3], [-5, 6]))
  onSmallFields(rounded('2 entries', [[3, -1]], [2, 0, 1], [-6, 9]))
  onSmallFields(rounded('a window of 3, which is saturated first', [[1, 4, 0]], [1, 0, 2], [-3, 8]))
  onSmallFields(rounded('a range within the window', [noise(8, 3)], [1, -4, 3], [-4, 3]))
  atFullWidth(rounded('256 entries', [noise(256, 127)], [11, -128, 127], [-(2 ** 21), 2 ** 21 - 1], 24 + 37 + 3 + 1), 6)
  atFullWidth(
    rounded('256 entries, two tables', [noise(256, 127), noise(256, 2 ** 30)], [9, 0, 255], [-70000, 900000]),
    7,
  )
  atFullWidth(rounded('1,024 entries', [noise(1024, 2 ** 40 - 1)], [4, 0, 1023], [0, 2 ** 24]), 8, { liars: 4 })

  test('refuses tables that do not fit', () => {
    const cs = createBuilder(Fr)
    const x = cs.proven(cs.input('private', { lo: -99n, hi: 99n }), -99n, 99n)
    const to = (tables: readonly (readonly number[])[], first = 0n) =>
      codeOf(() => roundedLookup(cs, x, { shift: 1, lo: 0n, hi: 3n }, tables, first))
    expect(to([[1, 2, 3]])).toBe('circuit/overflow')
    expect(to([[1, 2, 3, 4]], 1n)).toBe('circuit/overflow')
    expect(
      to([
        [1, 2, 3, 4],
        [1, 2, 3],
      ]),
    ).toBe('circuit/overflow')
    expect(to([])).toBe('circuit/overflow')
    expect(to([[1, 2, 3, 4]])).toBe('no error')
  })
})

describe('several tables of one index', () => {
  const many = (tables: readonly (readonly number[])[], lo: number): GadgetCase => ({
    name: `${tables.length} tables of ${tables[0]!.length} entries`,
    inputs: [[lo, lo + tables[0]!.length - 1]],
    build: (cs, [x]) => lookupAll(cs, x!, tables, BigInt(lo)),
    expected: ([x]) => tables.map((table) => BigInt(table[Number(x) - lo]!)),
  })
  onSmallFields(
    many(
      [
        [1, 7, 3, 0],
        [0, 0, 1, 2],
      ],
      -1,
    ),
  )
  onSmallFields(many([noise(7, 3), [4, 4, 4, 4, 4, 4, 4], noise(7, 2)], 2))
  atFullWidth(many([noise(256, 99), noise(256, 99), noise(256, 9)], -128), 9)
})
