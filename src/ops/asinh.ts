import { attributesOf } from './attributes.ts'
import { tabulated } from './tabulated.ts'

/** y = the number whose hyperbolic sine is x, elementwise. https://onnx.ai/onnx/operators/onnx__Asinh.html */
export const asinh = tabulated(
  'Asinh',
  [9, 25],
  (context) => {
    attributesOf(context.node, {})
    return Math.asinh
  },
  { nonNegative: (_, [x]) => x === true },
)
