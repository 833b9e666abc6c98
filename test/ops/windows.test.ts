import { expect, test } from 'vitest'
import { type WindowGeometry, windowCounts, windowTaps } from '../../src/ops/windows.ts'
import { seeded } from '../support/random.ts'

/** Position in the plane that a window sees, from the definition; undefined in the padding. */
function position(g: WindowGeometry, tap: readonly number[], output: readonly number[]): number | undefined {
  let at = 0
  for (let i = 0; i < tap.length; i++) {
    const along = output[i]! * g.strides[i]! + tap[i]! * g.dilations[i]! - g.padsBegin[i]!
    if (along < 0 || along >= g.inSpatial[i]!) return undefined
    at = at * g.inSpatial[i]! + along
  }
  return at
}

test('taps and counts agree with the definition', () => {
  const random = seeded(1)
  for (let round = 0; round < 100; round++) {
    const list = (lo: number, hi: number) => [random.integer(lo, hi), random.integer(lo, hi)]
    const g = {
      inSpatial: list(3, 6),
      kernel: list(1, 3),
      strides: list(1, 3),
      dilations: list(1, 2),
      padsBegin: list(0, 2),
      padsEnd: list(0, 2),
    }
    const outSpatial = g.inSpatial.map((size, i) => {
      const room = size + g.padsBegin[i]! + g.padsEnd[i]! - (g.kernel[i]! - 1) * g.dilations[i]! - 1
      return Math.max(1, Math.floor(room / g.strides[i]!) + 1)
    })
    const geometry = { ...g, outSpatial }
    const taps = windowTaps(geometry)
    const counts = windowCounts(geometry, 'does not count')
    const expected: number[] = []
    const seen = new Array<number>(outSpatial[0]! * outSpatial[1]!).fill(0)
    for (let a = 0; a < g.kernel[0]!; a++)
      for (let b = 0; b < g.kernel[1]!; b++)
        for (let o = 0; o < outSpatial[0]!; o++)
          for (let p = 0; p < outSpatial[1]!; p++) {
            const at = position(geometry, [a, b], [o, p])
            expected.push(at ?? -1)
            if (at !== undefined) seen[o * outSpatial[1]! + p]!++
          }
    expect([...taps]).toEqual(expected)
    expect([...counts]).toEqual(seen)
  }
})

test('elements beyond the padding do not count even where padding does', () => {
  const g = { inSpatial: [3], kernel: [2], strides: [2], dilations: [1], padsBegin: [0], padsEnd: [0], outSpatial: [2] }
  expect([...windowCounts(g, 'counts')]).toEqual([2, 1])
  expect([...windowCounts({ ...g, padsEnd: [1] }, 'counts')]).toEqual([2, 2])
})
