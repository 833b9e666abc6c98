import { floatTypes } from '../tensor.ts'
import { lowerL2 } from './lower/reductions.ts'
import { reduction } from './reduction.ts'

/**
 * Euclidean lengths along axes. Maximum error: one step of the output for the rounded input, above one sixteenth of its range;
 * 3 % of the range below.
 * https://onnx.ai/onnx/operators/onnx__ReduceL2.html
 */
export const reduceL2 = reduction({
  type: 'ReduceL2',
  types: floatTypes,
  scaling: { nonNegative: () => true },
  of: (values) => Math.sqrt(values.reduce((s, v) => s + v * v, 0)),
  lower: lowerL2,
})
