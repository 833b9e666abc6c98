/**
 * What quantised operators share: the rounding rule, and which scale belongs to which element.
 * @module
 */
import { floatTypes, integerRange, roundToFloat, type Shape, sizeOf, stridesOf, type Tensor } from '../tensor.ts'
import { axisOf, invalid, typeAt, typeOf } from './inputs.ts'
import type { InferContext } from './op.ts'

/** Integer types that tensors are quantised to. */
export const quantisedTypes = ['int8', 'uint8', 'int16', 'uint16'] as const

/** The nearest integer, halves to even. */
export function roundToEven(x: number): number {
  const floor = Math.floor(x)
  const rest = x - floor
  return rest > 0.5 || (rest === 0.5 && floor % 2 !== 0) ? floor + 1 : floor
}

/** `x` in [lo, hi]; NaN gives 0, as casts of it do. */
export const saturate = (x: number, lo: number, hi: number): number =>
  x < lo ? lo : x > hi ? hi : Number.isNaN(x) ? Math.max(lo, 0) : x

/** For every element of a shape, which element of a scale belongs to it. */
export type Granularity = (element: number) => number

/**
 * One scale for all, one per index of the axis, or, with a block size, one per run of so many indices. Throws InvalidNodeError
 * where the scale's shape fits none.
 */
export function granularityOf(
  context: InferContext,
  shape: Shape,
  scale: Shape,
  { axis, block_size: block }: { readonly axis: number; readonly block_size: number },
): Granularity {
  const misfit = (): never =>
    invalid(context, `scales of shape [${scale.join(', ')}] do not fit [${shape.join(', ')}] along axis ${axis}`)
  if (block === 0) {
    if (sizeOf(scale) === 1 && scale.length <= 1) return () => 0
    const along = axisOf(context, axis, shape.length)
    if (scale.length !== 1 || scale[0] !== shape[along]) misfit()
    const inner = sizeOf(shape.slice(along + 1))
    return (i) => Math.floor(i / inner) % shape[along]!
  }
  const along = axisOf(context, axis, shape.length)
  const fits = (d: number, i: number): boolean => d === (i === along ? Math.ceil(shape[i]! / block) : shape[i])
  if (block < 0 || scale.length !== shape.length || !scale.every(fits)) misfit()
  const [from, to] = [stridesOf(shape), stridesOf(scale)]
  return (element) =>
    from.reduce((at, stride, i) => {
      const index = Math.floor(element / stride) % shape[i]!
      return at + to[i]! * (i === along ? Math.floor(index / block) : index)
    }, 0)
}

/** Checks that a zero point, where there is one, has the shape of its scale. */
export function checkZeroPoint(context: InferContext, scaleAt: number): void {
  const zero = context.types[scaleAt + 1]
  if (zero !== undefined && zero.shape.join() !== typeAt(context, scaleAt).shape.join())
    invalid(context, `zero point [${zero.shape.join(', ')}] and scale differ in shape`)
}

/** Checks scale and zero point of a whole tensor at inputs `at` and `at + 1`. */
export function checkWhole(context: InferContext, at: number): void {
  const scale = typeOf(context, at, floatTypes)
  if (sizeOf(scale.shape) !== 1) invalid(context, `input ${at} must be one scale`)
  const zero = context.types[at + 1]
  if (zero !== undefined && sizeOf(zero.shape) !== 1) invalid(context, `input ${at + 1} must be one zero point`)
}

/** saturate(round(x / scale) + zero point): the quotient rounded to a float of the scale's type, then halves to even. */
export function quantiseTensor(
  x: Tensor,
  scale: Tensor,
  zero: Tensor | undefined,
  dtype: Tensor['dtype'],
  of: Granularity = () => 0,
): Tensor {
  const [lo, hi] = integerRange(dtype)!
  return {
    dtype,
    shape: x.shape,
    data: x.data.map((v, i) => {
      const [top, bottom] = [roundToFloat(scale.dtype, v), roundToFloat(scale.dtype, scale.data[of(i)]!)]
      const quotient = roundToFloat(scale.dtype, top / bottom)
      return saturate(roundToEven(quotient) + (zero?.data[of(i)] ?? 0), lo, hi)
    }),
  }
}

/** (x - zero point) · scale, rounded to the scale's type. */
export function dequantiseTensor(
  x: Tensor,
  scale: Tensor,
  zero: Tensor | undefined,
  of: Granularity = () => 0,
): Tensor {
  const { dtype } = scale
  return {
    dtype,
    shape: x.shape,
    data: x.data.map((v, i) =>
      roundToFloat(dtype, roundToFloat(dtype, v - (zero?.data[of(i)] ?? 0)) * scale.data[of(i)]!),
    ),
  }
}

/**
 * The integer of an accumulator of products: saturate(round(accumulator · factor) + zero), factor = sx · sw / sy, each step
 * rounded to float32. The one definition that runtimes and the integer model share.
 */
export const requantiseFactor = (sx: number, sw: number, sy: number): number => Math.fround(Math.fround(sx * sw) / sy)

/** round(accumulator · factor) before saturation. */
export const requantiseSum = (accumulator: number, factor: number): number =>
  roundToEven(Math.fround(Math.fround(accumulator) * factor))
