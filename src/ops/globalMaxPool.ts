import { computeGlobalPool, inferGlobalPool } from './globalPool.ts'
import { lowerExtreme } from './lower/pools.ts'
import type { Op } from './op.ts'
import { wholePlane, windowPositions } from './windows.ts'

/** Greatest element of each channel. https://onnx.ai/onnx/operators/onnx__GlobalMaxPool.html */
export const globalMaxPool: Op = {
  type: 'GlobalMaxPool',
  domain: '',
  opsets: [1, 25],
  arity: [1, 1],
  doc: {
    integers: 'as MaxPool',
    rows: '(k - 1)·(b + 3) an element',
    error: 'none',
    example: { inputs: [[1, 2, 2, 2]] },
  },
  infer: inferGlobalPool,
  compute: (_, [x]) => [
    computeGlobalPool(x!, (plane) => plane.reduce((most, v) => Math.max(most, v), Number.NEGATIVE_INFINITY)),
  ],
  scaling: { tied: true, wideInput: 'keeps' },
  lower: (context, [x]) => [
    lowerExtreme(
      context,
      x!,
      windowPositions(x!.shape, wholePlane(x!.shape)),
      globalMaxPool.infer(context)[0]!.shape,
      1,
    ),
  ],
}
