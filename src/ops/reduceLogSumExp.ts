import { floatTypes } from '../tensor.ts'
import { wholes } from './doc.ts'
import { exponentStep, lowerLogSumExp } from './lower/softmax.ts'
import { reduction } from './reduction.ts'

/** ln Σ eᵛ without overflow; -∞ for no numbers. */
function logSumExp(values: readonly number[]): number {
  const most = values.reduce((m, v) => Math.max(m, v), Number.NEGATIVE_INFINITY)
  if (!Number.isFinite(most)) return most
  return most + Math.log(values.reduce((s, v) => s + Math.exp(v - most), 0))
}

/** ln Σ eˣ along axes. https://onnx.ai/onnx/operators/onnx__ReduceLogSumExp.html */
export const reduceLogSumExp = reduction({
  type: 'ReduceLogSumExp',
  doc: {
    integers: 'max + table of log T, as in LogSoftmax, times round(s / sy · 2^S)',
    rows: 'as LogSoftmax',
    error: 'as LogSoftmax',
    example: { inputs: [[2, 3]], constants: [wholes(1)] },
  },
  types: floatTypes,
  scaling: { wantsWide: true, inputStep: exponentStep },
  of: logSumExp,
  lower: lowerLogSumExp,
})
