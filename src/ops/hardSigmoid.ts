import { attributesOf, float } from './attributes.ts'
import { tabulated } from './tabulated.ts'

/**
 * y = min(max(alpha · x + beta, 0), 1), elementwise.
 * https://onnx.ai/onnx/operators/onnx__HardSigmoid.html
 */
export const hardSigmoid = tabulated(
  'HardSigmoid',
  [6, 25],
  (context) => {
    const { alpha, beta } = attributesOf(context.node, { alpha: float(0.2), beta: float(0.5) })
    return (x) => Math.min(Math.max(alpha * x + beta, 0), 1)
  },
  { nonNegative: () => true },
)
