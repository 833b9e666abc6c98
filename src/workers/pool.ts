/**
 * A pool of worker threads with a bounded queue: typed errors, progress, cancellation, and threads that die without
 * taking the pool along.
 * @module
 */
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { Piscina } from 'piscina'
import { AbortedError, VeritensorError } from '../errors.ts'
import { openGate } from './gate.ts'
import { loaderOf, moduleOf } from './modules.ts'
import { fromRecord, type ProgressMessage, type Reply } from './tasks.ts'

/** A thread ended in the midst of a task. The pool goes on with a new one. */
export class WorkerDiedError extends VeritensorError {
  constructor(reason: string, options: { readonly outOfMemory: boolean; readonly cause?: unknown }) {
    const { outOfMemory, cause } = options
    super(outOfMemory ? 'limit/worker-memory' : 'internal/worker-died', `a worker thread ended: ${reason}`, {
      details: { reason },
      fix: outOfMemory
        ? 'Use fewer threads or give each one more memory.'
        : 'Try again; please report it if it recurs.',
      cause,
    })
  }
}

export type RunOptions = {
  /** Ends the work at once; the thread is replaced. */
  readonly signal?: AbortSignal | undefined
  /** Called with the finished share in [0, 1], more each time and 1 at the end, and a word for what is being done. */
  readonly onProgress?: ((fraction: number, phase: string) => void) | undefined
  /** What to do when the queue is full: throw QueueFullError (default), or wait for room. */
  readonly whenFull?: 'refuse' | 'wait' | undefined
}

export type Pool = {
  readonly threads: number
  /** Runs a task. Throws what the worker threw, QueueFullError, WorkerDiedError, AbortedError or PoolClosedError. */
  run(task: unknown, options?: RunOptions): Promise<unknown>
  /** Takes no more tasks, waits for those that run or wait, and ends the threads. */
  close(): Promise<void>
}

export type ResourceLimits = { readonly maxOldGenerationSizeMb?: number; readonly maxYoungGenerationSizeMb?: number }

export type PoolOptions = {
  /** Default: as many as the machine can run at once. */
  readonly threads?: number | undefined
  /** Tasks that may wait while all threads are busy. Default: 2 for each thread. */
  readonly maxQueue?: number | undefined
  /** Given to each thread once. */
  readonly workerData?: unknown
  /** Limits of each thread's heap. WebAssembly memory does not count. */
  readonly resourceLimits?: ResourceLimits | undefined
  /** The module that the threads run, instead of worker.ts. */
  readonly workerUrl?: URL | undefined
}

/** How many threads are meant: by default as many as the machine can run at once. */
export const threadsOf = (wanted: number | undefined): number =>
  Math.max(1, Math.floor(wanted ?? availableParallelism()))

/** Starts the threads. The process can end while they idle. */
export function openPool(options: PoolOptions = {}): Pool {
  const threads = threadsOf(options.threads)
  const maxQueue = Math.max(0, Math.floor(options.maxQueue ?? 2 * threads))
  const module = options.workerUrl ?? moduleOf('worker')
  const loader = loaderOf(module)
  const piscina = new Piscina({
    filename: fileURLToPath(module),
    minThreads: threads,
    maxThreads: threads,
    maxQueue: Number.POSITIVE_INFINITY, // the bound is kept here
    workerData: options.workerData ?? {},
    ...(loader.length > 0 ? { execArgv: loader } : {}), // else that of this process
    ...(options.resourceLimits ? { resourceLimits: options.resourceLimits } : {}),
  })

  type Running = {
    readonly onProgress: (fraction: number, phase: string) => void
    readonly fail: (error: VeritensorError) => void
  }
  const running = new Map<number, Running>()
  const gate = openGate(threads, maxQueue)
  let nextId = 0

  piscina.on('message', (message: ProgressMessage) => {
    running.get(message?.task)?.onProgress(message.fraction, message.phase)
  })
  // a thread that can't start is reported here, not to the tasks; they would wait for ever
  piscina.on('error', (error: unknown) => {
    for (const task of running.values()) task.fail(died(error))
  })

  const run = async (task: unknown, options: RunOptions = {}): Promise<unknown> => {
    await gate.enter(options)
    const id = nextId++
    let last = -1
    const progress = (fraction: number, phase: string): void => {
      if (fraction <= last) return
      last = fraction
      options.onProgress?.(fraction, phase)
    }
    try {
      const reply = await new Promise<Reply>((resolve, reject) => {
        running.set(id, { onProgress: progress, fail: reject })
        const signal = options.signal ? { signal: options.signal } : {}
        piscina.run({ id, task }, signal).then(resolve, (error: unknown) => {
          reject(options.signal?.aborted ? new AbortedError('the task') : died(error))
        })
      })
      if ('error' in reply) throw fromRecord(reply.error)
      progress(1, 'done')
      return reply.value
    } finally {
      running.delete(id)
      gate.leave()
    }
  }

  return {
    threads,
    run: (task, options) => gate.hold(() => run(task, options)),
    close: () => gate.close(() => piscina.destroy()),
  }
}

/** The error for a thread that ended or could not start. */
function died(error: unknown): WorkerDiedError {
  const code = (error as { code?: unknown } | null)?.code
  const message = error instanceof Error ? error.message : String(error)
  return new WorkerDiedError(message, { outOfMemory: code === 'ERR_WORKER_OUT_OF_MEMORY', cause: error })
}
