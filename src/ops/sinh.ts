import { attributesOf } from './attributes.ts'
import { tabulated } from './tabulated.ts'

/** y = sinh x, elementwise. https://onnx.ai/onnx/operators/onnx__Sinh.html */
export const sinh = tabulated(
  'Sinh',
  [9, 25],
  (context) => {
    attributesOf(context.node, {})
    return Math.sinh
  },
  { nonNegative: (_, [x]) => x === true },
)
