import { attributesOf } from './attributes.ts'
import { mapTensor } from './elementwise.ts'
import { numericTypes, typeOf } from './inputs.ts'
import { lowerNegative } from './lower/compare.ts'
import type { Op } from './op.ts'

/** y = -x, elementwise. https://onnx.ai/onnx/operators/onnx__Neg.html */
export const neg: Op = {
  type: 'Neg',
  domain: '',
  opsets: [6, 25],
  arity: [1, 1],
  doc: { integers: '-q', rows: '0', error: 'none', example: { inputs: [[2, 3]] } },
  infer: (context) => {
    attributesOf(context.node, {})
    return [typeOf(context, 0, numericTypes)]
  },
  compute: (_, [x]) => [mapTensor(x!, (v) => 0 - v)],
  scaling: { tied: true, wideInput: 'keeps', nonNegative: () => false },
  lower: (context, [x]) => [lowerNegative(context, x!)],
}
