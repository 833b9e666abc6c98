import { formatShape, type Shape, sizeOf, stridesOf } from '../tensor.ts'
import { attributesOf, int } from './attributes.ts'
import { constantOf, movement } from './doc.ts'
import { indicesWithin } from './indices.ts'
import { constantAt, invalid, like, typeAt } from './inputs.ts'
import { mover } from './mover.ts'
import type { InferContext, Op } from './op.ts'

/** Leading axes in common, and shapes of the stack of index tuples and of the slices. */
function geometry(context: InferContext): { readonly batch: number; readonly tuple: number; readonly slice: Shape } {
  const { shape } = typeAt(context, 0)
  const indices = constantAt(context, 1, 'indices')!
  const { batch_dims: batch } = attributesOf(context.node, { batch_dims: int(0) })
  const tuple = indices.shape.at(-1) ?? 0
  const fits =
    batch >= 0 &&
    batch < Math.min(shape.length, indices.shape.length) &&
    tuple >= 1 &&
    tuple <= shape.length - batch &&
    indices.shape.slice(0, batch).join() === shape.slice(0, batch).join()
  if (!fits) invalid(context, `indices ${formatShape(indices.shape)} do not fit ${formatShape(shape)}`)
  return { batch, tuple, slice: shape.slice(batch + tuple) }
}

/** Slices of a tensor by constant tuples of indices. https://onnx.ai/onnx/operators/onnx__GatherND.html */
export const gatherND: Op = {
  type: 'GatherND',
  domain: '',
  opsets: [11, 25],
  arity: [2, 2],
  doc: movement({ inputs: [[2, 3]], constants: [constantOf([2, 1], [1, 0], 'int64')] }),
  ...mover(
    (context) => {
      const { slice } = geometry(context)
      return like(typeAt(context, 0), [...constantAt(context, 1, 'indices')!.shape.slice(0, -1), ...slice])
    },
    (context) => {
      const { shape } = typeAt(context, 0)
      const { batch, tuple, slice } = geometry(context)
      const indices = constantAt(context, 1, 'indices')!
      const strides = stridesOf(shape)
      const axes = Array.from({ length: tuple }, (_, t) =>
        indicesWithin(
          context,
          indices.data.filter((_v, i) => i % tuple === t),
          shape[batch + t]!,
        ),
      )
      const tuples = indices.data.length / tuple
      const perBatch = tuples / sizeOf(shape.slice(0, batch))
      const [inner, stack] = [sizeOf(slice), sizeOf(shape.slice(batch))]
      const map = new Int32Array(tuples * inner)
      for (let n = 0; n < tuples; n++) {
        const first = axes.reduce(
          (at, list, t) => at + list[n]! * strides[batch + t]!,
          Math.floor(n / perBatch) * stack,
        )
        for (let k = 0; k < inner; k++) map[n * inner + k] = first + k
      }
      return { map, fill: 0 }
    },
  ),
}
