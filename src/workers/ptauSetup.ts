/**
 * `setup --ptau FILE`: a key from a ceremony's powers of tau, with one contribution of phase 2 and, if wanted, a beacon.
 *
 * A key without a contribution has gamma = delta, and every statement can be forged with it: none is ever written.
 * @module
 */
import { createHash } from 'node:crypto'
import { closeSync, createReadStream, fstatSync, readSync, renameSync, rmSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { AbortedError, VeritensorError } from '../errors.ts'
import { openRegular } from '../files.ts'
import { checkPtau, type PtauInfo, readPtauInfo } from '../groth16/ptau.ts'
import { type R1cs, r1csChunks, r1csDigest } from '../groth16/r1cs.ts'
import { checkKeyOfCircuit, type ProvingKey, readZkey } from '../groth16/zkey.ts'
import { type Beacon, checkBeacon, contribution, type Phase2Step, runSteps } from './contributions.ts'
import { readShared, temporaryName, UnreadableFileError, writeAll, writeWhole } from './files.ts'
import { writeFreshKey } from './phase2.ts'

export type PtauSetupOptions = {
  /** The ceremony's file, prepared for phase 2. */
  readonly ptau: string
  /** Where the .zkey goes; it appears when it is complete and checked. */
  readonly path: string
  readonly beacon?: Beacon | undefined
  /** BLAKE2b-512 of the file, in hex, if it is to be compared. */
  readonly ptauDigest?: string | undefined
  /** Default: as many as the machine can run at once. */
  readonly threads?: number | undefined
  readonly signal?: AbortSignal | undefined
  /** Share done of the first and longest part, in [0, 1]. */
  readonly onProgress?: ((fraction: number) => void) | undefined
}

/** Opens a file for reading pieces of it. Throws UnreadableFileError. */
function openPieces(path: string) {
  let fd: number
  try {
    fd = openRegular(path)
  } catch (error) {
    throw new UnreadableFileError(path, error)
  }
  return {
    size: fstatSync(fd).size,
    read: (position: number, length: number): Uint8Array => {
      const bytes = new Uint8Array(length)
      for (let at = 0; at < length; ) {
        const read = readSync(fd, bytes, at, length - at, position + at)
        if (read === 0) throw new UnreadableFileError(path, new Error('it ends early'))
        at += read
      }
      return bytes
    },
    close: () => closeSync(fd),
  }
}

/** Reads the header of a ceremony's file. Throws UnreadableFileError and `key/malformed-ptau`. */
export function ptauInfo(path: string): PtauInfo {
  const { size, read, close } = openPieces(path)
  try {
    return readPtauInfo(size, read)
  } finally {
    close()
  }
}

export type FreshKeyOptions = {
  readonly ptau: string
  /** Where the key goes. **Anybody can forge proofs for it** until somebody has contributed. */
  readonly path: string
  readonly threads?: number | undefined
  readonly signal?: AbortSignal | undefined
  readonly onProgress?: ((fraction: number) => void) | undefined
}

/**
 * The key of phase 2 before any contribution, as `snarkjs zkey new` makes it.
 *
 * Throws as `setupPtau`, and `limit/engine-memory`.
 */
export async function setupFresh(circuit: R1cs, options: FreshKeyOptions): Promise<void> {
  const { path, threads, signal, onProgress } = options
  const { size, read, close } = openPieces(options.ptau)
  try {
    const info = readPtauInfo(size, read)
    checkPtau(info, circuit)
    await writeWhole(path, (fd) =>
      writeFreshKey(circuit, {
        ...{ info, read, threads, signal, onProgress },
        write: (position, bytes) => writeAll(fd, position, bytes),
      }),
    )
  } finally {
    close()
  }
}

/**
 * Sets up a key for a circuit, with one contribution. The contribution's entropy comes from the operating system; the process
 * that knew the toxic waste of this contribution ends with this call. Whether the ceremony's points are right is not checked
 * here: compare the file's digest with the published one (`ptauDigest`), or run `snarkjs powersoftau verify`.
 *
 * Throws `key/malformed-ptau`, `key/ptau-too-small`, `key/ptau-not-prepared`, `key/ptau-digest`, `key/setup-failed`,
 * `usage/beacon`, `input/unreadable-file`, `limit/engine-memory`, `aborted/by-caller`, `internal/worker-died` and
 * `limit/worker-memory`.
 */
export async function setupPtau(circuit: R1cs, options: PtauSetupOptions): Promise<ProvingKey> {
  const { path, beacon, signal, threads, onProgress, ptauDigest } = options
  if (signal?.aborted) throw new AbortedError('the setup')
  if (beacon) checkBeacon(beacon)
  checkPtau(ptauInfo(options.ptau), circuit)
  if (ptauDigest !== undefined) await checkPtauDigest(options.ptau, ptauDigest)

  const base = temporaryName(resolve(path))
  const files = { fresh: `${base}.fresh`, contributed: `${base}.contributed`, out: `${base}.zkey` }
  try {
    await setupFresh(circuit, { ptau: options.ptau, path: files.fresh, threads, signal, onProgress })
    // the contribution's name is the circuit's digest
    const first = contribution(files.fresh, beacon ? files.contributed : files.out, r1csDigest(circuit))
    const last: Phase2Step[] = beacon ? [{ kind: 'beacon', from: files.contributed, to: files.out, beacon }] : []
    await runSteps([first, ...last], signal)
    const key = readZkey(readShared(files.out))
    checkKeyOfCircuit(key, circuit)
    renameSync(files.out, path)
    return key
  } finally {
    for (const file of Object.values(files)) rmSync(file, { force: true })
  }
}

/** The ceremony's file is not the one that was meant. */
export class PtauDigestError extends VeritensorError {
  constructor(path: string, got: string, wanted: string) {
    super('key/ptau-digest', `${path} has the BLAKE2b digest ${got}, not ${wanted}`, {
      details: { path, got, wanted },
      fix: 'Download the ceremony file again, and compare the digest with the one that the ceremony published.',
    })
  }
}

/** Compares a file with its BLAKE2b-512 digest in hex. Throws PtauDigestError and UnreadableFileError. */
export async function checkPtauDigest(path: string, digest: string): Promise<void> {
  const hash = createHash('blake2b512')
  try {
    await pipeline(createReadStream(path, { fd: openRegular(path) }), hash)
  } catch (error) {
    throw new UnreadableFileError(path, error)
  }
  const got = hash.digest('hex')
  if (got !== digest.toLowerCase()) throw new PtauDigestError(path, got, digest)
}

export type VerifyKeyOptions = {
  readonly ptau: string
  readonly zkey: string
  readonly signal?: AbortSignal | undefined
}

/**
 * Checks that a key comes from a ceremony and belongs to a circuit, point by point, with all its contributions (snarkjs).
 *
 * Throws KeyError `key/unsafe` and `key/other-circuit`, and as `runSteps` and `readZkey`.
 */
export async function verifyPtauKey(circuit: R1cs, { ptau, zkey, signal }: VerifyKeyOptions): Promise<ProvingKey> {
  checkPtau(ptauInfo(ptau), circuit)
  const key = readZkey(readShared(zkey))
  checkKeyOfCircuit(key, circuit)
  const folder = await mkdtemp(join(tmpdir(), 'veritensor-verify-'))
  const r1cs = join(folder, 'circuit.r1cs')
  try {
    await writeWhole(r1cs, (fd) => {
      let position = 0
      for (const chunk of r1csChunks(circuit)) {
        writeAll(fd, position, chunk)
        position += chunk.length
      }
    })
    await runSteps([{ kind: 'verify', r1cs, ptau: resolve(ptau), zkey: resolve(zkey) }], signal)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
  return key
}
