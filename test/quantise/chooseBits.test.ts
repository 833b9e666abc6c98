import { describe, expect, test } from 'vitest'
import { encodeModel } from '../../src/graph/onnx.ts'
import { compileModel, importGraph } from '../../src/pipeline/compileModel.ts'
import { calibrate } from '../../src/quantise/calibrate.ts'
import { quantiseWithin } from '../../src/quantise/chooseBits.ts'
import { quantise, schemeOf } from '../../src/quantise/quantise.ts'
import { comparer, relativeTo, reportOn } from '../../src/quantise/report.ts'
import type { Tensor } from '../../src/tensor.ts'
import { seeded } from '../support/random.ts'

const SEED = 41

const floats = (shape: readonly number[], data: ArrayLike<number>): Tensor => ({
  dtype: 'float32',
  shape,
  data: Float64Array.from(data, Math.fround),
})

/** y = (x·W + 100) - (x·V + 100): what cancels leaves few of the bits. */
function cancelling(seed: number) {
  const random = seeded(seed)
  const weights = (): Tensor =>
    floats(
      [4, 3],
      Array.from({ length: 12 }, () => random.normal()),
    )
  const hundred = floats([3], [100, 100, 100])
  const onnx = encodeModel({
    opset: 13,
    inputs: [{ name: 'x', shape: [1, 4] }],
    outputs: [{ name: 'y' }],
    initializers: { W: weights(), V: weights(), c: hundred },
    nodes: [
      { op: 'Gemm', inputs: ['x', 'W', 'c'], outputs: ['a'] },
      { op: 'Relu', inputs: ['a'], outputs: ['p'] },
      { op: 'Gemm', inputs: ['x', 'V', 'c'], outputs: ['b'] },
      { op: 'Relu', inputs: ['b'], outputs: ['q'] },
      { op: 'Sub', inputs: ['p', 'q'], outputs: ['y'] },
    ],
  })
  const samples = Array.from(
    { length: 40 },
    () =>
      new Map([
        [
          'x',
          floats(
            [1, 4],
            Array.from({ length: 4 }, () => random.normal()),
          ),
        ],
      ]),
  )
  return { onnx, samples }
}

describe(`bits of activations (seed ${SEED})`, () => {
  const { onnx, samples } = cancelling(SEED)
  const graph = importGraph(onnx)
  const ranges = calibrate(graph, samples)
  const errorAt = (bits: number): number =>
    reportOn(samples.map(comparer(graph, quantise(graph, ranges, schemeOf(bits)), 'saturate'))).relativeError

  test('are the fewest that the tolerance allows', () => {
    const { scheme } = quantiseWithin(graph, ranges, samples.slice(0, 32), { tolerance: 0.01 })
    expect(scheme.bits).toBeGreaterThan(8)
    expect(scheme.weightBits).toBe(scheme.bits + 8)
    const some = samples.slice(0, 32)
    const error = (bits: number): number =>
      reportOn(some.map(comparer(graph, quantise(graph, ranges, schemeOf(bits)), 'saturate'))).relativeError
    expect(error(scheme.bits)).toBeLessThanOrEqual(0.01)
    for (let bits = 8; bits < scheme.bits; bits++) expect(error(bits)).toBeGreaterThan(0.01)
  })

  test('are the nearest where nothing is near enough', () => {
    const { scheme } = quantiseWithin(graph, ranges, samples, { tolerance: 1e-12 })
    const best = Math.min(...Array.from({ length: 9 }, (_, i) => errorAt(8 + i)))
    expect(errorAt(scheme.bits)).toBeLessThanOrEqual(2 * best)
  })

  test('are as asked for, and otherwise as the tolerance asks', () => {
    const bitsOf = (options: object): number => compileModel(onnx, { calibration: samples, ...options }).scheme.bits
    expect(bitsOf({ bits: 5 })).toBe(5)
    expect(bitsOf({ tolerance: 1 })).toBe(8)
    expect(compileModel(onnx, { calibration: samples }).report.relativeError).toBeLessThan(0.013)
    expect(() => bitsOf({ tolerance: 0 })).toThrow(expect.objectContaining({ code: 'usage/tolerance' }))
  })
})

test('an error is measured in shares of the spread, or of the magnitude of a constant', () => {
  expect(relativeTo({ error: 1, lo: -2, hi: 2 })).toBe(0.25)
  expect(relativeTo({ error: 1, lo: -4, hi: -4 })).toBe(0.25)
  expect(relativeTo({ error: 0, lo: 0, hi: 0 })).toBe(0)
  expect(relativeTo({ error: 0.1, lo: 0, hi: 0 })).toBe(1)
})
