import { attributesOf } from './attributes.ts'
import { tabulated } from './tabulated.ts'

/**
 * y = eˣ, elementwise.
 * https://onnx.ai/onnx/operators/onnx__Exp.html
 */
export const exp = tabulated(
  'Exp',
  [6, 25],
  (context) => {
    attributesOf(context.node, {})
    return Math.exp
  },
  { nonNegative: () => true },
)
