import { attributesOf } from './attributes.ts'
import { neverTrue } from './neverTrue.ts'

/** Whether x is no number, elementwise: never in an integer model. https://onnx.ai/onnx/operators/onnx__IsNaN.html */
export const isNan = neverTrue('IsNaN', 9, (context) => {
  attributesOf(context.node, {})
  return Number.isNaN
})
