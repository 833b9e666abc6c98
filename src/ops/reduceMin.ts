import { wholes } from './doc.ts'
import { numericTypes } from './inputs.ts'
import { lowerExtreme } from './lower/pools.ts'
import { reduction } from './reduction.ts'

/** Least elements along axes. https://onnx.ai/onnx/operators/onnx__ReduceMin.html */
export const reduceMin = reduction({
  type: 'ReduceMin',
  doc: {
    integers: 'the negative of the largest of the negatives',
    rows: '(k - 1)·(b + 3) an element',
    error: 'none',
    example: { inputs: [[2, 3]], constants: [wholes(1)] },
  },
  types: [...numericTypes, 'bool'],
  scaling: { tied: true, wideInput: 'keeps' },
  of: (values) => values.reduce((m, v) => Math.min(m, v), Number.POSITIVE_INFINITY),
  lower: (context, x, groups, shape) => lowerExtreme(context, x, groups, shape, -1),
})
