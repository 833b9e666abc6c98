import { floatTypes } from '../tensor.ts'
import { WEIGHT_ERROR, wholes } from './doc.ts'
import { lowerTaps, uniformTaps } from './lower/linear.ts'
import { reduction } from './reduction.ts'

/** Means along axes. https://onnx.ai/onnx/operators/onnx__ReduceMean.html */
export const reduceMean = reduction({
  type: 'ReduceMean',
  doc: {
    integers: 'Σ round(s / (sy·k) · 2^S)·q',
    rows: '0',
    error: WEIGHT_ERROR,
    example: { inputs: [[2, 3]], constants: [wholes(1)] },
  },
  types: floatTypes,
  scaling: { nonNegative: (_, [x]) => x === true },
  of: (values) => values.reduce((s, v) => s + v, 0) / values.length,
  lower: (context, x, groups, shape) =>
    lowerTaps(
      context,
      x,
      uniformTaps(groups, ({ length }) => 1 / length),
      shape,
    ),
})
