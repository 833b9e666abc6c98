/**
 * `setup --dev`: a development key in a file, its points multiplied in worker threads.
 * @module
 */
import { getRandomValues } from 'node:crypto'
import { drawSecrets, type Secrets, writeDevKey } from '../groth16/devSetup.ts'
import type { R1cs } from '../groth16/r1cs.ts'
import { writeAll, writeWhole } from './files.ts'
import { openMultiplier } from './multiplier.ts'

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
  const multiplier = openMultiplier(options.threads)
  // a task that ends early must not leave the others waiting for a thread
  const stop = new AbortController()
  const stopped = signal ? AbortSignal.any([signal, stop.signal]) : stop.signal
  try {
    await writeWhole(path, async (fd) => {
      const secrets = options.secrets ?? drawSecrets((bytes) => getRandomValues(bytes))
      await writeDevKey(circuit, secrets, {
        blocks: multiplier.blocks,
        multiply: async (group, scalars) => {
          try {
            return await multiplier.multiply(group, scalars, stopped)
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
    await multiplier.close()
  }
}
