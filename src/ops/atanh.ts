import { attributesOf } from './attributes.ts'
import { tabulated } from './tabulated.ts'

/** y = the number whose hyperbolic tangent is x; 0 beyond ±1, elementwise. https://onnx.ai/onnx/operators/onnx__Atanh.html */
export const atanh = tabulated(
  'Atanh',
  [9, 25],
  (context) => {
    attributesOf(context.node, {})
    return Math.atanh
  },
  { nonNegative: (_, [x]) => x === true },
)
