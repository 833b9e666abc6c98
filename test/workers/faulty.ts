/** A worker that does what it is told, good or bad. */
import { parentPort } from 'node:worker_threads'
import { VeritensorError } from '../../src/errors.ts'
import { type Reply, toRecord } from '../../src/workers/tasks.ts'

export type FaultyTask =
  | { readonly kind: 'echo'; readonly value: unknown; readonly ms?: number }
  | { readonly kind: 'exit' | 'hoard' | 'hang' | 'typed' | 'untyped' | 'reject' | 'progress' }

export default async function run(request: { id: number; task: FaultyTask }): Promise<Reply> {
  const { id, task } = request
  switch (task.kind) {
    case 'echo':
      await new Promise((resolve) => setTimeout(resolve, task.ms ?? 0))
      return { value: task.value }
    case 'exit':
      return process.exit(3)
    case 'hoard': {
      const hoard: unknown[] = []
      for (;;) hoard.push(new Array(1e5).fill(hoard.length + Math.random()))
    }
    case 'hang':
      for (;;) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10)
    case 'typed': {
      const details = { row: 7, big: 5n, list: [1, 'a'], odd: Symbol('s') }
      return { error: toRecord(new VeritensorError('circuit/test', 'row 7', { details, fix: 'mend it' })) }
    }
    case 'untyped':
      return { error: toRecord(new TypeError('x is not a function')) }
    case 'reject':
      throw new RangeError('thrown past the record')
    case 'progress':
      for (const fraction of [0, 0.5, 0.4]) parentPort?.postMessage({ task: id, fraction, phase: `at ${fraction}` })
      await new Promise((resolve) => setTimeout(resolve, 100)) // messages and results take different ways
      return { value: 'done' }
  }
}
