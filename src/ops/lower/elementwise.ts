import { broadcastMap, type Shape, sizeOf, type Tensor } from '../../tensor.ts'
import { unsupported } from '../inputs.ts'
import {
  chooseShift,
  emitSparse,
  integerStats,
  type LowerContext,
  type QTensor,
  type RealRow,
  sparseMap,
} from '../lowering.ts'
import { emitClamp, spread } from './compare.ts'
import { inScaleOf, shiftsOf } from './moves.ts'
import { lowerExtreme } from './pools.ts'

/** An operand of a sum, broadcast: real value = factor · target.scale · integer / 2^shift. */
type Summand = {
  readonly value: number
  readonly rms: number
  readonly mean: number
  readonly offset: number
  factor: number
  readonly positions: Int32Array
  /** Shift of each element of the operand that comes in with all its fraction bits. */
  readonly shifts: Uint8Array | undefined
}

/**
 * Σ sign · operand for operands that are tensors or constants, broadcast: Add, Sub, Sum, Mean. Operands that are sums which
 * nothing else reads come in with all their fraction bits. Wide result.
 */
export function lowerSum(
  context: LowerContext,
  operands: readonly {
    readonly tensor: QTensor | undefined
    readonly constant: Tensor | undefined
    readonly sign: number
  }[],
  shape: Shape,
): QTensor {
  const target = context.target()
  const size = sizeOf(shape)
  const bias = new Float64Array(size)
  const inputs: Summand[] = []
  let offset = 0
  for (const { tensor, constant, sign } of operands) {
    if (tensor === undefined) {
      const positions = broadcastMap(constant!.shape, shape)
      for (let j = 0; j < size; j++) bias[j]! += (sign * constant!.data[positions[j]!]!) / target.scale
      continue
    }
    const wide = context.isSummed(tensor.name) && tensor.shift !== 0
    const x = wide ? tensor : context.narrow(tensor)
    const factor = (sign * x.scale) / target.scale
    const known = inputs.find((i) => i.value === x.value)
    if (known !== undefined && known.positions.length === size && x.shape.join() === shape.join()) {
      known.factor += factor // x + x, x - x
      continue
    }
    const positions = broadcastMap(x.shape, shape)
    const stats = integerStats(context, x)
    inputs.push({ value: x.value, ...stats, offset, factor, positions, shifts: wide ? shiftsOf(x) : undefined })
    offset += sizeOf(x.shape)
  }
  const rows = Array.from(
    { length: size },
    (_, j): RealRow => ({
      positions: inputs.map((i) => i.offset + i.positions[j]!),
      weights: inputs.map((i) => i.factor / 2 ** (i.shifts?.[i.positions[j]!] ?? 0)),
      bias: bias[j]!,
    }),
  )
  if (inputs.every(({ shifts }) => shifts === undefined)) {
    const { value, shift } = emitSparse(context, inputs, rows, shape)
    return { name: '', value, shape, scale: target.scale, shift }
  }
  const { weightBits } = context.scheme
  const least = inputs.reduce(
    (s, { factor, rms, mean, shifts }) =>
      shifts === undefined ? Math.max(s, chooseShift([factor], rms, mean, weightBits)) : s,
    0,
  )
  // an operand with fraction bits is in the scale of the result: its weight is a power of two
  const shifts = Uint8Array.from({ length: size }, (_, j) =>
    inputs.reduce((s, i) => Math.max(s, i.shifts?.[i.positions[j]!] ?? 0), least),
  )
  if (target.wide) shifts.fill(shifts.reduce((m, s) => Math.max(m, s), 0))
  const map = sparseMap(rows, shifts)
  const value = context.emit({ kind: 'linear', inputs: inputs.map((x) => x.value), shape, map })
  const uniform = shifts.every((s) => s === shifts[0])
  return { name: '', value, shape, scale: target.scale, shift: uniform ? shifts[0]! : { shifts, inner: 1 } }
}

/** x · k elementwise for a constant k, broadcast. Wide result. */
export function lowerScale(context: LowerContext, input: QTensor, constant: Tensor, shape: Shape): QTensor {
  const x = context.narrow(input)
  const target = context.target()
  const [from, by] = [broadcastMap(x.shape, shape), broadcastMap(constant.shape, shape)]
  const rows = Array.from(
    { length: sizeOf(shape) },
    (_, j): RealRow => ({
      positions: [from[j]!],
      weights: [(constant.data[by[j]!]! * x.scale) / target.scale],
      bias: 0,
    }),
  )
  const { value, shift } = emitSparse(context, [{ value: x.value, ...integerStats(context, x) }], rows, shape)
  return { name: '', value, shape, scale: target.scale, shift }
}

/** x · y elementwise for two tensors, broadcast. One row per product, then a wide rescaling. */
export function lowerProduct(context: LowerContext, left: QTensor, right: QTensor, shape: Shape): QTensor {
  const target = context.target()
  const [a, b] = [context.narrow(left), context.narrow(right)]
  const spread = (x: QTensor): number =>
    x.shape.join() === shape.join()
      ? x.value
      : context.emit({ kind: 'gather', inputs: [x.value], shape, map: broadcastMap(x.shape, shape), fill: 0 })
  const product = context.emit({ kind: 'multiply', inputs: [spread(a), spread(b)], shape })
  const bounds = context.boundsOf(product)
  const factor = (a.scale * b.scale) / target.scale
  // the product's own statistics are those of the output
  const { rms, mean } = context.stats(context.node.outputs[0]!)
  const inUnits = (v: number): number => (factor === 0 ? 0 : v / target.scale / factor)
  const stats = { rms: Math.max(inUnits(rms), 1), mean: inUnits(mean) }
  const rows = Array.from(
    { length: sizeOf(shape) },
    (_, j): RealRow => ({ positions: [j], weights: [factor], bias: 0 }),
  )
  if (bounds.lo === 0 && bounds.hi === 0) return { name: '', value: product, shape, scale: target.scale, shift: 0 }
  const { value, shift } = emitSparse(context, [{ value: product, ...stats }], rows, shape)
  return { name: '', value, shape, scale: target.scale, shift }
}

/** Largest magnitude of a power of integers. */
const LARGEST_POWER = 2 ** 40

/**
 * xᵉ of integers for a whole e ≥ 1, by squaring and multiplying. The base is clamped to where the result is at most `most` (and
 * 2⁴⁰): beyond, the result saturates.
 */
export function lowerWholePower(context: LowerContext, x: QTensor, e: number, most: number): QTensor {
  const { shape } = x
  if (!Number.isInteger(e) || e < 1) return unsupported(context, 'exponent', e, 'whole numbers from 0 for integers')
  const limit = Math.floor(Math.min(most, LARGEST_POWER) ** (1 / e) + 1e-9)
  const { lo, hi } = context.boundsOf(x.value)
  let square = lo >= -limit && hi <= limit ? x.value : emitClamp(context, x.value, shape, -limit, limit)
  let value: number | undefined
  for (let rest = e; rest > 0; rest = Math.floor(rest / 2)) {
    if (rest % 2 === 1)
      value = value === undefined ? square : context.emit({ kind: 'multiply', inputs: [value, square], shape })
    if (rest > 1) square = context.emit({ kind: 'multiply', inputs: [square, square], shape })
  }
  return { name: '', value: value!, shape, scale: 1, shift: 0 }
}

/** factor[c] · x + offset[c] for channels on axis 1. Wide result. */
export function lowerAffineChannels(
  context: LowerContext,
  input: QTensor,
  factor: ArrayLike<number>,
  offset: ArrayLike<number>,
): QTensor {
  const x = context.narrow(input)
  const target = context.target()
  const { shape } = x
  const plane = sizeOf(shape.slice(2))
  const channel = (j: number): number => Math.floor(j / plane) % shape[1]!
  const rows = Array.from(
    { length: sizeOf(shape) },
    (_, j): RealRow => ({
      positions: [j],
      weights: [(factor[channel(j)]! * x.scale) / target.scale],
      bias: offset[channel(j)]! / target.scale,
    }),
  )
  const { value, shift } = emitSparse(context, [{ value: x.value, ...integerStats(context, x) }], rows, shape)
  return { name: '', value, shape, scale: target.scale, shift }
}

/** The greatest (sign 1) or least (sign -1) of tensors, elementwise, broadcast, of requantised integers in one scale. */
export function lowerExtremeOf(
  context: LowerContext,
  tensors: readonly QTensor[],
  sign: 1 | -1,
  shape: Shape,
): QTensor {
  const size = sizeOf(shape)
  const values = tensors.map((x) => {
    const { value, shape: from } = inScaleOf(context, x.shift === 0 ? x : context.narrow(x))
    return spread(context, value, from, shape)
  })
  const all = { inputs: values, shape: [values.length * size] }
  const map = Int32Array.from({ length: values.length * size }, (_, i) => i)
  const joined = context.emit({ kind: 'gather', ...all, map, fill: 0 })
  const groups = Array.from({ length: size }, (_, j) => values.map((_v, i) => i * size + j))
  const x = { name: '', value: joined, shape: all.shape, scale: context.target().scale, shift: 0 }
  return lowerExtreme(context, x, groups, shape, sign)
}
