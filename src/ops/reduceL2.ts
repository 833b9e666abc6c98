import { floatTypes } from '../tensor.ts'
import { wholes } from './doc.ts'
import { lowerL2 } from './lower/reductions.ts'
import { reduction } from './reduction.ts'

/**
 * Euclidean lengths along axes. Maximum error: one step of the output for the rounded input, above one sixteenth of its range;
 * 3 % of the range below.
 * https://onnx.ai/onnx/operators/onnx__ReduceL2.html
 */
export const reduceL2 = reduction({
  type: 'ReduceL2',
  doc: {
    integers:
      'a table of √ over i = ⌊Σ q² / 2^d + 1/2⌋, as for Sqrt; Σ q² exact, d the least for which twice the calibrated range has 16 bits',
    rows: 'N products; a requantisation and a table of 16 bits an element',
    error: 'as Sqrt, and that of half a step of i; beyond twice the calibrated range it counts as that',
    example: { inputs: [[2, 3]], constants: [wholes(1)] },
  },
  types: floatTypes,
  scaling: { nonNegative: () => true },
  of: (values) => Math.sqrt(values.reduce((s, v) => s + v * v, 0)),
  lower: lowerL2,
})
