import { floatTypes, sizeOf } from '../tensor.ts'
import { attributesOf, flag } from './attributes.ts'
import { WEIGHT_ERROR } from './doc.ts'
import { typeAt, typeOf } from './inputs.ts'
import { lowerAveragePool } from './lower/pools.ts'
import type { InferContext, Op } from './op.ts'
import { poolAttributes, poolGeometry, type WindowGeometry, windowCounts, windowTaps } from './windows.ts'

/** Geometry of the node's windows, and by how many elements each window's sum is divided, [Π outSpatial], when asked. */
export function averagePoolWindows(context: InferContext): {
  readonly geometry: WindowGeometry
  readonly divisors: () => Int32Array
} {
  const given = attributesOf(context.node, { ...poolAttributes, count_include_pad: flag(false) })
  const geometry = poolGeometry(context.node, typeAt(context, 0).shape, given)
  return { geometry, divisors: () => windowCounts(geometry, given.count_include_pad ? 'counts' : 'does not count') }
}

/** Mean of each window; padding counts as zeros or not at all. https://onnx.ai/onnx/operators/onnx__AveragePool.html */
export const averagePool: Op = {
  type: 'AveragePool',
  domain: '',
  opsets: [7, 25],
  arity: [1, 1],
  doc: {
    integers:
      'Σ W·q with W = round(s / (sy·count) · 2^S); exact for windows of a power of two in the scale of the input',
    rows: '0',
    error: WEIGHT_ERROR,
    example: { inputs: [[1, 1, 4, 4]], attributes: { kernel_shape: [2, 2], strides: [2, 2] } },
  },
  infer: (context) => {
    const { dtype, shape } = typeOf(context, 0, floatTypes)
    return [{ dtype, shape: [...shape.slice(0, 2), ...averagePoolWindows(context).geometry.outSpatial] }]
  },
  compute: (context, [x]) => {
    const { geometry: g, divisors: divisorsOf } = averagePoolWindows(context)
    const divisors = divisorsOf()
    const [plane, out, at] = [sizeOf(g.inSpatial), sizeOf(g.outSpatial), windowTaps(g)]
    const planes = x!.shape[0]! * x!.shape[1]!
    const data = new Float64Array(planes * out)
    for (let p = 0; p < planes; p++)
      for (let i = 0; i < at.length; i++) if (at[i]! >= 0) data[p * out + (i % out)]! += x!.data[p * plane + at[i]!]!
    for (let i = 0; i < data.length; i++) data[i]! /= divisors[i % out]!
    return [{ dtype: x!.dtype, shape: [...x!.shape.slice(0, 2), ...g.outSpatial], data }]
  },
  scaling: { tied: true },
  lower: (context, [x]) => {
    const { geometry, divisors } = averagePoolWindows(context)
    return [lowerAveragePool(context, x!, geometry, divisors(), averagePool.infer(context)[0]!.shape)]
  },
}
