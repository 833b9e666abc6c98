import { type Shape, sizeOf } from '../../tensor.ts'
import { emitSparse, type LowerContext, type QTensor, sparseMap } from '../lowering.ts'
import { tabulate } from './activations.ts'
import { emitAbs } from './compare.ts'
import { lowerTaps, uniformTaps } from './linear.ts'

type Groups = readonly (readonly number[])[]

/** ⌊v / 2ˢ + 1/2⌋, elementwise. */
function emitRoundedShift(context: LowerContext, value: number, shape: Shape, s: number): number {
  const { lo, hi } = context.boundsOf(value)
  return context.emit({
    kind: 'requantise',
    inputs: [value],
    shape,
    shifts: Uint8Array.of(s),
    inner: Math.max(sizeOf(shape), 1),
    lo: Math.floor(lo / 2 ** s),
    hi: Math.ceil(hi / 2 ** s),
  })
}

/** Σ of each group, of integers. */
export const emitSums = (context: LowerContext, value: number, groups: Groups): number =>
  context.emit({
    kind: 'linear',
    inputs: [value],
    shape: [groups.length],
    map: sparseMap(
      groups.map((g) => ({ positions: [...g].sort((a, b) => a - b), weights: g.map(() => 1), bias: 0 })),
      0,
    ),
  })

/** Fraction bits of the result's step that a value keeps before it is multiplied by a factor. */
const KEPT_BITS = 20

/**
 * An integer value in steps of `unit` as the node's result: multiplied by round(unit / sy · 2^S). One in steps finer than
 * sy / 2^20 is shifted to these first, rounded. Wide result.
 */
export function inTarget(context: LowerContext, given: number, givenUnit: number, shape: Shape, output = 0): QTensor {
  const target = context.target(output)
  const drop = Math.floor(Math.log2(target.scale / givenUnit)) - KEPT_BITS
  const value = drop > 0 ? emitRoundedShift(context, given, shape, drop) : given
  const unit = drop > 0 ? givenUnit * 2 ** drop : givenUnit
  const factor = unit / target.scale
  const { rms, mean } = context.stats(context.node.outputs[output]!)
  const { lo, hi } = context.boundsOf(value)
  if (lo === 0 && hi === 0) return { name: '', value, shape, scale: target.scale, shift: 0 }
  const stats = { rms: Math.max(rms / unit, 1), mean: mean / unit }
  const rows = Array.from({ length: sizeOf(shape) }, (_, j) => ({ positions: [j], weights: [factor], bias: 0 }))
  const result = emitSparse(context, [{ value, ...stats }], rows, shape, output)
  return { name: '', value: result.value, shape, scale: target.scale, shift: result.shift }
}

/** Σ |q| of the requantised integers. */
export function lowerL1(context: LowerContext, input: QTensor, groups: Groups, shape: Shape): QTensor {
  const x = context.narrow(input)
  const magnitudes = emitAbs(context, x.value, x.shape)
  return lowerTaps(
    context,
    { ...x, value: magnitudes },
    uniformTaps(groups, () => 1),
    shape,
  )
}

/** Σ q² of the requantised integers, exact. */
function emitSumSquare(context: LowerContext, x: QTensor, groups: Groups): number {
  const squares = context.emit({ kind: 'multiply', inputs: [x.value, x.value], shape: x.shape })
  return emitSums(context, squares, groups)
}

/** Σ x², then one factor. */
export function lowerSumSquare(context: LowerContext, input: QTensor, groups: Groups, shape: Shape): QTensor {
  const x = context.narrow(input)
  return inTarget(context, emitSumSquare(context, x, groups), x.scale * x.scale, shape)
}

/** √Σ x²: the sum is exact; its root comes from a table over its upper 16 bits, up to twice the calibrated range. */
export function lowerL2(context: LowerContext, input: QTensor, groups: Groups, shape: Shape): QTensor {
  const x = context.narrow(input)
  const target = context.target()
  const longest = (2 * target.hi * target.scale) / x.scale
  const sums = emitSumSquare(context, x, groups)
  return lowerFunctionOf(context, sums, longest * longest, shape, (sum) => Math.sqrt(sum) * x.scale)
}

/** log Σ x: the sum is exact; its logarithm comes from a table over its upper 16 bits, up to twice the calibrated range. */
export function lowerLogSum(context: LowerContext, input: QTensor, groups: Groups, shape: Shape): QTensor {
  const x = context.narrow(input)
  const { max } = context.stats(context.node.outputs[0]!)
  const sums = emitSums(context, x.value, groups)
  return lowerFunctionOf(context, sums, (2 * Math.exp(max)) / x.scale, shape, (sum) => Math.log(sum * x.scale))
}

/** Bits of a sum that go into a table. */
const SUM_BITS = 16

/** f of integers from a table over their upper 16 bits, ⌊sum / 2^d + 1/2⌋; those below 0 and above the limit count as these. */
function lowerFunctionOf(
  context: LowerContext,
  sums: number,
  limit: number,
  shape: Shape,
  f: (sum: number) => number,
): QTensor {
  const target = context.target()
  const most = Math.max(1, Math.min(context.boundsOf(sums).hi, Math.ceil(limit)))
  const drop = Math.max(0, Math.ceil(Math.log2((most + 1) / 2 ** SUM_BITS)))
  const index = context.emit({
    kind: 'requantise',
    inputs: [sums],
    shape,
    shifts: Uint8Array.of(drop),
    inner: Math.max(sizeOf(shape), 1),
    lo: 0,
    hi: Math.floor(most / 2 ** drop),
  })
  const { value, shift } = tabulate(context, index, shape, (i) => f(i * 2 ** drop), target)
  return { name: '', value, shape, scale: target.scale, shift }
}

/** Bits that running products have at most. */
const PRODUCT_BITS = 52

/**
 * Products of groups, from left to right: exact while they stay below 2^52, and before the step that might not the running
 * product is shifted right, rounded, by as much as that takes. Integers are not rounded: their products must fit.
 */
export function lowerProducts(context: LowerContext, input: QTensor, groups: Groups, shape: Shape): QTensor {
  const x = context.narrow(input)
  const flat = [groups.length]
  const nth = (i: number): number =>
    context.emit({
      kind: 'gather',
      inputs: [x.value],
      shape: flat,
      map: Int32Array.from(groups, (g) => g[i]!),
      fill: 0,
    })
  const most = (value: number): number => {
    const { lo, hi } = context.boundsOf(value)
    return Math.max(-lo, hi, 1)
  }
  const whole = context.types[0]!.dtype.includes('int')
  let running = nth(0)
  let unit = x.scale
  for (let i = 1; i < groups[0]!.length; i++) {
    const next = nth(i)
    const drop = Math.ceil(Math.log2(most(running)) + Math.log2(most(next))) - PRODUCT_BITS
    if (drop > 0 && !whole) {
      running = emitRoundedShift(context, running, flat, drop)
      unit *= 2 ** drop
    }
    running = context.emit({ kind: 'multiply', inputs: [running, next], shape: flat })
    unit *= x.scale
  }
  return inTarget(context, running, unit, shape)
}
