import { describe, expect, test } from 'vitest'
import { createBuilder } from '../../../circuits/builder.ts'
import { createField, Fr } from '../../../circuits/field.ts'
import { packedProduct } from '../../../circuits/gadgets/packedProduct.ts'
import { type Rounding, shiftRight } from '../../../circuits/gadgets/requantise.ts'
import { type Block, chooseBlock, type ProductMap, productRows } from '../../../circuits/productMap.ts'
import { atFullWidth, codeOf, type GadgetCase, type InputRange, onSmallFields } from '../../support/gadgetSuite.ts'
import { type Random, seeded } from '../../support/random.ts'

type Ends = readonly [number, number]

/** X [m, k] and W [k, n] as they stand; `zeros` are positions of X without an element. */
const dense = (m: number, k: number, n: number, zeros: readonly number[] = []): ProductMap => ({
  ...{ rows: m, inner: k, columns: n },
  x: (i, t) => (zeros.includes(i * k + t) ? -1 : i * k + t),
  w: (t, j) => t * n + j,
  bias: (j) => j,
})

type Options = {
  readonly x: readonly Ends[]
  readonly w: readonly Ends[]
  readonly bias?: readonly Ends[]
  readonly rounding?: Rounding
  readonly rows?: number
}

/** A product whose elements have ranges of their own. */
function product(map: ProductMap, { x, w, bias, rounding, rows }: Options): GadgetCase {
  const { rows: m, inner: k, columns: n } = map
  const split = <T>(all: readonly T[]) => ({
    x: all.slice(0, x.length),
    w: all.slice(x.length, x.length + w.length),
    bias: bias === undefined ? undefined : all.slice(x.length + w.length),
  })
  return {
    name: `[${m}, ${k}] · [${k}, ${n}] of ${x[0]} and ${w[0]}${bias ? ' + bias' : ''}${
      rounding ? ` >> ${rounding.shift} to [${rounding.lo}, ${rounding.hi}]` : ''
    }${Array.from({ length: m * k }, (_, i) => map.x(Math.floor(i / k), i % k)).includes(-1) ? ' with zeros' : ''}`,
    inputs: [...x, ...w, ...(bias ?? [])] as InputRange[],
    ...(rows === undefined ? {} : { rows }),
    build: (cs, all) => packedProduct(cs, map, split(all), rounding),
    expected: (all) => {
      const factors = split(all)
      return Array.from({ length: m * n }, (_, at) => {
        const [i, j] = [Math.floor(at / n), at % n]
        let y = factors.bias?.[map.bias(j)] ?? 0n
        for (let t = 0; t < k; t++) if (map.x(i, t) >= 0) y += factors.x[map.x(i, t)]! * factors.w[map.w(t, j)]!
        if (rounding === undefined) return y
        const t = shiftRight(y, rounding.shift)
        return t < rounding.lo ? rounding.lo : t > rounding.hi ? rounding.hi : t
      })
    },
  }
}

const all = (count: number, ends: Ends): Ends[] => new Array<Ends>(count).fill(ends)
const to = (shift: number, lo: number, hi: number): Rounding => ({ shift, lo: BigInt(lo), hi: BigInt(hi) })

describe('products in slots', () => {
  describe('over small fields', () => {
    // one slot, then two and four: larger fields have room for more
    onSmallFields(product(dense(1, 1, 1), { x: all(1, [-1, 1]), w: all(1, [-2, 2]), rows: 1 + 3 + 1 }))
    onSmallFields(product(dense(1, 1, 2), { x: all(1, [-1, 1]), w: all(2, [-1, 1]), rows: 1 + 1 + 4 + 1 }), {
      above: 29,
    })
    onSmallFields(product(dense(2, 1, 1), { x: all(2, [-1, 1]), w: all(1, [-1, 1]), rows: 1 + 4 + 1 }), { above: 29 })
    onSmallFields(product(dense(2, 1, 2), { x: all(2, [-1, 1]), w: all(2, [-1, 1]), rows: 1 + 1 + 8 + 1 }), {
      above: 509,
    })
    onSmallFields(product(dense(1, 2, 2), { x: all(2, [0, 1]), w: all(4, [-1, 1]), rows: 2 + 2 + 6 + 1 }), {
      above: 125,
    })
    onSmallFields(
      product(dense(1, 1, 2), {
        x: [[2, 3]],
        w: all(2, [1, 3]),
        bias: [
          [-1, 0],
          [0, 1],
        ],
        rows: 1 + 1 + 8 + 1,
      }),
      { above: 509 },
    )
    onSmallFields(product(dense(2, 2, 1, [1, 2]), { x: all(4, [1, 2]), w: all(2, [1, 2]), rows: 2 + 8 + 1 }), {
      above: 2045,
      fields: 1,
    })
    // three rows in blocks of two: a slot between the columns of the last block stays empty
    const corner: readonly Ends[] = [
      [1, 1],
      [0, 1],
      [0, 0],
      [0, 1],
      [1, 1],
      [1, 1],
      [0, 1],
      [0, 0],
      [1, 1],
    ]
    onSmallFields(
      product(dense(3, 3, 2), {
        x: corner,
        w: [
          [0, 1],
          [1, 1],
          [0, 0],
          [0, 1],
          [1, 1],
          [0, 1],
        ],
        rows: 3 + (2 + 1) + 2 + 8 + 6, // three products are with words that are constant
      }),
      { above: 509, fields: 1 },
    )
  })
  describe('rounded from their slots, over small fields', () => {
    const x = all(1, [-1, 1])
    onSmallFields(product(dense(1, 1, 1), { x, w: all(1, [-9, 9]), rounding: to(1, -2, 1) }))
    onSmallFields(product(dense(1, 1, 1), { x, w: all(1, [-9, 9]), rounding: to(1, 0, 3) }))
    onSmallFields(product(dense(1, 1, 2), { x, w: all(2, [-3, 3]), rounding: to(1, 0, 1) }), { above: 509 })
    onSmallFields(product(dense(1, 1, 2), { x: [[1, 3]], w: all(2, [1, 3]), rounding: to(0, 0, 3) }), { above: 509 })
    onSmallFields(product(dense(2, 1, 1), { x: all(2, [-2, 2]), w: all(1, [-2, 2]), rounding: to(1, -1, 1) }), {
      above: 125,
    })
    // the range decides: a constant, no rounding at all
    onSmallFields(product(dense(1, 1, 1), { x, w: all(1, [-1, 1]), rounding: to(3, -2, 1), rows: 0 }))
    onSmallFields(product(dense(1, 1, 1), { x, w: all(1, [-1, 1]), rounding: to(0, -2, 1), rows: 1 + 2 + 1 }))
  })

  describe('at full width', () => {
    const random = seeded(31)
    const elements = (count: number, lo: number, hi: number): Ends[] =>
      Array.from({ length: count }, () => [random.integer(lo, -1), random.integer(1, hi)])
    const shapes: readonly (readonly [number, number, number])[] = [
      [1, 9, 13],
      [5, 4, 3],
      [7, 12, 2],
      [1, 30, 4],
      [4, 3, 1],
    ]
    shapes.forEach(([m, k, n], s) => {
      const zeros = s % 2 === 0 ? [] : Array.from({ length: m * k }, (_, i) => i).filter(() => random.unit() < 0.2)
      atFullWidth(
        product(dense(m, k, n, zeros), {
          x: elements(m * k, -128, 255),
          w: elements(k * n, -128, 127),
          ...(s > 2 ? {} : { bias: elements(n, -50000, 50000) }),
          ...(s === 1 ? {} : { rounding: s === 3 ? to(9, 0, 255) : to(7, -100, 99) }),
        }),
        100 + s,
        { samples: 24, liars: 2, lies: 120 },
      )
    })
  })
})

describe('blocks', () => {
  test('are those of the fewest rows among all', () => {
    const random: Random = seeded(5)
    for (let round = 0; round < 300; round++) {
      const size = { rows: random.integer(1, 30), inner: random.integer(1, 40), columns: random.integer(1, 30) }
      const [slots, width] = [random.integer(1, 14), random.integer(10, 40)]
      const best = chooseBlock(size, slots, width)
      expect(best.rows * best.columns).toBeLessThanOrEqual(slots)
      const cost = (block: Block): number => productRows(size, block, width)
      for (let rows = 1; rows <= slots; rows++)
        for (let columns = 1; columns * rows <= slots; columns++)
          expect(cost({ rows, columns })).toBeGreaterThanOrEqual(cost(best))
    }
  })

  test('of one input take k · ⌈n/9⌉ products, of many inputs fewer', () => {
    const rows = (m: number, k: number, n: number, B: number): number =>
      productRows(
        { rows: m, inner: k, columns: n },
        chooseBlock({ rows: m, inner: k, columns: n }, Math.floor(252 / B), B),
        B,
      )
    expect(rows(1, 784, 32, 26)).toBe(4 * 785 + 4 * 784)
    expect(rows(676, 9, 4, 20)).toBeLessThan(0.1 * 676 * 9 * 4)
  })
})

test('refuses factors without a proven range, and results too wide for the field', () => {
  const cs = createBuilder(Fr)
  const x = cs.input('private', null)
  const [small, wide] = [cs.proven(x, -9n, 9n), cs.proven(x, -(2n ** 130n), 2n ** 130n)]
  const multiply = (a: typeof x, b: typeof x, bias?: typeof x) =>
    codeOf(() => packedProduct(cs, dense(1, 1, 1), { x: [a], w: [b], bias: bias && [bias] }))
  expect(multiply(small, small)).toBe('no error')
  expect(multiply(x, small)).toBe('circuit/overflow')
  expect(multiply(small, x)).toBe('circuit/overflow')
  expect(multiply(small, small, x)).toBe('circuit/overflow')
  expect(multiply(wide, wide)).toBe('circuit/overflow')
  const tiny = createBuilder(createField(13n))
  const y = tiny.proven(tiny.input('private', null), -2n, 2n)
  expect(codeOf(() => packedProduct(tiny, dense(1, 1, 1), { x: [y], w: [y] }))).toBe('circuit/overflow')
})
