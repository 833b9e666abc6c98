import { describe, expect, test } from 'vitest'
import { compile } from '../../src/compile.ts'
import { encodeModel } from '../../src/graph/onnx.ts'
import { analyse, prepareInteger } from '../../src/model/model.ts'
import { compileModel } from '../../src/pipeline/compileModel.ts'
import { counting, tensor } from '../support/tensors.ts'

/** Adds 2x2 windows of values in [2, 6]; the last row and column have no neighbour after them. */
const paddedAtTheEnd = encodeModel({
  opset: 13,
  inputs: [{ name: 'x', shape: [1, 1, 4, 4] }],
  outputs: [{ name: 'y' }],
  nodes: [
    { op: 'Clip', inputs: ['x', 'lo', 'hi'], outputs: ['a'] },
    { op: 'Conv', inputs: ['a', 'w'], outputs: ['c'], attributes: { auto_pad: { string: 'SAME_UPPER' } } },
    { op: 'Sigmoid', inputs: ['c'], outputs: ['y'] },
  ],
  initializers: { lo: tensor([], [2]), hi: tensor([], [6]), w: tensor([1, 1, 2, 2], [1, 1, 1, 1]) },
})

describe('bounds', () => {
  test('count the zeros of padding at the end alone', () => {
    const { model } = compileModel(paddedAtTheEnd, { calibration: [new Map([['x', counting([1, 1, 4, 4])]])] })
    const infos = analyse(model)
    for (const x of [model.inputs[0]!.lo, model.inputs[0]!.hi]) {
      const values = prepareInteger(model)([Array(16).fill(x)])
      values.forEach((value, i) => {
        const outside = Array.from(value, Number).filter((q) => !(q >= infos[i]!.lo && q <= infos[i]!.hi))
        expect(outside, `value ${i} leaves [${infos[i]!.lo}, ${infos[i]!.hi}]`).toEqual([])
      })
    }
    expect(() => compile(model, { input: 'public', output: 'public' })).not.toThrow()
  })
})

describe('bits of weights', () => {
  test.each([0, 1, 2.5, 25, Number.NaN])('%s are refused', (weightBits) => {
    const calibration = [new Map([['x', counting([1, 1, 4, 4])]])]
    expect(() => compileModel(paddedAtTheEnd, { calibration, weightBits })).toThrow(
      expect.objectContaining({ code: 'usage/bits' }),
    )
  })
})
