/**
 * The operations that integer models are made of. A model is written once against this and gets its meanings: exact
 * integers in doubles, exact integers in bigint (the slow twin), constraints.
 * @module
 */
import type { Builder } from './builder.ts'
import { argmax } from './gadgets/argmax.ts'
import { divide } from './gadgets/divide.ts'
import { type Forest, forest, leafOf } from './gadgets/forest.ts'
import { locate } from './gadgets/locate.ts'
import { lookupAll, roundedLookup } from './gadgets/lookup.ts'
import { maximumOf } from './gadgets/max.ts'
import { type Factors, packedProduct } from './gadgets/packedProduct.ts'
import { requantise, shiftRight } from './gadgets/requantise.ts'
import { type Ratio, rescale, rescaledWithin } from './gadgets/rescale.ts'
import { relu } from './gadgets/sign.ts'
import type { LC } from './lc.ts'
import type { LinearMap } from './linearMap.ts'
import type { ProductMap } from './productMap.ts'
import { worthWire } from './worthWire.ts'

/** clamp(⌊(x + 2^(shift-1)) / 2^shift⌋, lo, hi). */
export type IntegerRounding = { readonly shift: number; readonly lo: number; readonly hi: number }

export type Arithmetic<T> = {
  constant(k: number): T
  /** All outputs of a linear map with constant integer weights. */
  linear(map: LinearMap, xs: ArrayLike<T>): ArrayLike<T>
  /**
   * X·W + bias of a matrix product as the map says, row-major; each element rounded as `requantise` does where that is asked
   * for. Without a bias, 0.
   */
  product(map: ProductMap, factors: Factors<T>, rounding?: IntegerRounding): ArrayLike<T>
  /** Products of two wires. */
  mul(a: T, b: T): T
  /** clamp(⌊(x + 2^(shift-1)) / 2^shift⌋, lo, hi); the shift rounds halves up and is left out for 0. */
  requantise(x: T, shift: number, lo: number, hi: number): T
  /** clamp(⌊(p·x + r) / q⌋, lo, hi) with the ratio's exceptions; `even`: an odd quotient without remainder counts one less. */
  rescale(x: T, ratio: Ratio, lo: number, hi: number): T
  /** max(x, 0). */
  relu(x: T): T
  /** The largest of one or more values. */
  max(xs: readonly T[]): T
  /** Index of the first largest value. */
  argmax(xs: readonly T[]): T
  /** table[x - lo] for each table, for x, or where a rounding is given x requantised, known to lie in [lo, lo + table.length). */
  lookup(x: T, tables: readonly (readonly number[])[], lo: number, rounding?: IntegerRounding): T[]
  /** ⌊n/d⌋ for n ≥ 0, d ≥ 1. */
  divide(n: T, d: T): T
  /** [x ≥ t] for ascending thresholds t, for x in [lo, hi]; as constraints it also proves these ends of an x without range. */
  locate(x: T, thresholds: readonly number[], lo: number, hi: number): T[]
  /** Sums of the leaves that bits lead to. */
  forest(trees: Forest, bits: readonly T[]): T[]
}

/** Sums of the leaves that bits lead to, in integers. */
const sumLeaves = (f: Forest, isSet: (bit: number) => boolean): Float64Array => {
  const sums = Float64Array.from(f.bias)
  for (const root of f.roots) {
    const leaf = leafOf(f, root, isSet)
    for (let o = 0; o < f.outputs; o++) sums[o]! += f.weights[leaf * f.outputs + o]!
  }
  return sums
}

/** Every element of a product, row-major. */
const productOf = <T>({ rows, columns }: ProductMap, element: (i: number, j: number) => T): T[] =>
  Array.from({ length: rows * columns }, (_, at) => element(Math.floor(at / columns), at % columns))

/** Integers in doubles: exact as long as every value and every partial sum stays below 2⁵³, which the caller has proven. */
export const numbers: Arithmetic<number> = {
  constant: (k) => k,
  linear: (map, xs) => {
    const x = xs instanceof Float64Array ? xs : Float64Array.from(xs)
    if (map.apply !== undefined) return map.apply(x)
    const positions = new Int32Array(map.maxTerms)
    const weights = new Float64Array(map.maxTerms)
    const out = new Float64Array(map.outputs)
    for (let j = 0; j < map.outputs; j++) {
      const count = map.terms(j, positions, weights)
      let sum = map.bias(j)
      for (let i = 0; i < count; i++) sum += weights[i]! * x[positions[i]!]!
      out[j] = sum
    }
    return out
  },
  product: (map, { x, w, bias }, rounding) =>
    productOf(map, (i, j) => {
      let sum = bias?.[map.bias(j)] ?? 0
      for (let t = 0; t < map.inner; t++) {
        const at = map.x(i, t)
        if (at >= 0) sum += x[at]! * w[map.w(t, j)]!
      }
      return rounding === undefined ? sum : numbers.requantise(sum, rounding.shift, rounding.lo, rounding.hi)
    }),
  mul: (a, b) => a * b,
  requantise: (x, shift, lo, hi) => {
    const t = shift === 0 ? x : Math.floor((x + 2 ** (shift - 1)) / 2 ** shift)
    return t < lo ? lo : t > hi ? hi : t
  },
  rescale: (x, { p, r, q, even, except }, lo, hi) => {
    const n = p * x + r
    const modulo = n % q
    const rest = modulo < 0 ? modulo + q : modulo
    const quotient = (n - rest) / q
    const t = even && rest === 0 && quotient % 2 !== 0 ? quotient - 1 : quotient
    const y = t < lo ? lo : t > hi ? hi : t
    return except === undefined ? y : except.reduce((sum, { at, by }) => (at === x ? sum + by : sum), y)
  },
  relu: (x) => (x > 0 ? x : 0),
  max: (xs) => xs.reduce((m, x) => (x > m ? x : m)),
  argmax: (xs) => xs.reduce((best, x, i) => (x > xs[best]! ? i : best), 0),
  lookup: (x, tables, lo, rounding) => {
    const y = rounding === undefined ? x : numbers.requantise(x, rounding.shift, rounding.lo, rounding.hi)
    return tables.map((table) => table[y - lo]!)
  },
  divide: (n, d) => (n - (n % d)) / d,
  locate: (x, thresholds) => thresholds.map((t) => (x >= t ? 1 : 0)),
  forest: (f, bits) => [...sumLeaves(f, (bit) => bits[bit] === 1)],
}

/** Integers of any size; slow. */
export const bigints: Arithmetic<bigint> = {
  constant: BigInt,
  linear: (map, xs) => {
    const positions = new Int32Array(map.maxTerms)
    const weights = new Float64Array(map.maxTerms)
    return Array.from({ length: map.outputs }, (_, j) => {
      const count = map.terms(j, positions, weights)
      let sum = BigInt(map.bias(j))
      for (let i = 0; i < count; i++) sum += BigInt(weights[i]!) * xs[positions[i]!]!
      return sum
    })
  },
  product: (map, { x, w, bias }, rounding) =>
    productOf(map, (i, j) => {
      let sum = bias?.[map.bias(j)] ?? 0n
      for (let t = 0; t < map.inner; t++) {
        const at = map.x(i, t)
        if (at >= 0) sum += x[at]! * w[map.w(t, j)]!
      }
      return rounding === undefined ? sum : bigints.requantise(sum, rounding.shift, rounding.lo, rounding.hi)
    }),
  mul: (a, b) => a * b,
  requantise: (x, shift, lo, hi) => {
    const t = shiftRight(x, shift)
    return t < lo ? BigInt(lo) : t > hi ? BigInt(hi) : t
  },
  rescale: (x, ratio, lo, hi) => rescaledWithin(x, ratio, BigInt(lo), BigInt(hi)),
  relu: (x) => (x > 0n ? x : 0n),
  max: (xs) => xs.reduce((m, x) => (x > m ? x : m)),
  argmax: (xs) => BigInt(xs.reduce((best, x, i) => (x > xs[best]! ? i : best), 0)),
  lookup: (x, tables, lo, rounding) => {
    const y = rounding === undefined ? x : bigints.requantise(x, rounding.shift, rounding.lo, rounding.hi)
    return tables.map((table) => BigInt(table[Number(y) - lo]!))
  },
  divide: (n, d) => n / d,
  locate: (x, thresholds) => thresholds.map((t) => (x >= BigInt(t) ? 1n : 0n)),
  forest: (f, bits) => {
    const sums = Array.from(f.bias, BigInt)
    for (const root of f.roots) {
      const leaf = leafOf(f, root, (bit) => bits[bit] === 1n)
      for (let o = 0; o < f.outputs; o++) sums[o]! += BigInt(f.weights[leaf * f.outputs + o]!)
    }
    return sums
  },
}

/** Constraints in a builder. */
export const constraints = (cs: Builder): Arithmetic<LC> => {
  const wired = new WeakMap<LC, LC>()
  return {
    constant: (k) => cs.constant(k),
    linear: (map, xs) => {
      const uses = (map.outputs * map.maxTerms) / Math.max(xs.length, 1)
      const inputs = Array.from(xs, (x) => {
        // read once, its terms stand in that sum instead of in a row of their own
        if (!worthWire(x, uses - 1)) return x
        const known = wired.get(x)
        if (known !== undefined) return known
        const wire = cs.materialise(x)
        wired.set(x, wire)
        return wire
      })
      return cs.linear(map, inputs)
    },
    product: (map, factors, rounding) =>
      packedProduct(
        cs,
        map,
        factors,
        rounding && { shift: rounding.shift, lo: BigInt(rounding.lo), hi: BigInt(rounding.hi) },
      ),
    mul: (a, b) => cs.mul(a, b),
    requantise: (x, shift, lo, hi) => requantise(cs, x, shift, BigInt(lo), BigInt(hi)),
    rescale: (x, ratio, lo, hi) => rescale(cs, x, ratio, BigInt(lo), BigInt(hi)),
    relu: (x) => relu(cs, x),
    max: (xs) => maximumOf(cs, xs),
    argmax: (xs) => argmax(cs, xs),
    lookup: (x, tables, lo, rounding) =>
      rounding === undefined
        ? lookupAll(cs, x, tables, BigInt(lo))
        : roundedLookup(
            cs,
            x,
            { shift: rounding.shift, lo: BigInt(rounding.lo), hi: BigInt(rounding.hi) },
            tables,
            BigInt(lo),
          ),
    divide: (n, d) => divide(cs, n, d),
    locate: (x, thresholds, lo, hi) => locate(cs, x, thresholds, BigInt(lo), BigInt(hi)),
    forest: (f, bits) => forest(cs, f, bits),
  }
}
