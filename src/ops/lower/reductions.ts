import { type Shape, sizeOf } from '../../tensor.ts'
import { emitSparse, type LowerContext, type QTensor, sparseMap } from '../lowering.ts'
import { tabulate } from './activations.ts'
import { emitAbs } from './compare.ts'
import { lowerTaps, uniformTaps } from './linear.ts'

type Groups = readonly (readonly number[])[]

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

/** An integer value in steps of `unit` as the node's result: multiplied by round(unit / sy · 2^S). Wide result. */
export function inTarget(context: LowerContext, value: number, unit: number, shape: Shape): QTensor {
  const target = context.target()
  const factor = unit / target.scale
  const { rms, mean } = context.stats(context.node.outputs[0]!)
  const { lo, hi } = context.boundsOf(value)
  if (lo === 0 && hi === 0) return { name: '', value, shape, scale: target.scale, shift: 0 }
  const stats = { rms: Math.max(rms / unit, 1), mean: mean / unit }
  const rows = Array.from({ length: sizeOf(shape) }, (_, j) => ({ positions: [j], weights: [factor], bias: 0 }))
  const result = emitSparse(context, [{ value, ...stats }], rows, shape)
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

/** Bits of the sum of squares that go into the table of roots. */
const ROOT_BITS = 16

/** √Σ x²: the sum is exact; its root comes from a table over its upper 16 bits, up to twice the calibrated range. */
export function lowerL2(context: LowerContext, input: QTensor, groups: Groups, shape: Shape): QTensor {
  const x = context.narrow(input)
  const target = context.target()
  const sums = emitSumSquare(context, x, groups)
  const longest = (2 * target.hi * target.scale) / x.scale
  const most = Math.max(1, Math.min(context.boundsOf(sums).hi, Math.ceil(longest * longest)))
  const drop = Math.max(0, Math.ceil(Math.log2((most + 1) / 2 ** ROOT_BITS)))
  const index = context.emit({
    kind: 'requantise',
    inputs: [sums],
    shape,
    shifts: Uint8Array.of(drop),
    inner: Math.max(sizeOf(shape), 1),
    lo: 0,
    hi: Math.floor(most / 2 ** drop),
  })
  const { value, shift } = tabulate(context, index, shape, (i) => Math.sqrt(i * 2 ** drop) * x.scale, target)
  return { name: '', value, shape, scale: target.scale, shift }
}

/** Magnitude that running products stay below. */
const PRODUCT_LIMIT = 2 ** 40

/** Bits that a running product is rounded to where the next one would be too large. */
const PRODUCT_BITS = 24

/**
 * Products of groups, from left to right: exact while they stay below 2^40, and before the step that might not the running
 * product is shifted right, rounded, to 24 bits. Integers are not rounded: their products must fit.
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
    if (most(running) * most(next) >= PRODUCT_LIMIT && !whole) {
      const drop = Math.max(0, Math.ceil(Math.log2(most(running))) - PRODUCT_BITS)
      const { lo, hi } = context.boundsOf(running)
      if (drop > 0) {
        running = context.emit({
          kind: 'requantise',
          inputs: [running],
          shape: flat,
          shifts: Uint8Array.of(drop),
          inner: groups.length,
          lo: Math.floor(lo / 2 ** drop),
          hi: Math.ceil(hi / 2 ** drop),
        })
        unit *= 2 ** drop
      }
    }
    running = context.emit({ kind: 'multiply', inputs: [running, next], shape: flat })
    unit *= x.scale
  }
  return inTarget(context, running, unit, shape)
}
