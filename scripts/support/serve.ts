import { CircuitError } from '../../circuits/error.ts'
import { VeritensorError } from '../../src/errors.ts'

/** Why a task ended early. `stack` only for errors that are nobody's intention. */
export type Reason = {
  readonly code: string
  readonly message: string
  readonly fix: string | null
  readonly stage: string
  readonly stack?: string
}

/** Categories of errors that are honest answers to a model. */
const refusals = ['usage', 'input', 'model', 'limit']

export const isRefusal = ({ code }: Pick<Reason, 'code'>): boolean => refusals.includes(code.split('/')[0]!)

/** What a child process sends: the stage that begins, what it found, or the error that ended it. */
export type Message<F> = { readonly stage: string } | { readonly found: F } | { readonly failed: Omit<Reason, 'stage'> }

/** How a task tells of stages and findings as they come. */
export type Tell<F> = { readonly stage: (stage: string) => void; readonly found: (found: F) => void }

function reasonOf(error: unknown): Omit<Reason, 'stage'> {
  if (error instanceof VeritensorError) {
    const stack = error.details.stack // of an error in a worker thread
    const { code, message, fix } = error
    return { code, message, fix: fix ?? null, ...(typeof stack === 'string' ? { stack } : {}) }
  }
  const { message, stack = '' } = error instanceof Error ? error : new Error(String(error))
  if (error instanceof CircuitError) return { code: error.code, message, fix: null, stack }
  return { code: 'internal/unexpected', message, fix: 'This is a bug of Veritensor.', stack }
}

/** In a process that `runTask` started: does the one task that it is sent, then ends. */
export function serve<T, F>(work: (task: T, tell: Tell<F>) => Promise<void> | void): void {
  const send = (message: Message<F>): Promise<void> =>
    new Promise((resolve) => {
      process.send!(message, () => resolve())
    })
  process.on('disconnect', () => process.exit(1)) // the parent is gone
  process.once('message', async (task: T) => {
    try {
      await work(task, { stage: (stage) => void send({ stage }), found: (found) => void send({ found }) })
    } catch (error) {
      await send({ failed: reasonOf(error) })
    }
    process.exit(0)
  })
}
