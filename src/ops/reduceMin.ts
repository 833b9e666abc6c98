import { numericTypes } from './inputs.ts'
import { lowerExtreme } from './lower/pools.ts'
import { reduction } from './reduction.ts'

/** Least elements along axes. https://onnx.ai/onnx/operators/onnx__ReduceMin.html */
export const reduceMin = reduction({
  type: 'ReduceMin',
  types: [...numericTypes, 'bool'],
  scaling: { tied: true, wideInput: 'keeps' },
  of: (values) => values.reduce((m, v) => Math.min(m, v), Number.POSITIVE_INFINITY),
  lower: (context, x, groups, shape) => lowerExtreme(context, x, groups, shape, -1),
})
