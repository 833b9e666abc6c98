import { attributesOf } from './attributes.ts'
import { tabulated } from './tabulated.ts'

/**
 * y = x / (1 + |x|), elementwise.
 * https://onnx.ai/onnx/operators/onnx__Softsign.html
 */
export const softsign = tabulated(
  'Softsign',
  [1, 25],
  (context) => {
    attributesOf(context.node, {})
    return (x) => x / (1 + Math.abs(x))
  },
  { nonNegative: (_, [x]) => x === true },
)
