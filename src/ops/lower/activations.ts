import { type Shape, sizeOf } from '../../tensor.ts'
import { unsupported } from '../inputs.ts'
import { emitSparse, integerStats, type LowerContext, type QTensor, type RealRow, type Target } from '../lowering.ts'
import { emitAffine, emitClamp, emitFloorShift } from './compare.ts'

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

/**
 * x for x ≥ 0, slope · x below, with one slope or one per element. From the requantised x: slope·x + (1 - slope)·max(x, 0).
 * Wide result.
 */
export function lowerLeakyRelu(context: LowerContext, input: QTensor, slope: number | ArrayLike<number>): QTensor {
  const x = context.narrow(input)
  const target = context.target()
  const { shape } = x
  const positive = context.emit({ kind: 'relu', inputs: [x.value], shape })
  const factor = x.scale / target.scale
  const size = sizeOf(shape)
  const stats = integerStats(context, x)
  const rows = Array.from({ length: size }, (_, j): RealRow => {
    const a = typeof slope === 'number' ? slope : slope[j]!
    return { positions: [j, size + j], weights: [a * factor, (1 - a) * factor], bias: 0 }
  })
  const inputs = [x.value, positive].map((value) => ({ value, ...stats }))
  const { value, shift } = emitSparse(context, inputs, rows, shape)
  return { name: '', value, shape, scale: target.scale, shift }
}

/** Bits of a table's result where the graph reads it with all its bits: precision there costs no rows. */
const WIDE_TABLE_BITS = 16

/** Most entries of one table. */
const MOST_ENTRIES = 4096

/** Multiples of the output's range at which values of a table end: poles, and values that calibration never met. */
const BEYOND = 4

/** f as a table over the requantised input; see `tabulate`. Where f has no value (NaN) it counts as 0. */
export function lowerTable(context: LowerContext, input: QTensor, f: (x: number) => number): QTensor {
  const x = context.narrow(input)
  const target = context.target()
  const { value, shift } = tabulate(context, x.value, x.shape, (q) => f(q * x.scale), target)
  return { name: '', value, shape: x.shape, scale: target.scale, shift }
}

/**
 * f of every integer of a value, in steps of the target times 2^-shift. Up to 4,096 integers: one entry each, rounded to
 * nearest and, for a narrow target, clamped to its window. More: straight lines between equally spaced ones, see `interpolate`.
 */
export function tabulate(
  context: LowerContext,
  value: number,
  shape: Shape,
  f: (q: number) => number,
  target: Target,
): { readonly value: number; readonly shift: number } {
  const { lo, hi } = context.boundsOf(value)
  const end = BEYOND * Math.max(Math.abs(target.lo), Math.abs(target.hi))
  const bounded = (q: number): number => {
    const v = f(q) / target.scale
    return Number.isNaN(v) ? 0 : Math.min(Math.max(v, -end), end)
  }
  if (hi - lo >= MOST_ENTRIES) return interpolate(context, value, shape, bounded, target.wide)
  const largest = 2 ** (WIDE_TABLE_BITS - 1) - 1
  const values = Float64Array.from({ length: hi - lo + 1 }, (_, i) => bounded(lo + i))
  const most = values.reduce((m, v) => Math.max(m, Math.abs(v)), 0)
  const shift = target.wide && most > 0 ? Math.max(0, Math.floor(Math.log2(largest / most))) : 0
  const table = values.map((v) => {
    const q = Math.floor(v * 2 ** shift + 0.5)
    return target.wide ? q : Math.min(Math.max(q, target.lo), target.hi)
  })
  return { value: context.emit({ kind: 'lookup', inputs: [value], shape, table, first: lo }), shift }
}

/** Fraction bits of an interpolated value beyond those that its slope needs. */
const GUARD_BITS = 3

/** Most integers that a function is tabulated and checked for. */
const MOST_INTERPOLATED = 2 ** 20

/** How far an interpolated value may be off, in steps of the output. */
const LINE_ERROR = 0.5

/** Straight lines over 2^k integers each: A[h] + B[h]·r at t = 2^k·h + r, in steps of the output times 2^-shift. */
type Lines = { readonly k: number; readonly shift: number; readonly A: Float64Array; readonly B: Float64Array }

function linesThrough(exact: Float64Array, k: number, wide: boolean): Lines {
  const shift = k + GUARD_BITS + (wide ? 4 : 0)
  const unit = 2 ** shift
  const last = exact.length - 1
  const A = Float64Array.from({ length: Math.floor(last / 2 ** k) + 1 }, (_, h) =>
    Math.round(exact[h * 2 ** k]! * unit),
  )
  const B = A.map((_, h) => {
    const [from, to] = [h * 2 ** k, Math.min((h + 1) * 2 ** k, last)]
    return to === from ? 0 : Math.round(((exact[to]! - exact[from]!) / (to - from)) * unit)
  })
  return { k, shift, A, B }
}

/** Misfits that are nearer than this to each other are one. */
const GAP = 64

/** Most tables for what lines miss. */
const MOST_MISFITS = 4

/** First and last integers of the stretches in which lines are too far off. All integers are tried. */
function misfits(exact: Float64Array, { k, shift, A, B }: Lines): (readonly [first: number, last: number])[] {
  const found: [number, number][] = []
  for (let t = 0; t < exact.length; t++) {
    const h = Math.floor(t / 2 ** k)
    if (Math.abs((A[h]! + B[h]! * (t - h * 2 ** k)) / 2 ** shift - exact[t]!) <= LINE_ERROR) continue
    const previous = found.at(-1)
    if (previous !== undefined && t - previous[1] < GAP) previous[1] = t
    else found.push([t, t])
  }
  return found
}

/**
 * For t = q - lo, h = ⌊t / 2^k⌋ and r = t - 2^k·h: A[h] + B[h]·r with F = k + 3 fraction bits (seven for wide results), A[h]
 * the rounded f at the line's start and B[h] the rounded slope to the next start. k is the largest for which no integer of the
 * input is off by more than half a step (all are tried), but the tables have at most 4,096 lines; where these are too few, next
 * to poles and kinks, what is missing there comes from tables with an entry for each integer.
 */
function interpolate(
  context: LowerContext,
  value: number,
  shape: Shape,
  f: (q: number) => number,
  wide: boolean,
): { readonly value: number; readonly shift: number } {
  const { lo, hi } = context.boundsOf(value)
  if (hi - lo >= MOST_INTERPOLATED)
    return unsupported(context, 'integers that a table takes', hi - lo + 1, `at most ${MOST_INTERPOLATED}`)
  const exact = Float64Array.from({ length: hi - lo + 1 }, (_, i) => f(lo + i))
  const least = Math.ceil(Math.log2((hi - lo + 1) / MOST_ENTRIES))
  let lines = linesThrough(exact, least, wide)
  const missed = misfits(exact, lines)
  for (let k = least + 1; missed.length === 0 && k <= least + 6; k++) {
    const longer = linesThrough(exact, k, wide)
    if (misfits(exact, longer).length > 0) break
    lines = longer
  }
  const { k, shift, A, B } = lines
  const t = emitAffine(context, [[1, value]], -lo, shape)
  const h = emitFloorShift(context, t, shape, k)
  const remainder = emitAffine(
    context,
    [
      [1, t],
      [-(2 ** k), h],
    ],
    0,
    shape,
  )
  const start = context.emit({ kind: 'lookup', inputs: [h], shape, table: A, first: 0 })
  const slope = context.emit({ kind: 'lookup', inputs: [h], shape, table: B, first: 0 })
  const rise = context.emit({ kind: 'multiply', inputs: [slope, remainder], shape })
  const terms: [number, number][] = [
    [1, start],
    [1, rise],
  ]
  const longest = missed.reduce((m, [first, last]) => Math.max(m, last - first + 1), 0)
  if (missed.length > MOST_MISFITS)
    return unsupported(context, 'poles and kinks', missed.length, `at most ${MOST_MISFITS} where lines are needed`)
  if (longest > MOST_ENTRIES - 2)
    return unsupported(
      context,
      'integers where the function bends',
      longest,
      `at most ${MOST_ENTRIES - 2} at a stretch`,
    )
  for (const [first, last] of missed) {
    // 0 before and after
    const table = Float64Array.from({ length: last - first + 3 }, (_, i) => {
      const at = first + i - 1
      if (at < first || at > last) return 0
      const line = Math.floor(at / 2 ** k)
      return Math.round(exact[at]! * 2 ** shift) - A[line]! - B[line]! * (at - line * 2 ** k)
    })
    const place = emitClamp(context, emitAffine(context, [[1, t]], 1 - first, shape), shape, 0, last - first + 2)
    terms.push([1, context.emit({ kind: 'lookup', inputs: [place], shape, table, first: 0 })])
  }
  return { value: emitAffine(context, terms, 0, shape), shift }
}
