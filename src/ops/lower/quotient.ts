import { magnitudeOf } from '../../model/layer.ts'
import { broadcastMap, type Shape, sizeOf, type Tensor } from '../../tensor.ts'
import { type LowerContext, type QTensor, sparseMap } from '../lowering.ts'
import { emitAbs, emitAffine, emitClamp, spread, wholeInputs } from './compare.ts'

/** Bits of the integer factor between quotients of integers and steps of the output, at least: 1/512 is its rounding. */
const LEAST_FACTOR_BITS = 8

/** Sums in a quotient stay below this, so that doubles hold them. */
const LARGEST_SUM = 2 ** 52

/** Fraction bits of a quotient that the graph reads with all its bits. */
const WIDE_BITS = 8

/** -1 where v < 0, else 1: 2·clamp(v + 1, 0, 1) - 1. */
export function emitSignOf(context: LowerContext, value: number, shape: Shape): number {
  const raised = emitAffine(context, [[1, value]], 1, shape)
  return emitAffine(context, [[2, emitClamp(context, raised, shape, 0, 1)]], -1, shape)
}

/** ⌊n / d + 1/2⌋ for integers n of any sign and d ≥ 1: ⌊(2n + d + 2M·d) / 2d⌋ - M with M the largest |n|. */
export function emitRoundedQuotient(context: LowerContext, n: number, d: number, shape: Shape): number {
  const { lo, hi } = context.boundsOf(n)
  const M = lo >= 0 ? 0 : Math.max(-lo, hi)
  const dividend = emitAffine(
    context,
    [
      [2, n],
      [2 * M + 1, d],
    ],
    0,
    shape,
  )
  const quotient = context.emit({
    kind: 'divide',
    inputs: [dividend, emitAffine(context, [[2, d]], 0, shape)],
    shape,
  })
  return M === 0 ? quotient : emitAffine(context, [[1, quotient]], -M, shape)
}

/**
 * a / b elementwise, broadcast, for a computed b and an a that is computed or constant: with K = round(sa / (sb·sy) · 2^S) and S
 * such that K ≥ 2ⁿ for activations of n ≥ 8 bits, ⌊K·a·sgn(b) / max(|b|, 1) + 1/2⌋ in steps of sy / 2^S; sgn(0) = 1.
 */
export function lowerQuotient(context: LowerContext, a: QTensor | Tensor, b: QTensor, shape: Shape): QTensor {
  const target = context.target()
  const x = context.narrow(b)
  const divisor = spread(context, x.value, x.shape, shape)
  const { lo, hi } = context.boundsOf(divisor)
  const computed = 'value' in a ? context.narrow(a) : undefined
  const factor = (computed?.scale ?? largest(a as Tensor)) / (x.scale * target.scale)
  const least = 2 ** Math.max(LEAST_FACTOR_BITS, context.scheme.bits)
  // a constant a is at most 1 in units of the largest
  const most = computed === undefined ? 1 : magnitudeOf(context.boundsOf(computed.value))
  const room = Math.floor(Math.log2(LARGEST_SUM / (2 * most * factor * Math.max(-lo, hi, 1))))
  const wanted = Math.ceil(Math.log2(least / factor)) + (target.wide ? WIDE_BITS : 0)
  const shift = Math.max(0, Math.min(wanted, room))
  const size = sizeOf(shape)
  let dividend: number
  if (computed !== undefined) {
    const spreadA = spread(context, computed.value, computed.shape, shape)
    dividend = emitAffine(context, [[Math.round(factor * 2 ** shift), spreadA]], 0, shape)
  } else {
    const { data, shape: from } = a as Tensor
    const at = broadcastMap(from, shape)
    const rows = Array.from({ length: size }, (_, j) => ({
      positions: [],
      weights: [],
      bias: (data[at[j]!]! / (x.scale * target.scale)) * 2 ** shift,
    }))
    dividend = context.emit({ kind: 'linear', inputs: [divisor], shape, map: sparseMap(rows, 0) })
  }
  let magnitude = divisor
  if (lo < 0) {
    const sign = emitSignOf(context, divisor, shape)
    magnitude = emitAbs(context, divisor, shape)
    dividend = context.emit({ kind: 'multiply', inputs: [dividend, sign], shape })
  }
  if (lo < 1) magnitude = emitClamp(context, magnitude, shape, 1, Math.max(-lo, hi, 1))
  return {
    name: '',
    value: emitRoundedQuotient(context, dividend, magnitude, shape),
    shape,
    scale: target.scale,
    shift,
  }
}

const largest = ({ data }: Tensor): number => data.reduce((m, v) => Math.max(m, Math.abs(v)), 0) || 1

/** Whole numbers divided, towards zero: sgn(a)·sgn(b)·⌊|a| / max(|b|, 1)⌋. */
export function lowerWholeQuotient(
  context: LowerContext,
  inputs: readonly (QTensor | undefined)[],
  shape: Shape,
): QTensor {
  const [n, d] = wholeInputs(context, inputs, shape) as [number, number]
  const most = context.boundsOf(d)
  const positive = emitAbs(context, d, shape)
  const divisor = most.lo >= 1 ? positive : emitClamp(context, positive, shape, 1, Math.max(-most.lo, most.hi, 1))
  let value = context.emit({ kind: 'divide', inputs: [emitAbs(context, n, shape), divisor], shape })
  for (const signed of [n, d])
    if (context.boundsOf(signed).lo < 0)
      value = context.emit({ kind: 'multiply', inputs: [value, emitSignOf(context, signed, shape)], shape })
  return { name: '', value, shape, scale: 1, shift: 0 }
}
