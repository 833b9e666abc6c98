import { attributesOf } from './attributes.ts'
import { tabulated } from './tabulated.ts'

/** y = cosh x, elementwise. https://onnx.ai/onnx/operators/onnx__Cosh.html */
export const cosh = tabulated(
  'Cosh',
  [9, 25],
  (context) => {
    attributesOf(context.node, {})
    return Math.cosh
  },
  { nonNegative: () => true },
)
