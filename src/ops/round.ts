import { floatTypes } from '../tensor.ts'
import { attributesOf } from './attributes.ts'
import { mapTensor } from './elementwise.ts'
import { typeOf } from './inputs.ts'
import { lowerWhole } from './lower/compare.ts'
import type { Op } from './op.ts'

/** The nearest whole number, of two the even one. */
export function roundToEven(x: number): number {
  const floor = Math.floor(x)
  const rest = x - floor
  return rest > 0.5 || (rest === 0.5 && floor % 2 !== 0) ? floor + 1 : floor
}

/**
 * The nearest whole number, of two the even one, elementwise, of the input with all its fraction bits.
 * https://onnx.ai/onnx/operators/onnx__Round.html
 */
export const round: Op = {
  type: 'Round',
  domain: '',
  opsets: [11, 25],
  arity: [1, 1],
  doc: {
    integers: '⌊v + 1/2⌋, ties to even, v as for Floor',
    rows: 'three clamps of v an element',
    error: '1/512 of a step before rounding',
    example: { inputs: [[2, 3]] },
  },
  infer: (context) => {
    attributesOf(context.node, {})
    return [typeOf(context, 0, floatTypes)]
  },
  compute: (_, [x]) => [mapTensor(x!, roundToEven)],
  scaling: { wantsWide: true, fixedScale: () => 1, nonNegative: (_, [x]) => x === true },
  lower: (context, [x]) => [lowerWhole(context, x!, 'even')],
}
