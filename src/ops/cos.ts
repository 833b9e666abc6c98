import { attributesOf } from './attributes.ts'
import { tabulated } from './tabulated.ts'

/** y = cos x, elementwise. https://onnx.ai/onnx/operators/onnx__Cos.html */
export const cos = tabulated('Cos', [7, 25], (context) => {
  attributesOf(context.node, {})
  return Math.cos
})
