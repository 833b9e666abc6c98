import { describe, expect, test } from 'vitest'
import {
  broadcastMap,
  broadcastShapes,
  exponentOf,
  integerRange,
  isSaneShape,
  roundToFloat,
  stridedMap,
  wrapInteger,
} from '../src/tensor.ts'

describe('broadcasting', () => {
  test.each([
    [[2, 3], [3], [2, 3]],
    [
      [2, 1],
      [1, 3],
      [2, 3],
    ],
    [[], [4], [4]],
    [[0], [1], [0]],
    [[2], [3], undefined],
  ])('%j with %j is %j', (a, b, result) => {
    expect(broadcastShapes(a, b)).toEqual(result)
    expect(broadcastShapes(b, a)).toEqual(result)
  })

  test('maps', () => {
    expect([...broadcastMap([2, 1], [2, 3])]).toEqual([0, 0, 0, 1, 1, 1])
    expect([...broadcastMap([3], [2, 3])]).toEqual([0, 1, 2, 0, 1, 2])
    expect([...broadcastMap([], [2])]).toEqual([0, 0])
    expect([...stridedMap([2, 2], [-2, 1], 2)]).toEqual([2, 3, 0, 1])
    expect([...stridedMap([2, 0], [1, 1])]).toEqual([])
  })
})

test('integers wrap into the range of their type', () => {
  expect([300, -1, -129, 128].map((v) => wrapInteger('int8', v))).toEqual([44, -1, 127, -128])
  expect([256, -1].map((v) => wrapInteger('uint8', v))).toEqual([0, 255])
  expect(wrapInteger('uint32', -1)).toBe(2 ** 32 - 1)
  expect(wrapInteger('float32', 1.5)).toBe(1.5)
  expect(integerRange('int16')).toEqual([-32768, 32767])
  expect(integerRange('bfloat16')).toBeUndefined()
})

test('floats round to the nearest of their type, ties to even', () => {
  expect(roundToFloat('float32', 0.1)).toBe(Math.fround(0.1))
  expect(roundToFloat('float64', 0.1)).toBe(0.1)
  expect(roundToFloat('float16', 1 + 2 ** -11)).toBe(1)
  expect(roundToFloat('float16', -1 - 3 * 2 ** -11)).toBe(-1 - 2 ** -9)
  expect(roundToFloat('float16', -1e6)).toBe(Number.NEGATIVE_INFINITY)
  expect(roundToFloat('bfloat16', Number.NaN)).toBeNaN()
  expect([1, 1.99, 2, 0.5, Number.MIN_VALUE].map(exponentOf)).toEqual([0, 0, 1, -1, -1023])
})

test('shapes that are too large are not sane', () => {
  expect([[], [2 ** 27], [0, 2 ** 27], Array(32).fill(1)].map(isSaneShape)).toEqual([true, true, true, true])
  expect([[2 ** 27, 2], [0, 2 ** 28], [-1], [1.5], [Number.NaN], Array(33).fill(1)].map(isSaneShape)).toEqual(
    Array(6).fill(false),
  )
})
