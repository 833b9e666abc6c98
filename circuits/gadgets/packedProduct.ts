import type { Bits, Builder } from '../builder.ts'
import { CircuitError } from '../error.ts'
import { bitLength, type LC, type Range } from '../lc.ts'
import { chooseBlock, type ProductMap } from '../productMap.ts'
import { worthWire } from '../worthWire.ts'
import { mostBits, toBits } from './bits.ts'
import { type Rounding, requantiseBits, requantiseFree, requantiseWindow } from './requantise.ts'

/** The factors of a product: elements of both tensors, and what is added to each column, if anything. */
export type Factors<T> = {
  readonly x: ArrayLike<T>
  readonly w: ArrayLike<T>
  readonly bias?: ArrayLike<T> | undefined
}

/**
 * Y = X·W, plus a bias per column, of wires; each y is rounded as `requantise` does where that is asked for. Row-major.
 *
 * In a block of a rows and c columns y_ij has the slot s = i + a·j of B bits. For each inner index t one row multiplies words,
 *
 *   P_t = (Σ_i 2^(B·i) x_it) · (Σ_j 2^(B·a·j) w_tj)
 *
 * and one row takes their sum apart, o being an offset that makes every y non-negative:
 *
 *   Σ_t P_t + Σ_ij 2^(B·s) (bias_j + o) = Σ_(k < B·a·c) 2ᵏ·bit_k
 *
 * Proves: bits B·s and on are those of y_ij + o, hence y_ij. In the field the left side is Σ_ij 2^(B·s) (y_ij + o) whatever
 * the wires hold. x, w and bias are integers with proven ranges, so each y_ij + o is an integer, by interval arithmetic in
 * [0, 2^B), and the sum one in [0, 2^(B·a·c)). The right side is such an integer too, and 2^(B·a·c) ≤ p/2 + 1: the two are
 * equal as integers, and a number below 2^(B·a·c) has one sequence of digits in base 2^B. Every slot has all its B bits:
 * without them slots could borrow from each other. In a block at the edge some slots stay empty; their digits are 0.
 * Requires: proven ranges of everything. Throws CircuitError `circuit/overflow` without, or where one slot is too wide.
 * Cost: a·c ≤ ⌊252/B⌋ slots are chosen for the fewest rows (`productRows`): ⌈m/a⌉·⌈n/c⌉·(k + 1) for X [m, k] and W [k, n], a
 * row for each of the k·⌈n/c⌉ words of W with more than one term, and B for each y; then what `requantise` takes beyond its
 * own B + 1. Words of X of many terms that are used often are wires too.
 * Source: slot packing, as in ZEN (eprint 2021/087, "stranded encoding") but with every slot in use.
 */
export function packedProduct(cs: Builder, map: ProductMap, factors: Factors<LC>, rounding?: Rounding): LC[] {
  const { rows: m, inner: k, columns: n } = map
  const range = resultRange(map, factors)
  const any = { ...cs.ONE, range }
  const free = rounding === undefined ? any : requantiseFree(cs, any, rounding)
  // one result whatever the factors are
  if (free !== undefined && free !== any) return new Array<LC>(m * n).fill(free)
  const rounded = free === undefined ? rounding : undefined
  const { offset, width } =
    rounded === undefined
      ? { offset: -range.lo, width: Math.max(bitLength(range.hi - range.lo), 1) }
      : requantiseWindow(range, rounded)
  const slots = Math.floor(mostBits(cs.F) / width)
  if (slots < 1)
    throw new CircuitError('circuit/overflow', `packedProduct: results of ${width} bits do not fit the field`, {
      width,
    })
  const block = chooseBlock(map, slots, width)
  const place = (slot: number): bigint => 1n << BigInt(width * slot)
  const bands = chunks(n, block.columns).map((columns) => ({
    columns,
    words: indices(k).map((t) =>
      cs.materialise(cs.combine(columns.map((column, j) => [place(block.rows * j), factors.w[map.w(t, column)]!]))),
    ),
  }))
  const results = new Array<LC>(m * n)
  for (const rows of chunks(m, block.rows)) {
    const words = indices(k).map((t) => {
      const elements = rows.map((row) => map.x(row, t))
      const present = elements.flatMap((at, i) => (at < 0 ? [] : [[place(i), factors.x[at]!] as const]))
      const word = cs.combine(present)
      return worthWire(word, bands.length) ? cs.materialise(word) : word
    })
    for (const band of bands) {
      const slotOf = (i: number, j: number): number => i + block.rows * j
      const added = band.columns.flatMap((column, j) => {
        const spread = rows.reduce((sum, _, i) => sum + place(slotOf(i, j)), 0n)
        const bias = factors.bias?.[map.bias(column)]
        return [[spread * offset, cs.ONE] as const, ...(bias === undefined ? [] : [[spread, bias] as const])]
      })
      const products = words.map((word, t) => [1, cs.mul(word, band.words[t]!)] as const)
      const last = slotOf(rows.length - 1, band.columns.length - 1)
      const bits = toBits(cs, cs.combine([...products, ...added]), width * (last + 1))
      band.columns.forEach((column, j) => {
        rows.forEach((row, i) => {
          const slot: Bits = { first: bits.first + width * slotOf(i, j), count: width }
          results[row * n + column] =
            rounded === undefined ? unpacked(cs, slot, offset, range) : requantiseBits(cs, slot, range, rounded)
        })
      })
    }
  }
  return results
}

/** The value whose bits a slot has, known to lie in the range. */
const unpacked = (cs: Builder, slot: Bits, offset: bigint, range: Range): LC => {
  const value = cs.combine([
    [1, cs.fromBits(slot)],
    [-offset, cs.ONE],
  ])
  return cs.proven(value, range.lo, range.hi)
}

/** What every result lies in, from the ranges of all factors. */
function resultRange(map: ProductMap, { x, w, bias }: Factors<LC>): Range {
  const hull = (xs: ArrayLike<LC>, what: string): Range => {
    const all = Array.from(xs, ({ range }) => {
      if (range === null) throw new CircuitError('circuit/overflow', `packedProduct: ${what} has no proven range`)
      return range
    })
    return all.reduce((r, { lo, hi }) => ({ lo: lo < r.lo ? lo : r.lo, hi: hi > r.hi ? hi : r.hi }))
  }
  const [rx, rw] = [hull(x, 'x'), hull(w, 'w')]
  // zeros of X shorten a sum
  const ends = [0n, rx.lo * rw.lo, rx.lo * rw.hi, rx.hi * rw.lo, rx.hi * rw.hi]
  const exact = indices(map.rows).every((i) => indices(map.inner).every((t) => map.x(i, t) >= 0)) ? ends.slice(1) : ends
  const added = bias === undefined ? { lo: 0n, hi: 0n } : hull(bias, 'a bias')
  const terms = BigInt(map.inner)
  return {
    lo: terms * exact.reduce((m, v) => (v < m ? v : m)) + added.lo,
    hi: terms * exact.reduce((m, v) => (v > m ? v : m)) + added.hi,
  }
}

const indices = (n: number): number[] => Array.from({ length: n }, (_, i) => i)

/** 0 … n - 1 in runs of `size`. */
const chunks = (n: number, size: number): number[][] =>
  Array.from({ length: Math.ceil(n / size) }, (_, b) => indices(Math.min(size, n - b * size)).map((i) => b * size + i))
