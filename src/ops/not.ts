import { attributesOf } from './attributes.ts'
import { constantOf } from './doc.ts'
import { mapTensor } from './elementwise.ts'
import { typeOf } from './inputs.ts'
import { emitNot } from './lower/compare.ts'
import type { Op } from './op.ts'

/** 1 - x of booleans, elementwise. https://onnx.ai/onnx/operators/onnx__Not.html */
export const not: Op = {
  type: 'Not',
  domain: '',
  opsets: [1, 25],
  arity: [1, 1],
  doc: { integers: '1 - a', rows: '0', error: 'none', example: { inputs: [constantOf([3], [0, 1, 1], 'bool')] } },
  infer: (context) => {
    attributesOf(context.node, {})
    return [typeOf(context, 0, ['bool'])]
  },
  compute: (_, [x]) => [mapTensor(x!, (v) => 1 - v)],
  scaling: { nonNegative: () => true },
  lower: (context, [x]) => [
    { name: '', value: emitNot(context, x!.value, x!.shape), shape: x!.shape, scale: 1, shift: 0 },
  ],
}
