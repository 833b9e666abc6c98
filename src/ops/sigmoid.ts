import { floatTypes } from '../tensor.ts'
import { attributesOf } from './attributes.ts'
import { tabulation } from './doc.ts'
import { mapTensor } from './elementwise.ts'
import { typeOf } from './inputs.ts'
import { lowerTable } from './lower/activations.ts'
import type { Op } from './op.ts'

/** y = 1 / (1 + exp(-x)), elementwise. https://onnx.ai/onnx/operators/onnx__Sigmoid.html */
export const sigmoid: Op = {
  type: 'Sigmoid',
  domain: '',
  opsets: [6, 25],
  arity: [1, 1],
  doc: tabulation({ inputs: [[2, 3]] }),
  infer: (context) => {
    attributesOf(context.node, {})
    return [typeOf(context, 0, floatTypes)]
  },
  compute: (_, [x]) => [mapTensor(x!, (v) => 1 / (1 + Math.exp(-v)))],
  // 1 - sigmoid(x) is less than exp(-x), there less than half a step of n bits
  scaling: { saturatesAt: (bits) => Math.max(8, (bits + 1) * Math.LN2), nonNegative: () => true },
  lower: (context, [x]) => [lowerTable(context, x!, (v) => 1 / (1 + Math.exp(-v)))],
}
