import { floatTypes, formatShape, type Shape, sizeOf } from '../tensor.ts'
import { addProduct } from './contract.ts'
import { constantOf, WEIGHT_ERROR } from './doc.ts'
import { constantAt, invalid, typeAt, typeLikeFirst, typeOf, unsupported } from './inputs.ts'
import { type ConvShape, lowerConv } from './lower/affine.ts'
import { lowerProduct } from './lower/product.ts'
import type { InferContext, Op } from './op.ts'
import { type ConvGeometry, convGeometry, windowTaps } from './windows.ts'

/** Geometry of the node's windows. */
export const convWindows = (context: InferContext): ConvGeometry =>
  convGeometry(context.node, typeAt(context, 0).shape, typeAt(context, 1).shape)

/**
 * Convolution (without flipping the kernel) of x [n, c, …] with w [m, c / group, …kernel], plus bias [m].
 * https://onnx.ai/onnx/operators/onnx__Conv.html
 */
export const conv: Op = {
  type: 'Conv',
  domain: '',
  opsets: [1, 25],
  arity: [2, 3],
  doc: {
    integers: 'Σ W·q + B, S per output channel',
    rows: '0',
    error: WEIGHT_ERROR,
    refuses: 'weights and biases that the model computes; three spatial axes or more',
    example: { inputs: [[1, 1, 3, 3]], constants: [constantOf([1, 1, 2, 2], [1, 2, 3, 4])] },
  },
  infer: (context) => {
    const x = typeOf(context, 0, floatTypes)
    const w = typeLikeFirst(context, 1)
    const { outSpatial } = convWindows(context)
    const channels = w.shape[0]!
    if (context.types[2] !== undefined && typeLikeFirst(context, 2).shape.join() !== String(channels))
      invalid(context, `bias ${formatShape(context.types[2].shape)} does not fit ${channels} output channels`)
    return [{ dtype: x.dtype, shape: [x.shape[0]!, channels, ...outSpatial] }]
  },
  compute: (context, [x, w, bias]) => {
    const g = convWindows(context)
    const [batch, channels] = x!.shape as [number, number]
    const [filters, perGroup] = w!.shape as [number, number]
    const [plane, taps, out] = [sizeOf(g.inSpatial), sizeOf(g.kernel), sizeOf(g.outSpatial)]
    const [groupFilters, at] = [filters / g.group, windowTaps(g)]
    const data = new Float64Array(batch * filters * out)
    if (bias !== undefined)
      for (let i = 0; i < batch * filters; i++) data.fill(bias.data[i % filters]!, i * out, (i + 1) * out)
    // one channel's elements as a matrix [taps, out], then a product with that channel's weights [filters, taps]
    const columns = new Float64Array(taps * out)
    for (let n = 0; n < batch; n++)
      for (let c = 0; c < channels; c++) {
        const offset = (n * channels + c) * plane
        for (let i = 0; i < columns.length; i++) columns[i] = at[i]! < 0 ? 0 : x!.data[offset + at[i]!]!
        const group = Math.floor(c / perGroup)
        addProduct(
          data,
          (n * filters + group * groupFilters) * out,
          [groupFilters, taps, out],
          {
            data: w!.data,
            offset: (group * groupFilters * perGroup + (c % perGroup)) * taps,
            row: perGroup * taps,
            column: 1,
          },
          { data: columns, offset: 0, row: out, column: 1 },
        )
      }
    return [{ dtype: x!.dtype, shape: [batch, filters, ...g.outSpatial], data }]
  },
  scaling: { accumulates: true },
  parameters: (context) => {
    const [, weights, bias] = context.constants
    if (weights === undefined || (context.types[2] !== undefined && bias === undefined)) return undefined
    const { shape } = conv.infer(context)[0]!
    return {
      map: { type: 'conv', ...convMapGeometry(context, shape) },
      shape,
      weights: weights.data,
      ...(bias === undefined ? {} : { bias: bias.data }),
    }
  },
  lower: (context, [x]) => {
    const parameters = context.scheme.openWeights && conv.parameters!(context)
    if (parameters && x !== undefined) return [lowerProduct(context, x, parameters)]
    const weights = constantAt(context, 1, 'W')!
    const bias = constantAt(context, 2, 'B')
    if (x === undefined) return unsupported(context, 'X', 'a constant', 'a tensor that the model computes')
    const { shape } = conv.infer(context)[0]!
    return [lowerConv(context, x, convMapGeometry(context, shape), weights, bias, shape)]
  },
}

/** Geometry of the node as a map of integers whose result has a shape. Throws UnsupportedError for three axes or more. */
export function convMapGeometry(context: InferContext, shape: Shape): ConvShape {
  const g = convWindows(context)
  if (g.kernel.length > 2) return unsupported(context, 'spatial axes', g.kernel.length, '1 or 2')
  const pair = (list: Shape, otherwise: number) => (list.length === 2 ? list : [otherwise, ...list]) as [number, number]
  return {
    batch: shape[0]!,
    channels: typeAt(context, 0).shape[1]!,
    size: pair(g.inSpatial, 1),
    outChannels: shape[1]!,
    outSize: pair(g.outSpatial, 1),
    kernel: pair(g.kernel, 1),
    strides: pair(g.strides, 1),
    dilations: pair(g.dilations, 1),
    pads: pair(g.padsBegin, 0),
    groups: g.group,
  }
}
