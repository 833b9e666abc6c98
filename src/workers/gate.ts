/**
 * Who may come in: a bounded number of calls runs or waits, the rest is refused or waits before the door.
 * @module
 */
import { setMaxListeners } from 'node:events'
import { AbortedError, VeritensorError } from '../errors.ts'

/** Every thread is busy and the queue is full. */
export class QueueFullError extends VeritensorError {
  constructor(running: number, maxQueue: number) {
    super('limit/queue-full', `${running} tasks run or wait already; the queue holds ${maxQueue}`, {
      details: { running, maxQueue },
      fix: 'Try again later, wait for room (`whenFull: "wait"`), or raise the number of threads or the queue.',
    })
  }
}

/** The pool was closed before or while the call was made. */
export class PoolClosedError extends VeritensorError {
  constructor() {
    super('usage/pool-closed', 'the pool of workers is closed', { fix: 'Open a new one.' })
  }
}

export type EnterOptions = {
  readonly signal?: AbortSignal | undefined
  /** What to do when the queue is full: throw QueueFullError (default), or wait for room. */
  readonly whenFull?: 'refuse' | 'wait' | undefined
}

export type Gate = {
  /** Calls that are in. */
  readonly inside: () => number
  /** Comes in, at once or later. Throws QueueFullError, PoolClosedError and AbortedError. */
  enter(options: EnterOptions): Promise<void>
  /** Goes out again: once for each `enter`. */
  leave(): void
  /** Makes a call that `close` waits for. */
  hold<T>(call: () => Promise<T>): Promise<T>
  /** Lets nobody in any more, waits for the calls that are held, and ends what is behind the gate, once. */
  close(end: () => Promise<void>): Promise<void>
}

/** A gate for `places` calls that run and `maxQueue` that wait. */
export function openGate(places: number, maxQueue: number): Gate {
  const capacity = places + maxQueue
  /** Calls that wait for room, in order. */
  const waiting = new Set<() => void>()
  const held = new Set<Promise<unknown>>()
  let taken = 0
  let closing: Promise<void> | undefined
  return {
    inside: () => taken,
    enter({ signal, whenFull }) {
      // one signal may stop any number of tasks; Node would take its listeners for a leak
      if (signal) setMaxListeners(0, signal)
      if (closing) return Promise.reject(new PoolClosedError())
      if (signal?.aborted) return Promise.reject(new AbortedError('the task'))
      if (taken < capacity && waiting.size === 0) {
        taken++
        return Promise.resolve()
      }
      if (whenFull !== 'wait') return Promise.reject(new QueueFullError(taken, maxQueue))
      return new Promise((resolve, reject) => {
        const admit = (): void => {
          signal?.removeEventListener('abort', abort)
          resolve()
        }
        const abort = (): void => {
          waiting.delete(admit)
          reject(new AbortedError('the task'))
        }
        waiting.add(admit)
        signal?.addEventListener('abort', abort, { once: true })
      })
    },
    leave() {
      taken--
      const [next] = waiting
      if (next === undefined || taken >= capacity) return
      waiting.delete(next)
      taken++ // the place passes on, so that nobody slips in between
      next()
    },
    hold(make) {
      const call = make()
      const settled = call.then(
        () => {},
        () => {},
      )
      held.add(settled)
      settled.then(() => held.delete(settled))
      return call
    },
    close(end) {
      closing ??= (async () => {
        await Promise.all(held)
        await end()
      })()
      return closing
    },
  }
}
