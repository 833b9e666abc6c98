import { lowerSumSquare } from './lower/reductions.ts'
import { reduction } from './reduction.ts'

/** Sums of squares along axes. https://onnx.ai/onnx/operators/onnx__ReduceSumSquare.html */
export const reduceSumSquare = reduction({
  type: 'ReduceSumSquare',
  scaling: { nonNegative: () => true },
  of: (values) => values.reduce((s, v) => s + v * v, 0),
  lower: lowerSumSquare,
})
