/**
 * Contributions to phase 2, and the check of a key against its ceremony, by snarkjs in a process of its own: its threads and
 * memory, and the toxic waste it knew, end with the process.
 * @module
 */
import { type ChildProcess, fork } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { totalmem } from 'node:os'
import { fileURLToPath } from 'node:url'
import { AbortedError, VeritensorError } from '../errors.ts'
import { KeyError } from '../groth16/keys.ts'
import { loaderOf, moduleOf } from './modules.ts'
import { WorkerDiedError } from './pool.ts'

/** The final public randomness of a ceremony. */
export type Beacon = {
  /** Bytes in hex that nobody could know before: a block hash of a later block, say. At most 255 bytes. */
  readonly hash: string
  /** The hash is iterated 2^iterationsExp times, 10 to 63. */
  readonly iterationsExp: number
}

/** What the child process does, one after the other; file names throughout. */
export type Phase2Step =
  | {
      readonly kind: 'contribute'
      readonly from: string
      readonly to: string
      readonly name: string
      readonly entropy: string
    }
  | { readonly kind: 'beacon'; readonly from: string; readonly to: string; readonly beacon: Beacon }
  | { readonly kind: 'verify'; readonly r1cs: string; readonly ptau: string; readonly zkey: string }

export type Phase2Answer = { readonly error?: string; readonly refused?: string }

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

/** Throws BeaconError unless a beacon has the form that snarkjs takes. */
export function checkBeacon({ hash, iterationsExp }: Beacon): void {
  if (!/^(?:[0-9a-f]{2}){1,255}$/i.test(hash)) throw new BeaconError('the hash is not 1 to 255 bytes')
  if (!(Number.isInteger(iterationsExp) && iterationsExp >= 10 && iterationsExp <= 63))
    throw new BeaconError(`the exponent ${iterationsExp} is not from 10 to 63`)
}

/** A step that adds a contribution with fresh entropy of the operating system. The name is kept in the key. */
export const contribution = (from: string, to: string, name: string): Phase2Step => ({
  ...{ kind: 'contribute', from, to, name },
  entropy: randomBytes(64).toString('hex'),
})

/**
 * Runs steps in a process of its own and waits for its end.
 *
 * Throws `key/setup-failed`, KeyError `key/unsafe` for a key that `verify` refuses, `aborted/by-caller`,
 * `internal/worker-died` and `limit/worker-memory`.
 */
export function runSteps(steps: readonly Phase2Step[], signal: AbortSignal | undefined): Promise<void> {
  const module = moduleOf('phase2Child')
  // snarkjs keeps the whole circuit in bigints: Node's default heap ends it early (snarkjs#397)
  const heap = Math.max(2048, Math.floor((0.75 * totalmem()) / 2 ** 20))
  const child: ChildProcess = fork(fileURLToPath(module), [], {
    execArgv: [...loaderOf(module), `--max-old-space-size=${heap}`],
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  })
  return new Promise<void>((resolve, reject) => {
    let answer: Phase2Answer | undefined
    const abort = (): void => {
      child.kill('SIGKILL')
    }
    signal?.addEventListener('abort', abort, { once: true })
    child.once('message', (message: Phase2Answer) => {
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
      else if (answer.refused !== undefined)
        reject(new KeyError('unsafe', `the key does not come from this ceremony: ${answer.refused}`))
      else resolve()
    })
    child.send(steps, (error) => {
      if (error) child.kill('SIGKILL')
    })
  })
}
