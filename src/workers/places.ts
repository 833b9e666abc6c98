/**
 * Numbered places of which there are only so many: rooms in a shared memory.
 * @module
 */
import { AbortedError } from '../errors.ts'

export type Places = {
  readonly count: number
  /** A free place, as soon as there is one; calls of higher priority first. Throws AbortedError if the signal fires before. */
  take(priority: number, signal?: AbortSignal | undefined): Promise<number>
  give(place: number): void
}

export function createPlaces(count: number): Places {
  const free = Array.from({ length: count }, (_, i) => i)
  const waiting: { readonly priority: number; readonly admit: (place: number) => void }[] = []
  return {
    count,
    take(priority, signal) {
      if (signal?.aborted) return Promise.reject(new AbortedError('the task'))
      const place = free.shift()
      if (place !== undefined) return Promise.resolve(place)
      return new Promise((resolve, reject) => {
        const entry = {
          priority,
          admit(given: number) {
            signal?.removeEventListener('abort', abort)
            resolve(given)
          },
        }
        const abort = (): void => {
          waiting.splice(waiting.indexOf(entry), 1)
          reject(new AbortedError('the task'))
        }
        const behind = waiting.findIndex((other) => other.priority < priority)
        waiting.splice(behind < 0 ? waiting.length : behind, 0, entry)
        signal?.addEventListener('abort', abort, { once: true })
      })
    },
    give(place) {
      const next = waiting.shift()
      if (next === undefined) free.push(place)
      else next.admit(place)
    },
  }
}
