import { type Shape, sizeOf } from '../../tensor.ts'
import { emitSparse, integerStats, type LowerContext, type QTensor, sparseMap } from '../lowering.ts'

/** Real value of one step of a tensor with one shift. */
const unitOf = (x: QTensor): number => x.scale / 2 ** (x.shift as number)

/** The tensor with all its fraction bits where it has one shift, else requantised. */
export const exactly = (context: LowerContext, x: QTensor): QTensor =>
  typeof x.shift === 'number' ? x : context.narrow(x)

/** clamp(v, lo, hi) of integers, elementwise. */
export const emitClamp = (context: LowerContext, value: number, shape: Shape, lo: number, hi: number): number =>
  context.emit({
    kind: 'requantise',
    inputs: [value],
    shape,
    shifts: Uint8Array.of(0),
    inner: Math.max(sizeOf(shape), 1),
    lo,
    hi,
  })

/** Σ weight · v + bias, elementwise over values of the same size. */
export const emitAffine = (
  context: LowerContext,
  terms: readonly (readonly [weight: number, value: number])[],
  bias: number | ArrayLike<number>,
  shape: Shape,
): number => {
  const size = sizeOf(shape)
  const rows = Array.from({ length: size }, (_, j) => ({
    positions: terms.map((_t, i) => i * size + j),
    weights: terms.map(([w]) => w),
    bias: typeof bias === 'number' ? bias : bias[j]!,
  }))
  return context.emit({ kind: 'linear', inputs: terms.map(([, v]) => v), shape, map: sparseMap(rows, 0) })
}

/** ⌊v / 2ˢ⌋, elementwise, s ≥ 1: the rounding shift of v - 2^(s-1). */
export function emitFloorShift(context: LowerContext, value: number, shape: Shape, s: number): number {
  if (s === 0) return value
  const lowered = emitAffine(context, [[1, value]], -(2 ** (s - 1)), shape)
  const { lo, hi } = context.boundsOf(value)
  return context.emit({
    kind: 'requantise',
    inputs: [lowered],
    shape,
    shifts: Uint8Array.of(s),
    inner: sizeOf(shape),
    lo: Math.floor(lo / 2 ** s),
    hi: Math.floor(hi / 2 ** s),
  })
}

/** [v ≠ 0]: clamp(v, 0, 1) + clamp(-v, 0, 1). */
export function emitIsNonZero(context: LowerContext, value: number, shape: Shape): number {
  const { lo } = context.boundsOf(value)
  const positive = emitClamp(context, value, shape, 0, 1)
  if (lo >= 0) return positive
  const negative = emitClamp(context, emitAffine(context, [[-1, value]], 0, shape), shape, 0, 1)
  return emitAffine(
    context,
    [
      [1, positive],
      [1, negative],
    ],
    0,
    shape,
  )
}

/** Fraction bits that a tensor is brought to before it is rounded to whole numbers. */
const WHOLE_BITS = 16

/**
 * The tensor in steps of 2^-s, s chosen so that a step is no coarser than the tensor's own: exact where the tensor's step is a
 * whole multiple of it, else rounded to it by the linear layer's weights.
 */
export function inBinaryFractions(
  context: LowerContext,
  input: QTensor,
): { readonly value: number; readonly s: number } {
  const x = exactly(context, input)
  const unit = unitOf(x)
  if (Number.isInteger(unit))
    return { value: unit === 1 ? x.value : emitAffine(context, [[unit, x.value]], 0, x.shape), s: 0 }
  const s = Math.max(0, Math.min(WHOLE_BITS, Math.ceil(-Math.log2(unit)) + 8))
  return { value: emitAffine(context, [[unit * 2 ** s, x.value]], 0, x.shape), s }
}

/** x towards zero, as whole numbers: ⌊max(x, 0)⌋ - ⌊max(-x, 0)⌋. */
export function emitTruncate(context: LowerContext, x: QTensor): number {
  const { value, s } = inBinaryFractions(context, x)
  if (s === 0) return value
  const up = context.emit({ kind: 'relu', inputs: [value], shape: x.shape })
  const down = emitAffine(
    context,
    [
      [1, up],
      [-1, value],
    ],
    0,
    x.shape,
  )
  return emitAffine(
    context,
    [
      [1, emitFloorShift(context, up, x.shape, s)],
      [-1, emitFloorShift(context, down, x.shape, s)],
    ],
    0,
    x.shape,
  )
}

/** The same real values in steps of the target. Wide result. */
export function lowerRescale(context: LowerContext, input: QTensor, factor = 1): QTensor {
  const x = context.narrow(input)
  const target = context.target()
  const weight = (factor * x.scale) / target.scale
  const rows = Array.from({ length: sizeOf(x.shape) }, (_, j) => ({ positions: [j], weights: [weight], bias: 0 }))
  const { value, shift } = emitSparse(context, [{ value: x.value, ...integerStats(context, x) }], rows, x.shape)
  return { name: '', value, shape: x.shape, scale: target.scale, shift }
}
