import { attributesOf, float } from './attributes.ts'
import { tabulated } from './tabulated.ts'

/**
 * y = x for x ≥ 0, else alpha · (eˣ - 1), elementwise.
 * https://onnx.ai/onnx/operators/onnx__Elu.html
 */
export const elu = tabulated(
  'Elu',
  [6, 25],
  (context) => {
    const { alpha } = attributesOf(context.node, { alpha: float(1) })
    return (x) => (x < 0 ? alpha * Math.expm1(x) : x)
  },
  { nonNegative: (_, [x]) => x === true },
)
