import { bitLength } from '../../../circuits/lc.ts'
import { sizeOf } from '../../tensor.ts'
import { unsupported } from '../inputs.ts'
import { type LowerContext, MAX_SHIFT, type QTensor } from '../lowering.ts'
import type { Parameters } from '../op.ts'
import { integersOf } from './affine.ts'

/** Bits that biases have beyond those of the first weight set: one doubles the room, and costs a row per bias. */
const BIAS_ROOM = 2
/** Most bits of a bias. */
const MAX_BIAS_BITS = 40

/**
 * A linear map whose weights are open. They have n bits each, and one shift: the greatest that the weights at hand fit
 * with. Other sets are rounded with the same scale. Wide result.
 */
export function lowerProduct(
  context: LowerContext,
  input: QTensor,
  { map, shape, weights, bias }: Parameters,
): QTensor {
  const x = integersOf(context, input, sizeOf(shape))
  const target = context.target()
  const { weightBits } = context.scheme
  const limit = 2 ** (weightBits - 1)
  const scaleAt = (shift: number): number => target.scale / (x.scale * 2 ** shift)
  const largest = weights.reduce((m, w) => Math.max(m, Math.abs(w)), 0)
  const fits = (shift: number): boolean =>
    largest === 0 ? shift < weightBits : Math.round(largest / scaleAt(shift)) < limit
  let shift = MAX_SHIFT
  while (shift > 0 && !fits(shift)) shift--
  // without a shift the result would pass for a requantised tensor, and never be clamped
  if (shift === 0) {
    const needed = 2 + Math.floor(Math.log2(Math.round(largest / scaleAt(1))))
    return unsupported(context, 'weight bits', weightBits, `at least ${needed} for weights as large as these`)
  }
  const values = [
    x.value,
    context.emitWeights('weights', {
      ...{ shape: [weights.length], lo: -limit, hi: limit - 1, scale: scaleAt(shift) },
    }),
  ]
  if (bias !== undefined) {
    const scale = target.scale / 2 ** shift
    const most = bias.reduce((m, b) => Math.max(m, Math.round(Math.abs(b) / scale)), 0)
    const bits = 1 + bitLength(BigInt(most)) + BIAS_ROOM
    if (bits > MAX_BIAS_BITS)
      return unsupported(context, 'bits of a bias', bits, `at most ${MAX_BIAS_BITS}; the bias outweighs all products`)
    const half = 2 ** (bits - 1)
    values.push(context.emitWeights('bias', { shape: [bias.length], lo: -half, hi: half - 1, scale }))
  }
  const value = context.emit({ kind: 'product', inputs: values, shape, map })
  return { name: '', value, shape, scale: target.scale, shift }
}
