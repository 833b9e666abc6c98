import { attributesOf, float } from './attributes.ts'
import { tabulated } from './tabulated.ts'

/**
 * y = max(0, x) + min(0, alpha · (exp(x / alpha) - 1)), elementwise.
 * https://onnx.ai/onnx/operators/onnx__Celu.html
 */
export const celu = tabulated(
  'Celu',
  [12, 25],
  (context) => {
    const { alpha } = attributesOf(context.node, { alpha: float(1) })
    return (x) => Math.max(0, x) + Math.min(0, alpha * Math.expm1(x / alpha))
  },
  { nonNegative: (_, [x]) => x === true },
)
