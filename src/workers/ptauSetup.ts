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
import { type R1cs, r1csChunks, r1csDigest } from '../groth16/r1cs.ts'
import { checkKeyOfCircuit, type ProvingKey, readZkey } from '../groth16/zkey.ts'
import { readShared, temporaryName, UnreadableFileError, writeAll, writeWhole } from './files.ts'
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
  readonly r1cs: string
  readonly ptau: string
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
  readonly signal?: AbortSignal | undefined
}

/** Reads the header of a ceremony's file. Throws UnreadableFileError and `key/malformed-ptau`. */
export function ptauInfo(path: string): PtauInfo {
  let fd: number
  try {
    fd = openSync(path, 'r')
  } catch (error) {
    throw new UnreadableFileError(path, error)
  }
  try {
    return readPtauInfo(fstatSync(fd).size, (position, length) => {
      const bytes = new Uint8Array(length)
      readSync(fd, bytes, 0, length, position)
      return bytes
    })
  } finally {
    closeSync(fd)
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
    r1cs: `${base}.r1cs`,
    fresh: `${base}.fresh`,
    contributed: `${base}.contributed`,
    out: `${base}.zkey`,
  }
  try {
    await writeWhole(files.r1cs, (fd) => {
      let position = 0
      for (const chunk of r1csChunks(circuit)) {
        writeAll(fd, position, chunk)
        position += chunk.length
      }
    })
    const request: PtauRequest = {
      ...files,
      ptau: resolve(options.ptau),
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
