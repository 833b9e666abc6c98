import { computeGlobalPool, inferGlobalPool } from './globalPool.ts'
import type { Op } from './op.ts'

/** Mean of each channel. https://onnx.ai/onnx/operators/onnx__GlobalAveragePool.html */
export const globalAveragePool: Op = {
  type: 'GlobalAveragePool',
  domain: '',
  opsets: [1, 25],
  arity: [1, 1],
  infer: inferGlobalPool,
  compute: (_, [x]) => [computeGlobalPool(x!, (plane) => plane.reduce((sum, v) => sum + v, 0) / plane.length)],
}
