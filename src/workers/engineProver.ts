/**
 * Proofs on our engine, in a pool of threads over one memory. *Throughput*: a proof is one task of one thread, as many at a
 * time as there are threads. *Latency*: all threads make one proof together, in pieces of some milliseconds; the main thread
 * waits for a pass to end before it hands out the next, so that no task ever waits for another.
 *
 * A thread that dies is replaced; its piece, or what the piece has half overwritten, is made again, once.
 * @module
 */
import { setImmediate } from 'node:timers/promises'
import type { ProofSums } from '../engine/assemble.ts'
import { type Msm, splitSum, type WeightedSums } from '../engine/msm.ts'
import { phaseShares, pieces, quotientSum, quotientWindows } from '../engine/prove.ts'
import type { Session } from '../engine/session.ts'
import type { Pass } from '../engine/transforms.ts'
import { AbortedError, VeritensorError } from '../errors.ts'
import { openGate } from './gate.ts'
import { createPlaces } from './places.ts'
import type { Pool, RunOptions } from './pool.ts'
import type { Finished, PieceTask, ProveResult, ProveTask, Source, TakenIn } from './tasks.ts'

/** How threads share the work; `auto` is latency for a proof that is alone, throughput otherwise. */
export type Mode = 'auto' | 'throughput' | 'latency'

export type EngineRun = RunOptions & { readonly mode?: Mode | undefined; readonly blinding?: ProveTask['blinding'] }

export type EngineProver = {
  prove(source: Source, options?: EngineRun): Promise<ProveResult>
  close(): Promise<void>
}

/** A piece of work without its room. */
type Piece = PieceTask extends infer T ? (T extends { readonly slot: number } ? Omit<T, 'slot'> : never) : never

/** What is made first when several pieces wait for a thread: what others wait for. */
const URGENT = 1
const FILLING = 0

/** The pool must take any number of tasks. */
export function openEngineProver(session: Session, pool: Pool, maxQueue: number, mode: Mode): EngineProver {
  const { layout, memory } = session
  const gate = openGate(pool.threads, maxQueue)
  const slots = createPlaces(layout.slots.length)
  const places = createPlaces(layout.proofs.length)
  const stopWord = (place: number) => new Int32Array(memory.buffer, layout.proofs[place]!.abort, 1)

  const throughput = async (source: Source, place: number, options: EngineRun): Promise<ProveResult> => {
    const { signal, onProgress, blinding } = options
    const slot = await slots.take(FILLING, signal)
    const stop = (): void => {
      Atomics.store(stopWord(place), 0, 1)
    }
    Atomics.store(stopWord(place), 0, signal?.aborted ? 1 : 0)
    signal?.addEventListener('abort', stop, { once: true })
    try {
      const task: ProveTask = { kind: 'prove', source, slot, place, blinding }
      return (await again(() => pool.run(task, { onProgress }))) as ProveResult
    } finally {
      signal?.removeEventListener('abort', stop)
      slots.give(slot)
    }
  }

  const latency = async (source: Source, place: number, options: EngineRun): Promise<ProveResult> => {
    const { signal, onProgress, blinding } = options
    const { key, proofs } = layout
    const threads = layout.slots.length
    const shares = phaseShares(key)
    const windows = quotientWindows(key, threads)
    let failed = false
    const run = async (piece: Piece, priority: number): Promise<unknown> => {
      const slot = await slots.take(priority, signal)
      try {
        if (failed || signal?.aborted) throw new AbortedError('the proof')
        return await pool.run({ ...piece, slot } as PieceTask)
      } finally {
        slots.give(slot)
      }
    }
    /** What fails for good keeps the pieces that still wait from being made. */
    const decisive = async <T>(work: Promise<T>): Promise<T> => {
      try {
        return await work
      } catch (error) {
        failed = true
        throw error
      }
    }
    /** Waits for all, so that no thread still works in the proof's room, then throws the first failure. */
    const all = async <T>(work: readonly Promise<T>[]): Promise<T[]> => {
      const first = Promise.all(work)
      first.catch(() => {})
      await Promise.allSettled(work)
      return await first
    }
    let done = 0
    const progress = (share: number, phase: string): void => {
      done += share
      onProgress?.(Math.min(done, 0.99), phase)
    }
    const sum = async (
      list: readonly Msm[],
      priority: number,
      share: number,
      phase: string,
    ): Promise<WeightedSums[]> => {
      const parts = list.flatMap((msm) => splitSum(msm, 2 * threads))
      return (await all(
        parts.map(async (msm) => {
          const result = await decisive(again(() => run({ kind: 'sum', msm }, priority)))
          progress(share / parts.length, phase)
          return result
        }),
      )) as WeightedSums[]
    }
    const pass = async (name: Pass, share: number): Promise<void> => {
      const parts = pieces(key, name, key.domain < 2 ** 13 ? 1 : 2 * threads)
      await all(
        parts.map(async ({ first, end }) => {
          await run({ kind: 'pass', place, pass: name, first, end }, URGENT)
          progress(share / parts.length, name === 'rows' ? 'rows' : 'polynomials')
        }),
      )
    }
    /** Passes overwrite what they read: if a thread dies, all are made again. */
    const quotient = async (): Promise<WeightedSums[]> => {
      const before = done
      const passes = async (): Promise<void> => {
        done = before
        await pass('rows', shares.rows)
        await pass('columns', shares.columns)
        await pass('results', shares.results)
      }
      await decisive(again(passes))
      return sum([quotientSum(key, proofs[place]!, windows)], URGENT, shares.h, 'sum H')
    }

    const started = performance.now()
    onProgress?.(0, 'witness')
    const taken = (await run({ kind: 'take-in', source, place, windows }, URGENT)) as TakenIn
    progress(shares.witness, 'rows')
    const { a, b1, b2, c } = taken.intake
    const [h, sumA, sumB1, sumB2, sumC] = (await all([
      quotient(),
      sum(a, FILLING, shares.a, 'sum A'),
      sum(b1, FILLING, shares.b1, 'sum B1'),
      sum(b2, FILLING, shares.b2, 'sum B2'),
      sum(c, FILLING, shares.c, 'sum C'),
    ])) as [WeightedSums[], WeightedSums[], WeightedSums[], WeightedSums[], WeightedSums[]]
    const sums: ProofSums = { a: sumA, b1: sumB1, b2: sumB2, c: sumC, h }
    const { publicSignals, witnessMs } = taken
    onProgress?.(1 - shares.check / 2, 'check') // the proof's assembly is part of this task
    const { proof, checkMs } = (await run({ kind: 'finish', sums, publicSignals, blinding }, URGENT)) as Finished
    onProgress?.(1, 'done')
    const proofMs = performance.now() - started - witnessMs - checkMs
    return { proof, publicSignals, stats: { witnessMs, proofMs, checkMs } }
  }

  const prove = async (source: Source, options: EngineRun): Promise<ProveResult> => {
    await gate.enter(options)
    try {
      const wanted = options.mode ?? mode
      await setImmediate() // calls that come at the same time are seen by each other
      const place = await places.take(FILLING, options.signal)
      try {
        const together = layout.slots.length > 1 && (gate.inside() === 1 || places.count === 1)
        const how = wanted === 'latency' || (wanted === 'auto' && together) ? latency : throughput
        return await how(source, place, options)
      } catch (error) {
        throw options.signal?.aborted ? new AbortedError('the proof') : error
      } finally {
        places.give(place)
      }
    } finally {
      gate.leave()
    }
  }
  return {
    prove: (source, options = {}) => gate.hold(() => prove(source, options)),
    close: () => gate.close(pool.close),
  }
}

/** Runs something again, once, if a thread died of it for no known reason. */
async function again<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof VeritensorError) || error.code !== 'internal/worker-died') throw error
    return await work()
  }
}
