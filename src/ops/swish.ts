import { attributesOf, float } from './attributes.ts'
import { tabulated } from './tabulated.ts'

/** y = x / (1 + exp(-alpha · x)), elementwise. https://onnx.ai/onnx/operators/onnx__Swish.html */
export const swish = tabulated(
  'Swish',
  [24, 25],
  (context) => {
    const { alpha } = attributesOf(context.node, { alpha: float(1) })
    return (x) => x / (1 + Math.exp(-alpha * x))
  },
  { nonNegative: (_, [x]) => x === true },
)
