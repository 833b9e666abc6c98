/**
 * The process in which one model is checked: takes a task, sends stages and findings, then an error if there was one.
 * @module
 */
import { CircuitError } from '../../circuits/error.ts'
import { VeritensorError } from '../../src/errors.ts'
import { checkModel, type Findings, type Task } from './check.ts'

/** Why a model was not proved. `stack` only for errors that are nobody's intention. */
export type Reason = {
  readonly code: string
  readonly message: string
  readonly fix: string | null
  readonly stage: string
  readonly stack?: string
}

export type Message =
  | { readonly stage: string }
  | { readonly found: Findings }
  | { readonly failed: Omit<Reason, 'stage'> }

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

const send = (message: Message): Promise<void> =>
  new Promise((resolve) => {
    process.send!(message, () => resolve())
  })

process.on('disconnect', () => process.exit(1)) // the parent is gone
process.once('message', async (task: Task) => {
  try {
    await checkModel(task, { stage: (stage) => void send({ stage }), found: (found) => void send({ found }) })
  } catch (error) {
    await send({ failed: reasonOf(error) })
  }
  process.exit(0)
})
