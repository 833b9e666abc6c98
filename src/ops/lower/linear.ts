import type { Shape } from '../../tensor.ts'
import { emitSparse, integerStats, type LowerContext, type QTensor, type RealRow } from '../lowering.ts'
import type { Taps } from '../taps.ts'

/** Σ weight · x[position] (+ bias) for each element of the result, with constant real weights. Wide result. */
export function lowerTaps(
  context: LowerContext,
  input: QTensor,
  taps: Taps,
  shape: Shape,
  bias?: ArrayLike<number>,
): QTensor {
  const x = context.narrow(input)
  const target = context.target()
  const factor = x.scale / target.scale
  const rows = taps.map((of, j): RealRow => {
    const sorted = [...of].sort(([a], [b]) => a - b)
    return {
      positions: sorted.map(([at]) => at),
      weights: sorted.map(([, w]) => w * factor),
      bias: (bias?.[j] ?? 0) / target.scale,
    }
  })
  const { value, shift } = emitSparse(context, [{ value: x.value, ...integerStats(context, x) }], rows, shape)
  return { name: '', value, shape, scale: target.scale, shift }
}

/** Taps that give every element of a group the weight of the group. */
export const uniformTaps = (
  groups: readonly (readonly number[])[],
  weight: (group: readonly number[]) => number,
): Taps => groups.map((group) => new Map(group.map((at) => [at, weight(group)])))
