import { attributesOf, flag } from './attributes.ts'
import { neverTrue } from './neverTrue.ts'

/** Whether x is infinite, elementwise: never in an integer model. https://onnx.ai/onnx/operators/onnx__IsInf.html */
export const isInf = neverTrue('IsInf', 10, (context) => {
  const { detect_negative, detect_positive } = attributesOf(context.node, {
    detect_negative: flag(true),
    detect_positive: flag(true),
  })
  return (v) =>
    (detect_negative && v === Number.NEGATIVE_INFINITY) || (detect_positive && v === Number.POSITIVE_INFINITY)
})
