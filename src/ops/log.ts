import { floatTypes } from '../tensor.ts'
import { attributesOf } from './attributes.ts'
import { tabulated } from './tabulated.ts'

/**
 * y = ln x, elementwise; where x ≤ 0, the least value of the output's range.
 * https://onnx.ai/onnx/operators/onnx__Log.html
 */
export const log = tabulated(
  'Log',
  [6, 25],
  (context) => {
    attributesOf(context.node, {})
    return Math.log
  },
  {},
  floatTypes,
  { inputs: [[2, 3]], positive: true },
)
