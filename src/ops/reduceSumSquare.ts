import { WEIGHT_ERROR, wholes } from './doc.ts'
import { lowerSumSquare } from './lower/reductions.ts'
import { reduction } from './reduction.ts'

/** Sums of squares along axes. https://onnx.ai/onnx/operators/onnx__ReduceSumSquare.html */
export const reduceSumSquare = reduction({
  type: 'ReduceSumSquare',
  doc: {
    integers: 'Σ q² exactly, times round(s² / sy · 2^S)',
    rows: 'N products',
    error: WEIGHT_ERROR,
    example: { inputs: [[2, 3]], constants: [wholes(1)] },
  },
  scaling: { nonNegative: () => true },
  of: (values) => values.reduce((s, v) => s + v * v, 0),
  lower: lowerSumSquare,
})
