import { sizeOf } from '../../tensor.ts'
import { emitSparse, integerStats, type LowerContext, type QTensor, type RealRow } from '../lowering.ts'

/**
 * clamp(x, min, max) in real units. An accumulator is requantised into the output's window in the same step; a wide output
 * keeps its fraction bits.
 */
export function lowerClip(context: LowerContext, x: QTensor, min: number, max: number): QTensor {
  const target = context.target()
  const { shape } = x
  const inUnits = (real: number, shift: number): number => Math.round((real / target.scale) * 2 ** shift)
  if (target.wide && typeof x.shift === 'number') {
    if (min === 0 && max === Number.POSITIVE_INFINITY) {
      const value = context.emit({ kind: 'relu', inputs: [x.value], shape })
      return { ...x, name: '', value }
    }
    const bounds = context.boundsOf(x.value)
    const [lo, hi] = [Math.max(bounds.lo, inUnits(min, x.shift)), Math.min(bounds.hi, inUnits(max, x.shift))]
    const value = context.emit({
      kind: 'requantise',
      inputs: [x.value],
      shape,
      shifts: Uint8Array.of(0),
      inner: sizeOf(shape),
      lo: Math.min(lo, hi),
      hi: Math.max(lo, hi),
    })
    return { ...x, name: '', value }
  }
  const [shifts, inner] =
    typeof x.shift === 'number' ? [Uint8Array.of(x.shift), sizeOf(shape)] : [x.shift.shifts, x.shift.inner]
  const value = context.emit({
    kind: 'requantise',
    inputs: [x.value],
    shape,
    shifts,
    inner,
    lo: Math.max(target.lo, Math.min(inUnits(min, 0), target.hi)),
    hi: Math.min(target.hi, Math.max(inUnits(max, 0), target.lo)),
  })
  return { name: '', value, shape, scale: target.scale, shift: 0 }
}

/** x for x ≥ 0, slope · x below. From the requantised x: slope·x + (1 - slope)·max(x, 0). Wide result. */
export function lowerLeakyRelu(context: LowerContext, input: QTensor, slope: number): QTensor {
  const x = context.narrow(input)
  const target = context.target()
  const { shape } = x
  const positive = context.emit({ kind: 'relu', inputs: [x.value], shape })
  const factor = x.scale / target.scale
  const size = sizeOf(shape)
  const stats = integerStats(context, x)
  const rows = Array.from(
    { length: size },
    (_, j): RealRow => ({ positions: [j, size + j], weights: [slope * factor, (1 - slope) * factor], bias: 0 }),
  )
  const inputs = [x.value, positive].map((value) => ({ value, ...stats }))
  const { value, shift } = emitSparse(context, inputs, rows, shape)
  return { name: '', value, shape, scale: target.scale, shift }
}

/** Bits of a table's result where the graph reads it with all its bits: precision there costs no rows. */
const WIDE_TABLE_BITS = 16

/** f applied through a table over the requantised input: one entry per integer, rounded to nearest. */
export function lowerTable(context: LowerContext, input: QTensor, f: (x: number) => number): QTensor {
  const x = context.narrow(input)
  const target = context.target()
  const { lo, hi } = context.boundsOf(x.value)
  const largest = 2 ** (WIDE_TABLE_BITS - 1) - 1
  const values = Float64Array.from({ length: hi - lo + 1 }, (_, i) => f((lo + i) * x.scale))
  const most = values.reduce((m, v) => Math.max(m, Math.abs(v)), 0)
  const shift = target.wide && most > 0 ? Math.max(0, Math.floor(Math.log2((largest * target.scale) / most))) : 0
  const table = values.map((v) => {
    const q = Math.floor((v / target.scale) * 2 ** shift + 0.5)
    return target.wide ? q : Math.min(Math.max(q, target.lo), target.hi)
  })
  const value = context.emit({ kind: 'lookup', inputs: [x.value], shape: x.shape, table, first: lo })
  return { name: '', value, shape: x.shape, scale: target.scale, shift }
}
