/**
 * Linear combinations of points in worker threads over one memory, for set-ups.
 * @module
 */
import type { ColumnData, ColumnSums, Columns, ColumnTask, Digits } from '../engine/columns.ts'
import { freshMemory } from '../engine/freshMemory.ts'
import { EngineMemoryError, MAX_BYTES } from '../engine/layout.ts'
import {
  allocator,
  DEGREE,
  FILE_BYTES,
  type Group,
  POINT_BYTES,
  type Runtime,
  SHARED,
  SLOT_BYTES,
} from '../engine/runtime.ts'
import { addPairs } from '../engine/sums.ts'
import { kernelModule, kernelVariant } from '../engine/variant.ts'
import { AbortedError } from '../errors.ts'
import { createPlaces } from './places.ts'
import { openPool, threadsOf } from './pool.ts'
import type { ColumnsTask, CombinerData } from './tasks.ts'

/** Points that are taken in or put out at a time. */
export const BLOCK = 1 << 13

/** Wires of a piece of work, at most. */
const WIRES = 1 << 12

export type Combiner = {
  /** The main thread's instance. */
  readonly runtime: Runtime
  /** Where the points may go, and scratch memory of 4·BLOCK points of G2. */
  readonly room: number
  readonly staging: number
  /**
   * For each of `count` columns the sum of its entries over all parts, as key files hold points. Throws AbortedError, and
   * what a pool throws.
   */
  sums(
    group: Group,
    digits: Digits,
    parts: readonly { readonly matrix: Columns; readonly points: number }[],
    count: number,
    onPiece?: (columns: number) => void,
  ): Promise<Uint8Array>
  close(): Promise<void>
}

/**
 * Makes a memory with `bytes` for points, and starts threads. Throws EngineMemoryError, named after `what`, `environment/engine` and
 * `environment/engine-self-test`.
 */
export function openCombiner(
  bytes: number,
  what: string,
  options: { readonly threads?: number | undefined; readonly signal?: AbortSignal | undefined },
): Combiner {
  const { signal } = options
  const threads = threadsOf(options.threads)
  const { take, end } = allocator(SHARED.end)
  const room = take(bytes)
  const staging = take(4 * BLOCK * FILE_BYTES.g2)
  const slots = Array.from({ length: threads + 1 }, () => take(SLOT_BYTES))
  if (end() > MAX_BYTES) throw new EngineMemoryError(end(), what, 'Split the model.')
  const variant = kernelVariant()
  const module = kernelModule(variant)
  const { memory, runtime } = freshMemory({ variant, module }, end(), what, { slot: slots[threads]!, spare: staging })
  const columns: ColumnData = { variant, module, memory, slots }
  const workerData: CombinerData = { engine: 'columns', columns }
  const pool = openPool({ threads, maxQueue: Number.MAX_SAFE_INTEGER, workerData })
  const places = createPlaces(threads)
  const stop = new AbortController()
  const stopped = signal ? AbortSignal.any([signal, stop.signal]) : stop.signal
  return {
    ...{ runtime, room, staging },
    async sums(group, digits, parts, count, onPiece) {
      const out = new Uint8Array(count * FILE_BYTES[group])
      const step = Math.min(WIRES, Math.max(64, Math.ceil(count / (4 * threads))))
      let cause: { readonly error: unknown } | undefined
      const piece = async (first: number): Promise<void> => {
        try {
          const slot = await places.take(0, stopped)
          try {
            const sums: ColumnTask = { group, digits, parts, first, end: Math.min(first + step, count) }
            const job: ColumnsTask = { kind: 'columns', slot, sums }
            place(runtime, group, (await pool.run(job, { signal: stopped })) as ColumnSums, out, staging)
            onPiece?.(sums.end - first)
          } finally {
            places.give(slot)
          }
        } catch (error) {
          cause ??= { error } // the others end because of it
          stop.abort()
        }
      }
      const pieces = Array.from({ length: Math.ceil(count / step) }, (_, i) => piece(i * step))
      await Promise.all(pieces)
      if (cause) throw signal?.aborted ? new AbortedError('the setup') : cause.error
      return out
    },
    close: pool.close,
  }
}

/** Takes points of a file, none of them at infinity, into limbs. `factor` is where the factor of their coordinates lies. */
export function importPoints(
  { kernels, words, bytes }: Runtime,
  group: Group,
  points: Uint8Array,
  to: number,
  staging: number,
  factor: number = SHARED.fromFile,
): void {
  const size = FILE_BYTES[group]
  for (let from = 0; from < points.length; from += BLOCK * size) {
    const block = points.subarray(from, from + BLOCK * size)
    const count = block.length / size
    bytes.set(block, staging)
    const index = staging + block.length
    for (let i = 0; i < count; i++) words[index / 4 + i] = i
    kernels.fqImport!(to + (from / size) * POINT_BYTES[group], staging, index, count, DEGREE[group], factor)
  }
}

/** Whether a point of a file is at infinity. */
export const isInfinity = (point: Uint8Array): boolean => point.every((byte) => byte === 0)

/** Puts sums of columns where they belong; those that came in parts are added up. */
function place(
  runtime: Runtime,
  group: Group,
  { wires, points }: ColumnSums,
  bytes: Uint8Array,
  staging: number,
): void {
  const size = FILE_BYTES[group]
  let last = -1
  wires.forEach((wire, i) => {
    const point = points.subarray(i * size, (i + 1) * size)
    const target = bytes.subarray(wire * size, (wire + 1) * size)
    target.set(wire === last ? addFilePoints(runtime, group, target, point, staging) : point)
    last = wire
  })
}

function addFilePoints(runtime: Runtime, group: Group, p: Uint8Array, q: Uint8Array, staging: number): Uint8Array {
  if (isInfinity(p)) return q
  if (isInfinity(q)) return p
  const { words, slot, kernels, bytes } = runtime
  const [a, b] = [slot.kept, slot.kept + POINT_BYTES[group]]
  importPoints(runtime, group, p, a, staging)
  importPoints(runtime, group, q, b, staging)
  words[slot.list / 4] = a
  words[slot.list / 4 + 1] = b
  words[slot.outs / 4] = a
  if (addPairs(runtime, group, 1)) return new Uint8Array(FILE_BYTES[group])
  words[slot.exchange / 4] = a
  kernels.fqExport!(staging, slot.exchange, 1, DEGREE[group], SHARED.toFile)
  return bytes.slice(staging, staging + FILE_BYTES[group])
}
