import type { LCId, Wire } from '../circuit.ts'
import type { Ranges } from './ranges.ts'
import { type Rows, rowsOfWire } from './rows.ts'

/** Rows of a bit that are looked at. */
const MAX_ROWS = 64
/** Forbidden sets that are collected for one sum. */
const MAX_SETS = 4096
/** Factors of a product that are followed. */
const MAX_FACTORS = 256

/** A bit with the magnitude of its coefficient. */
export type Bit = { readonly wire: Wire; readonly weight: bigint }

/** Bits that rows of the form X·Y = 0 tie together, and the greatest Σ weight·bit that these rows allow. */
export type Pattern = { readonly bits: readonly Bit[]; readonly greatest: bigint }

/**
 * What rows X·Y = 0 forbid of some bits of descending weights, in parts that have no row in common. Parts whose weights don't
 * each exceed all that follow together are left out.
 *
 * X and Y are sums of booleans and of products of booleans with coefficients of one sign, so each pair of their terms can't
 * be 1 at once: that forbids a set of bits. Subsets of allowed patterns are allowed, so setting bit after bit from the top, as
 * long as no forbidden set fills up, spells the greatest allowed number.
 */
export function patternsOf(rows: Rows, ranges: Ranges, bits: readonly Bit[]): Pattern[] {
  const sets = forbiddenSets(rows, ranges, new Set(bits.map(({ wire }) => wire)))
  const parts = new Map<Wire, Wire>()
  const partOf = (w: Wire): Wire => {
    const up = parts.get(w) ?? w
    return up === w ? w : partOf(up)
  }
  for (const set of sets) for (const w of set) parts.set(partOf(w), partOf(set[0]!))
  const found: Pattern[] = []
  for (const part of new Set([...parts.keys()].map(partOf))) {
    const own = bits.filter(({ wire }) => parts.has(wire) && partOf(wire) === part)
    const within = sets.filter((set) => partOf(set[0]!) === part)
    const chosen = new Set<Wire>()
    let greatest = 0n
    let reach = 0n
    const separate = own.toReversed().every(({ weight }) => {
      const exceeds = weight > reach
      reach += weight
      return exceeds
    })
    if (!separate) continue
    for (const { wire, weight } of own) {
      if (within.some((set) => set.includes(wire) && set.every((w) => w === wire || chosen.has(w)))) continue
      chosen.add(wire)
      greatest += weight
    }
    found.push({ bits: own, greatest })
  }
  return found
}

/** Sets of bits that can't all be 1. */
function forbiddenSets(rows: Rows, ranges: Ranges, bits: ReadonlySet<Wire>): (readonly Wire[])[] {
  const { linear, sides, empty } = rows
  const factors = new Map<Wire, readonly Wire[] | undefined>()
  const found: (readonly Wire[])[] = []
  const seen = new Set<number>()
  for (const bit of bits)
    for (const r of rowsOfWire(rows, bit, MAX_ROWS)) {
      if (seen.has(r) || linear[r] === 1 || sides[3 * r + 2] !== empty) continue
      seen.add(r)
      const left = termsOf(rows, ranges, sides[3 * r]!, factors)
      const right = left && termsOf(rows, ranges, sides[3 * r + 1]!, factors)
      if (left === undefined || right === undefined) continue
      for (const x of left)
        for (const y of right) {
          const set = [...new Set([...x, ...y])]
          if (found.length < MAX_SETS && set.every((w) => bits.has(w))) found.push(set)
        }
    }
  return found
}

/** For a sum of booleans and products of such with coefficients of one sign: the factors of every term. */
function termsOf(
  rows: Rows,
  ranges: Ranges,
  lc: LCId,
  known: Map<Wire, readonly Wire[] | undefined>,
): (readonly Wire[])[] | undefined {
  const { start, wire, coefficient, values, F } = rows
  const terms: (readonly Wire[])[] = []
  let sum = 0n
  for (let i = start[lc]!; i < start[lc + 1]!; i++) {
    const k = values[coefficient[i]!]!
    const factors = wire[i] === 0 ? undefined : factorsOf(rows, ranges, wire[i]!, known)
    if (factors === undefined || k > 0n !== values[coefficient[start[lc]!]!]! > 0n) return undefined
    terms.push(factors)
    sum += k
  }
  // a sum that is 0 mod p is 0, and so is each of its terms
  return sum < F.p && -sum < F.p ? terms : undefined
}

/** The booleans whose product a wire is: itself, or those of both factors of a row a·b = wire. */
function factorsOf(
  rows: Rows,
  ranges: Ranges,
  w: Wire,
  known: Map<Wire, readonly Wire[] | undefined>,
): readonly Wire[] | undefined {
  if (ranges.boolean[w] === 1) return [w]
  if (known.has(w)) return known.get(w)
  known.set(w, undefined) // against circles
  const single = (lc: LCId): Wire | undefined =>
    rows.start[lc + 1]! - rows.start[lc]! === 1 && rows.values[rows.coefficient[rows.start[lc]!]!] === 1n
      ? rows.wire[rows.start[lc]!]!
      : undefined
  for (const r of rowsOfWire(rows, w, MAX_ROWS)) {
    if (rows.linear[r] === 1 || single(rows.sides[3 * r + 2]!) !== w) continue
    const [a, b] = [single(rows.sides[3 * r]!), single(rows.sides[3 * r + 1]!)]
    if (a === undefined || b === undefined || a === w || b === w) continue
    const left = factorsOf(rows, ranges, a, known)
    const right = left && factorsOf(rows, ranges, b, known)
    if (left === undefined || right === undefined || left.length + right.length > MAX_FACTORS) continue
    const product = [...left, ...right]
    known.set(w, product)
    return product
  }
  return undefined
}
