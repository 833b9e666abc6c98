import { sizeOf, type TensorType } from '../tensor.ts'
import { attributesOf, int } from './attributes.ts'
import { constantOf } from './doc.ts'
import { indicesWithin } from './indices.ts'
import { axisOf, like, typeAt, typeOf } from './inputs.ts'
import { lowerMove } from './lower/moves.ts'
import { lowerSelection } from './lower/select.ts'
import { gather as gatherElements } from './movement.ts'
import type { InferContext, Moves, Op } from './op.ts'

const axisOfGather = (context: InferContext): number =>
  axisOf(context, attributesOf(context.node, { axis: int(0) }).axis, typeAt(context, 0).shape.length)

function resultOf(context: InferContext): TensorType {
  const x = typeAt(context, 0)
  const indices = typeOf(context, 1, ['int32', 'int64'])
  return like(x, x.shape.toSpliced(axisOfGather(context), 1, ...indices.shape))
}

/** The axis's number of elements, and how many there are within one of them. */
function sizes(context: InferContext): { readonly size: number; readonly inner: number; readonly outer: number } {
  const { shape } = typeAt(context, 0)
  const axis = axisOfGather(context)
  return { size: shape[axis]!, inner: sizeOf(shape.slice(axis + 1)), outer: sizeOf(shape.slice(0, axis)) }
}

/** The movement for known indices. */
function movesFor(context: InferContext, given: ArrayLike<number>): Moves {
  const { size, inner, outer } = sizes(context)
  const indices = indicesWithin(context, given, size)
  const map = new Int32Array(outer * indices.length * inner)
  let at = 0
  for (let o = 0; o < outer; o++)
    for (const i of indices) for (let k = 0; k < inner; k++) map[at++] = (o * size + i) * inner + k
  return { map, fill: 0 }
}

/**
 * Slices of a tensor along an axis, by constant indices (data movement) or computed ones; of computed indices, one outside the
 * axis gives 0. https://onnx.ai/onnx/operators/onnx__Gather.html
 */
export const gather: Op = {
  type: 'Gather',
  domain: '',
  opsets: [1, 25],
  arity: [2, 2],
  doc: {
    integers:
      'by constant indices as they are; by computed ones Σ [k = i]·data[i], brackets as for Hardmax; an index outside its axis gives 0',
    rows: 'by constant indices 0; else v + 1 clamps for each index over v values, and v products an element',
    error: 'none',
    example: { inputs: [[3, 2], constantOf([2], [2, 0], 'int64')] },
  },
  infer: (context) => {
    const known = context.constants[1]
    if (known !== undefined) indicesWithin(context, known.data, sizes(context).size)
    return [resultOf(context)]
  },
  compute: (context, [x, indices]) => [gatherElements(resultOf(context), movesFor(context, indices!.data), [x!])],
  scaling: { tied: true, wideInput: 'keeps', nonNegative: (_, [x]) => x === true },
  lower: (context, [x, indices]) => {
    const { shape } = resultOf(context)
    if (indices === undefined) return [lowerMove(context, [x!], movesFor(context, context.constants[1]!.data), shape)]
    const { size, inner } = sizes(context)
    const count = sizeOf(indices.shape)
    const selection = {
      size,
      indexOf: (k: number) => Math.floor(k / inner) % count,
      source: (k: number, i: number) => (Math.floor(k / (inner * count)) * size + i) * inner + (k % inner),
    }
    return [lowerSelection(context, x ?? context.constants[0]!, indices, selection, shape)]
  },
}
