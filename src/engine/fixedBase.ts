/**
 * Many multiples of a group's generator at once, for a set-up: signed windows over a table of affine multiples (Brickell,
 * Gordon, McCurley, Wilson 1992), summed by `sums`.
 *
 * Points come in the form that key files hold: affine, times 2²⁵⁶, little-endian; infinity is all zeros. Not constant-time.
 * @module
 */
import { bn254 } from '@noble/curves/bn254.js'
import { R } from '../groth16/bn254.ts'
import { G2_GENERATOR } from '../groth16/keys.ts'
import { Wasm, type WasmMemory, type WasmModule } from '../groth16/wasm.ts'
import type { Variant } from './kernels/build.ts'
import { allocator } from './layout.ts'
import { windowsOf } from './msm.ts'
import {
  DEGREE,
  FILE_BYTES,
  FRESH,
  type Group,
  openRuntime,
  POINT_BYTES,
  type Runtime,
  SHARED,
  SLOT_BYTES,
  writeInteger,
  writeShared,
} from './runtime.ts'
import { selfTest } from './selfTest.ts'
import { addPairs, freePlaces, sumItems, waiting } from './sums.ts'

/** Tables of 2 MB and less: wider windows save no time. */
const WINDOWS = windowsOf(254, 10)
const HALF = 2 ** (WINDOWS.width - 1)

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
  const entries = WINDOWS.count * HALF
  const tables = { g1: take(entries * POINT_BYTES.g1), g2: take(entries * POINT_BYTES.g2) }
  const slots = Array.from({ length: threads }, () => take(SLOT_BYTES))
  const memory = new Wasm.Memory({ initial: Math.ceil(end() / 65536), maximum: 65536, shared: true })
  const runtime = openRuntime(variant, module, memory, slots[0]!)
  writeShared(runtime, R)
  selfTest(runtime, tables.g1)
  for (const group of ['g1', 'g2'] as const) fillTable(runtime, group, tables[group])
  return { variant, module, memory, tables, slots }
}

/** Row w holds 1 … HALF times 2^(width·w)·G. */
function fillTable(runtime: Runtime, group: Group, table: number): void {
  const { kernels, words, slot } = runtime
  const size = POINT_BYTES[group]
  const place = (w: number, k: number): number => table + (w * HALF + k - 1) * size
  powersOfTwo(group).forEach((coordinates, w) => {
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

/** Coordinates of 2^(width·w)·G for all windows w. */
function powersOfTwo(group: Group): bigint[][] {
  const step = (point: { double(): typeof point }): typeof point => {
    let power = point
    for (let i = 0; i < WINDOWS.width; i++) power = power.double()
    return power
  }
  if (group === 'g1') {
    let point = bn254.G1.Point.fromAffine({ x: 1n, y: 2n })
    return Array.from({ length: WINDOWS.count }, () => {
      const { x, y } = point.toAffine()
      point = step(point) as typeof point
      return [x, y]
    })
  }
  const { x, y } = G2_GENERATOR
  let point = bn254.G2.Point.fromAffine({ x: { c0: x[0], c1: x[1] }, y: { c0: y[0], c1: y[1] } })
  return Array.from({ length: WINDOWS.count }, () => {
    const affine = point.toAffine()
    point = step(point) as typeof point
    return [affine.x.c0, affine.x.c1, affine.y.c0, affine.y.c1]
  })
}

/** Multiples of the generator by scalars of 32 bytes, little-endian, below r. Leaves no trace of them in memory. */
export function multiples(runtime: Runtime, table: number, group: Group, scalars: Uint8Array): Uint8Array<ArrayBuffer> {
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
    kernels.fqExport!(slot.list, slot.outs, n, DEGREE[group], SHARED.toFile)
    out.set(bytes.subarray(slot.list, slot.list + n * FILE_BYTES[group]), from * FILE_BYTES[group])
  }
  // scalars, pointers into the table that tell their digits, and sums of few of its points
  bytes.fill(0, slot.records, slot.free)
  bytes.fill(0, slot.arena, slot.arena + Math.ceil((round * WINDOWS.count) / 2) * size)
  bytes.fill(0, slot.kept, slot.kept + 32 * round)
  return out
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
