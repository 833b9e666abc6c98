import { exponentStep, lowerSoftmax, probabilityScale } from './lower/softmax.ts'
import { computeNormalised, groupsOf, inferNormalised } from './normalise.ts'
import type { Op } from './op.ts'

/** exp(x) / Σ exp(x) over groups of elements. https://onnx.ai/onnx/operators/onnx__Softmax.html */
export const softmax: Op = {
  type: 'Softmax',
  domain: '',
  opsets: [1, 25],
  arity: [1, 1],
  doc: {
    integers:
      'd = max - q, with all fraction bits; e = table(min(⌊d / 2^j + 1/2⌋, M)) with 14 fraction bits, M of 10 bits (11 and 12 for as many bits of activations); ⌊(2·K·e + T) / 2T⌋, T = Σ e, K steps per unit',
    rows: '(k - 1)·(B + 3) for each maximum; a requantisation, a table and a quotient an element',
    error: 'p·(1 - p)·2.1 % for a probability p (0.6 % from 12 bits on), k·2^-14 of it, and half a step',
    example: { inputs: [[2, 3]] },
  },
  infer: inferNormalised,
  compute: (context, [x]) => computeNormalised(context, x!, (d, sum) => Math.exp(d) / sum),
  scaling: { wantsWide: true, inputStep: exponentStep, fixedScale: probabilityScale, nonNegative: () => true },
  lower: (context, [x]) => [lowerSoftmax(context, x!, groupsOf(context))],
}
