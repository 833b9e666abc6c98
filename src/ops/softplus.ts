import { attributesOf } from './attributes.ts'
import { tabulated } from './tabulated.ts'

/**
 * y = ln(1 + eˣ), elementwise.
 * https://onnx.ai/onnx/operators/onnx__Softplus.html
 */
export const softplus = tabulated(
  'Softplus',
  [1, 25],
  (context) => {
    attributesOf(context.node, {})
    return (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)))
  },
  { nonNegative: () => true },
)
