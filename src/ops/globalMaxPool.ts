import { computeGlobalPool, inferGlobalPool } from './globalPool.ts'
import type { Op } from './op.ts'

/** Greatest element of each channel. https://onnx.ai/onnx/operators/onnx__GlobalMaxPool.html */
export const globalMaxPool: Op = {
  type: 'GlobalMaxPool',
  domain: '',
  opsets: [1, 25],
  arity: [1, 1],
  infer: inferGlobalPool,
  compute: (_, [x]) => [
    computeGlobalPool(x!, (plane) => plane.reduce((most, v) => Math.max(most, v), Number.NEGATIVE_INFINITY)),
  ],
}
