/**
 * From the sections of a .zkey to what the kernels work on: points in limbs without those at infinity, equal points merged,
 * rows in the order of the transforms, coefficients as doubles.
 * @module
 */
import { DOUBLE_MONTGOMERY, Q, R, rootOfUnity } from '../groth16/bn254.ts'
import { KeyError } from '../groth16/keys.ts'
import type { QuotientKey } from '../groth16/qkey.ts'
import { reverseBits } from '../groth16/quotient.ts'
import { COEFFICIENT_SIZE, type ProvingKey } from '../groth16/zkey.ts'
import { keyPoints } from './assemble.ts'
import { makeTable } from './fixedBase.ts'
import { ELEMENT, invert } from './kernels/field.ts'
import type { KeyCounts, KeyLayout } from './layout.ts'
import { pairingPlace, writePairing } from './pairing.ts'
import {
  DEGREE,
  FILE_BYTES,
  type Group,
  montgomeryOf,
  POINT_BYTES,
  type Runtime,
  SHARED,
  writeInteger,
} from './runtime.ts'
import { doubleFirsts } from './sums.ts'

/** Which points of a section are used, and for which wires. */
export type Used = Wires & {
  /** Index in the section of each point that is kept. */
  readonly index: Uint32Array
}

/** The wires of the points that are kept. */
export type Wires = {
  readonly wire: Uint32Array
  /** Wires whose point equals a kept one up to sign: {place of the kept one, wire, 1 for minus}, one after the other. */
  readonly merged: Uint32Array
}

/** All that is known of a key before memory is made for it. */
export type KeyPlan = {
  readonly counts: KeyCounts
  readonly a: Used
  readonly b: Used
  readonly c: Used
  readonly rows: Rows
  readonly quotient: QuotientPoints
  /** Places of points of H that are at infinity, which no proper key has. */
  readonly vanishing: Uint32Array
}

/** What of it every proof needs. */
export type ProofPlan = Readonly<Record<'a' | 'b' | 'c', Wires>> & Pick<KeyPlan, 'vanishing'>

type Rows = {
  readonly starts: readonly [Uint32Array, Uint32Array]
  /** {wire, coefficient} of each entry. */
  readonly entries: readonly [Uint32Array, Uint32Array]
  /** The different coefficients, in (-r/2, r/2]. */
  readonly coefficients: readonly bigint[]
}

/** The points of C and of H, and the wires and places that they belong to. */
type QuotientPoints = {
  readonly c: Uint32Array
  /** The first wire with a point of C. */
  readonly firstWire: number
  readonly h: Uint32Array
  /** Which point of the section lies at a place of memory: the order is that of the transforms' results. */
  readonly indexOf: (place: number) => number
  readonly kept: number
  readonly vectors: 2 | 3
}

function quotientPoints(key: ProvingKey, quotientKey: QuotientKey | undefined): QuotientPoints {
  if (quotientKey === undefined)
    return {
      ...{ c: wordsOf(key, 8), firstWire: key.nPublic + 1, h: wordsOf(key, 9) },
      indexOf: (place) => reverseBits(place, key.power),
      ...{ kept: key.domainSize / 2, vectors: 3 },
    }
  const { c, h, cut } = quotientKey
  return { c: asWords(c), firstWire: 0, h: asWords(h), indexOf: (place) => place, kept: cut.kept, vectors: 2 }
}

/** A section as 32-bit words. */
const wordsOf = (key: ProvingKey, id: number): Uint32Array => asWords(key.sections.get(id)!)

function asWords(section: Uint8Array): Uint32Array {
  const bytes = section.byteOffset % 4 === 0 ? section : new Uint8Array(section)
  return new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length >> 2)
}

/** Looks through a key. Throws KeyError `key/malformed` where B1 and B2 are not the same multiples. */
export function planKey(key: ProvingKey, quotientKey?: QuotientKey): KeyPlan {
  const quotient = quotientPoints(key, quotientKey)
  const a = usedPoints([{ words: wordsOf(key, 5), size: 16 }], key.nVars, 0)
  const b = usedPoints(
    [
      { words: wordsOf(key, 6), size: 16 },
      { words: wordsOf(key, 7), size: 32 },
    ],
    key.nVars,
    0,
  )
  const { firstWire, kept, vectors } = quotient
  const c = usedPoints([{ words: quotient.c, size: 16 }], key.nVars - firstWire, firstWire)
  const vanishing: number[] = []
  for (let place = 0; place < 2 * kept; place++)
    if (isZero(quotient.h, 16 * quotient.indexOf(place), 16)) vanishing.push(place)
  const rows = readRows(key)
  const [entriesA, entriesB] = rows.entries.map((list) => list.length / 2) as [number, number]
  const counts: KeyCounts = {
    ...{ nVars: key.nVars, nPublic: key.nPublic, power: key.power, kept, vectors },
    ...{ a: a.index.length, b: b.index.length, c: c.index.length },
    ...{ entriesA, entriesB, coefficients: rows.coefficients.length },
  }
  return { counts, a, b, c, rows, quotient, vanishing: Uint32Array.from(vanishing) }
}

function isZero(words: Uint32Array, from: number, count: number): boolean {
  for (let i = 0; i < count; i++) if (words[from + i] !== 0) return false
  return true
}

const Q_WORDS = Uint32Array.from({ length: 8 }, (_, i) => Number((Q >> BigInt(32 * i)) & 0xffffffffn))

/** Whether the coordinates of two points agree up to the sign of y: 1, -1, or 0 if they do not. */
function compare({ words, size }: Table, i: number, j: number): number {
  const [p, q, half] = [size * i, size * j, size / 2]
  for (let k = 0; k < half; k++) if (words[p + k] !== words[q + k]) return 0
  let same = true
  for (let k = half; same && k < size; k++) same = words[p + k] === words[q + k]
  if (same) return 1
  // each coordinate of y and y' adds up to q, or both are 0
  for (let at = half; at < size; at += 8) {
    if (isZero(words, p + at, 8) && isZero(words, q + at, 8)) continue
    let carry = 0
    for (let k = 0; k < 8; k++) {
      const sum = words[p + at + k]! + words[q + at + k]! + carry
      if (sum >>> 0 !== Q_WORDS[k]) return 0
      carry = sum > 0xffffffff ? 1 : 0
    }
  }
  return -1
}

/** Points as they lie in a file, `size` words each. */
type Table = { readonly words: Uint32Array; readonly size: number }

/** The points to keep of one table, or of two that hold the same multiples of two generators. */
function usedPoints(tables: readonly Table[], count: number, firstWire: number): Used {
  const mask = 2 ** Math.ceil(Math.log2(2 * count + 2)) - 1
  const places = new Int32Array(mask + 1).fill(-1)
  const index = new Uint32Array(count)
  const merged: number[] = []
  let used = 0
  const { words, size } = tables[0]!
  points: for (let i = 0; i < count; i++) {
    const zeros = tables.filter((table) => isZero(table.words, table.size * i, table.size)).length
    if (zeros === tables.length) continue
    if (zeros > 0) throw new KeyError('malformed', `the points of wire ${firstWire + i} in B1 and B2 differ`)
    let hash = 0
    for (let k = 0; k < 8; k++) hash = Math.imul(hash ^ words[size * i + k]!, 0x9e3779b1) ^ (hash >>> 15)
    let slot = hash & mask
    for (; places[slot] !== -1; slot = (slot + 1) & mask) {
      const other = places[slot]!
      const sign = compare(tables[0]!, i, index[other]!)
      if (sign !== 0 && tables.every((table) => compare(table, i, index[other]!) === sign)) {
        merged.push(other, firstWire + i, sign < 0 ? 1 : 0)
        continue points
      }
    }
    places[slot] = used
    index[used++] = i
  }
  const kept = index.slice(0, used)
  return { index: kept, wire: kept.map((i) => i + firstWire), merged: Uint32Array.from(merged) }
}

/** Section 4 by rows, in bit-reversed order. */
function readRows(key: ProvingKey): Rows {
  const words = wordsOf(key, 4)
  const { power, domainSize, coefficients: count } = key
  const stride = COEFFICIENT_SIZE / 4
  const starts = [new Uint32Array(domainSize + 1), new Uint32Array(domainSize + 1)] as const
  for (let i = 0, at = 1; i < count; i++, at += stride)
    starts[words[at]! as 0 | 1][reverseBits(words[at + 1]!, power) + 1]!++
  for (const list of starts) for (let i = 0; i < domainSize; i++) list[i + 1]! += list[i]!
  const entries = starts.map((list) => new Uint32Array(2 * list[domainSize]!)) as [Uint32Array, Uint32Array]
  const next = starts.map((list) => list.slice()) as [Uint32Array, Uint32Array]
  const dictionary = coefficientIndex()
  for (let i = 0, at = 1; i < count; i++, at += stride) {
    const matrix = words[at]! as 0 | 1
    const place = next[matrix][reverseBits(words[at + 1]!, power)]!++
    entries[matrix][2 * place] = words[at + 2]!
    entries[matrix][2 * place + 1] = dictionary.indexOf(words, at + 3)
  }
  const factor = invert(DOUBLE_MONTGOMERY, R)
  const coefficients = dictionary.values.map((value) => {
    const residue = (value * factor) % R
    return residue > R / 2n ? residue - R : residue
  })
  return { starts, entries, coefficients }
}

/** Numbers of 8 words, each with an index of its own, found by hashing. */
function coefficientIndex() {
  const values: bigint[] = []
  let known = new Uint32Array(8 * 64)
  let places = new Int32Array(256).fill(-1)
  const slotOf = (low: number, high: number): number =>
    (Math.imul(low, 0x9e3779b1) ^ Math.imul(high, 0x85ebca6b)) & (places.length - 1)
  const grow = (): void => {
    places = new Int32Array(4 * places.length).fill(-1)
    values.forEach((_, i) => {
      let slot = slotOf(known[8 * i]!, known[8 * i + 1]!)
      while (places[slot] !== -1) slot = (slot + 1) & (places.length - 1)
      places[slot] = i
    })
  }
  return {
    values,
    indexOf(words: Uint32Array, at: number): number {
      let slot = slotOf(words[at]!, words[at + 1]!)
      for (; places[slot] !== -1; slot = (slot + 1) & (places.length - 1)) {
        const index = places[slot]!
        let same = true
        for (let k = 0; same && k < 8; k++) same = known[8 * index + k] === words[at + k]
        if (same) return index
      }
      let value = 0n
      for (let k = 7; k >= 0; k--) value = (value << 32n) | BigInt(words[at + k]!)
      const index = values.push(value) - 1
      places[slot] = index
      if (8 * (index + 1) > known.length) {
        const wider = new Uint32Array(2 * known.length)
        wider.set(known)
        known = wider
      }
      known.set(words.subarray(at, at + 8), 8 * index)
      if (3 * index > places.length) grow()
      return index
    },
  }
}

/** Points that one piece of work converts: a few milliseconds. */
const IMPORT = 1 << 13

/** Writes a key into a memory, in pieces; yields between them. The memory from `staging` on is overwritten. */
export function* writeKey(
  runtime: Runtime,
  key: ProvingKey,
  plan: KeyPlan,
  layout: KeyLayout,
  staging: number,
): Generator<void> {
  const { words, doubles } = runtime
  const identity = staging + IMPORT * FILE_BYTES.g2
  for (let i = 0; i < IMPORT; i++) words[identity / 4 + i] = i
  function* section(
    group: Group,
    source: Uint32Array,
    count: number,
    index: (i: number) => number,
    to: number,
  ): Generator<void> {
    const size = FILE_BYTES[group] / 4
    for (let from = 0; from < count; from += IMPORT) {
      const n = Math.min(IMPORT, count - from)
      for (let i = 0, at = staging / 4; i < n; i++) {
        const start = index(from + i) * size
        for (let k = 0; k < size; k++) words[at++] = source[start + k]!
      }
      const target = to + from * POINT_BYTES[group]
      runtime.kernels.fqImport!(target, staging, identity, n, DEGREE[group], SHARED.fromFile)
      yield
    }
  }
  const { a, b, c, rows, quotient, counts } = plan
  yield* section('g1', wordsOf(key, 5), counts.a, (i) => a.index[i]!, layout.a)
  yield* section('g1', wordsOf(key, 6), counts.b, (i) => b.index[i]!, layout.b1)
  yield* section('g2', wordsOf(key, 7), counts.b, (i) => b.index[i]!, layout.b2)
  yield* section('g1', quotient.c, counts.c, (i) => c.index[i]!, layout.c)
  yield* section('g1', quotient.h, layout.points, quotient.indexOf, layout.h)
  words.set(rows.starts[0], layout.startsA / 4)
  words.set(rows.starts[1], layout.startsB / 4)
  words.set(rows.entries[0], layout.entriesA / 4)
  words.set(rows.entries[1], layout.entriesB / 4)
  yield
  rows.coefficients.forEach((value, i) => {
    const small = value > -(2n ** 53n) && value < 2n ** 53n
    doubles[layout.doubles / 8 + i] = small ? Number(value) : Number.NaN
  })
  writeElements(runtime, layout.elements, rows.coefficients, true)
  yield
  yield* twiddles(runtime, layout)
  const { delta1, delta2 } = keyPoints(key.sections.get(2)!, key.verifyingKey)
  makeTable.g1(runtime, layout.delta.g1, delta1)
  yield
  makeTable.g2(runtime, layout.delta.g2, delta2)
  yield
  writePairing(runtime, pairingPlace(key.nPublic, layout.pairing), key.verifyingKey)
  yield
  yield* hMultiples(runtime, layout, plan.vanishing)
}

/** Multiples of the points of H. */
function* hMultiples(runtime: Runtime, layout: KeyLayout, vanishing: Uint32Array): Generator<void> {
  const { words, slot } = runtime
  const { h, points, hMultiples: windows, delta } = layout
  if (windows === undefined) return
  const size = POINT_BYTES.g1
  // points at infinity have no coordinates that could be doubled; nothing is ever multiplied by what stands for them
  for (const place of vanishing) words.copyWithin((h + size * place) / 4, delta.g1 / 4, (delta.g1 + size) / 4)
  for (let w = 1; w < windows.count; w++)
    for (let first = 0; first < points; first += IMPORT) {
      const n = Math.min(IMPORT, points - first)
      const to = h + size * (w * points + first)
      for (let j = 0; j < windows.width; j++) {
        const from = j === 0 ? to - size * points : to
        for (let i = 0; i < n; i++) {
          words[slot.list / 4 + 2 * i] = from + size * i
          words[slot.list / 4 + 2 * i + 1] = from + size * i
          words[slot.outs / 4 + i] = to + size * i
        }
        if (!doubleFirsts(runtime, 'g1', n)) throw new KeyError('malformed', 'a point of H is its own opposite')
      }
      yield
    }
}

/** Integers as elements of the scalar field, in Montgomery form or not. */
export function writeElements(
  { kernels, words, slot }: Runtime,
  to: number,
  values: readonly bigint[],
  montgomery: boolean,
): void {
  const [pair, bytes] = [slot.exchange, slot.exchange + 256]
  values.forEach((value, i) => {
    writeInteger(words, bytes, value < 0n ? value + R : value)
    kernels.frSet!(pair, bytes)
    if (montgomery) kernels.frMul!(pair, pair, SHARED.scalarFromPlain)
    kernels.frPut!(to + ELEMENT * i, pair)
  })
}

/** Tables of powers by doubling: z[2^j + i] = z[i]·z[2^j]. */
function* twiddles(runtime: Runtime, layout: KeyLayout): Generator<void> {
  const { kernels, slot } = runtime
  const { power } = layout.counts
  const psi = rootOfUnity(power + 1)
  const omegaInverse = invert((psi * psi) % R, R)
  const exponent = (base: bigint, bits: number): bigint => {
    let value = base
    for (let i = 0; i < bits; i++) value = (value * value) % R
    return value
  }
  const table = function* (to: number, bits: number, base: bigint): Generator<void> {
    writeElements(runtime, to, [1n], true)
    const factor = slot.exchange + 512
    for (let j = 0; j < bits; j++) {
      // brv(2^j) = 2^(bits-1-j)
      writeInteger(runtime.words, slot.exchange, exponent(base, bits - 1 - j))
      kernels.frSet!(factor, slot.exchange)
      kernels.frMul!(factor, factor, SHARED.scalarFromPlain)
      const step = 1 << 17
      for (let from = 0; from < 2 ** j; from += step) {
        kernels.frScale!(to + ELEMENT * (2 ** j + from), to + ELEMENT * from, Math.min(step, 2 ** j - from), factor)
        yield
      }
    }
  }
  yield* table(layout.inverse, power - 1, omegaInverse)
  yield* table(layout.forward, power, psi)
  const montgomery = montgomeryOf(runtime.variant)
  const pair = (to: number, value: bigint): void => {
    writeInteger(runtime.words, slot.exchange, value % R)
    kernels.frSet!(to, slot.exchange)
  }
  const N = BigInt(layout.domain)
  pair(layout.middle, exponent(psi, power - 1) * montgomery)
  pair(layout.scale, N * montgomery)
  pair(layout.unscale, montgomery * montgomery * invert(N * N, R))
}
