import { floatTypes } from '../tensor.ts'
import { attributesOf } from './attributes.ts'
import { tabulated } from './tabulated.ts'

/**
 * y = √x, elementwise; 0 where x < 0.
 * https://onnx.ai/onnx/operators/onnx__Sqrt.html
 */
export const sqrt = tabulated(
  'Sqrt',
  [6, 25],
  (context) => {
    attributesOf(context.node, {})
    return Math.sqrt
  },
  { nonNegative: () => true },
  floatTypes,
  { inputs: [[2, 3]], positive: true },
)
