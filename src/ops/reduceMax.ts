import { wholes } from './doc.ts'
import { numericTypes } from './inputs.ts'
import { lowerExtreme } from './lower/pools.ts'
import { reduction } from './reduction.ts'

/** Greatest elements along axes. https://onnx.ai/onnx/operators/onnx__ReduceMax.html */
export const reduceMax = reduction({
  type: 'ReduceMax',
  doc: {
    integers: 'the largest integer',
    rows: '(k - 1)·(b + 3) an element',
    error: 'none',
    example: { inputs: [[2, 3]], constants: [wholes(1)] },
  },
  types: [...numericTypes, 'bool'],
  scaling: { tied: true, wideInput: 'keeps' },
  of: (values) => values.reduce((m, v) => Math.max(m, v), Number.NEGATIVE_INFINITY),
  lower: (context, x, groups, shape) => lowerExtreme(context, x, groups, shape, 1),
})
