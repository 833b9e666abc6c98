/**
 * A pool in a process of its own that makes many proofs, one on each thread, and tells how long that took.
 */

import { setupDev } from '../../src/workers/devSetup.ts'
import { readShared } from '../../src/workers/files.ts'
import { openProver } from '../../src/workers/prover.ts'
import type { Checks } from '../../src/workers/tasks.ts'
import type { Prover } from './child.ts'
import { benchCircuit, type CircuitKind } from './circuits.ts'

export type ThroughputRequest = {
  readonly prover: Prover
  readonly circuit: CircuitKind
  readonly rows: number
  readonly threads: number
  /** Made in turn: this many proofs for each thread. */
  readonly proofs: number
  /** Which proofs are verified before they are given out. */
  readonly checks: Checks
  /** The key, and the quotient key beside it if it is to be used; written by the first child. */
  readonly zkey: string
  readonly qkey: string
  readonly withQuotient: boolean
  readonly setup: boolean
}

/** Medians of a thread's milliseconds for each step, and CPU milliseconds and bytes of the whole process. */
export type ThroughputResult = {
  readonly proofsPerSecond: number
  readonly cpuMs: number
  readonly witnessMs: number
  readonly proofMs: number
  readonly checkMs: number
  readonly residentBytes: number
}

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1]!

async function measure(request: ThroughputRequest): Promise<ThroughputResult> {
  const { prover: engine, rows, threads, proofs, checks, zkey, qkey } = request
  const { circuit, inputs } = benchCircuit(request.circuit, rows)
  if (request.setup) await setupDev(circuit, { path: zkey, quotientPath: qkey })
  const prover = await openProver({
    ...{ circuit, zkey: readShared(zkey), engine, threads, maxQueue: threads * proofs, mode: 'throughput', checks },
    qkey: request.withQuotient ? readShared(qkey) : undefined,
  })
  const many = (count: number) => Promise.all(Array.from({ length: count }, () => prover.prove(inputs)))
  await many(Math.max(2, proofs >> 2) * threads) // warms up
  const [cpu, start] = [process.cpuUsage(), performance.now()]
  const results = await many(threads * proofs)
  const seconds = (performance.now() - start) / 1000
  const { user, system } = process.cpuUsage(cpu)
  const of = (step: 'witnessMs' | 'proofMs' | 'checkMs'): number => median(results.map(({ stats }) => stats[step]))
  const residentBytes = process.memoryUsage().rss
  await prover.close()
  return {
    proofsPerSecond: results.length / seconds,
    cpuMs: (user + system) / 1000 / results.length,
    ...{ witnessMs: of('witnessMs'), proofMs: of('proofMs'), checkMs: of('checkMs') },
    residentBytes,
  }
}

process.once('disconnect', () => process.exit(0))
process.once('message', async (request: ThroughputRequest) => {
  process.send!((await measure(request)) satisfies ThroughputResult)
})
