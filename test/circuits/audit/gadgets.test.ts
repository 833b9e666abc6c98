import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { audit } from '../../../circuits/audit/audit.ts'
import type { Builder } from '../../../circuits/builder.ts'
import { argmax } from '../../../circuits/gadgets/argmax.ts'
import { rangeCheck, toBits } from '../../../circuits/gadgets/bits.ts'
import { commit, commitSet } from '../../../circuits/gadgets/commit.ts'
import { compress } from '../../../circuits/gadgets/compress.ts'
import { divide } from '../../../circuits/gadgets/divide.ts'
import { type Forest, forest } from '../../../circuits/gadgets/forest.ts'
import { locate } from '../../../circuits/gadgets/locate.ts'
import { lookup, roundedLookup } from '../../../circuits/gadgets/lookup.ts'
import { maximumOf, minimum } from '../../../circuits/gadgets/max.ts'
import { packedProduct } from '../../../circuits/gadgets/packedProduct.ts'
import { poseidon } from '../../../circuits/gadgets/poseidon.ts'
import { requantise } from '../../../circuits/gadgets/requantise.ts'
import { remainderBits, rescale } from '../../../circuits/gadgets/rescale.ts'
import { relu } from '../../../circuits/gadgets/sign.ts'
import { isZero } from '../../../circuits/gadgets/zero.ts'
import type { LC } from '../../../circuits/lc.ts'
import type { ProductMap } from '../../../circuits/productMap.ts'
import { packageRoot } from '../../../src/packageRoot.ts'
import { slots } from './slots.ts'
import { boundedCircuit, circuitWith, type Input, openOf } from './support.ts'

type Body = (cs: Builder, input: Input) => LC

const many = (input: Input, count: number, lo: number, hi: number): LC[] =>
  Array.from({ length: count }, () => input(lo, hi))

const scattered = (n: number): number[] => Array.from({ length: n }, (_, i) => (i * i * 7919 + i * 104729) % 10007)

const cases: Record<string, Body> = {}
for (const n of [1, 8, 26, 60, 200, 252])
  cases[`bits: ${n}`] = (cs, input) => cs.bit(toBits(cs, input(0, (1n << BigInt(n)) - 1n), n), n - 1)
for (const [lo, hi] of [
  [0, 255],
  [-128, 127],
  [-3, 9],
  [5, 5],
] as const)
  cases[`range check: [${lo}, ${hi}]`] = (cs) => rangeCheck(cs, cs.input('private', null), BigInt(lo), BigInt(hi))
for (const width of [2, 9, 26, 50])
  cases[`relu: ${width} bits`] = (cs, input) => relu(cs, input(-(2 ** (width - 1)), 2 ** (width - 1) - 1))
for (const [lo, hi] of [
  [-128, 127],
  [0, 255],
  [0, 100],
  [-7, 1],
] as const)
  for (const [shift, width] of [
    [0, 12],
    [1, 10],
    [5, 16],
    [11, 26],
    [20, 45],
  ] as const)
    cases[`requantise: ${width} bits by 2^${shift} to [${lo}, ${hi}]`] = (cs, input) =>
      requantise(cs, input(-(2 ** (width - 1)), 2 ** (width - 1) - 1), shift, BigInt(lo), BigInt(hi))
cases['requantise: positive values'] = (cs, input) => requantise(cs, input(0, 2 ** 20), 4, 0n, 255n)
for (const [p, r, q, even] of [
  [113, 51200, 9 * 2 ** 13, false],
  [1, 128, 256, true],
  [201, -77, 2 ** 24 - 3, false],
  [3, 300, 600, true],
  [1, 1, 3, false],
] as const)
  for (const [lo, hi] of [
    [-128, 127],
    [-127, 100],
  ] as const)
    cases[`rescale: (${p}x + ${r}) / ${q} to [${lo}, ${hi}]`] = (cs, input) =>
      rescale(cs, input(-(2 ** 20), 2 ** 20), { p, r, q, even }, BigInt(lo), BigInt(hi))
cases['rescale: with exceptions'] = (cs, input) =>
  rescale(
    cs,
    input(-50, 50),
    {
      ...{ p: 2, r: 1, q: 5, even: false },
      except: [
        { at: -4, by: 1 },
        { at: 4, by: -1 },
      ],
    },
    -20n,
    20n,
  )
for (const q of [2, 3, 4, 5, 6, 7, 11, 12, 3000, 2 ** 20, 2 ** 24 - 3, 2 ** 31 - 1])
  cases[`remainder below ${q}`] = (cs, input) => cs.bit(remainderBits(cs, input(0, q - 1), q), 0)
for (const count of [2, 4, 9])
  cases[`maximum of ${count}`] = (cs, input) => maximumOf(cs, many(input, count, -128, 127))
cases.minimum = (cs, input) => minimum(cs, input(-(2 ** 25), 2 ** 25), input(0, 9))
for (const [name, ends] of Object.entries<[number, number]>({
  small: [-10, 10],
  wide: [-(2 ** 30), 2 ** 30],
  one: [0, 1],
}))
  cases[`is zero: ${name}`] = (cs, input) => isZero(cs, input(...ends))
cases['is zero: any element'] = (cs) => isZero(cs, cs.input('private', null))
for (const d of [2, 3, 5, 7, 8, 49, 1000, 65536, 99991])
  cases[`divide by ${d}`] = (cs, input) => divide(cs, input(0, 2 ** 24), cs.constant(d))
cases['divide by a wire'] = (cs, input) => divide(cs, input(0, 2 ** 24), input(1, 65535))
cases['divide by a small wire'] = (cs, input) => divide(cs, input(3, 9), input(2, 3))
cases['divide by a sum'] = (cs, input) =>
  divide(cs, cs.scale(255, input(0, 2 ** 16)), cs.add(cs.ONE, ...many(input, 5, 0, 4000)))
cases['divide by a product'] = (cs, input) => {
  const [a, b, c, d] = [input(0, 99), input(0, 99), input(1, 99), input(1, 9)]
  return divide(cs, cs.mul(a, b), cs.mul(c, d))
}
cases['divide sums by one wire'] = (cs, input) => {
  // every quotient is a factor of many products, as in attention
  const d = input(1, 500)
  const xs = many(input, 70, 0, 9)
  const qs = many(input, 3, 0, 4000).map((n) => divide(cs, n, d))
  return cs.add(...qs.flatMap((q) => xs.map((x) => cs.mul(q, x))))
}
cases['divide by a constant, quotients used often'] = (cs, input) => {
  const xs = many(input, 100, 0, 9)
  const q = divide(cs, input(0, 4000), cs.constant(9))
  return cs.add(...xs.map((x) => cs.mul(q, x)))
}
for (const [n, lo, hi] of [
  [2, 0, 1],
  [3, -5, 5],
  [10, -(2 ** 21), 2 ** 21 - 1],
  [100, 0, 255],
] as const)
  cases[`argmax of ${n} in [${lo}, ${hi}]`] = (cs, input) => argmax(cs, many(input, n, lo, hi))
cases['argmax: a value that is the highest whatever it is'] = (cs, input) =>
  argmax(cs, [input(-3, 5), cs.constant(5), input(0, 5)])
cases['argmax: a range of one number'] = (cs, input) => argmax(cs, [input(-3, 5), input(5, 5), input(0, 5)])
cases['argmax of argmaxes'] = (cs, input) => {
  const groups = [0, 1, 2, 3].map(() => many(input, 4, -9, 9))
  return argmax(
    cs,
    groups.map((xs) => argmax(cs, xs)),
  )
}
for (const n of [2, 5, 16, 256, 1000])
  cases[`table of ${n}`] = (cs, input) => lookup(cs, input(-3, n - 4), scattered(n), -3n)
for (const [shift, lo, hi] of [
  [11, -128, 127],
  [4, 0, 255],
  [0, -4, 3],
] as const)
  cases[`two tables behind a rounding by ${shift} to [${lo}, ${hi}]`] = (cs, input) => {
    const tables = [scattered(hi - lo + 1), scattered(2 * (hi - lo + 1)).slice(hi - lo + 1)]
    const rounding = { shift, lo: BigInt(lo), hi: BigInt(hi) }
    return cs.add(...roundedLookup(cs, input(-(2 ** 21), 2 ** 21 - 1), rounding, tables, BigInt(lo)))
  }
for (const count of [1, 2, 16])
  cases[`poseidon of ${count}`] = (cs) =>
    poseidon(
      cs,
      Array.from({ length: count }, () => cs.input('private', null)),
    )
for (const [method, thresholds] of [
  ['interval', [3]],
  ['interval', [-90, 3, 4, 12, 77]],
  ['interval', Array.from({ length: 150 }, (_, i) => i - 99)],
  ['each', [3, 9]],
] as const)
  for (const proven of [true, false])
    cases[`locate among ${thresholds.length} by ${method}${proven ? '' : ', any element'}`] = (cs, input) =>
      cs.add(...locate(cs, proven ? input(-100, 100) : cs.input('private', null), thresholds, -100n, 100n, method))
for (const bounding of ['bits', 'requantise', 'sum'] as const)
  cases[`slots of a private product, bounded by ${bounding}`] = (cs, input) => slots(cs, input, bounding)
for (const count of [1, 500]) {
  const form = { count, lo: -128, hi: 127 }
  cases[`commit to ${count}`] = (cs, input) => commit(cs, many(input, count, -128, 127), { ...form, salted: false })
  cases[`commit to ${count} with a salt, any element`] = (cs, input) => {
    const xs = many(input, count, -128, 127)
    return commit(cs, xs, { ...form, salted: true }, cs.input('private', null))
  }
}
cases['commit to a set of tensors'] = (cs, input) => {
  const forms = [
    { count: 40, lo: -128, hi: 127 },
    { count: 3, lo: 0, hi: 99999 },
  ]
  const tensors = forms.map(({ count, lo, hi }) => many(input, count, lo, hi))
  return commitSet(cs, tensors, { tensors: forms, salted: false })
}
cases['compress tensors, at any element'] = (cs, input) => {
  const forms = [
    { count: 20, lo: -128, hi: 127 },
    { count: 30, lo: 0, hi: 99999 },
  ]
  const tensors = forms.map((form) => ({ form, elements: many(input, form.count, form.lo, form.hi) }))
  const { y, e } = compress(cs, tensors, cs.input('private', null))
  return cs.add(y, e)
}
for (const [count, hi] of [
  [1, 127],
  [31, 127],
  [100, 127],
  [40, 30_000],
] as const) {
  const form = { count, lo: -128, hi }
  cases[`compress ${count} up to ${hi}, any element`] = (cs, input) => {
    const { y, e } = compress(cs, [{ elements: many(input, count, -128, hi), form }], cs.input('private', null))
    return cs.add(y, e)
  }
}
cases['trees by value and by path'] = (cs, input) => {
  const xs = many(input, 3, 0, 9)
  const thresholds = [
    [2, 5, 7],
    [1, 4],
    [3, 8],
  ]
  const bits = xs.flatMap((x, g) => locate(cs, x, thresholds[g]!, 0n, 9n, 'interval'))
  const sums = [1, 4].map((outputs) => cs.add(...forest(cs, deepTree(outputs), bits)))
  return cs.add(...sums)
}

/** A tree of depth 5 whose branches look at bits of three groups in turn, of which some are flipped twice. */
function deepTree(outputs: number): Forest {
  const groupStarts = [0, 3, 5, 7]
  const depth = 5
  const branches = 2 ** depth - 1
  const nodes = 2 ** (depth + 1) - 1
  const flips = Array.from({ length: branches }, (_, n) => {
    const group = Math.floor(Math.log2(n + 1)) % 3
    const [from, to] = [groupStarts[group]!, groupStarts[group + 1]!]
    return n % 4 === 3 ? [from, to - 1] : [from + (n % (to - from))]
  })
  const ends = [0]
  for (const { length } of flips) ends.push(ends.at(-1)! + length)
  return {
    groupStarts: Uint32Array.from(groupStarts),
    roots: Uint32Array.of(0),
    flipStarts: Uint32Array.from({ length: nodes + 1 }, (_, n) => ends[Math.min(n, branches)]!),
    flips: Uint32Array.from(flips.flat()),
    inside: Uint32Array.from({ length: nodes }, (_, n) => (n < branches ? 2 * n + 1 : 0)),
    outside: Uint32Array.from({ length: nodes }, (_, n) => (n < branches ? 2 * n + 2 : 0)),
    outputs,
    weights: Float64Array.from({ length: nodes * outputs }, (_, i) => (i < branches * outputs ? 0 : (i * 37) % 101)),
    bias: new Float64Array(outputs),
  }
}

/** Gadgets whose result intervals alone show to be in a wider range than the builder claims, for reasons of its own. */
const wider = (name: string): boolean =>
  /^table of (16|256|1000)|^two tables|^product.*[0-9]\]$|^rescale: .*(128|300)\).* to \[-128|^rescale: \(201x|^divide .*(wire|sum|product)|exceptions$|^trees/.test(
    name,
  )

/** Gadgets that make inverses mod p, or hashes. */
const hasElements = (name: string): boolean =>
  /^is zero: (wide|any)|exceptions|any element|^poseidon|^commit/.test(name)

for (const [rows, inner, columns] of [
  [1, 20, 12],
  [7, 9, 4],
] as const)
  for (const rounded of [true, false])
    cases[`product of [${rows}, ${inner}] and [${inner}, ${columns}]${rounded ? ', rounded' : ''}`] = (cs, input) => {
      const map: ProductMap = {
        ...{ rows, inner, columns },
        x: (i, t) => ((i + t) % 5 === 4 ? -1 : i * inner + t),
        w: (t, j) => t * columns + j,
        bias: (j) => j,
      }
      const factors = {
        x: many(input, rows * inner, 0, 255),
        w: many(input, inner * columns, -128, 127),
        bias: many(input, columns, -9999, 9999),
      }
      return cs.add(...packedProduct(cs, map, factors, rounded ? { shift: 9, lo: 0n, hi: 255n } : undefined))
    }

test('no gadget is left out', () => {
  const read = (path: string): string => readFileSync(join(packageRoot, path), 'utf8')
  const files = readdirSync(join(packageRoot, 'circuits', 'gadgets')).filter((name) => name !== 'poseidonConstants.ts')
  const own = read('test/circuits/audit/gadgets.test.ts')
  expect(files.filter((name) => !own.includes(`gadgets/${name}`))).toEqual([])
})

describe('every gadget is determined', () => {
  for (const [name, body] of Object.entries(cases))
    test(name, () => {
      const result = audit(circuitWith(body))
      expect(result.undetermined).toEqual([])
      expect(result.determined && result.clean).toBe(true)
      expect(result.counts.duplicateRows.count + result.counts.freeWires).toBe(0)
      const { counts, lemmas } = result
      expect(Object.values(lemmas).reduce((n, k) => n + k, 0)).toBe(counts.wires - 1)
      expect(result.kernel.moving.count).toBe(0)
    })
})

describe('of every gadget the intervals follow from its rows', () => {
  const bounded = Object.entries(cases).filter(([, body]) => !/cs\.input/.test(String(body)))
  for (const [name, body] of bounded)
    test(name, () => {
      const { circuit, claimed } = boundedCircuit(body)
      const result = audit(circuit)
      expect(result.undetermined).toEqual([])
      expect(result).toMatchObject({ clean: true, kernel: { witnesses: 2 } })
      expect(result.ranges).toMatchObject({ unprovenInputs: { count: 0 }, unprovenWires: { count: 0 } })
      if (!hasElements(name)) expect(result.ranges.unbounded).toBe(0)
      if (claimed === null) return
      const proven = openOf(circuit).ranges.of(1)!
      const within = proven.lo >= claimed.lo && proven.hi <= claimed.hi
      expect({ proven, claimed, within }).toEqual({ proven, claimed, within: !wider(name) })
    })
})
