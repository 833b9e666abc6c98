import { type DType, type Shape, sizeOf, stridedMap, stridesOf, type Tensor, wrapInteger } from '../tensor.ts'
import { attributesOf, flag, ints } from './attributes.ts'
import type { OpDoc } from './doc.ts'
import { atMostInputs, axesOf, constantInts, numericTypes, typeAt, typeOf, unsupported } from './inputs.ts'
import type { LowerContext, QTensor } from './lowering.ts'
import type { InferContext, Op, Scaling } from './op.ts'

/** Axes that are reduced, and the shape of the result. */
function geometry(
  context: InferContext,
  axesInput: number,
): { readonly axes: readonly number[]; readonly shape: Shape } {
  const { node } = context
  const { shape } = typeAt(context, 0)
  const asInput = node.opset >= axesInput
  if (!asInput) atMostInputs(context, 1)
  const given = attributesOf(node, {
    keepdims: flag(true),
    ...(asInput ? { noop_with_empty_axes: flag(false) } : { axes: ints() }),
  })
  const list = 'axes' in given ? given.axes : constantInts(context, 1, 'axes')
  const none = list === undefined || list.length === 0
  const all = none && !('noop_with_empty_axes' in given && given.noop_with_empty_axes)
  const axes = all ? [...shape.keys()] : axesOf(context, list ?? [], shape.length)
  return {
    axes,
    shape: given.keepdims ? shape.map((d, i) => (axes.includes(i) ? 1 : d)) : shape.filter((_, i) => !axes.includes(i)),
  }
}

/** Positions of the elements that each element of the result is made of. */
export function groupsAlong(shape: Shape, axes: readonly number[]): number[][] {
  const strides = stridesOf(shape)
  const of = (wanted: (axis: number) => boolean): Int32Array => {
    const list = [...shape.keys()].filter(wanted)
    return stridedMap(
      list.map((i) => shape[i]!),
      list.map((i) => strides[i]!),
    )
  }
  const within = of((i) => axes.includes(i))
  return Array.from(
    of((i) => !axes.includes(i)),
    (base) => Array.from(within, (offset) => base + offset),
  )
}

/** What makes one reduction. */
export type Reduction = {
  readonly type: string
  readonly doc: OpDoc
  /** First opset in which the axes are an input. */
  readonly axesInput?: number
  readonly types?: readonly DType[]
  readonly scaling?: Scaling
  /** The reduction of some numbers, of none too. */
  readonly of: (values: readonly number[]) => number
  /** Its integer layers; groups are not empty. */
  readonly lower: (context: LowerContext, x: QTensor, groups: readonly (readonly number[])[], shape: Shape) => QTensor
}

/** An operator that makes one number of all elements along some axes (a constant list). */
export function reduction({ type, doc, axesInput = 18, types = numericTypes, scaling, of, lower }: Reduction): Op {
  return {
    type,
    domain: '',
    opsets: [1, 25],
    arity: [1, 2],
    doc,
    infer: (context) => [{ dtype: typeOf(context, 0, types).dtype, shape: geometry(context, axesInput).shape }],
    compute: (context, [x]) => {
      const { axes, shape } = geometry(context, axesInput)
      const { dtype, data } = x as Tensor
      const groups = groupsAlong(x!.shape, axes)
      return [
        { dtype, shape, data: Float64Array.from(groups, (g) => wrapInteger(dtype, of(g.map((at) => data[at]!)))) },
      ]
    },
    ...(scaling === undefined ? {} : { scaling }),
    lower: (context, [x]) => {
      const { axes, shape } = geometry(context, axesInput)
      if (sizeOf(x!.shape) === 0) return unsupported(context, 'input shape', x!.shape, 'tensors with elements')
      return [lower(context, x!, groupsAlong(x!.shape, axes), shape)]
    },
  }
}
