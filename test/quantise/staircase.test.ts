import { describe, expect, test } from 'vitest'
import { numbers } from '../../circuits/arithmetic.ts'
import { requantiseSum } from '../../src/ops/quantisation.ts'
import { offsetFor, ratioFor, staircaseOf, tiedRatioFor } from '../../src/quantise/staircase.ts'
import { seeded } from '../support/random.ts'

const SEED = 20261125

/** The function, and what the ratio found for it gives, at every place in a list. */
const compared = (f: (x: number) => number, range: readonly [number, number], slope: number, window = [-128, 127]) => {
  const [lo, hi] = window as [number, number]
  const stairs = staircaseOf(f, range, [lo, hi])
  const ratio = ratioFor(stairs, slope)
  if (ratio === undefined) throw new Error('no ratio was found')
  const check = (x: number): void => {
    const expected = Math.min(Math.max(f(x), lo), hi)
    const y = numbers.rescale(x, ratio, lo, hi)
    if (!Object.is(y, expected)) expect({ x, y }).toEqual({ x, y: expected })
  }
  return { stairs, ratio, check }
}

describe('staircases', () => {
  test('have the steps of the function', () => {
    const { starts, first } = staircaseOf((x) => Math.floor(x / 3), [-4, 7], [-1, 9])
    expect(first).toBe(-1)
    expect([...starts]).toEqual([0, 3, 6])
    expect([...staircaseOf((x) => 2 * x, [0, 2], [-9, 9]).starts]).toEqual([1, 1, 2, 2])
  })

  test('are refused an offset that is wrong anywhere', () => {
    const stairs = staircaseOf((x) => Math.floor((3 * x + 4) / 7), [-200, 200], [-128, 127])
    expect(offsetFor(stairs, 3, 7, false)).toBe(4)
    for (let i = 0; i < stairs.starts.length; i++) {
      const moved = { ...stairs, starts: stairs.starts.with(i, stairs.starts[i]! + 2) }
      expect(offsetFor(moved, 3, 7, false)).toBeUndefined()
    }
  })
})

describe('ratios', () => {
  test(`equal float rescalings at every accumulator, or at every step of long ranges (seed ${SEED})`, () => {
    const random = seeded(SEED)
    let p = 0
    for (let k = 0; k < 60; k++) {
      const factor = Math.fround(2 ** -(3 + 9 * random.unit()))
      const half = Math.round(2 ** (8 + 11 * random.unit()))
      const { ratio, stairs, check } = compared((x) => requantiseSum(x, factor), [-half, half], factor)
      p += Math.log2(ratio.p) / 60
      for (const x of stairs.starts) for (const near of [x - 1, x, x + 1]) check(Math.max(-half, Math.min(half, near)))
      for (let i = 0; i < 300; i++) check(random.integer(-half, half))
      check(-half)
      check(half)
    }
    // the largest p that a staircase of 255 steps needs has 8 bits; float rounding may ask for more
    expect(p).toBeLessThan(9)
  })

  test('name the places where float rounding leaves every line', () => {
    const factor = 0.00026519157108850777
    const { ratio, stairs, check } = compared((x) => requantiseSum(x, factor), [-411403, 411403], factor)
    expect(ratio.except?.length).toBeGreaterThan(0)
    for (const x of stairs.starts) for (const near of [x - 2, x - 1, x, x + 1]) check(near)
    for (const { at } of ratio.except!) check(at)
  })

  test('halves go to even', () => {
    for (const factor of [1 / 2, 1 / 4, 3 / 64, 2.5, 1, 5 / 3])
      for (const window of [
        [-128, 127],
        [-127, 128],
        [0, 255],
      ]) {
        const { check } = compared((x) => requantiseSum(x, Math.fround(factor)), [-3000, 3000], factor, window)
        for (let x = -3000; x <= 3000; x++) check(x)
      }
  })

  test('of simple fractions have ties that float rounding breaks one way or the other', () => {
    const factor = Math.fround(Math.fround(Math.fround(0.05) * Math.fround(0.02)) / Math.fround(0.21))
    const stairs = staircaseOf((x) => requantiseSum(x, factor), [-40000, 40000], [-128, 127])
    expect(ratioFor(stairs, factor)).toBeUndefined()
    const { ratio, down } = tiedRatioFor(stairs, factor)!
    expect(new Set(down)).toEqual(new Set([0, 1]))
    for (let x = -40000; x <= 40000; x++) {
      const y = numbers.rescale(x, ratio, -128, 127)
      const rest = ratio.p * x + ratio.r - ratio.q * y
      const got = y - (rest === 0 ? (down[y - stairs.first - 1] ?? 0) : 0)
      if (got !== Math.min(Math.max(requantiseSum(x, factor), -128), 127)) expect({ x, got }).toEqual({ x })
    }
  })

  test('of 16 bits are found for dyadic factors, and not where float rounding moves steps everywhere', () => {
    const range = [-(2 ** 21), 2 ** 21] as const
    const { stairs, check } = compared((x) => requantiseSum(x, 3 / 256), range, 3 / 256, [-32768, 32767])
    for (const x of stairs.starts) for (const near of [x - 1, x]) check(near)
    const rough = staircaseOf((x) => requantiseSum(x, Math.fround(0.0123)), range, [-32768, 32767])
    expect(ratioFor(rough, 0.0123)).toBeUndefined()
  })
})
