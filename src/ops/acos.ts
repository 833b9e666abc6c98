import { attributesOf } from './attributes.ts'
import { tabulated } from './tabulated.ts'

/** y = the angle whose cosine is x; 0 beyond ±1, elementwise. https://onnx.ai/onnx/operators/onnx__Acos.html */
export const acos = tabulated('Acos', [7, 25], (context) => {
  attributesOf(context.node, {})
  return Math.acos
})
