import { floatTypes } from '../tensor.ts'
import { wholes } from './doc.ts'
import { lowerLogSum } from './lower/reductions.ts'
import { reduction } from './reduction.ts'

/** ln Σ x along axes; -∞ for no numbers. https://onnx.ai/onnx/operators/onnx__ReduceLogSum.html */
export const reduceLogSum = reduction({
  type: 'ReduceLogSum',
  doc: {
    integers:
      'a table of log over i = ⌊Σ q / 2^d + 1/2⌋, as for Log; Σ q exact, d the least for which twice the calibrated range has 16 bits',
    rows: 'a requantisation and a table of 16 bits an element',
    error: 'as Log, and that of half a step of i',
    example: { inputs: [[2, 3]], constants: [wholes(1)], positive: true },
  },
  types: floatTypes,
  of: (values) => Math.log(values.reduce((s, v) => s + v, 0)),
  lower: lowerLogSum,
})
