import { attributesOf } from './attributes.ts'
import { mapTensor } from './elementwise.ts'
import { numericTypes, typeOf } from './inputs.ts'
import { lowerClip } from './lower/activations.ts'
import type { Op } from './op.ts'

/** y = max(x, 0), elementwise. https://onnx.ai/onnx/operators/onnx__Relu.html */
export const relu: Op = {
  type: 'Relu',
  domain: '',
  opsets: [6, 25],
  arity: [1, 1],
  doc: {
    integers: 'max(q, 0)',
    rows: 'in one step with the requantisation of an accumulator 0; else B + 2 an element',
    error: 'none',
    example: { inputs: [[2, 3]] },
  },
  infer: (context) => {
    attributesOf(context.node, {})
    return [typeOf(context, 0, numericTypes)]
  },
  compute: (_, [x]) => [mapTensor(x!, (v) => Math.max(v, 0))],
  scaling: { tied: true, wideInput: 'absorbs', nonNegative: () => true },
  lower: (context, [x]) => [lowerClip(context, x!, 0, Number.POSITIVE_INFINITY)],
}
