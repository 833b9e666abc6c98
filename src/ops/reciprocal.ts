import { floatTypes } from '../tensor.ts'
import { attributesOf } from './attributes.ts'
import { tabulated } from './tabulated.ts'

/**
 * y = 1 / x, elementwise; at 0 the greatest value of the output's range.
 * https://onnx.ai/onnx/operators/onnx__Reciprocal.html
 */
export const reciprocal = tabulated(
  'Reciprocal',
  [6, 25],
  (context) => {
    attributesOf(context.node, {})
    return (x) => 1 / x
  },
  { nonNegative: (_, [x]) => x === true },
  floatTypes,
  { inputs: [[2, 3]], positive: true },
)
