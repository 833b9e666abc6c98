/**
 * Multiples of the generators in worker threads, for set-ups.
 * @module
 */
import { MULTIPLES, makeTables } from '../engine/fixedBase.ts'
import type { Group } from '../engine/runtime.ts'
import { kernelModule, kernelVariant } from '../engine/variant.ts'
import { createPlaces } from './places.ts'
import { openPool, threadsOf } from './pool.ts'
import type { MultiplierData, MultiplyTask } from './tasks.ts'

export type Multiplier = {
  readonly threads: number
  /** Scalars that are worth a call. */
  readonly blocks: Readonly<Record<Group, number>>
  /** Points as key files hold them for scalars of 32 bytes, little-endian, below r. Throws what a pool throws. */
  multiply(group: Group, scalars: Uint8Array, signal?: AbortSignal): Promise<Uint8Array>
  close(): Promise<void>
}

/** Starts threads. Throws `environment/engine` and `environment/engine-self-test`. */
export function openMultiplier(wanted?: number): Multiplier {
  const variant = kernelVariant()
  const threads = threadsOf(wanted)
  const tables = makeTables(variant, kernelModule(variant), threads)
  const workerData: MultiplierData = { engine: 'multiples', tables }
  const pool = openPool({ threads, maxQueue: Number.MAX_SAFE_INTEGER, workerData })
  const slots = createPlaces(threads)
  return {
    threads,
    blocks: MULTIPLES,
    async multiply(group, scalars, signal) {
      const slot = await slots.take(0, signal)
      try {
        const task: MultiplyTask = { kind: 'multiply', group, scalars, slot }
        return (await pool.run(task, { signal })) as Uint8Array
      } finally {
        slots.give(slot)
      }
    },
    close: pool.close,
  }
}
