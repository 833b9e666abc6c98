import { lowerL1 } from './lower/reductions.ts'
import { reduction } from './reduction.ts'

/** Sums of magnitudes along axes. https://onnx.ai/onnx/operators/onnx__ReduceL1.html */
export const reduceL1 = reduction({
  type: 'ReduceL1',
  scaling: { nonNegative: () => true },
  of: (values) => values.reduce((s, v) => s + Math.abs(v), 0),
  lower: lowerL1,
})
