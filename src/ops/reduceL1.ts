import { WEIGHT_ERROR, wholes } from './doc.ts'
import { lowerL1 } from './lower/reductions.ts'
import { reduction } from './reduction.ts'

/** Sums of magnitudes along axes. https://onnx.ai/onnx/operators/onnx__ReduceL1.html */
export const reduceL1 = reduction({
  type: 'ReduceL1',
  doc: {
    integers: 'Σ |q| exactly, times round(s / sy · 2^S)',
    rows: '2·(b + 2) for each element of the input',
    error: WEIGHT_ERROR,
    example: { inputs: [[2, 3]], constants: [wholes(1)] },
  },
  scaling: { nonNegative: () => true },
  of: (values) => values.reduce((s, v) => s + Math.abs(v), 0),
  lower: lowerL1,
})
