import { WEIGHT_ERROR, wholes } from './doc.ts'
import { lowerTaps, uniformTaps } from './lower/linear.ts'
import { reduction } from './reduction.ts'

/** Sums along axes. https://onnx.ai/onnx/operators/onnx__ReduceSum.html */
export const reduceSum = reduction({
  type: 'ReduceSum',
  doc: {
    integers: 'Σ round(s / sy · 2^S)·q',
    rows: '0',
    error: WEIGHT_ERROR,
    example: { inputs: [[2, 3]], constants: [wholes(1)] },
  },
  axesInput: 13,
  scaling: { nonNegative: (_, [x]) => x === true },
  of: (values) => values.reduce((s, v) => s + v, 0),
  lower: (context, x, groups, shape) =>
    lowerTaps(
      context,
      x,
      uniformTaps(groups, () => 1),
      shape,
    ),
})
