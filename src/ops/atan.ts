import { attributesOf } from './attributes.ts'
import { tabulated } from './tabulated.ts'

/** y = the angle whose tangent is x, elementwise. https://onnx.ai/onnx/operators/onnx__Atan.html */
export const atan = tabulated(
  'Atan',
  [7, 25],
  (context) => {
    attributesOf(context.node, {})
    return Math.atan
  },
  { nonNegative: (_, [x]) => x === true },
)
