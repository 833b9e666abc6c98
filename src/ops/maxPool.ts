import { type DType, floatTypes, sizeOf, stridesOf } from '../tensor.ts'
import { attributesOf, oneOf } from './attributes.ts'
import { typeAt, typeOf } from './inputs.ts'
import { lowerExtreme, lowerPlaces } from './lower/pools.ts'
import type { InferContext, Op } from './op.ts'
import { poolAttributes, poolGeometry, type WindowGeometry, windowPositions, windowTaps } from './windows.ts'

const types: readonly DType[] = [...floatTypes, 'int8', 'uint8']

const attributes = ({ node }: InferContext) =>
  attributesOf(node, { ...poolAttributes, storage_order: oneOf([0, 1], 0) })

/** Geometry of the node's windows. */
export const maxPoolWindows = (context: InferContext): WindowGeometry =>
  poolGeometry(context.node, typeAt(context, 0).shape, attributes(context))

/** The number that an output of indices has for an element: its position, with axis 2 fastest where storage_order is 1. */
function indexOf(context: InferContext): (position: number) => number {
  const { shape } = typeAt(context, 0)
  if (attributes(context).storage_order === 0) return (position) => position
  const spatial = shape.slice(2)
  const plane = sizeOf(spatial)
  const strides = stridesOf(spatial)
  const order = spatial.map((_, axis) => sizeOf(spatial.slice(0, axis)))
  return (position) => {
    const within = position % plane
    return spatial.reduce(
      (index, d, axis) => index + (Math.floor(within / strides[axis]!) % d) * order[axis]!,
      position - within,
    )
  }
}

/**
 * Greatest element of each window, and the index of the first one; padding does not count.
 * https://onnx.ai/onnx/operators/onnx__MaxPool.html
 */
export const maxPool: Op = {
  type: 'MaxPool',
  domain: '',
  opsets: [1, 25],
  arity: [1, 1],
  doc: {
    integers: 'the largest integer of the window; indices Σ [place = i]·index, the bracket as in Hardmax',
    rows: '(k - 1)·(b + 3) an element, before or after requantisation, whichever takes fewer; indices as ArgMax and Hardmax',
    error: 'none',
    example: { inputs: [[1, 1, 4, 4]], attributes: { kernel_shape: [2, 2], strides: [2, 2] } },
  },
  infer: (context) => {
    const x = typeOf(context, 0, types)
    const shape = [...x.shape.slice(0, 2), ...maxPoolWindows(context).outSpatial]
    return [
      { dtype: x.dtype, shape },
      { dtype: 'int64', shape },
    ]
  },
  compute: (context, [x]) => {
    const g = maxPoolWindows(context)
    const [plane, out, at] = [sizeOf(g.inSpatial), sizeOf(g.outSpatial), windowTaps(g)]
    const planes = x!.shape[0]! * x!.shape[1]!
    const data = new Float64Array(planes * out).fill(Number.NEGATIVE_INFINITY)
    const places = new Int32Array(planes * out).fill(-1)
    for (let p = 0; p < planes; p++)
      for (let i = 0; i < at.length; i++) {
        if (at[i]! < 0) continue
        const [to, from] = [p * out + (i % out), p * plane + at[i]!]
        if (x!.data[from]! > data[to]! || places[to]! < 0) [data[to], places[to]] = [x!.data[from]!, from]
      }
    const shape = [...x!.shape.slice(0, 2), ...g.outSpatial]
    return [
      { dtype: x!.dtype, shape, data },
      { dtype: 'int64', shape, data: Float64Array.from(places, indexOf(context)) },
    ]
  },
  scaling: { tied: true, wideInput: 'keeps' },
  lower: (context, [x]) => {
    const { shape } = maxPool.infer(context)[0]!
    const windows = windowPositions(x!.shape, maxPoolWindows(context))
    const greatest = lowerExtreme(context, x!, windows, shape, 1)
    return context.node.outputs[1] ? [greatest, lowerPlaces(context, x!, windows, indexOf(context), shape)] : [greatest]
  },
}
