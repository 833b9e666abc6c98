import { sameShape, sizeOf, type Tensor } from '../tensor.ts'
import { attributesOf, int, oneOf } from './attributes.ts'
import { constantOf, movement } from './doc.ts'
import { elementPositions } from './gatherElements.ts'
import { constantAt, invalid, typeAt, typeLikeFirst, unsupported } from './inputs.ts'
import { constantLike, lowerMove } from './lower/moves.ts'
import type { InferContext, Moves, Op } from './op.ts'

const reductions = ['none', 'add', 'mul', 'max', 'min'] as const

const attributes = ({ node }: InferContext) =>
  attributesOf(node, { axis: int(0), reduction: oneOf(reductions, 'none') })

/** The result as a movement of data and updates, one after the other; of equal indices the last counts. */
function overwriting(context: InferContext): Moves {
  const data = sizeOf(typeAt(context, 0).shape)
  const map = Int32Array.from({ length: data }, (_, i) => i)
  elementPositions(context, attributes(context).axis).forEach((at, i) => {
    map[at] = data + i
  })
  return { map, fill: 0 }
}

const combine = {
  none: (_: number, update: number) => update,
  add: (old: number, update: number) => old + update,
  mul: (old: number, update: number) => old * update,
  max: Math.max,
  min: Math.min,
} as const

/** A tensor with some elements, at constant indices along an axis, replaced. https://onnx.ai/onnx/operators/onnx__ScatterElements.html */
export const scatterElements: Op = {
  type: 'ScatterElements',
  domain: '',
  opsets: [11, 25],
  arity: [3, 3],
  doc: movement({
    inputs: [[2, 3]],
    constants: [constantOf([1, 3], [1, 0, 1], 'int64'), constantOf([1, 3], [0.5, 0.25, 0])],
  }),
  infer: (context) => {
    const indices = constantAt(context, 1, 'indices')!
    const updates = typeLikeFirst(context, 2)
    if (!sameShape(indices.shape, updates.shape)) invalid(context, 'indices and updates differ in shape')
    elementPositions(context, attributes(context).axis)
    return [typeAt(context, 0)]
  },
  compute: (context, [x, , updates]) => {
    const { axis, reduction } = attributes(context)
    const data = Float64Array.from(x!.data)
    elementPositions(context, axis).forEach((at, i) => {
      data[at] = combine[reduction](data[at]!, updates!.data[i]!)
    })
    return [{ ...(x as Tensor), data }]
  },
  scaling: { tied: true, wideInput: 'keeps', nonNegative: (_, inputs) => inputs[0] === true && inputs[2] === true },
  lower: (context, [x, , updates]) => {
    const { reduction } = attributes(context)
    if (reduction !== 'none') return unsupported(context, 'reduction', reduction, 'none, for values that are computed')
    const anchor = (x ?? updates)!.value
    const inputs = [x ?? constantLike(context, 0, anchor), updates ?? constantLike(context, 2, anchor)]
    return [lowerMove(context, inputs, overwriting(context), typeAt(context, 0).shape)]
  },
}
