import { attributesOf } from './attributes.ts'
import { tabulated } from './tabulated.ts'

/** y = tan x, elementwise. https://onnx.ai/onnx/operators/onnx__Tan.html */
export const tan = tabulated('Tan', [7, 25], (context) => {
  attributesOf(context.node, {})
  return Math.tan
})
