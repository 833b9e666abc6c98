/**
 * `setup --dev`: a development key in a file, its points multiplied in worker threads.
 * @module
 */
import { getRandomValues } from 'node:crypto'
import { rmSync } from 'node:fs'
import { drawSecrets, type Secrets, writeDevKey } from '../groth16/devSetup.ts'
import type { R1cs } from '../groth16/r1cs.ts'
import { writeAll, writeWhole } from './files.ts'
import { openMultiplier } from './multiplier.ts'

export type DevSetupOptions = {
  /** Where the .zkey goes; it appears when it is complete. */
  readonly path: string
  /** Where the quotient key goes, if one is wanted; it appears just before the .zkey. */
  readonly quotientPath?: string | undefined
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
  const { path, quotientPath, signal, onProgress } = options
  const multiplier = openMultiplier(options.threads)
  // a task that ends early must not leave the others waiting for a thread
  const stop = new AbortController()
  const stopped = signal ? AbortSignal.any([signal, stop.signal]) : stop.signal
  try {
    const into = async (fd: number, quotientFd?: number): Promise<void> => {
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
        writeQuotient:
          quotientFd === undefined ? undefined : (position, bytes) => writeAll(quotientFd, position, bytes),
        signal,
        onProgress,
      })
    }
    if (quotientPath === undefined) return await writeWhole(path, into)
    let there = false
    try {
      await writeWhole(path, async (fd) => {
        await writeWhole(quotientPath, (quotientFd) => into(fd, quotientFd))
        there = true
      })
    } catch (error) {
      if (there) rmSync(quotientPath, { force: true })
      throw error
    }
  } finally {
    await multiplier.close()
  }
}
