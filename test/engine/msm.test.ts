import { describe, expect, test } from 'vitest'
import { weightedSum } from '../../src/engine/assemble.ts'
import { bestWidth, MAX_WIDTH, type Msm, multiScalar, splitSum, wideWidth, windowsOf } from '../../src/engine/msm.ts'
import { type Group, POINT_BYTES, type Runtime, writeInteger } from '../../src/engine/runtime.ts'
import { integers } from '../groth16/circuits.ts'
import { bigintegers, type CurvePoint, curves, ROOM, testRuntime, variants, writePoints } from './support.ts'

const POINTS = ROOM
const INTEGERS = ROOM + (1 << 20)
const POINTERS = ROOM + (2 << 20)
const STAGING = ROOM + (3 << 20)

/** How the points of a test are made from a table of multiples 1 … 64 of the generator. */
const kinds: Readonly<Record<string, (random: (n: number) => number, i: number) => number>> = {
  random: (random) => (random(64) + 1) * (random(2) * 2 - 1),
  'all equal': () => 5,
  'equal and opposite': (_, i) => (i % 2 === 0 ? 7 : -7),
  // 1 + 2 = 3, 3 - 1 - 2 = 0: sums of sums meet
  'small multiples': (random, i) => ((i % 3) + 1) * (random(2) * 2 - 1),
}

type Case = { readonly n: number; readonly kind: string; readonly bits: number; readonly width?: number }

function prepare(runtime: Runtime, group: Group, { n, kind, bits, width }: Case) {
  const random = integers(n + bits)
  const big = bigintegers(n + bits)
  const table: CurvePoint[] = [curves[group].BASE]
  while (table.length < 64) table.push(table.at(-1)!.add(curves[group].BASE))
  writePoints(runtime, group, table, POINTS, STAGING)
  const counts = new Float64Array(254)
  const terms = Array.from({ length: n }, (_, i) => {
    const multiple = kinds[kind]!(random, i)
    const k = kind === 'all equal' ? BigInt(n % 7) : big(bits) & ((1n << BigInt(bits)) - 1n)
    counts[k.toString(2).length]!++
    return { multiple, k }
  })
  const windows = windowsOf(bits, width ?? bestWidth(group, counts))
  const stride = bits <= 53 ? 8 : 32
  let expected = 0n
  terms.forEach(({ multiple, k }, i) => {
    writeInteger(runtime.words, INTEGERS + stride * i, k + windows.bias)
    const pointer = POINTS + POINT_BYTES[group] * (Math.abs(multiple) - 1)
    runtime.words[POINTERS / 4 + i] = multiple < 0 ? pointer + 1 : pointer
    expected += BigInt(multiple) * k
  })
  const msm: Msm = {
    ...{ group, integers: INTEGERS, stride, pointers: POINTERS, count: n, windows },
    ...{ firstWindow: 0, windowCount: windows.count, multiples: 0 },
  }
  const { Fn, BASE } = curves[group]
  return { msm, expected: BASE.multiplyUnsafe(Fn.create(expected)) }
}

describe.each(variants)('%s: sums equal naive ones', (variant) => {
  const runtime = testRuntime(variant, 4 << 20)
  const check = (group: Group, one: Case): void => {
    const { msm, expected } = prepare(runtime, group, one)
    const sum = weightedSum[group]([multiScalar(runtime, msm)]) as CurvePoint
    expect([group, one, sum.equals(expected)]).toEqual([group, one, true])
  }

  test.each(['g1', 'g2'] as const)('%s, few points of every kind', (group) => {
    for (const kind of Object.keys(kinds))
      for (const n of [0, 1, 2, 3, 5, 17, 64, 200])
        for (const [bits, width] of [[1], [8], [20, 3], [53, 7], [253, 6]] as const)
          check(group, { n, kind, bits, ...(width === undefined ? {} : { width }) })
  })

  test.each(['g1', 'g2'] as const)('%s, 4,096 points', (group) => {
    check(group, { n: 4096, kind: 'random', bits: 8 })
    check(group, { n: 4096, kind: 'small multiples', bits: 16 })
    if (group === 'g1') check(group, { n: 4096, kind: 'random', bits: 253, width: 11 })
  })

  test('more points than one round takes keep their buckets', () => {
    check('g2', { n: 40_000, kind: 'random', bits: 4 })
  })

  test.each(['g1', 'g2'] as const)('%s, windows that share their buckets, by multiples of the points', (group) => {
    for (const n of [0, 1, 2, 30, 200]) {
      const { msm, expected } = prepare(runtime, group, { n, kind: 'small multiples', bits: 60, width: 7 })
      const multiples = 64 * POINT_BYTES[group]
      for (let w = 1; w < msm.windows.count; w++) {
        const points = [1n, 2n, 3n].map((k) => curves[group].BASE.multiplyUnsafe(k << BigInt(7 * w)))
        writePoints(runtime, group, points, POINTS + multiples * w, STAGING)
      }
      const parts = splitSum({ ...msm, multiples }, 3)
      const sums = parts.map((part) => multiScalar(runtime, part))
      expect((weightedSum[group](sums) as CurvePoint).equals(expected)).toBe(true)
    }
  })

  test('parts add up to the whole', () => {
    for (const one of [
      { n: 3000, kind: 'random', bits: 100, width: 5 },
      { n: 60_000, kind: 'random', bits: 7 },
    ]) {
      const { msm, expected } = prepare(runtime, 'g1', one)
      const parts = splitSum(msm, 5)
      expect(parts.length).toBeGreaterThan(1)
      const sums = parts.map((part) => multiScalar(runtime, part))
      expect(weightedSum.g1(sums).equals(expected as never)).toBe(true)
    }
  })
})

test('rooms may lie beyond 2 GiB', () => {
  const runtime = testRuntime('int', 2 ** 31)
  for (const group of ['g1', 'g2'] as const) {
    const { msm, expected } = prepare(runtime, group, { n: 300, kind: 'small multiples', bits: 100, width: 5 })
    expect((weightedSum[group]([multiScalar(runtime, msm)]) as CurvePoint).equals(expected)).toBe(true)
  }
})

test('windows hold every digit', () => {
  for (let width = 2; width <= 16; width++)
    for (const bits of [1, 2, 8, 31, 53, 253]) {
      const { count, bias } = windowsOf(bits, width)
      for (const k of [0n, 1n, (1n << BigInt(bits)) - 1n, 1n << BigInt(bits - 1)]) {
        let sum = 0n
        for (let w = 0; w < count; w++) {
          const digit = ((k + bias) >> BigInt(w * width)) & ((1n << BigInt(width)) - 1n)
          const half = w === count - 1 ? 0n : 1n << BigInt(width - 1)
          expect(digit - half <= 1n << BigInt(width - 1)).toBe(true)
          sum += (digit - half) << BigInt(w * width)
        }
        expect(sum).toBe(k)
        expect((k + bias) >> BigInt(width * count)).toBe(0n)
      }
    }
})

test('widths stay within bounds', () => {
  const counts = new Float64Array(254)
  for (const n of [1, 100, 1e4, 1e6, 1e8]) {
    counts[253] = n
    for (const group of ['g1', 'g2'] as const) {
      expect(bestWidth(group, counts)).toBeLessThanOrEqual(MAX_WIDTH[group])
      expect(bestWidth(group, counts)).toBeGreaterThanOrEqual(2)
    }
    expect(wideWidth(n, 253, 4)).toBeLessThanOrEqual(MAX_WIDTH.g1)
  }
})
