import { afterEach, expect, test, vi } from 'vitest'
import { callFrom, callSite } from '../../src/engine/stack.ts'

afterEach(() => vi.restoreAllMocks())

test('a call that is slow makes the next one come from eight bytes on, and back; results are passed on', () => {
  let now = 0
  vi.spyOn(performance, 'now').mockImplementation(() => now)
  const site = callSite()
  const counts: number[] = []
  const call = (time: number, work = 1): number =>
    callFrom(
      site,
      work,
      (x: number, ...rest: number[]) => {
        now += time
        counts.push(rest.length)
        return x + 1
      },
      [41],
    )
  for (const [time, work] of [
    [10, 1], // the first is the best
    [10, 1],
    [100, 10], // as fast for its work
    [20, 1], // slow
    [10, 1],
    [0.1, 0.001], // too short to tell
    [12, 1], // slow again
    [10, 1],
  ] as const)
    expect(call(time, work)).toBe(42)
  expect(counts).toEqual([0, 0, 0, 0, 1, 1, 1, 0])
})
