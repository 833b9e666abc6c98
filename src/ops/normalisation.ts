/**
 * Normalisation of groups of elements to mean 0 and variance 1: what the operators of this kind share.
 * @module
 */
import type { Shape, Tensor } from '../tensor.ts'
import { constantAt } from './inputs.ts'
import { lowerNormalised } from './lower/scaled.ts'
import type { LowerContext, QTensor } from './lowering.ts'

/** Groups of elements, and for each element the positions of its factor and its summand. */
export type Normalisation = {
  /** Elements of each group. Made when they are needed: types don't need them. */
  readonly groups: () => readonly (readonly number[])[]
  readonly epsilon: number
  /** Whether the mean is taken off; without, it counts as 0. */
  readonly centred: boolean
  readonly scaleAt: (element: number) => number
  readonly biasAt: (element: number) => number
  /** Shape of means and factors, where they are outputs. */
  readonly outer?: Shape
}

/** Mean and 1 / √(variance + epsilon) of each group, and the normalised elements, weighted. */
export function computeNormalisation(
  x: Tensor,
  { groups: groupsOf, epsilon, centred, scaleAt, biasAt }: Normalisation,
  scale: Tensor | undefined,
  bias: Tensor | undefined,
): { readonly data: Float64Array; readonly means: Float64Array; readonly factors: Float64Array } {
  const groups = groupsOf()
  const data = new Float64Array(x.data.length)
  const means = new Float64Array(groups.length)
  const factors = new Float64Array(groups.length)
  groups.forEach((group, g) => {
    const mean = centred ? group.reduce((s, at) => s + x.data[at]!, 0) / group.length : 0
    const variance = group.reduce((s, at) => s + (x.data[at]! - mean) ** 2, 0) / group.length
    const factor = 1 / Math.sqrt(variance + epsilon)
    means[g] = mean
    factors[g] = factor
    for (const at of group)
      data[at] =
        (x.data[at]! - mean) * factor * (scale === undefined ? 1 : scale.data[scaleAt(at)]!) +
        (bias === undefined ? 0 : bias.data[biasAt(at)]!)
  })
  return { data, means, factors }
}

/** The integer layers, for constant factors and summands (inputs 1 and 2). */
export function lowerNormalisation(context: LowerContext, x: QTensor, normalisation: Normalisation): QTensor[] {
  const [scale, bias] = [constantAt(context, 1, 'scale'), constantAt(context, 2, 'B')]
  const { groups, scaleAt, biasAt } = normalisation
  return lowerNormalised(
    context,
    x,
    groups(),
    normalisation,
    (at) => (scale === undefined ? 1 : scale.data[scaleAt(at)]!),
    (at) => (bias === undefined ? 0 : bias.data[biasAt(at)]!),
  )
}
