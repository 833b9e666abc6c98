import { formatShape, stridedMap, stridesOf } from '../tensor.ts'
import { attributesOf, int } from './attributes.ts'
import { indicesWithin } from './indices.ts'
import { axisOf, constantAt, invalid, like, typeAt } from './inputs.ts'
import { mover } from './mover.ts'
import type { InferContext, Op } from './op.ts'

/**
 * For each constant index the position in a tensor of its own place with that index along the axis: what GatherElements reads
 * and ScatterElements writes.
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

/** Elements by constant indices along an axis. https://onnx.ai/onnx/operators/onnx__GatherElements.html */
export const gatherElements: Op = {
  type: 'GatherElements',
  domain: '',
  opsets: [11, 25],
  arity: [2, 2],
  ...mover(
    (context) => like(typeAt(context, 0), constantAt(context, 1, 'indices')!.shape),
    (context) => ({ map: elementPositions(context, attributesOf(context.node, { axis: int(0) }).axis), fill: 0 }),
  ),
}
