/**
 * Multiples of one point, of a generator for a set-up and of δ for the blinding of proofs: signed windows over a table of
 * affine multiples (Brickell, Gordon, McCurley, Wilson 1992), summed by `sums`.
 *
 * Points come in the form that key files hold: affine, times 2²⁵⁶, little-endian; infinity is all zeros. Not constant-time.
 * @module
 */
import { bn254 } from '@noble/curves/bn254.js'
import { type CurvePoint1, type CurvePoint2, G2_GENERATOR } from '../groth16/keys.ts'
import type { WasmMemory, WasmModule } from '../groth16/wasm.ts'
import { freshMemory } from './freshMemory.ts'
import type { Variant } from './kernels/build.ts'
import { RECORD } from './kernels/curve.ts'
import { PAIR } from './kernels/field.ts'
import { windowsOf } from './msm.ts'
import {
  allocator,
  DEGREE,
  FILE_BYTES,
  FRESH,
  type Group,
  POINT_BYTES,
  type Runtime,
  SHARED,
  SLOT_BYTES,
  writeInteger,
} from './runtime.ts'
import { addPairs, freePlaces, sumItems, waiting } from './sums.ts'

/** Tables of 2 MB and less: wider windows save no time. */
const WINDOWS = windowsOf(254, 10)
const HALF = 2 ** (WINDOWS.width - 1)

const TABLE_POINTS = WINDOWS.count * HALF

/** Room for the multiples of a point. */
export const TABLE_BYTES: Readonly<Record<Group, number>> = {
  g1: TABLE_POINTS * POINT_BYTES.g1,
  g2: TABLE_POINTS * POINT_BYTES.g2,
}

/** Scalars whose digits are taken at a time, those of a round, and those that make a piece of work of some 20 ms. */
const BLOCK: Readonly<Record<Group, number>> = {
  g1: Math.floor(FRESH / WINDOWS.count),
  g2: Math.floor(FRESH / 2 / WINDOWS.count),
}
const ROUND = 4
export const MULTIPLES: Readonly<Record<Group, number>> = { g1: 2 * ROUND * BLOCK.g1, g2: 2 * ROUND * BLOCK.g2 }

/** Tables in memory, and rooms for threads. */
export type Tables = {
  readonly variant: Variant
  readonly module: WasmModule
  readonly memory: WasmMemory
  readonly tables: Readonly<Record<Group, number>>
  readonly slots: readonly number[]
}

/** Makes the tables: some 50,000 additions. */
export function makeTables(variant: Variant, module: WasmModule, threads: number): Tables {
  const { take, end } = allocator(SHARED.end)
  const tables = { g1: take(TABLE_BYTES.g1), g2: take(TABLE_BYTES.g2) }
  const slots = Array.from({ length: threads }, () => take(SLOT_BYTES))
  const { memory, runtime } = freshMemory({ variant, module }, end(), 'a table of multiples', {
    slot: slots[0]!,
    spare: tables.g1,
  })
  const { x, y } = G2_GENERATOR
  makeTable.g1(runtime, tables.g1, bn254.G1.Point.fromAffine({ x: 1n, y: 2n }))
  makeTable.g2(runtime, tables.g2, bn254.G2.Point.fromAffine({ x: { c0: x[0], c1: x[1] }, y: { c0: y[0], c1: y[1] } }))
  return { variant, module, memory, tables, slots }
}

/** Makes a table of multiples of a point. */
export const makeTable = {
  g1: (runtime: Runtime, table: number, point: CurvePoint1): void => {
    const rows = rowStarts(point).map((start) => start.toAffine())
    fillTable(
      ...([runtime, 'g1', table] as const),
      rows.map(({ x, y }) => [x, y]),
    )
  },
  g2: (runtime: Runtime, table: number, point: CurvePoint2): void => {
    const rows = rowStarts(point).map((start) => start.toAffine())
    fillTable(
      ...([runtime, 'g2', table] as const),
      rows.map(({ x, y }) => [x.c0, x.c1, y.c0, y.c1]),
    )
  },
} as const

/** Row w holds 1 … HALF times its start 2^(width·w)·P, of which coordinates are given. */
function fillTable(runtime: Runtime, group: Group, table: number, starts: readonly bigint[][]): void {
  const { kernels, words, slot } = runtime
  const size = POINT_BYTES[group]
  const place = (w: number, k: number): number => table + (w * HALF + k - 1) * size
  starts.forEach((coordinates, w) => {
    coordinates.forEach((value, i) => {
      writeInteger(words, slot.exchange + 64 + 32 * i, value)
    })
    words[slot.exchange / 4] = 0
    kernels.fqImport!(place(w, 1), slot.exchange + 64, slot.exchange, 1, DEGREE[group], SHARED.fromPlain)
  })
  // m + j = (m) + (j) for j = 1 … m; j = m is a doubling
  for (let m = 1; m < HALF; m *= 2) {
    let pairs = 0
    for (let w = 0; w < WINDOWS.count; w++)
      for (let j = 1; j <= m; j++, pairs++) {
        words[slot.list / 4 + 2 * pairs] = place(w, m)
        words[slot.list / 4 + 2 * pairs + 1] = place(w, j)
        words[slot.outs / 4 + pairs] = place(w, m + j)
      }
    addPairs(runtime, group, pairs)
  }
}

/** 2^(width·w)·P for all windows w. */
function rowStarts<P extends { double(): P }>(point: P): P[] {
  const starts = [point]
  while (starts.length < WINDOWS.count) {
    let next = starts.at(-1)!
    for (let i = 0; i < WINDOWS.width; i++) next = next.double()
    starts.push(next)
  }
  return starts
}

/**
 * Multiples of a table's point by scalars of 32 bytes, little-endian, below r, as integers times a factor. Leaves no trace
 * of the scalars in memory.
 */
export function multiples(
  runtime: Runtime,
  table: number,
  group: Group,
  scalars: Uint8Array,
  factor: number = SHARED.toFile,
): Uint8Array<ArrayBuffer> {
  const { kernels, words, bytes, slot } = runtime
  const size = POINT_BYTES[group]
  const count = scalars.length / 32
  const out = new Uint8Array(count * FILE_BYTES[group])
  const room = (address: number): number => address / 4
  const round = ROUND * BLOCK[group]
  for (let from = 0; from < count; from += round) {
    const n = Math.min(round, count - from)
    bytes.set(scalars.subarray(32 * from, 32 * (from + n)), slot.kept)
    for (let i = 0; i < n; i++) addBias(words, room(slot.kept) + 8 * i)
    freePlaces(runtime, group, n * WINDOWS.count)
    let done = 0
    sumItems(runtime, group, slot.sums, n, (items) => {
      if (done === n) return undefined
      const some = Math.min(BLOCK[group], n - done)
      const end = kernels.spreadDigits!(
        ...[slot.kept + 32 * done, some, WINDOWS.width, WINDOWS.count, table, HALF * size, size, done, items],
      )
      done += some
      return end
    })
    for (let s = 0; s < n; s++) words[room(slot.outs) + s] = waiting(runtime, slot.sums, s)
    kernels.fqExport!(slot.list, slot.outs, n, DEGREE[group], factor)
    out.set(bytes.subarray(slot.list, slot.list + n * FILE_BYTES[group]), from * FILE_BYTES[group])
  }
  wipe(runtime, group, Math.min(round, count))
  return out
}

/** Clears what sums of so many multiples leave: scalars, pointers into the table that tell their digits, sums of few points. */
function wipe({ bytes, slot }: Runtime, group: Group, count: number): void {
  const items = count * WINDOWS.count
  const pairs = Math.ceil(items / 2) + 2
  const size = POINT_BYTES[group]
  const clear = (from: number, used: number, end: number): void => {
    bytes.fill(0, from, Math.min(from + used, end))
  }
  clear(slot.records, (pairs / 2 + 1) * RECORD * DEGREE[group] * PAIR, slot.list)
  clear(slot.list, Math.max(8 * pairs, count * FILE_BYTES[group]), slot.outs)
  clear(slot.outs, 4 * Math.max(pairs, count), slot.items)
  clear(slot.items, 8 * (items + 1), slot.buckets)
  clear(slot.sums, 4 * count, slot.free)
  clear(slot.kept, 32 * count, slot.arena)
  clear(slot.arena, Math.ceil(items / 2) * size, slot.end)
}

const BIAS = Uint32Array.from({ length: 8 }, (_, i) => Number((WINDOWS.bias >> BigInt(32 * i)) & 0xffffffffn))

function addBias(words: Uint32Array, at: number): void {
  let carry = 0
  for (let i = 0; i < 8; i++) {
    const sum = words[at + i]! + BIAS[i]! + carry
    words[at + i] = sum
    carry = sum > 0xffffffff ? 1 : 0
  }
}
