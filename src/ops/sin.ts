import { attributesOf } from './attributes.ts'
import { tabulated } from './tabulated.ts'

/** y = sin x, elementwise. https://onnx.ai/onnx/operators/onnx__Sin.html */
export const sin = tabulated('Sin', [7, 25], (context) => {
  attributesOf(context.node, {})
  return Math.sin
})
