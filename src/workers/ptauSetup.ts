/**
 * `setup --ptau FILE`: a key from a ceremony's powers of tau, with one contribution of phase 2 and, if wanted, a beacon.
 *
 * A key without a contribution has gamma = delta, and every statement can be forged with it: none is ever written.
 * @module
 */
import { type ChildProcess, fork } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { closeSync, fstatSync, openSync, readSync, renameSync, rmSync } from 'node:fs'
import { totalmem } from 'node:os'
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { AbortedError, VeritensorError } from '../errors.ts'
import { checkPtau, type PtauInfo, readPtauInfo } from '../groth16/ptau.ts'
import { type R1cs, r1csDigest } from '../groth16/r1cs.ts'
import { checkKeyOfCircuit, type ProvingKey, readZkey } from '../groth16/zkey.ts'
import { readShared, temporaryName, UnreadableFileError, writeAll, writeWhole } from './files.ts'
import { writeFreshKey } from './phase2.ts'
import { WorkerDiedError } from './pool.ts'

/** The final public randomness of a ceremony. */
export type Beacon = {
  /** Bytes in hex that nobody could know before: a block hash of a later block, say. At most 255 bytes. */
  readonly hash: string
  /** The hash is iterated 2^iterationsExp times, 10 to 63. */
  readonly iterationsExp: number
}

/** What the child process is asked; file names, and a hex string of entropy. */
export type PtauRequest = {
  readonly fresh: string
  readonly contributed: string
  readonly out: string
  readonly name: string
  readonly entropy: string
  readonly beacon: Beacon | undefined
}

export type PtauAnswer = { readonly error?: string }

/** snarkjs gave up on the key. */
export class SetupFailedError extends VeritensorError {
  constructor(reason: string) {
    super('key/setup-failed', `snarkjs could not make the key: ${reason}`, {
      details: { reason },
      fix: 'Check the ceremony file (`snarkjs powersoftau verify`).',
    })
  }
}

/** The beacon's form is wrong. */
export class BeaconError extends VeritensorError {
  constructor(what: string) {
    super('usage/beacon', `beacon: ${what}`, { fix: 'Give 1 to 255 bytes in hex and an exponent from 10 to 63.' })
  }
}

export type PtauSetupOptions = {
  /** The ceremony's file, prepared for phase 2. */
  readonly ptau: string
  /** Where the .zkey goes; it appears when it is complete and checked. */
  readonly path: string
  readonly beacon?: Beacon | undefined
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
    fd = openSync(path, 'r')
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
 * Sets up a key for a circuit. The contribution's entropy comes from the operating system; the process that knew the toxic
 * waste of this contribution ends with this call. Whether the ceremony's points are right is not checked here:
 * `snarkjs powersoftau verify` does that, once for each file.
 *
 * Throws `key/malformed-ptau`, `key/ptau-too-small`, `key/ptau-not-prepared`, `key/setup-failed`, `usage/beacon`,
 * `input/unreadable-file`, `aborted/by-caller`, `internal/worker-died` and `limit/worker-memory`.
 */
export async function setupPtau(circuit: R1cs, options: PtauSetupOptions): Promise<ProvingKey> {
  const { path, beacon, signal } = options
  if (signal?.aborted) throw new AbortedError('the setup')
  if (beacon && !/^(?:[0-9a-f]{2}){1,255}$/i.test(beacon.hash)) throw new BeaconError('the hash is not 1 to 255 bytes')
  if (beacon && !(Number.isInteger(beacon.iterationsExp) && beacon.iterationsExp >= 10 && beacon.iterationsExp <= 63))
    throw new BeaconError(`the exponent ${beacon.iterationsExp} is not from 10 to 63`)
  checkPtau(ptauInfo(options.ptau), circuit)

  const base = temporaryName(resolve(path))
  const files = {
    fresh: `${base}.fresh`,
    contributed: `${base}.contributed`,
    out: `${base}.zkey`,
  }
  try {
    const { threads, onProgress } = options
    await setupFresh(circuit, { ptau: options.ptau, path: files.fresh, threads, signal, onProgress })
    const request: PtauRequest = {
      ...files,
      name: r1csDigest(circuit), // names the circuit in the key
      entropy: randomBytes(64).toString('hex'),
      beacon,
    }
    await inChild(request, signal)
    const key = readZkey(readShared(files.out))
    checkKeyOfCircuit(key, circuit)
    renameSync(files.out, path)
    return key
  } finally {
    for (const file of Object.values(files)) rmSync(file, { force: true })
  }
}

/** Runs a request in a process of its own and waits for its end. */
function inChild(request: PtauRequest, signal: AbortSignal | undefined): Promise<void> {
  const source = import.meta.url.endsWith('.ts')
  const module = new URL(source ? './ptauChild.ts' : './ptauChild.js', import.meta.url)
  // snarkjs keeps the whole circuit in bigints: Node's default heap ends it early (snarkjs#397)
  const heap = Math.max(2048, Math.floor((0.75 * totalmem()) / 2 ** 20))
  const child: ChildProcess = fork(fileURLToPath(module), [], {
    execArgv: [...(source ? ['--import', 'tsx'] : []), `--max-old-space-size=${heap}`],
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  })
  return new Promise<void>((resolve, reject) => {
    let answer: PtauAnswer | undefined
    const abort = (): void => {
      child.kill('SIGKILL')
    }
    signal?.addEventListener('abort', abort, { once: true })
    child.once('message', (message: PtauAnswer) => {
      answer = message
    })
    child.once('error', (cause) => reject(new WorkerDiedError(cause.message, { outOfMemory: false, cause })))
    child.once('exit', (code, killed) => {
      signal?.removeEventListener('abort', abort)
      if (signal?.aborted) reject(new AbortedError('the setup'))
      else if (answer === undefined)
        // V8 ends a process without memory by SIGABRT, the kernel by SIGKILL
        reject(
          new WorkerDiedError(`the setup process ended with ${killed ?? `code ${code}`}`, {
            outOfMemory: killed === 'SIGABRT' || killed === 'SIGKILL' || code === 134,
          }),
        )
      else if (answer.error !== undefined) reject(new SetupFailedError(answer.error))
      else resolve()
    })
    child.send(request, (error) => {
      if (error) child.kill('SIGKILL')
    })
  })
}
