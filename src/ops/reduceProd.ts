import { lowerProducts } from './lower/reductions.ts'
import { reduction } from './reduction.ts'

/** Products along axes. https://onnx.ai/onnx/operators/onnx__ReduceProd.html */
export const reduceProd = reduction({
  type: 'ReduceProd',
  // relative errors add up, and small factors have large ones
  scaling: { inputStep: (step) => step / 256, nonNegative: (_, [x]) => x === true },
  of: (values) => values.reduce((p, v) => p * v, 1),
  lower: lowerProducts,
})
