import type { Windows } from '../../model/layers/windows.ts'
import { type Shape, sizeOf } from '../../tensor.ts'
import { type LowerContext, type QTensor, sparseMap } from '../lowering.ts'
import { emitAffine } from './compare.ts'
import { inTarget } from './reductions.ts'

/** Bits of the index into the table of exponentials, for activations of n bits; 83 rows for the entries of 10 bits. */
const indexBits = (bits: number): number => Math.min(Math.max(bits, 10), 12)

/** Bits of the index into the table of logarithms. */
const INDEX_BITS = 10
/** Fraction bits of an exponential; the largest is 2^EXP_BITS. */
const EXP_BITS = 14
/** Differences from the maximum beyond this have exp(-d) < 2^-15 and count as this. */
const DEPTH = 10.4

/** Indices of the elements of each line along an axis, line by line. */
export function linesAlong(shape: readonly number[], axis: number): number[][] {
  const inner = sizeOf(shape.slice(axis + 1))
  const length = shape[axis]!
  return Array.from({ length: sizeOf(shape) / length }, (_, line) => {
    const first = Math.floor(line / inner) * length * inner + (line % inner)
    return Array.from({ length }, (_i, i) => first + i * inner)
  })
}

/** Lines, or any groups of element indices, as the windows of a layer. */
export function toWindows(groups: Lines): Windows {
  const starts = new Uint32Array(groups.length + 1)
  groups.forEach((group, i) => {
    starts[i + 1] = starts[i]! + group.length
  })
  return { starts, positions: Uint32Array.from(groups.flat()) }
}

/** The step that an input of the model is to have: an error of half a step changes an exponential by 1/512. */
export const exponentStep = (step: number): number => Math.min(step, 2 ** -8)

type Lines = readonly (readonly number[])[]

/** max - x, the exponentials of its negative (times a mask of ones and zeros), and their sums, for each line. */
function exponentials(context: LowerContext, x: QTensor, lines: Lines, mask?: number) {
  const shift = x.shift as number
  const size = sizeOf(x.shape)
  const { starts, positions } = toWindows(lines)
  const largest = context.emit({ kind: 'max', inputs: [x.value], shape: [lines.length], starts, positions })
  const lineOf = new Int32Array(size)
  for (const [i, line] of lines.entries()) for (const at of line) lineOf[at] = i
  const depth = context.emit({
    kind: 'linear',
    inputs: [x.value, largest],
    shape: [size],
    map: sparseMap(
      Array.from({ length: size }, (_, j) => ({ positions: [j, size + lineOf[j]!], weights: [-1, 1], bias: 0 })),
      0,
    ),
  })
  // the table's step is the tensor's own step times a power of two, so that a shift leads to it
  const unit = x.scale / 2 ** shift
  const most = 2 ** indexBits(context.scheme.bits) - 1
  const drop = Math.max(0, Math.ceil(Math.log2(DEPTH / most / unit)))
  const step = unit * 2 ** drop
  const index = context.emit({
    kind: 'requantise',
    inputs: [depth],
    shape: [size],
    shifts: Uint8Array.of(drop),
    inner: size,
    lo: 0,
    hi: most,
  })
  const { hi } = context.boundsOf(index)
  const table = Float64Array.from({ length: hi + 1 }, (_, i) => Math.round(Math.exp(-i * step) * 2 ** EXP_BITS))
  const looked = context.emit({ kind: 'lookup', inputs: [index], shape: [size], table, first: 0 })
  const exps = mask === undefined ? looked : context.emit({ kind: 'multiply', inputs: [mask, looked], shape: [size] })
  const sums = context.emit({
    kind: 'linear',
    inputs: [exps],
    shape: [lines.length],
    map: sparseMap(
      lines.map((line) => ({ positions: [...line].sort((a, b) => a - b), weights: line.map(() => 1), bias: 0 })),
      0,
    ),
  })
  return { largest, depth, exps, sums, lineOf, size }
}

/** Fraction bits of a probability that the graph reads with all its bits. */
const WIDE_BITS = 8

/** Real value of one step of a probability: 2^bits - 1 steps make 1. */
export const probabilityScale = (bits: number): number => 1 / (2 ** bits - 1)

/**
 * exp(x - max) / Σ exp(x - max) along each line: y = ⌊(2·K·e + S) / 2S⌋ with K steps per unit, e from a table of
 * exponentials and S their sum, so the quotient itself is rounded to nearest. Elements whose mask is 0 take no part and give 0.
 */
export function lowerSoftmax(context: LowerContext, input: QTensor, lines: Lines, mask?: number): QTensor {
  const x = typeof input.shift === 'number' ? input : context.narrow(input)
  const target = context.target()
  const shift = target.wide ? WIDE_BITS : 0
  const steps = Math.round(1 / target.scale) * 2 ** shift
  const { exps, sums, lineOf, size } = exponentials(context, x, lines, mask)
  const perElement = (inputs: number[], positions: (j: number) => number[], weights: number[]): number =>
    context.emit({
      kind: 'linear',
      inputs,
      shape: [size],
      map: sparseMap(
        Array.from({ length: size }, (_, j) => ({ positions: positions(j), weights, bias: 0 })),
        0,
      ),
    })
  const dividend = perElement([exps, sums], (j) => [j, size + lineOf[j]!], [2 * steps, 1])
  // the largest element's exponential is 2^EXP_BITS, so S is never smaller, unless all are masked and the dividends 0: this
  // clamp changes nothing but lets the ranges show it, and the quotient needs fewer bits
  const most = context.boundsOf(sums).hi
  const bounded = context.emit({
    kind: 'requantise',
    inputs: [sums],
    shape: [lines.length],
    shifts: Uint8Array.of(0),
    inner: lines.length,
    lo: 2 ** EXP_BITS,
    hi: most,
  })
  const divisor = perElement([bounded], (j) => [lineOf[j]!], [2])
  const value = context.emit({ kind: 'divide', inputs: [dividend, divisor], shape: x.shape })
  return { name: '', value, shape: x.shape, scale: target.scale, shift }
}

/** Softmax over the elements of each line that a constant mask leaves; the others give 0. */
export function lowerSoftmaxOfSome(
  context: LowerContext,
  input: QTensor,
  lines: Lines,
  isThere: (element: number) => boolean,
): QTensor {
  const x = typeof input.shift === 'number' ? input : context.narrow(input)
  const map = new Int32Array(sizeOf(x.shape)).fill(-1)
  const kept: number[] = []
  const groups = lines.flatMap((line) => {
    const there = line.filter(isThere)
    for (const at of there) map[at] = kept.push(at) - 1
    return there.length === 0 ? [] : [there.map((at) => map[at]!)]
  })
  const taken = { kind: 'gather', shape: [Math.max(kept.length, 1)], fill: 0 } as const
  const positions = Int32Array.from(kept.length === 0 ? [0] : kept)
  const value = context.emit({ ...taken, inputs: [x.value], map: positions })
  const some = lowerSoftmax(context, { ...x, value, shape: taken.shape }, groups.length === 0 ? [[0]] : groups)
  return { ...some, value: context.emit({ ...taken, inputs: [some.value], shape: x.shape, map }), shape: x.shape }
}

/**
 * Softmax over the elements of each line whose computed mask is 1: the others count as the least integer that x can be, and
 * their exponentials as 0.
 */
export function lowerMaskedSoftmax(context: LowerContext, input: QTensor, lines: Lines, mask: number): QTensor {
  const x = typeof input.shift === 'number' ? input : context.narrow(input)
  const { lo } = context.boundsOf(x.value)
  const above = emitAffine(context, [[1, x.value]], -lo, x.shape)
  const kept = context.emit({ kind: 'multiply', inputs: [mask, above], shape: x.shape })
  return lowerSoftmax(context, { ...x, value: emitAffine(context, [[1, kept]], lo, x.shape) }, lines, mask)
}

/** log Σ exp(x - max) of each line in steps of the tensor's own, from a table over the sum of exponentials. */
function logarithms(context: LowerContext, sums: number, lines: number, unit: number): number {
  const one = 2 ** EXP_BITS
  const most = context.boundsOf(sums).hi - one
  const drop = Math.max(0, Math.ceil(Math.log2((most + 1) / 2 ** INDEX_BITS)))
  const excess = context.emit({
    kind: 'linear',
    inputs: [sums],
    shape: [lines],
    map: sparseMap(
      Array.from({ length: lines }, (_, i) => ({ positions: [i], weights: [1], bias: -one })),
      0,
    ),
  })
  const index = context.emit({
    kind: 'requantise',
    inputs: [excess],
    shape: [lines],
    shifts: Uint8Array.of(drop),
    inner: lines,
    lo: 0,
    hi: 2 ** INDEX_BITS - 1,
  })
  const { hi } = context.boundsOf(index)
  const table = Float64Array.from({ length: hi + 1 }, (_, i) => Math.round(Math.log(1 + (i * 2 ** drop) / one) / unit))
  return context.emit({ kind: 'lookup', inputs: [index], shape: [lines], table, first: 0 })
}

/**
 * x - max - log Σ exp(x - max) along each line. Input and output share their scale and fraction bits; the logarithm comes
 * from a table over S, whose step makes an error of at most 2^-10 · (n - 1) for lines of n.
 */
export function lowerLogSoftmax(context: LowerContext, input: QTensor, lines: Lines): QTensor {
  const x = typeof input.shift === 'number' ? input : context.narrow(input)
  const { depth, sums, lineOf, size } = exponentials(context, x, lines)
  const logs = logarithms(context, sums, lines.length, x.scale / 2 ** (x.shift as number))
  const value = context.emit({
    kind: 'linear',
    inputs: [depth, logs],
    shape: x.shape,
    map: sparseMap(
      Array.from({ length: size }, (_, j) => ({ positions: [j, size + lineOf[j]!], weights: [-1, -1], bias: 0 })),
      0,
    ),
  })
  return { name: '', value, shape: x.shape, scale: x.scale, shift: x.shift }
}

/** max + log Σ exp(x - max) of each group, as in LogSoftmax, then one factor. Wide result. */
export function lowerLogSumExp(context: LowerContext, input: QTensor, groups: Lines, shape: Shape): QTensor {
  const x = typeof input.shift === 'number' ? input : context.narrow(input)
  const { largest, sums } = exponentials(context, x, groups)
  const unit = x.scale / 2 ** (x.shift as number)
  const logs = logarithms(context, sums, groups.length, unit)
  const total = context.emit({
    kind: 'linear',
    inputs: [largest, logs],
    shape,
    map: sparseMap(
      groups.map((_, i) => ({ positions: [i, groups.length + i], weights: [1, 1], bias: 0 })),
      0,
    ),
  })
  return inTarget(context, total, unit, shape)
}
