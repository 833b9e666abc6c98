import { attributesOf } from './attributes.ts'
import { tabulated } from './tabulated.ts'

/**
 * y = √x, elementwise; 0 where x < 0.
 * Maximum error: half a step of the output for the rounded input; above 12 bits one step, and 1 % of the
 * output's range near 0. https://onnx.ai/onnx/operators/onnx__Sqrt.html
 */
export const sqrt = tabulated(
  'Sqrt',
  [6, 25],
  (context) => {
    attributesOf(context.node, {})
    return Math.sqrt
  },
  { nonNegative: () => true },
)
