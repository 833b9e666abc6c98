import { floatTypes } from '../tensor.ts'
import { attributesOf } from './attributes.ts'
import { tabulation } from './doc.ts'
import { mapTensor } from './elementwise.ts'
import { typeOf } from './inputs.ts'
import { lowerTable } from './lower/activations.ts'
import type { Op } from './op.ts'

/** y = tanh(x), elementwise. https://onnx.ai/onnx/operators/onnx__Tanh.html */
export const tanh: Op = {
  type: 'Tanh',
  domain: '',
  opsets: [6, 25],
  arity: [1, 1],
  doc: tabulation({ inputs: [[2, 3]] }),
  infer: (context) => {
    attributesOf(context.node, {})
    return [typeOf(context, 0, floatTypes)]
  },
  compute: (_, [x]) => [mapTensor(x!, Math.tanh)],
  // 1 - tanh(x) is less than 2·exp(-2x), there less than half a step of n bits
  scaling: { saturatesAt: (bits) => Math.max(4, ((bits + 1) / 2) * Math.LN2) },
  lower: (context, [x]) => [lowerTable(context, x!, Math.tanh)],
}
