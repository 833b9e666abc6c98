import type { LCId, Wire } from '../circuit.ts'
import type { Ranges } from './ranges.ts'
import { type Rows, rowsOfWire } from './rows.ts'

/** Rows of a bit that are looked at. */
const MAX_ROWS = 64
/** Forbidden sets that are collected for one sum. */
const MAX_SETS = 4096
/** Factors of a product, and terms of a sum, that are followed. */
const MAX_FACTORS = 256
const MAX_TERMS = 256

/** A bit with the magnitude of its coefficient. */
export type Bit = { readonly wire: Wire; readonly weight: bigint }

/** Bits that rows of the form X·Y = 0 tie together, and the greatest Σ weight·bit that these rows allow. */
export type Pattern = { readonly bits: readonly Bit[]; readonly greatest: bigint }

/**
 * What rows X·Y = 0 forbid of some bits of descending weights, in parts that have no row in common. Parts whose weights don't
 * each exceed all that follow together are left out.
 *
 * X and Y are sums of booleans, and of products of such sums, with coefficients of one sign, so each pair of their terms
 * can't be 1 at once: that forbids a set of bits. Subsets of allowed patterns are allowed, so setting bit after bit from the top, as
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

/** A whole number of 0 to `most`: positive just if one of its terms, each a set of booleans, has nothing but ones. */
type Monotone = { readonly terms: readonly (readonly Wire[])[]; readonly most: bigint }

/** Sets of bits that can't all be 1. */
function forbiddenSets(rows: Rows, ranges: Ranges, bits: ReadonlySet<Wire>): (readonly Wire[])[] {
  const { linear, sides, empty } = rows
  const known = new Map<Wire, Monotone | undefined>()
  const found: (readonly Wire[])[] = []
  const seen = new Set<number>()
  for (const bit of bits)
    for (const r of rowsOfWire(rows, bit, MAX_ROWS)) {
      if (seen.has(r) || linear[r] === 1 || sides[3 * r + 2] !== empty) continue
      seen.add(r)
      const left = monotone(rows, ranges, sides[3 * r]!, known)
      const right = left && monotone(rows, ranges, sides[3 * r + 1]!, known)
      if (left === undefined || right === undefined) continue
      for (const x of left.terms)
        for (const y of right.terms) {
          const set = [...new Set([...x, ...y])]
          if (found.length < MAX_SETS && set.every((w) => bits.has(w))) found.push(set)
        }
    }
  return found
}

/**
 * A combination of booleans, and of products of such combinations, with coefficients of one sign; `most` is that of its
 * magnitude.
 */
function monotone(
  rows: Rows,
  ranges: Ranges,
  lc: LCId,
  known: Map<Wire, Monotone | undefined>,
  sign?: 1,
): Monotone | undefined {
  const { start, wire, coefficient, values, F } = rows
  const terms: (readonly Wire[])[] = []
  let most = 0n
  for (let i = start[lc]!; i < start[lc + 1]!; i++) {
    const k = values[coefficient[i]!]!
    const positive = sign === 1 || values[coefficient[start[lc]!]!]! > 0n
    const part = wire[i] === 0 || k > 0n !== positive ? undefined : monotoneWire(rows, ranges, wire[i]!, known)
    if (part === undefined || terms.length + part.terms.length > MAX_TERMS) return undefined
    terms.push(...part.terms)
    most += (k > 0n ? k : -k) * part.most
  }
  // a sum that is 0 mod p is 0, and so is each of its terms
  return most < F.p ? { terms, most } : undefined
}

/** A boolean, or the product of both factors of a row a·b = wire. */
function monotoneWire(
  rows: Rows,
  ranges: Ranges,
  w: Wire,
  known: Map<Wire, Monotone | undefined>,
): Monotone | undefined {
  if (ranges.boolean[w] === 1) return { terms: [[w]], most: 1n }
  if (known.has(w)) return known.get(w)
  known.set(w, undefined) // against circles
  const { start, wire, coefficient, values, sides, linear, F } = rows
  for (const r of rowsOfWire(rows, w, MAX_ROWS)) {
    const c = sides[3 * r + 2]!
    const isProduct = linear[r] === 0 && start[c + 1]! - start[c]! === 1 && wire[start[c]!] === w
    if (!isProduct || values[coefficient[start[c]!]!] !== 1n) continue
    const left = monotone(rows, ranges, sides[3 * r]!, known, 1)
    const right = left && monotone(rows, ranges, sides[3 * r + 1]!, known, 1)
    if (left === undefined || right === undefined || left.most * right.most >= F.p) continue
    const terms = left.terms.flatMap((x) => right.terms.map((y) => [...new Set([...x, ...y])]))
    if (terms.length > MAX_TERMS || terms.some((factors) => factors.length > MAX_FACTORS)) continue
    const product = { terms, most: left.most * right.most }
    known.set(w, product)
    return product
  }
  return undefined
}
