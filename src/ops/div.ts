import { isFloat } from '../tensor.ts'
import { attributesOf } from './attributes.ts'
import { computeBinary, inferBinary } from './elementwise.ts'
import { invalid, typeAt } from './inputs.ts'
import { lowerScale } from './lower/elementwise.ts'
import { lowerQuotient, lowerWholeQuotient } from './lower/quotient.ts'
import type { Op } from './op.ts'

/**
 * y = a / b, elementwise over broadcast tensors; integers towards zero. By a constant it is a multiplication; by a tensor the
 * error is half a step of the output for the rounded inputs, plus 1/512 of the result. A divisor that is rounded to 0 counts
 * as one step. https://onnx.ai/onnx/operators/onnx__Div.html
 */
export const div: Op = {
  type: 'Div',
  domain: '',
  opsets: [7, 25],
  arity: [2, 2],
  doc: {
    integers:
      'by a constant as Mul; of two computed tensors ⌊K·a·sgn(b) / max(|b|, 1) + 1/2⌋ in steps of sy / 2^S, K = round(sa / (sb·sy) · 2^S) of at least b bits, sgn 0 = 1; integers sgn(a)·sgn(b)·⌊|a| / max(|b|, 1)⌋',
    rows: 'by a constant 0; else n quotients: bits of the quotient + 2·b + 3, and b + 6 for a sign and |b| where b may be negative',
    error:
      '2^-b of the quotient and half a step of sy / 2^S; where |b| counts as 1 although it is less, any; integers none',
    example: { inputs: [[2, 3], [3]], positive: true },
  },
  infer: (context) => {
    attributesOf(context.node, {})
    return inferBinary(context)
  },
  compute: (context, inputs) => {
    if (isFloat(inputs[0]!.dtype)) return computeBinary(context, inputs, (a, b) => a / b)
    if (inputs[1]!.data.includes(0)) invalid(context, 'a whole number is divided by 0')
    return computeBinary(context, inputs, (a, b) => Math.trunc(a / b) + 0)
  },
  scaling: { nonNegative: (_, [a, b]) => a === true && b === true },
  lower: (context, [a, b]) => {
    const { dtype, shape } = div.infer(context)[0]!
    if (!isFloat(dtype)) return [lowerWholeQuotient(context, [a, b], shape)]
    const [numerator, divisor] = context.constants
    if (b !== undefined) return [lowerQuotient(context, a ?? numerator!, b, shape)]
    if (divisor!.data.includes(0)) return invalid(context, `${typeAt(context, 1).dtype} divisor is 0`)
    return [lowerScale(context, a!, { ...divisor!, data: divisor!.data.map((v) => 1 / v) }, shape)]
  },
}
