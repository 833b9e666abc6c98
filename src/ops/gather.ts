import { sizeOf } from '../tensor.ts'
import { attributesOf, int } from './attributes.ts'
import { indicesWithin } from './indices.ts'
import { axisOf, constantAt, like, typeAt } from './inputs.ts'
import { mover } from './mover.ts'
import type { InferContext, Op } from './op.ts'

const axisOfGather = (context: InferContext): number =>
  axisOf(context, attributesOf(context.node, { axis: int(0) }).axis, typeAt(context, 0).shape.length)

/** Slices of a tensor along an axis, by constant indices. https://onnx.ai/onnx/operators/onnx__Gather.html */
export const gather: Op = {
  type: 'Gather',
  domain: '',
  opsets: [1, 25],
  arity: [2, 2],
  ...mover(
    (context) => {
      const x = typeAt(context, 0)
      const axis = axisOfGather(context)
      const indices = constantAt(context, 1, 'indices')!
      return like(x, x.shape.toSpliced(axis, 1, ...indices.shape))
    },
    (context) => {
      const { shape } = typeAt(context, 0)
      const axis = axisOfGather(context)
      const [size, inner] = [shape[axis]!, sizeOf(shape.slice(axis + 1))]
      const indices = indicesWithin(context, constantAt(context, 1, 'indices')!.data, size)
      const outer = sizeOf(shape.slice(0, axis))
      const map = new Int32Array(outer * indices.length * inner)
      let at = 0
      for (let o = 0; o < outer; o++)
        for (const i of indices) for (let k = 0; k < inner; k++) map[at++] = (o * size + i) * inner + k
      return { map, fill: 0 }
    },
  ),
}
