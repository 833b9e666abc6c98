import { exponentStep, lowerSoftmax, probabilityScale } from './lower/softmax.ts'
import { computeNormalised, groupsOf, inferNormalised } from './normalise.ts'
import type { Op } from './op.ts'

/** exp(x) / Σ exp(x) over groups of elements. https://onnx.ai/onnx/operators/onnx__Softmax.html */
export const softmax: Op = {
  type: 'Softmax',
  domain: '',
  opsets: [1, 25],
  arity: [1, 1],
  infer: inferNormalised,
  compute: (context, [x]) => computeNormalised(context, x!, (d, sum) => Math.exp(d) / sum),
  scaling: { wantsWide: true, inputStep: exponentStep, fixedScale: probabilityScale, nonNegative: () => true },
  lower: (context, [x]) => [lowerSoftmax(context, x!, groupsOf(context))],
}
