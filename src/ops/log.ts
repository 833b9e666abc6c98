import { attributesOf } from './attributes.ts'
import { tabulated } from './tabulated.ts'

/**
 * y = ln x, elementwise; where x ≤ 0, the least value of the output's range.
 * Maximum error: half a step of the output for the rounded input; above 12 bits one step, and 1 % of the
 * output's range near 0. https://onnx.ai/onnx/operators/onnx__Log.html
 */
export const log = tabulated('Log', [6, 25], (context) => {
  attributesOf(context.node, {})
  return Math.log
})
