import { attributesOf } from './attributes.ts'
import { mapTensor } from './elementwise.ts'
import { numericTypes, typeOf } from './inputs.ts'
import { lowerAbs } from './lower/compare.ts'
import type { Op } from './op.ts'

/** y = |x|, elementwise. https://onnx.ai/onnx/operators/onnx__Abs.html */
export const abs: Op = {
  type: 'Abs',
  domain: '',
  opsets: [6, 25],
  arity: [1, 1],
  doc: {
    integers: 'max(q, 0) + max(-q, 0)',
    rows: '2·(b + 2) an element, 0 where none can be negative',
    error: 'none',
    example: { inputs: [[2, 3]] },
  },
  infer: (context) => {
    attributesOf(context.node, {})
    return [typeOf(context, 0, numericTypes)]
  },
  compute: (_, [x]) => [mapTensor(x!, Math.abs)],
  scaling: { tied: true, nonNegative: () => true },
  lower: (context, [x]) => [lowerAbs(context, x!)],
}
