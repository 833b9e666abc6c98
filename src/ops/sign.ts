import { attributesOf } from './attributes.ts'
import { mapTensor } from './elementwise.ts'
import { numericTypes, typeOf } from './inputs.ts'
import { lowerSign } from './lower/compare.ts'
import type { Op } from './op.ts'

/** -1, 0 or 1, elementwise. https://onnx.ai/onnx/operators/onnx__Sign.html */
export const sign: Op = {
  type: 'Sign',
  domain: '',
  opsets: [9, 25],
  arity: [1, 1],
  doc: { integers: 'clamp(q, -1, 1)', rows: 'a clamp an element', error: 'none', example: { inputs: [[2, 3]] } },
  infer: (context) => {
    attributesOf(context.node, {})
    return [typeOf(context, 0, numericTypes)]
  },
  compute: (_, [x]) => [mapTensor(x!, Math.sign)],
  scaling: { wantsWide: true, fixedScale: () => 1, nonNegative: (_, [x]) => x === true },
  lower: (context, [x]) => [lowerSign(context, x!)],
}
