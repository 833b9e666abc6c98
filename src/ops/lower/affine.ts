import type { ConvMap } from '../../model/layers/linear.ts'
import { type Shape, sizeOf, type Tensor } from '../../tensor.ts'
import { chooseShift, integerStats, type LowerContext, type QTensor, type Shift, toInteger } from '../lowering.ts'

/** Weights of each output channel in units of the target's step per step of x, and the shift that rounds them well. */
function roundChannels(
  context: LowerContext,
  x: QTensor,
  channels: number,
  perChannel: number,
  weightAt: (channel: number, i: number) => number,
): { readonly factor: number; readonly shifts: Uint8Array } {
  const target = context.target()
  const factor = x.scale / target.scale
  const { rms, mean } = integerStats(context, x)
  const row = new Float64Array(perChannel)
  const shifts = new Uint8Array(channels)
  for (let c = 0; c < channels; c++) {
    for (let i = 0; i < perChannel; i++) row[i] = weightAt(c, i) * factor
    shifts[c] = chooseShift(row, rms, mean, context.scheme.weightBits)
  }
  // a wide result is compared and read across channels: one shift for all
  if (target.wide) shifts.fill(shifts.reduce((m, s) => Math.max(m, s), 0))
  return { factor, shifts }
}

const shiftOf = (shifts: Uint8Array, inner: number): Shift =>
  shifts.every((s) => s === shifts[0]) ? shifts[0]! : { shifts, inner }

/**
 * y = x · W + b for x [..., k] and constant W [k, n], b [n] in real units. The result is wide: one shift per column.
 */
export function lowerMatMul(
  context: LowerContext,
  input: QTensor,
  weights: { readonly inner: number; readonly columns: number; readonly at: (k: number, n: number) => number },
  bias: ((n: number) => number) | undefined,
  shape: Shape,
): QTensor {
  const x = context.narrow(input)
  const { inner, columns, at } = weights
  const target = context.target()
  const { factor, shifts } = roundChannels(context, x, columns, inner, (n, k) => at(k, n))
  const integers = new Float64Array(inner * columns)
  for (let k = 0; k < inner; k++)
    for (let n = 0; n < columns; n++) integers[k * columns + n] = toInteger(at(k, n) * factor, shifts[n]!)
  const value = context.emit({
    kind: 'linear',
    inputs: [x.value],
    shape,
    map: {
      type: 'matMul',
      rows: sizeOf(x.shape) / inner,
      inner,
      columns,
      weights: integers,
      bias: Float64Array.from({ length: columns }, (_, n) => toInteger((bias?.(n) ?? 0) / target.scale, shifts[n]!)),
    },
  })
  return { name: '', value, shape, scale: target.scale, shift: shiftOf(shifts, 1) }
}

/** Geometry of a convolution over two spatial axes; one-dimensional ones have height 1. */
export type ConvShape = Omit<ConvMap, 'type' | 'weights' | 'bias'>

/** A convolution with constant weights [outChannels, channels / groups, kh, kw] and bias in real units. Wide result. */
export function lowerConv(
  context: LowerContext,
  input: QTensor,
  geometry: ConvShape,
  weights: Tensor,
  bias: Tensor | undefined,
  shape: Shape,
): QTensor {
  const x = context.narrow(input)
  const target = context.target()
  const { outChannels } = geometry
  const perChannel = weights.data.length / outChannels
  const { factor, shifts } = roundChannels(
    context,
    x,
    outChannels,
    perChannel,
    (c, i) => weights.data[c * perChannel + i]!,
  )
  const value = context.emit({
    kind: 'linear',
    inputs: [x.value],
    shape,
    map: {
      type: 'conv',
      ...geometry,
      weights: weights.data.map((w, i) => toInteger(w * factor, shifts[Math.floor(i / perChannel)]!)),
      bias: Float64Array.from({ length: outChannels }, (_, c) =>
        toInteger((bias?.data[c] ?? 0) / target.scale, shifts[c]!),
      ),
    },
  })
  return {
    name: '',
    value,
    shape,
    scale: target.scale,
    shift: shiftOf(shifts, geometry.outSize[0] * geometry.outSize[1]),
  }
}
