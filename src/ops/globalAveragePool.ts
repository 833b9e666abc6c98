import { WEIGHT_ERROR } from './doc.ts'
import { computeGlobalPool, inferGlobalPool } from './globalPool.ts'
import { lowerAveragePool } from './lower/pools.ts'
import type { Op } from './op.ts'
import { wholePlane, windowCounts } from './windows.ts'

/** Mean of each channel. https://onnx.ai/onnx/operators/onnx__GlobalAveragePool.html */
export const globalAveragePool: Op = {
  type: 'GlobalAveragePool',
  domain: '',
  opsets: [1, 25],
  arity: [1, 1],
  doc: { integers: 'as AveragePool', rows: '0', error: WEIGHT_ERROR, example: { inputs: [[1, 2, 2, 2]] } },
  infer: inferGlobalPool,
  compute: (_, [x]) => [computeGlobalPool(x!, (plane) => plane.reduce((sum, v) => sum + v, 0) / plane.length)],
  scaling: { nonNegative: (_, [x]) => x === true },
  lower: (context, [x]) => {
    const geometry = wholePlane(x!.shape)
    const divisors = windowCounts(geometry, 'counts')
    return [lowerAveragePool(context, x!, geometry, divisors, globalAveragePool.infer(context)[0]!.shape)]
  },
}
