import { floatTypes } from '../tensor.ts'
import { attributesOf } from './attributes.ts'
import { mapTensor } from './elementwise.ts'
import { typeOf } from './inputs.ts'
import { lowerWhole } from './lower/compare.ts'
import type { Op } from './op.ts'

/**
 * The least whole number not below x, elementwise, of the input with all its fraction bits.
 * https://onnx.ai/onnx/operators/onnx__Ceil.html
 */
export const ceil: Op = {
  type: 'Ceil',
  domain: '',
  opsets: [6, 25],
  arity: [1, 1],
  doc: {
    integers: '-⌊-v⌋, v as for Floor',
    rows: 'a clamp of v an element',
    error: '1/512 of a step before rounding',
    example: { inputs: [[2, 3]] },
  },
  infer: (context) => {
    attributesOf(context.node, {})
    return [typeOf(context, 0, floatTypes)]
  },
  compute: (_, [x]) => [mapTensor(x!, Math.ceil)],
  scaling: { wantsWide: true, fixedScale: () => 1, nonNegative: (_, [x]) => x === true },
  lower: (context, [x]) => [lowerWhole(context, x!, 'ceil')],
}
