import { attributesOf } from './attributes.ts'
import { tabulated } from './tabulated.ts'

/**
 * y = x · tanh(ln(1 + eˣ)), elementwise.
 * https://onnx.ai/onnx/operators/onnx__Mish.html
 */
export const mish = tabulated(
  'Mish',
  [18, 25],
  (context) => {
    attributesOf(context.node, {})
    return (x) => x * Math.tanh(Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))))
  },
  { nonNegative: (_, [x]) => x === true },
)
