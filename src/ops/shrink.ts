import { attributesOf, float } from './attributes.ts'
import { tabulated } from './tabulated.ts'

/** y = x + bias for x < -lambd, x - bias for x > lambd, else 0, elementwise. https://onnx.ai/onnx/operators/onnx__Shrink.html */
export const shrink = tabulated('Shrink', [9, 25], (context) => {
  const { bias, lambd } = attributesOf(context.node, { bias: float(0), lambd: float(0.5) })
  return (x) => (x < -lambd ? x + bias : x > lambd ? x - bias : 0)
})
