import { floatTypes } from '../tensor.ts'
import { attributesOf } from './attributes.ts'
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
  infer: (context) => {
    attributesOf(context.node, {})
    return [typeOf(context, 0, floatTypes)]
  },
  compute: (_, [x]) => [mapTensor(x!, Math.tanh)],
  // tanh(4) is 1 - 1/1,491: less than half a step of eight bits
  scaling: { saturatesAt: 4 },
  lower: (context, [x]) => [lowerTable(context, x!, Math.tanh)],
}
