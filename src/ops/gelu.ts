import { attributesOf, oneOf } from './attributes.ts'
import { errorFunction } from './special.ts'
import { tabulated } from './tabulated.ts'

/**
 * y = x · Φ(x) with the normal distribution Φ, or its approximation by tanh, elementwise.
 * https://onnx.ai/onnx/operators/onnx__Gelu.html
 */
export const gelu = tabulated(
  'Gelu',
  [20, 25],
  (context) => {
    const { approximate } = attributesOf(context.node, { approximate: oneOf(['none', 'tanh'], 'none') })
    if (approximate === 'none') return (x) => (x / 2) * (1 + errorFunction(x / Math.SQRT2))
    return (x) => (x / 2) * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)))
  },
  { nonNegative: (_, [x]) => x === true },
)
