import { floatTypes, sizeOf, type Tensor, type TensorType } from '../tensor.ts'
import { attributesOf, int } from './attributes.ts'
import { axisOf, typeAt, typeOf } from './inputs.ts'
import type { InferContext } from './op.ts'

/**
 * The groups of elements that Softmax and LogSoftmax normalise: element i of group [o, j] stands at (o · size + i) · inner + j.
 */
export type Groups = { readonly outer: number; readonly size: number; readonly inner: number }

/** One axis since opset 13 (the last by default); before, all axes from `axis` (1 by default) together. */
export function normalisedGroups(context: InferContext): Groups {
  const { shape } = typeAt(context, 0)
  const together = context.node.opset < 13
  const given = attributesOf(context.node, { axis: int(together ? 1 : -1) }).axis
  const axis = together && given === shape.length ? given : axisOf(context, given, shape.length)
  const outer = sizeOf(shape.slice(0, axis))
  return together
    ? { outer, size: sizeOf(shape.slice(axis)), inner: 1 }
    : { outer, size: shape[axis]!, inner: sizeOf(shape.slice(axis + 1)) }
}

export function inferNormalised(context: InferContext): TensorType[] {
  normalisedGroups(context)
  return [typeOf(context, 0, floatTypes)]
}

/** f of each element minus its group's greatest, and of the sum of the exponentials of these differences. */
export function computeNormalised(
  context: InferContext,
  x: Tensor,
  f: (difference: number, sum: number) => number,
): Tensor[] {
  const { outer, size, inner } = normalisedGroups(context)
  const data = new Float64Array(x.data.length)
  for (let o = 0; o < outer; o++)
    for (let j = 0; j < inner; j++) {
      const at = (i: number): number => (o * size + i) * inner + j
      let most = Number.NEGATIVE_INFINITY
      for (let i = 0; i < size; i++) most = Math.max(most, x.data[at(i)]!)
      let sum = 0
      for (let i = 0; i < size; i++) sum += Math.exp(x.data[at(i)]! - most)
      for (let i = 0; i < size; i++) data[at(i)] = f(x.data[at(i)]! - most, sum)
    }
  return [{ ...x, data }]
}

/** Positions of the elements of each group. */
export function groupsOf(context: InferContext): number[][] {
  const { outer, size, inner } = normalisedGroups(context)
  return Array.from({ length: outer * inner }, (_, g) => {
    const [o, j] = [Math.floor(g / inner), g % inner]
    return Array.from({ length: size }, (_i, i) => (o * size + i) * inner + j)
  })
}
