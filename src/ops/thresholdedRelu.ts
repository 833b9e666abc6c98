import { floatTypes } from '../tensor.ts'
import { attributesOf, float } from './attributes.ts'
import { mapTensor } from './elementwise.ts'
import { typeOf } from './inputs.ts'
import { lowerThreshold } from './lower/compare.ts'
import type { InferContext, Op } from './op.ts'

const alphaOf = ({ node }: InferContext): number => attributesOf(node, { alpha: float(1) }).alpha

/** y = x for x > alpha, else 0, elementwise; exact for the rounded input. https://onnx.ai/onnx/operators/onnx__ThresholdedRelu.html */
export const thresholdedRelu: Op = {
  type: 'ThresholdedRelu',
  domain: '',
  opsets: [10, 25],
  arity: [1, 1],
  doc: {
    integers: 'q·clamp(q - ⌊alpha / s⌋, 0, 1)',
    rows: 'a clamp and a product an element',
    error: 'none',
    example: { inputs: [[2, 3]], attributes: { alpha: 0.25 } },
  },
  infer: (context) => {
    alphaOf(context)
    return [typeOf(context, 0, floatTypes)]
  },
  compute: (context, [x]) => {
    const alpha = alphaOf(context)
    return [mapTensor(x!, (v) => (v > alpha ? v : 0))]
  },
  scaling: { tied: true, nonNegative: (context, [x]) => x === true || alphaOf(context) >= 0 },
  lower: (context, [x]) => [lowerThreshold(context, x!, alphaOf(context))],
}
