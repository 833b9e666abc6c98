import { floatTypes } from '../tensor.ts'
import { lowerLogSum } from './lower/reductions.ts'
import { reduction } from './reduction.ts'

/** ln Σ x along axes; -∞ for no numbers. https://onnx.ai/onnx/operators/onnx__ReduceLogSum.html */
export const reduceLogSum = reduction({
  type: 'ReduceLogSum',
  types: floatTypes,
  of: (values) => Math.log(values.reduce((s, v) => s + v, 0)),
  lower: lowerLogSum,
})
