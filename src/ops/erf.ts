import { attributesOf } from './attributes.ts'
import { errorFunction } from './special.ts'
import { tabulated } from './tabulated.ts'

/**
 * The error function, elementwise.
 * https://onnx.ai/onnx/operators/onnx__Erf.html
 */
export const erf = tabulated(
  'Erf',
  [9, 25],
  (context) => {
    attributesOf(context.node, {})
    return errorFunction
  },
  // erf(3) is 1 - 1/45,300
  { saturatesAt: (bits) => (bits <= 12 ? 3 : 4), nonNegative: (_, [x]) => x === true },
)
