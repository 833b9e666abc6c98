import { attributesOf } from './attributes.ts'
import { tabulated } from './tabulated.ts'

/**
 * y = 1 / x, elementwise; at 0 the greatest value of the output's range.
 * Maximum error: half a step of the output for the rounded input; above 12 bits one step, and 1 % of the
 * output's range near 0. https://onnx.ai/onnx/operators/onnx__Reciprocal.html
 */
export const reciprocal = tabulated(
  'Reciprocal',
  [6, 25],
  (context) => {
    attributesOf(context.node, {})
    return (x) => 1 / x
  },
  { nonNegative: (_, [x]) => x === true },
)
