import { floatTypes } from '../tensor.ts'
import { attributesOf } from './attributes.ts'
import { mapTensor } from './elementwise.ts'
import { typeOf } from './inputs.ts'
import { lowerWhole } from './lower/compare.ts'
import type { Op } from './op.ts'

/**
 * The greatest whole number not above x, elementwise, of the input with all its fraction bits.
 * https://onnx.ai/onnx/operators/onnx__Floor.html
 */
export const floor: Op = {
  type: 'Floor',
  domain: '',
  opsets: [6, 25],
  arity: [1, 1],
  doc: {
    integers:
      '⌊v⌋ of v = round(s · 2^t)·q / 2^t with all fraction bits, t the least for which the largest q is off by less than 1/512 of a step (2^-21 where that is more); values as near to a whole number as that count as it',
    rows: 'a clamp of v an element',
    error: '1/512 of a step before rounding',
    example: { inputs: [[2, 3]] },
  },
  infer: (context) => {
    attributesOf(context.node, {})
    return [typeOf(context, 0, floatTypes)]
  },
  compute: (_, [x]) => [mapTensor(x!, Math.floor)],
  scaling: { wantsWide: true, fixedScale: () => 1, nonNegative: (_, [x]) => x === true },
  lower: (context, [x]) => [lowerWhole(context, x!, 'floor')],
}
