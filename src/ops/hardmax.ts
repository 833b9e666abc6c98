import { lowerHardmax } from './lower/pools.ts'
import { groupsOf, inferNormalised } from './normalise.ts'
import type { Op } from './op.ts'

/** 1 at the first greatest element of each group, 0 elsewhere. https://onnx.ai/onnx/operators/onnx__Hardmax.html */
export const hardmax: Op = {
  type: 'Hardmax',
  domain: '',
  opsets: [1, 25],
  arity: [1, 1],
  doc: {
    integers: '[i ≤ j] - [i + 1 ≤ j] for the index j of the first greatest, as clamps of j - i + 1 to [0, 1]',
    rows: 'as ArgMax, and k + 1 clamps of the index a line',
    error: 'none for the integers',
    example: { inputs: [[2, 3]] },
  },
  infer: inferNormalised,
  compute: (context, [x]) => {
    const data = new Float64Array(x!.data.length)
    for (const group of groupsOf(context))
      if (group.length > 0) data[group.reduce((best, at) => (x!.data[at]! > x!.data[best]! ? at : best))] = 1
    return [{ ...x!, data }]
  },
  scaling: { wantsWide: true, fixedScale: () => 1, nonNegative: () => true },
  lower: (context, [x]) => [lowerHardmax(context, x!, groupsOf(context))],
}
