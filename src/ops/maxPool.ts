import { type DType, floatTypes, sizeOf } from '../tensor.ts'
import { attributesOf, oneOf } from './attributes.ts'
import { typeAt, typeOf } from './inputs.ts'
import { lowerMaxPool } from './lower/pools.ts'
import type { InferContext, Op } from './op.ts'
import { poolAttributes, poolGeometry, type WindowGeometry, windowTaps } from './windows.ts'

const types: readonly DType[] = [...floatTypes, 'int8', 'uint8']

/** Geometry of the node's windows. */
export const maxPoolWindows = (context: InferContext): WindowGeometry =>
  poolGeometry(
    context.node,
    typeAt(context, 0).shape,
    // storage_order concerns only the indices, which are not computed
    attributesOf(context.node, { ...poolAttributes, storage_order: oneOf([0, 1], 0) }),
  )

/** Greatest element of each window; padding does not count. https://onnx.ai/onnx/operators/onnx__MaxPool.html */
export const maxPool: Op = {
  type: 'MaxPool',
  domain: '',
  opsets: [1, 25],
  arity: [1, 1],
  infer: (context) => {
    const { dtype, shape } = typeOf(context, 0, types)
    return [{ dtype, shape: [...shape.slice(0, 2), ...maxPoolWindows(context).outSpatial] }]
  },
  compute: (context, [x]) => {
    const g = maxPoolWindows(context)
    const [plane, out, at] = [sizeOf(g.inSpatial), sizeOf(g.outSpatial), windowTaps(g)]
    const planes = x!.shape[0]! * x!.shape[1]!
    const data = new Float64Array(planes * out).fill(Number.NEGATIVE_INFINITY)
    for (let p = 0; p < planes; p++)
      for (let i = 0; i < at.length; i++) {
        if (at[i]! < 0) continue
        const to = p * out + (i % out)
        data[to] = Math.max(data[to]!, x!.data[p * plane + at[i]!]!)
      }
    return [{ dtype: x!.dtype, shape: [...x!.shape.slice(0, 2), ...g.outSpatial], data }]
  },
  scaling: { tied: true, wideInput: 'keeps' },
  lower: (context, [x]) => [lowerMaxPool(context, x!, maxPoolWindows(context), maxPool.infer(context)[0]!.shape)],
}
