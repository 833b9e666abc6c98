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

/** Finest step of a tensor that is to be rounded to whole numbers. */
const FINEST = 2 ** -20

/**
 * The tensor in steps of 2^-s: exact where its own step is a whole multiple of that, else each step is rounded so little that
 * the largest value is off by less than half a step of the tensor (of 2^-20 where that is more).
 */
export function inBinaryFractions(
  context: LowerContext,
  input: QTensor,
): { readonly value: number; readonly s: number } {
  const x = exactly(context, input)
  const unit = unitOf(x)
  const { lo, hi } = context.boundsOf(x.value)
  const most = Math.max(Math.abs(lo), Math.abs(hi), 1)
  let s = 0
  while (!Number.isInteger(unit * 2 ** s) && most / 2 ** s > Math.max(unit, FINEST)) s++
  const weight = Math.round(unit * 2 ** s)
  return { value: weight === 1 ? x.value : emitAffine(context, [[weight, x.value]], 0, x.shape), s }
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

/** ⌊x⌋, ⌈x⌉ or x rounded to nearest with ties to even, as whole numbers. */
export function lowerWhole(context: LowerContext, x: QTensor, mode: 'floor' | 'ceil' | 'even'): QTensor {
  const { shape } = x
  const { value, s } = inBinaryFractions(context, x)
  const result = (v: number): QTensor => ({ name: '', value: v, shape, scale: 1, shift: 0 })
  if (s === 0) return result(value)
  if (mode === 'floor') return result(emitFloorShift(context, value, shape, s))
  if (mode === 'ceil') {
    const floor = emitFloorShift(context, emitAffine(context, [[-1, value]], 0, shape), shape, s)
    return result(emitAffine(context, [[-1, floor]], 0, shape))
  }
  // adding a half less one step, and that step where ⌊x⌋ is odd
  const floor = emitFloorShift(context, value, shape, s)
  const half = emitFloorShift(context, floor, shape, 1)
  const terms = [
    [1, value],
    [1, floor],
    [-2, half],
  ] as const
  return result(emitFloorShift(context, emitAffine(context, terms, 2 ** (s - 1) - 1, shape), shape, s))
}

/** -1, 0 or 1: clamp(x, -1, 1) of the integers. */
export function lowerSign(context: LowerContext, input: QTensor): QTensor {
  const x = exactly(context, input)
  return { name: '', value: emitClamp(context, x.value, x.shape, -1, 1), shape: x.shape, scale: 1, shift: 0 }
}

/** |x| = 2·max(x, 0) - x of the requantised integers. */
export function lowerAbs(context: LowerContext, input: QTensor): QTensor {
  const x = context.narrow(input)
  return { ...x, name: '', value: emitAbs(context, x.value, x.shape) }
}

/** |v| of integers, elementwise. */
export function emitAbs(context: LowerContext, value: number, shape: Shape): number {
  const { lo, hi } = context.boundsOf(value)
  if (lo >= 0) return value
  const positive = context.emit({ kind: 'relu', inputs: [value], shape })
  const abs = emitAffine(
    context,
    [
      [2, positive],
      [-1, value],
    ],
    0,
    shape,
  )
  // 2·max(v, 0) and v are bounded apart; together they can't be negative
  return context.boundsOf(abs).lo >= 0 ? abs : emitClamp(context, abs, shape, 0, Math.max(-lo, hi))
}

/** -x of the integers as they are. */
export function lowerNegative(context: LowerContext, input: QTensor): QTensor {
  return { ...input, name: '', value: emitAffine(context, [[-1, input.value]], 0, input.shape) }
}

/** x·[x > alpha] of the requantised integers: the comparison is with ⌊alpha / scale⌋. */
export function lowerThreshold(context: LowerContext, input: QTensor, alpha: number): QTensor {
  const x = context.narrow(input)
  const { shape } = x
  const over = emitAffine(context, [[1, x.value]], -Math.floor(alpha / x.scale), shape)
  const passes = emitClamp(context, over, shape, 0, 1)
  const value = context.emit({ kind: 'multiply', inputs: [passes, x.value], shape })
  return { ...x, name: '', value }
}
