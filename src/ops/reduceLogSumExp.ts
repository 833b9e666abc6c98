import { floatTypes } from '../tensor.ts'
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
  types: floatTypes,
  scaling: { wantsWide: true, inputStep: exponentStep },
  of: logSumExp,
  lower: lowerLogSumExp,
})
