import { floatTypes } from '../tensor.ts'
import { attributesOf } from './attributes.ts'
import { constantOf } from './doc.ts'
import { tabulated } from './tabulated.ts'

/** y = the number ≥ 0 whose hyperbolic cosine is x; 0 below 1, elementwise. https://onnx.ai/onnx/operators/onnx__Acosh.html */
export const acosh = tabulated(
  'Acosh',
  [9, 25],
  (context) => {
    attributesOf(context.node, {})
    return Math.acosh
  },
  { nonNegative: () => true },
  floatTypes,
  { inputs: [constantOf([3], [1, 1.5, 2])] },
)
