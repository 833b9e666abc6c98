import { broadcastMap, type Shape, sizeOf, type Tensor } from '../../tensor.ts'
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

/** Accumulators from here on are requantised before they are rounded: 256 times the square of a value must fit doubles. */
const LARGEST = 2 ** 22

/**
 * The tensor in steps of 2^-s: exact where its own step is a whole multiple of that, else each step is rounded so little that
 * the largest value is off by less than 1/512 of a step of the tensor (2^-21 where that is more). That error is
 * at most `slack` steps of 2^-s: a whole number may be missed by as much, on either side.
 */
export function inBinaryFractions(
  context: LowerContext,
  input: QTensor,
): { readonly value: number; readonly s: number; readonly slack: number } {
  const sizeOfValue = ({ value }: QTensor): number => {
    const { lo, hi } = context.boundsOf(value)
    return Math.max(Math.abs(lo), Math.abs(hi), 1)
  }
  const exact = exactly(context, input)
  const x = sizeOfValue(exact) < LARGEST ? exact : context.narrow(input)
  const unit = unitOf(x)
  const most = sizeOfValue(x)
  let s = 0
  while (!Number.isInteger(unit * 2 ** s) && most / 2 ** s > Math.max(unit / 256, FINEST)) s++
  const weight = Math.round(unit * 2 ** s)
  const error = Math.ceil(most * Math.abs(weight - unit * 2 ** s))
  const slack = Math.max(0, Math.min(error, 2 ** (s - 1) - 1))
  return { value: weight === 1 ? x.value : emitAffine(context, [[weight, x.value]], 0, x.shape), s, slack }
}

/** x towards zero, as whole numbers: ⌊max(x, 0)⌋ - ⌊max(-x, 0)⌋, see `lowerWhole`. */
export function emitTruncate(context: LowerContext, x: QTensor): number {
  const { value, s, slack } = inBinaryFractions(context, x)
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
  const floor = (v: number): number =>
    emitFloorShift(context, emitAffine(context, [[1, v]], slack, x.shape), x.shape, s)
  return emitAffine(
    context,
    [
      [1, floor(up)],
      [-1, floor(down)],
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

/**
 * ⌊x⌋, ⌈x⌉ or x rounded to nearest with ties to even, as whole numbers. Values that are as near to a whole number or to a tie as
 * the rounding of the step may move them count as it.
 */
export function lowerWhole(context: LowerContext, x: QTensor, mode: 'floor' | 'ceil' | 'even'): QTensor {
  const { shape } = x
  const { value, s, slack } = inBinaryFractions(context, x)
  const result = (v: number): QTensor => ({ name: '', value: v, shape, scale: 1, shift: 0 })
  const floorOf = (weight: 1 | -1): number =>
    emitFloorShift(context, emitAffine(context, [[weight, value]], slack, shape), shape, s)
  if (s === 0) return result(value)
  if (mode === 'floor') return result(floorOf(1))
  if (mode === 'ceil') return result(emitAffine(context, [[-1, floorOf(-1)]], 0, shape))
  // adding a half less what a tie may miss and one step, and twice that where ⌊x⌋ is odd
  const floor = floorOf(1)
  const half = emitFloorShift(context, floor, shape, 1)
  const odd = 2 * slack + 1
  const terms = [
    [1, value],
    [odd, floor],
    [-2 * odd, half],
  ] as const
  const added = emitAffine(context, terms, 2 ** (s - 1) - 1 - slack, shape)
  return result(emitFloorShift(context, added, shape, s))
}

/** -1, 0 or 1: clamp(x, -1, 1) of the integers. */
export function lowerSign(context: LowerContext, input: QTensor): QTensor {
  const x = exactly(context, input)
  return { name: '', value: emitClamp(context, x.value, x.shape, -1, 1), shape: x.shape, scale: 1, shift: 0 }
}

/** |x| of the requantised integers. */
export function lowerAbs(context: LowerContext, input: QTensor): QTensor {
  const x = context.narrow(input)
  return { ...x, name: '', value: emitAbs(context, x.value, x.shape) }
}

/** |v| = max(v, 0) + max(-v, 0) of integers, elementwise. */
export function emitAbs(context: LowerContext, value: number, shape: Shape): number {
  const { lo, hi } = context.boundsOf(value)
  if (lo >= 0) return value
  const opposite = emitAffine(context, [[-1, value]], 0, shape)
  if (hi <= 0) return opposite
  const parts = [value, opposite].map((v) => context.emit({ kind: 'relu', inputs: [v], shape }))
  return emitAffine(
    context,
    parts.map((v) => [1, v] as const),
    0,
    shape,
  )
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

/** How two values compare: `>` and `≥` directly, the others by negation. */
export type Comparison = 'greater' | 'greaterOrEqual' | 'less' | 'lessOrEqual' | 'equal'

/** Elements of a value as they are broadcast to a shape. */
export const spread = (context: LowerContext, value: number, from: Shape, to: Shape): number =>
  from.join() === to.join()
    ? value
    : context.emit({ kind: 'gather', inputs: [value], shape: to, map: broadcastMap(from, to), fill: 0 })

/** A constant tensor, rounded, as a value of a shape; `anchor` is any value. */
export function emitConstant(
  context: LowerContext,
  { data, shape: from }: Tensor,
  shape: Shape,
  anchor: number,
): number {
  const rows = Array.from(broadcastMap(from, shape), (at) => ({ positions: [], weights: [], bias: data[at]! }))
  return context.emit({ kind: 'linear', inputs: [anchor], shape, map: sparseMap(rows, 0) })
}

/** 1 - v. */
export const emitNot = (context: LowerContext, value: number, shape: Shape): number =>
  emitAffine(context, [[-1, value]], 1, shape)

/** [d > 0], [d ≥ 0], …, of integers, as clamps to [0, 1]. */
function emitComparison(context: LowerContext, d: number, comparison: Comparison, shape: Shape): number {
  const atLeast = (least: number): number =>
    emitClamp(context, least === 1 ? d : emitAffine(context, [[1, d]], 1 - least, shape), shape, 0, 1)
  switch (comparison) {
    case 'greater':
      return atLeast(1)
    case 'greaterOrEqual':
      return atLeast(0)
    case 'less':
      return emitNot(context, atLeast(0), shape)
    case 'lessOrEqual':
      return emitNot(context, atLeast(1), shape)
    case 'equal':
      return emitNot(context, emitIsNonZero(context, d, shape), shape)
  }
}

const mirrored = {
  greater: 'less',
  greaterOrEqual: 'lessOrEqual',
  less: 'greater',
  lessOrEqual: 'greaterOrEqual',
  equal: 'equal',
} as const

/** The integer that stands for a constant c, in steps of the tensor, so that comparing integers compares real values. */
const thresholds = {
  greater: Math.floor,
  greaterOrEqual: Math.ceil,
  less: Math.ceil,
  lessOrEqual: Math.floor,
  equal: Math.round,
} as const

/**
 * Comparison of two tensors, broadcast, with all their fraction bits. With a constant c it is exact: q > ⌊c/u⌋, q ≥ ⌈c/u⌉, for
 * equality the nearest integer. Two computed tensors are subtracted in steps of the finer one, the other's step being rounded
 * to S fraction bits of that.
 */
export function lowerComparison(
  context: LowerContext,
  [a, b]: readonly (QTensor | undefined)[],
  comparison: Comparison,
  shape: Shape,
): QTensor {
  const result = (value: number): QTensor => ({ name: '', value, shape, scale: 1, shift: 0 })
  if (a === undefined || b === undefined) {
    const x = exactly(context, (a ?? b)!)
    const constant = context.constants[a === undefined ? 0 : 1]!
    const how = a === undefined ? mirrored[comparison] : comparison
    const { lo, hi } = context.boundsOf(x.value)
    const unit = unitOf(x)
    const at = broadcastMap(constant.shape, shape)
    const limits = Float64Array.from(at, (k) => {
      const t = thresholds[how](constant.data[k]! / unit)
      return -Math.min(Math.max(t, lo - 2), hi + 2)
    })
    const d = emitAffine(context, [[1, spread(context, x.value, x.shape, shape)]], limits, shape)
    return result(emitComparison(context, d, how, shape))
  }
  const [x, y] = [exactly(context, a), exactly(context, b)]
  const unit = Math.min(unitOf(x), unitOf(y))
  const inputs = [x, y].map((t) => {
    const { rms, mean } = context.stats(t.name)
    return { value: spread(context, t.value, t.shape, shape), rms: rms / unitOf(t), mean: mean / unitOf(t) }
  })
  const size = sizeOf(shape)
  const weights = [unitOf(x) / unit, -unitOf(y) / unit]
  const rows = Array.from({ length: size }, (_, j) => ({ positions: [j, size + j], weights, bias: 0 }))
  const { value } = emitSparse(context, inputs, rows, shape)
  return result(emitComparison(context, value, comparison, shape))
}

/** Whole numbers of both inputs, broadcast: constants too. */
export function wholeInputs(
  context: LowerContext,
  inputs: readonly (QTensor | undefined)[],
  shape: Shape,
): readonly number[] {
  const anchor = inputs.find((x) => x !== undefined)!.value
  return inputs.map((x, i) =>
    x === undefined
      ? emitConstant(context, context.constants[i]!, shape, anchor)
      : spread(context, x.value, x.shape, shape),
  )
}

/** Booleans joined: a·b, a + b - a·b, a + b - 2·a·b. */
export function lowerLogic(
  context: LowerContext,
  inputs: readonly (QTensor | undefined)[],
  overlap: number | 'product',
  shape: Shape,
): QTensor {
  const [a, b] = wholeInputs(context, inputs, shape) as [number, number]
  const both = context.emit({ kind: 'multiply', inputs: [a, b], shape })
  const terms = [
    [1, a],
    [1, b],
    [overlap === 'product' ? 0 : -overlap, both],
  ] as const
  // the sum is 0 or 1, which its interval does not say
  const value = overlap === 'product' ? both : emitClamp(context, emitAffine(context, terms, 0, shape), shape, 0, 1)
  return { name: '', value, shape, scale: 1, shift: 0 }
}

/** For lines of indices: [index = i] for i below `depth`, at out[j · depth + i], as [index ≥ i] - [index ≥ i + 1]. */
export function emitOneHot(context: LowerContext, index: number, count: number, depth: number): number {
  const shape = [count * (depth + 1)]
  const raised = context.emit({
    kind: 'linear',
    inputs: [index],
    shape,
    map: sparseMap(
      Array.from({ length: count * (depth + 1) }, (_, k) => ({
        positions: [Math.floor(k / (depth + 1))],
        weights: [1],
        bias: 1 - (k % (depth + 1)),
      })),
      0,
    ),
  })
  const reached = emitClamp(context, raised, shape, 0, 1)
  return context.emit({
    kind: 'linear',
    inputs: [reached],
    shape: [count * depth],
    map: sparseMap(
      Array.from({ length: count * depth }, (_, k) => {
        const at = Math.floor(k / depth) * (depth + 1) + (k % depth)
        return { positions: [at, at + 1], weights: [1, -1], bias: 0 }
      }),
      0,
    ),
  })
}
