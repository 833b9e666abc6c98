import { attributesOf, float } from './attributes.ts'
import { tabulated } from './tabulated.ts'

/**
 * y = gamma · x for x > 0, else gamma · alpha · (eˣ - 1), elementwise.
 * https://onnx.ai/onnx/operators/onnx__Selu.html
 */
export const selu = tabulated(
  'Selu',
  [6, 25],
  (context) => {
    const { alpha, gamma } = attributesOf(context.node, {
      alpha: float(1.6732632423543772),
      gamma: float(1.0507009873554805),
    })
    return (x) => gamma * (x > 0 ? x : alpha * Math.expm1(x))
  },
  { nonNegative: (_, [x]) => x === true },
)
