import type { TensorType } from '../tensor.ts'
import { attributesOf, int } from './attributes.ts'
import { constantOf } from './doc.ts'
import { axisOf, constantAt, constantScalar, invalid, numericTypes, typeAt, typeOf, unsupported } from './inputs.ts'
import { emitAffine, emitOneHot } from './lower/compare.ts'
import { fromFront } from './lower/select.ts'
import type { InferContext, Op } from './op.ts'

/** Type of the result, its new axis, and the sizes before and after that. */
function geometry(context: InferContext): {
  readonly type: TensorType
  readonly depth: number
  readonly inner: number
} {
  const { shape } = typeOf(context, 0, numericTypes)
  const depth = constantScalar(context, 1, 'depth')!
  const values = typeAt(context, 2)
  const axis = axisOf(context, attributesOf(context.node, { axis: int(-1) }).axis, shape.length + 1)
  if (!Number.isInteger(depth) || depth < 1) invalid(context, `depth ${depth} is no size`)
  if (values.shape.join() !== '2') invalid(context, 'values must be [off, on]')
  return {
    type: { dtype: values.dtype, shape: shape.toSpliced(axis, 0, depth) },
    depth,
    inner: shape.slice(axis).reduce((n, d) => n * d, 1),
  }
}

/**
 * A new axis with one value at each index and another elsewhere; negative indices count from the end, and
 * those beyond the axis set nothing. https://onnx.ai/onnx/operators/onnx__OneHot.html
 */
export const oneHot: Op = {
  type: 'OneHot',
  domain: '',
  opsets: [9, 25],
  arity: [3, 3],
  doc: {
    integers: 'the second value where [k = i], else the first; brackets as for Hardmax',
    rows: 'depth + 1 clamps for each index',
    error: 'none',
    refuses: 'a depth that the model computes',
    example: {
      inputs: [constantOf([2], [2, 0], 'int64')],
      constants: [constantOf([], [3], 'int64'), constantOf([2], [0, 1])],
    },
  },
  infer: (context) => [geometry(context).type],
  compute: (context, [indices, , values]) => {
    const { type, depth, inner } = geometry(context)
    const [off, on] = values!.data as unknown as [number, number]
    const data = new Float64Array(type.shape.reduce((n, d) => n * d, 1)).fill(off)
    indices!.data.forEach((given, j) => {
      const index = given < 0 ? given + depth : given
      if (index >= 0 && index < depth)
        data[(Math.floor(j / inner) * depth + Math.trunc(index)) * inner + (j % inner)] = on
    })
    return [{ ...type, data }]
  },
  lower: (context, [indices]) => {
    const { type, depth, inner } = geometry(context)
    const values = constantAt(context, 2, 'values')!
    const [off, on] = values.data as unknown as [number, number]
    if (indices === undefined || indices.shift !== 0 || indices.scale !== 1)
      return unsupported(context, 'indices', 'floats', 'whole numbers')
    const count = indices.shape.reduce((n, d) => n * d, 1)
    const bits = emitOneHot(context, fromFront(context, indices, depth), count, depth)
    const map = Int32Array.from({ length: count * depth }, (_, k) => {
      const [outer, i, rest] = [Math.floor(k / (depth * inner)), Math.floor(k / inner) % depth, k % inner]
      return (outer * inner + rest) * depth + i
    })
    const moved = context.emit({ kind: 'gather', inputs: [bits], shape: type.shape, map, fill: 0 })
    const { scale } = context.target()
    const [least, most] = [Math.round(off / scale), Math.round(on / scale)]
    const value = emitAffine(context, [[most - least, moved]], least, type.shape)
    return [{ name: '', value, shape: type.shape, scale, shift: 0 }]
  },
}
