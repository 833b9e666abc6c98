import { floatTypes } from '../tensor.ts'
import { attributesOf, float } from './attributes.ts'
import { WEIGHT_ERROR } from './doc.ts'
import { mapTensor } from './elementwise.ts'
import { typeOf } from './inputs.ts'
import { lowerLeakyRelu } from './lower/activations.ts'
import type { InferContext, Op } from './op.ts'

/** Slope for negative values. */
export const leakyReluAlpha = ({ node }: InferContext): number => attributesOf(node, { alpha: float(0.01) }).alpha

/** y = x for x ≥ 0, else alpha · x, elementwise. https://onnx.ai/onnx/operators/onnx__LeakyRelu.html */
export const leakyRelu: Op = {
  type: 'LeakyRelu',
  domain: '',
  opsets: [6, 25],
  arity: [1, 1],
  doc: {
    integers: 'round(α·s / sy · 2^S)·q + round((1 - α)·s / sy · 2^S)·max(q, 0)',
    rows: 'b + 2 an element',
    error: WEIGHT_ERROR,
    example: { inputs: [[2, 3]] },
  },
  infer: (context) => {
    leakyReluAlpha(context)
    return [typeOf(context, 0, floatTypes)]
  },
  compute: (context, [x]) => {
    const alpha = leakyReluAlpha(context)
    return [mapTensor(x!, (v) => (v < 0 ? alpha * v : v))]
  },
  lower: (context, [x]) => [lowerLeakyRelu(context, x!, leakyReluAlpha(context))],
}
