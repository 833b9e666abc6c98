/**
 * `setup --dev`: a development key in a file, its points multiplied in worker threads.
 * @module
 */
import { getRandomValues } from 'node:crypto'
import { drawSecrets, type Secrets, writeDevKey } from '../groth16/devSetup.ts'
import { windowBits } from '../groth16/fixedBase.ts'
import type { R1cs } from '../groth16/r1cs.ts'
import { domainPower } from '../groth16/zkey.ts'
import { writeAll, writeWhole } from './files.ts'
import { openPool } from './pool.ts'
import type { MultiplyTask } from './tasks.ts'

export type DevSetupOptions = {
  /** Where the .zkey goes; it appears when it is complete. */
  readonly path: string
  /** Default: as many as the machine can run at once. */
  readonly threads?: number | undefined
  readonly signal?: AbortSignal | undefined
  readonly onProgress?: ((fraction: number) => void) | undefined
  /** Only for tests, which compare keys: secrets instead of fresh ones. */
  readonly secrets?: Secrets | undefined
}

/**
 * Sets up a development key. **Forgeable by whoever saw the secrets**: the file is marked and `isDevKey` tells.
 *
 * Throws `circuit/wrong-field`, `limit/circuit-too-large`, `aborted/by-caller`, what a pool throws, and errors of the file
 * system.
 */
export async function setupDev(circuit: R1cs, options: DevSetupOptions): Promise<void> {
  const { path, signal, onProgress } = options
  const domain = 2 ** domainPower(circuit.rows, circuit.publicOutputs + circuit.publicInputs)
  const pool = openPool({ threads: options.threads, maxQueue: Number.MAX_SAFE_INTEGER })
  const bits = {
    g1: windowBits('g1', (domain + 2 * circuit.wires) / pool.threads),
    g2: windowBits('g2', circuit.wires / 2 / pool.threads),
  }
  // a task that ends early must not leave the others waiting for a thread
  const stop = new AbortController()
  const stopped = signal ? AbortSignal.any([signal, stop.signal]) : stop.signal
  try {
    await writeWhole(path, async (fd) => {
      const secrets = options.secrets ?? drawSecrets((bytes) => getRandomValues(bytes))
      await writeDevKey(circuit, secrets, {
        multiply: async (group, scalars) => {
          const task: MultiplyTask = { kind: 'multiply', group, scalars, windowBits: bits[group] }
          try {
            return (await pool.run(task, { signal: stopped })) as Uint8Array
          } catch (error) {
            stop.abort()
            throw error
          }
        },
        write: (position, bytes) => writeAll(fd, position, bytes),
        signal,
        onProgress,
      })
    })
  } finally {
    await pool.close()
  }
}
