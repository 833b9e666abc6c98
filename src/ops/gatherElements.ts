import { formatShape, stridedMap, stridesOf } from '../tensor.ts'
import { attributesOf, int } from './attributes.ts'
import { constantOf } from './doc.ts'
import { indicesWithin } from './indices.ts'
import { axisOf, constantAt, invalid, like, typeAt, typeOf } from './inputs.ts'
import { lowerMove } from './lower/moves.ts'
import { lowerSelection } from './lower/select.ts'
import { gather } from './movement.ts'
import type { InferContext, Moves, Op } from './op.ts'

/**
 * For each constant index the position in a tensor of its own place with that index along the axis: what ScatterElements writes.
 */
export function elementPositions(context: InferContext, givenAxis: number): Int32Array {
  const { shape } = typeAt(context, 0)
  const axis = axisOf(context, givenAxis, shape.length)
  const indices = constantAt(context, 1, 'indices')!
  if (indices.shape.length !== shape.length || indices.shape.some((d, i) => i !== axis && d > shape[i]!))
    invalid(context, `indices ${formatShape(indices.shape)} do not fit ${formatShape(shape)}`)
  const strides = stridesOf(shape)
  const base = stridedMap(indices.shape, strides.with(axis, 0))
  return indicesWithin(context, indices.data, shape[axis]!).map((i, at) => base[at]! + i * strides[axis]!)
}

/** Axis, its number of elements, and the positions of each index's place with index 0. */
function places(context: InferContext): { readonly size: number; readonly step: number; readonly base: Int32Array } {
  const { shape } = typeAt(context, 0)
  const axis = axisOf(context, attributesOf(context.node, { axis: int(0) }).axis, shape.length)
  const indices = typeOf(context, 1, ['int32', 'int64']).shape
  if (indices.length !== shape.length || indices.some((d, i) => i !== axis && d > shape[i]!))
    invalid(context, `indices ${formatShape(indices)} do not fit ${formatShape(shape)}`)
  const strides = stridesOf(shape)
  return { size: shape[axis]!, step: strides[axis]!, base: stridedMap(indices, strides.with(axis, 0)) }
}

const movesFor = (context: InferContext, given: ArrayLike<number>): Moves => {
  const { size, step, base } = places(context)
  return { map: indicesWithin(context, given, size).map((i, at) => base[at]! + i * step), fill: 0 }
}

/**
 * Elements by indices along an axis, constant (data movement) or computed; of computed indices, one outside the axis gives 0.
 * https://onnx.ai/onnx/operators/onnx__GatherElements.html
 */
export const gatherElements: Op = {
  type: 'GatherElements',
  domain: '',
  opsets: [11, 25],
  arity: [2, 2],
  doc: {
    integers: 'as Gather',
    rows: 'as Gather',
    error: 'none',
    example: { inputs: [[2, 3]], constants: [constantOf([1, 3], [1, 0, 1], 'int64')] },
  },
  infer: (context) => {
    const known = context.constants[1]
    const { size } = places(context)
    if (known !== undefined) indicesWithin(context, known.data, size)
    return [like(typeAt(context, 0), typeAt(context, 1).shape)]
  },
  compute: (context, [x, indices]) => [
    gather(like(typeAt(context, 0), indices!.shape), movesFor(context, indices!.data), [x!]),
  ],
  scaling: { tied: true, wideInput: 'keeps', nonNegative: (_, [x]) => x === true },
  lower: (context, [x, indices]) => {
    const { shape } = typeAt(context, 1)
    if (indices === undefined) return [lowerMove(context, [x!], movesFor(context, context.constants[1]!.data), shape)]
    const { size, step, base } = places(context)
    const selection = { size, indexOf: (k: number) => k, source: (k: number, i: number) => base[k]! + i * step }
    return [lowerSelection(context, x ?? context.constants[0]!, indices, selection, shape)]
  },
}
