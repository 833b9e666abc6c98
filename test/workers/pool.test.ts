import { afterAll, describe, expect, test } from 'vitest'
import type { VeritensorError } from '../../src/errors.ts'
import { openPool, type PoolOptions } from '../../src/workers/pool.ts'
import { codeOf } from '../groth16/tools.ts'
import type { FaultyTask } from './faulty.ts'

const workerUrl = new URL('./faulty.ts', import.meta.url)
const pools: { close(): Promise<void> }[] = []
afterAll(() => Promise.all(pools.map((pool) => pool.close())))

function open(options: PoolOptions = {}) {
  const pool = openPool({ threads: 1, workerUrl, ...options })
  pools.push(pool)
  return { ...pool, run: (task: FaultyTask, options?: Parameters<typeof pool.run>[1]) => pool.run(task, options) }
}
const echo = (value: unknown, ms = 0): FaultyTask => ({ kind: 'echo', value, ms })

describe('a pool', () => {
  const pool = open({ threads: 2, maxQueue: 8, resourceLimits: { maxOldGenerationSizeMb: 64 } })

  test('runs tasks and returns values', async () => {
    expect(await Promise.all([1, 2n, { a: [3] }].map((value) => pool.run(echo(value))))).toEqual([1, 2n, { a: [3] }])
  })

  test('restores typed errors', async () => {
    const error = (await pool.run({ kind: 'typed' }).catch((e: unknown) => e)) as VeritensorError
    expect(error).toMatchObject({ code: 'circuit/test', message: 'row 7', fix: 'mend it', category: 'circuit' })
    expect(error.details).toEqual({ row: 7, big: 5n, list: [1, 'a'], odd: 'Symbol(s)' })
  })

  test('types errors that are not', async () => {
    expect(await codeOf(() => pool.run({ kind: 'untyped' }))).toBe('internal/unexpected')
    expect(await codeOf(() => pool.run({ kind: 'reject' }))).toBe('internal/worker-died')
  })

  test('reports progress of the task it belongs to', async () => {
    const seen: [number, string][] = []
    await pool.run({ kind: 'progress' }, { onProgress: (fraction, phase) => seen.push([fraction, phase]) })
    expect(seen).toEqual([
      [0, 'at 0'],
      [0.5, 'at 0.5'],
      [1, 'done'],
    ])
  })

  test('goes on after a thread has exited', async () => {
    expect(await codeOf(() => pool.run({ kind: 'exit' }))).toBe('internal/worker-died')
    expect(await pool.run(echo('alive'))).toBe('alive')
  })

  test('goes on after a thread has run out of memory', async () => {
    expect(await codeOf(() => pool.run({ kind: 'hoard' }))).toBe('limit/worker-memory')
    expect(await pool.run(echo('alive'))).toBe('alive')
  })

  test('ends a task whose signal fires, and goes on', async () => {
    const signal = AbortSignal.timeout(200)
    expect(await codeOf(() => pool.run({ kind: 'hang' }, { signal }))).toBe('aborted/by-caller')
    expect(await codeOf(() => pool.run(echo(1), { signal }))).toBe('aborted/by-caller')
    expect(await Promise.all([1, 2, 3].map((v) => pool.run(echo(v))))).toEqual([1, 2, 3])
  })

  test('one task that dies does not harm the others', async () => {
    const results = await Promise.allSettled([
      pool.run(echo('a', 300)),
      pool.run({ kind: 'exit' }),
      pool.run(echo('b')),
      pool.run(echo('c')),
    ])
    expect(results.map((r) => (r.status === 'fulfilled' ? r.value : r.reason.code))).toEqual([
      'a',
      'internal/worker-died',
      'b',
      'c',
    ])
  })
})

describe('a full queue', () => {
  test('is refused at once', async () => {
    const pool = open({ maxQueue: 1 })
    const running = [pool.run(echo('running', 300)), pool.run(echo('queued'))]
    expect(await codeOf(() => pool.run(echo('too many')))).toBe('limit/queue-full')
    expect(await Promise.all(running)).toEqual(['running', 'queued'])
    expect(await pool.run(echo('room again'))).toBe('room again')
  })

  test('can be waited for, in order', async () => {
    const pool = open({ maxQueue: 0 })
    const done: number[] = []
    const calls = [1, 2, 3, 4].map((n) =>
      pool.run(echo(n, 20), { whenFull: 'wait' }).then((value) => done.push(value as number)),
    )
    expect(await codeOf(() => pool.run(echo('impatient')))).toBe('limit/queue-full')
    await Promise.all(calls)
    expect(done).toEqual([1, 2, 3, 4])
  })

  test('no longer counts who has stopped waiting', async () => {
    const pool = open({ maxQueue: 0 })
    const first = pool.run(echo('first', 300))
    const abort = new AbortController()
    const second = codeOf(() => pool.run(echo('second'), { whenFull: 'wait', signal: abort.signal }))
    const third = pool.run(echo('third'), { whenFull: 'wait' })
    abort.abort()
    expect([await first, await second, await third]).toEqual(['first', 'aborted/by-caller', 'third'])
  })
})

test('closing waits for what was accepted and refuses the rest', async () => {
  const pool = open({ maxQueue: 1 })
  const tasks = [1, 2, 3].map((n) => pool.run(echo(n, 50), { whenFull: 'wait' }))
  const closed = pool.close()
  expect(await codeOf(() => pool.run(echo('late')))).toBe('usage/pool-closed')
  expect(await Promise.all(tasks)).toEqual([1, 2, 3])
  await closed
  expect(await codeOf(() => pool.run(echo('late')))).toBe('usage/pool-closed')
})

test('threads that cannot start fail their tasks instead of leaving them waiting', async () => {
  const pool = open({ threads: 2, workerUrl: new URL('./broken.ts', import.meta.url) })
  const codes = await Promise.all([1, 2, 3].map((n) => codeOf(() => pool.run(echo(n)))))
  expect(codes).toEqual(['internal/worker-died', 'internal/worker-died', 'internal/worker-died'])
})
