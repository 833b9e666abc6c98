import { attributesOf } from './attributes.ts'
import { tabulated } from './tabulated.ts'

/**
 * y = x · min(max(x / 6 + 1/2, 0), 1), elementwise.
 * https://onnx.ai/onnx/operators/onnx__HardSwish.html
 */
export const hardSwish = tabulated(
  'HardSwish',
  [14, 25],
  (context) => {
    attributesOf(context.node, {})
    return (x) => x * Math.min(Math.max(x / 6 + 0.5, 0), 1)
  },
  { nonNegative: (_, [x]) => x === true },
)
