import { wholes } from './doc.ts'
import { lowerProducts } from './lower/reductions.ts'
import { reduction } from './reduction.ts'

/** Products along axes. https://onnx.ai/onnx/operators/onnx__ReduceProd.html */
export const reduceProd = reduction({
  type: 'ReduceProd',
  doc: {
    integers:
      'products from left to right; before one could reach 2^52, the running product is shifted right, rounded; times a factor as in Mul',
    rows: '(k - 1)·n products, and requantisations where products are shifted',
    error: 'half a step of each shift, times the factors that follow; integers none',
    example: { inputs: [[2, 3]], constants: [wholes(1)] },
  },
  // relative errors add up, and small factors have large ones
  scaling: { inputStep: (step) => step / 256, nonNegative: (_, [x]) => x === true },
  of: (values) => values.reduce((p, v) => p * v, 1),
  lower: lowerProducts,
})
