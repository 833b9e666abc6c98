import { exponentStep, lowerLogSoftmax } from './lower/softmax.ts'
import { computeNormalised, groupsOf, inferNormalised } from './normalise.ts'
import type { Op } from './op.ts'

/** x - log Σ exp(x) over groups of elements. https://onnx.ai/onnx/operators/onnx__LogSoftmax.html */
export const logSoftmax: Op = {
  type: 'LogSoftmax',
  domain: '',
  opsets: [1, 25],
  arity: [1, 1],
  doc: {
    integers: '-d - table of log T, d and T as in Softmax, T in at most 1,024 steps',
    rows: 'as Softmax, with one table a line in place of the quotients',
    error: '2^-10·(k - 1), and 1 % (1/4 % at 12 bits) from the table of exponentials',
    example: { inputs: [[2, 3]] },
  },
  infer: inferNormalised,
  compute: (context, [x]) => computeNormalised(context, x!, (d, sum) => d - Math.log(sum)),
  scaling: { tied: true, wantsWide: true, inputStep: exponentStep, nonNegative: () => false },
  lower: (context, [x]) => [lowerLogSoftmax(context, x!, groupsOf(context))],
}
