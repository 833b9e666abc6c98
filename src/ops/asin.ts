import { attributesOf } from './attributes.ts'
import { tabulated } from './tabulated.ts'

/** y = the angle whose sine is x; 0 beyond ±1, elementwise. https://onnx.ai/onnx/operators/onnx__Asin.html */
export const asin = tabulated(
  'Asin',
  [7, 25],
  (context) => {
    attributesOf(context.node, {})
    return Math.asin
  },
  { nonNegative: (_, [x]) => x === true },
)
