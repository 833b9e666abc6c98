import type { ConvGeometry } from '../../model/layers/linear.ts'
import { type Shape, sizeOf, type Tensor } from '../../tensor.ts'
import { unsupported } from '../inputs.ts'
import {
  chooseShift,
  emitSparse,
  integerStats,
  type LowerContext,
  type QTensor,
  type RealRow,
  type Shift,
  toInteger,
} from '../lowering.ts'
import type { MatMulGeometry } from '../matMul.ts'

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
  /** Largest sum of a channel's weights. */
  let largest = 0
  for (let c = 0; c < channels; c++) {
    for (let i = 0; i < perChannel; i++) row[i] = weightAt(c, i) * factor
    shifts[c] = chooseShift(row, rms, mean, context.scheme.weightBits)
    largest = Math.max(
      largest,
      row.reduce((sum, w) => sum + Math.abs(w), 0),
    )
  }
  // a sum beyond the window would pass for a requantised tensor without a shift, and never be clamped
  if (shifts.every((s) => s === 0) && largest > 1) shifts.fill(1)
  // a wide result is compared and read across channels: one shift for all
  if (target.wide) shifts.fill(shifts.reduce((m, s) => Math.max(m, s), 0))
  return { factor, shifts }
}

/** Most fraction bits that a linear layer takes in as they are. */
const KEPT_FRACTION_BITS = 4

/**
 * The input as integers: requantised, or, where it is an average with a few exact fraction bits, with these bits kept. They
 * widen each of the layer's `outputs` accumulators by that many bits, and save one requantisation per element of the input.
 */
export function integersOf(context: LowerContext, input: QTensor, outputs: number): QTensor {
  const { shift } = input
  if (typeof shift !== 'number' || shift === 0 || shift > KEPT_FRACTION_BITS) return context.narrow(input)
  const { lo, hi } = context.boundsOf(input.value)
  const { bits } = context.scheme
  const onlyFractions = hi - lo < 2 ** (bits + shift)
  const saved = sizeOf(input.shape) * (bits + shift + 1)
  return onlyFractions && outputs * shift < saved
    ? { ...input, scale: input.scale / 2 ** shift, shift: 0 }
    : context.narrow(input)
}

const shiftOf = (shifts: Uint8Array, inner: number): Shift =>
  shifts.every((s) => s === shifts[0]) ? shifts[0]! : { shifts, inner }

/** Weights and bias of a matrix product in real units; without a bias, 0. */
export type GemmTerms = {
  readonly weight: (k: number, n: number) => number
  readonly bias?: (m: number, n: number) => number
}

/**
 * Y = X · W + b for X [m, k], constant W [k, n] and b [m, n]. Wide result: one shift per column.
 *
 * A bias that differs between rows is added by a second map.
 */
export function lowerGemm(
  context: LowerContext,
  input: QTensor,
  [rows, inner, columns]: readonly [m: number, k: number, n: number],
  { weight, bias }: GemmTerms,
  shape: Shape = [rows, columns],
): QTensor {
  const x = integersOf(context, input, rows * columns)
  const target = context.target()
  const { factor, shifts } = roundChannels(context, x, columns, inner, (n, k) => weight(k, n))
  const integers = new Float64Array(inner * columns)
  for (let k = 0; k < inner; k++)
    for (let n = 0; n < columns; n++) integers[k * columns + n] = toInteger(weight(k, n) * factor, shifts[n]!)
  const biasAt = (m: number, n: number): number => toInteger((bias?.(m, n) ?? 0) / target.scale, shifts[n]!)
  const rowsAgree = Array.from({ length: rows * columns }, (_, j) => j).every(
    (j) => bias === undefined || bias(Math.floor(j / columns), j % columns) === bias(0, j % columns),
  )
  let value = context.emit({
    kind: 'linear',
    inputs: [x.value],
    shape,
    map: {
      type: 'matMul',
      rows,
      inner,
      columns,
      weights: integers,
      bias: Float64Array.from({ length: columns }, (_, n) => (rowsAgree ? biasAt(0, n) : 0)),
    },
  })
  if (!rowsAgree) {
    const size = rows * columns
    value = context.emit({
      kind: 'linear',
      inputs: [value],
      shape,
      map: {
        type: 'sparse',
        starts: Uint32Array.from({ length: size + 1 }, (_, j) => j),
        positions: Uint32Array.from({ length: size }, (_, j) => j),
        weights: new Float64Array(size).fill(1),
        bias: Float64Array.from({ length: size }, (_, j) => biasAt(Math.floor(j / columns), j % columns)),
      },
    })
  }
  return { name: '', value, shape, scale: target.scale, shift: shiftOf(shifts, 1) }
}

/** Most products of elements in one matrix product of two computed tensors: each is a row. */
const MAX_PRODUCTS = 2 ** 24

/** Exact products of elements of two values, `terms` for each result, in order. */
export function emitProducts(
  context: LowerContext,
  [a, b]: readonly [number, number],
  results: number,
  terms: number,
  places: (result: number, term: number) => readonly [left: number, right: number],
): number {
  const size = results * terms
  if (size > MAX_PRODUCTS)
    return unsupported(context, 'products of two computed tensors', size, `at most ${MAX_PRODUCTS}`)
  const [fromA, fromB] = [new Int32Array(size), new Int32Array(size)]
  for (let at = 0; at < size; at++) [fromA[at], fromB[at]] = places(Math.floor(at / terms), at % terms)
  const spread = (value: number, map: Int32Array): number =>
    context.emit({ kind: 'gather', inputs: [value], shape: [size], map, fill: 0 })
  return context.emit({ kind: 'multiply', inputs: [spread(a, fromA), spread(b, fromB)], shape: [size] })
}

/** A summand for each result: a computed tensor's element at `at`, or a real number. */
export type Summand = {
  readonly factor: number
  readonly tensor: QTensor | undefined
  readonly value: (result: number) => number
  readonly at: (result: number) => number
}

/**
 * alpha · Σ a · b + factor · c for computed a and b: `terms` exact products of elements for each result, one row each, and their
 * exact sums, times the factor that brings them to the result's scale. Wide result.
 */
function lowerProducts(
  context: LowerContext,
  left: QTensor,
  right: QTensor,
  terms: number,
  places: (result: number, term: number) => readonly [left: number, right: number],
  shape: Shape,
  { alpha = 1, summand }: { readonly alpha?: number; readonly summand?: Summand | undefined } = {},
): QTensor {
  const target = context.target()
  const [a, b] = [context.narrow(left), context.narrow(right)]
  const results = sizeOf(shape)
  const size = results * terms
  const product = emitProducts(context, [a.value, b.value], results, terms, places)
  const unit = a.scale * b.scale
  const factor = (alpha * unit) / target.scale
  // all products of a sum have one weight, so its rounding disturbs the sum as it would disturb one number of that size
  const { rms, mean } = context.stats(context.node.outputs[0]!)
  const { weightBits } = context.scheme
  const ofSums = chooseShift([factor], Math.max(rms / unit / Math.abs(alpha || 1), 1), mean / unit, weightBits)
  const c = summand?.tensor && context.narrow(summand.tensor)
  const weight = c === undefined ? 0 : (summand!.factor * c.scale) / target.scale
  const { rms: rmsC, mean: meanC } = c === undefined ? { rms: 0, mean: 0 } : integerStats(context, c)
  // a shift of 0 would mark the sums as requantised
  const shift = Math.max(1, ofSums, chooseShift([weight], rmsC, meanC, weightBits))
  const row = terms + (c === undefined ? 0 : 1)
  const inProducts = (i: number): boolean => i % row < terms
  const positions = Uint32Array.from({ length: results * row }, (_, i) => {
    const j = Math.floor(i / row)
    return inProducts(i) ? j * terms + (i % row) : size + summand!.at(j)
  })
  const [times, plus] = [toInteger(factor, shift), toInteger(weight, shift)]
  const constant = c === undefined ? summand : undefined
  const value = context.emit({
    kind: 'linear',
    inputs: c === undefined ? [product] : [product, c.value],
    shape,
    map: {
      type: 'sparse',
      starts: Uint32Array.from({ length: results + 1 }, (_, j) => j * row),
      positions,
      weights: Float64Array.from({ length: results * row }, (_, i) => (inProducts(i) ? times : plus)),
      bias: Float64Array.from({ length: results }, (_, j) =>
        constant === undefined ? 0 : toInteger((constant.factor * constant.value(j)) / target.scale, shift),
      ),
    },
  })
  return { name: '', value, shape, scale: target.scale, shift }
}

/** alpha · A · B + factor · C for matrices of which at least one is computed; `at` gives the position of an element. Wide result. */
export function lowerGeneralGemm(
  context: LowerContext,
  [a, b]: readonly [
    { readonly tensor: QTensor | undefined; readonly at: (i: number, t: number) => number },
    { readonly tensor: QTensor | undefined; readonly at: (t: number, j: number) => number },
  ],
  [m, k, n]: readonly [m: number, k: number, n: number],
  alpha: number,
  summand: Summand | undefined,
): QTensor {
  const shape = [m, n]
  const place = (j: number, t: number): readonly [number, number] => [a.at(Math.floor(j / n), t), b.at(t, j % n)]
  if (a.tensor !== undefined && b.tensor !== undefined)
    return lowerProducts(context, a.tensor, b.tensor, k, place, shape, { alpha, summand })
  const onLeft = b.tensor === undefined
  const constant = context.constants[onLeft ? 1 : 0]
  const input = a.tensor ?? b.tensor
  if (constant === undefined || input === undefined)
    return unsupported(context, 'inputs', 'constants A and B', 'at least one matrix that the model computes')
  if (m * n * k > MAX_PRODUCTS) return unsupported(context, 'terms', m * n * k, `at most ${MAX_PRODUCTS}`)
  const target = context.target()
  const x = context.narrow(input)
  const c = summand?.tensor && context.narrow(summand.tensor)
  const rows = Array.from({ length: m * n }, (_, j): RealRow => {
    const places = Array.from({ length: k }, (_t, t) => place(j, t))
    const weights = places.map(([p, q]) => (alpha * constant.data[onLeft ? q : p]! * x.scale) / target.scale)
    return {
      positions: [...places.map(([p, q]) => (onLeft ? p : q)), ...(c ? [sizeOf(x.shape) + summand!.at(j)] : [])],
      weights: [...weights, ...(c ? [(summand!.factor * c.scale) / target.scale] : [])],
      bias: summand === undefined || c ? 0 : (summand.factor * summand.value(j)) / target.scale,
    }
  })
  const inputs = [x, ...(c ? [c] : [])].map((t) => ({ value: t.value, ...integerStats(context, t) }))
  const { value, shift } = emitSparse(context, inputs, rows, shape)
  return { name: '', value, shape, scale: target.scale, shift }
}

/** A factor of a product: a computed tensor or a constant. */
export type Operand = { readonly tensor: QTensor | undefined; readonly constant: Tensor | undefined }

/**
 * alpha times a matrix product, batched. Where one side is constant, a tensor on the left meets one matrix per stack entry; on the
 * right, each product is a map of its own. Wide result.
 */
export function lowerMatMul(
  context: LowerContext,
  [{ tensor: a, constant: constantA }, { tensor: b, constant: constantB }]: readonly [Operand, Operand],
  { m, k, n, left, right, shape }: Omit<MatMulGeometry, 'batch'>,
  alpha = 1,
): QTensor {
  if (a !== undefined && b !== undefined)
    return lowerProducts(
      context,
      a,
      b,
      k,
      (result, t) => {
        const [batch, i, j] = [Math.floor(result / (m * n)), Math.floor(result / n) % m, result % n]
        return [(left[batch]! * m + i) * k + t, (right[batch]! * k + t) * n + j]
      },
      shape,
      { alpha },
    )
  const constant = b === undefined ? constantB : constantA
  const input = a ?? b
  if (input === undefined || constant === undefined)
    return unsupported(context, 'inputs', 'two constants', 'at least one tensor that the model computes')
  const constantSize = constant.data.length
  if (b === undefined && constantSize === k * n) {
    const weight = (i: number, j: number): number => alpha * constant.data[i * n + j]!
    return lowerGemm(context, input, [left.length * m, k, n], { weight }, shape)
  }
  const x = context.narrow(input)
  const target = context.target()
  const factor = (alpha * x.scale) / target.scale
  const rows: RealRow[] = []
  left.forEach((of, batch) => {
    for (let i = 0; i < m; i++)
      for (let j = 0; j < n; j++) {
        const steps = Array.from({ length: k }, (_, t) => t)
        const inLeft = (t: number): number => (of * m + i) * k + t
        const inRight = (t: number): number => (right[batch]! * k + t) * n + j
        rows.push({
          positions: steps.map(b === undefined ? inLeft : inRight),
          weights: steps.map((t) => constant.data[b === undefined ? inRight(t) : inLeft(t)]! * factor),
          bias: 0,
        })
      }
  })
  const { value, shift } = emitSparse(context, [{ value: x.value, ...integerStats(context, x) }], rows, shape)
  return { name: '', value, shape, scale: target.scale, shift }
}

/** Geometry of a convolution over two spatial axes; one-dimensional ones have height 1. */
export type ConvShape = Omit<ConvGeometry, 'type'>

/** A convolution with constant weights [outChannels, channels / groups, kh, kw] and bias in real units. Wide result. */
export function lowerConv(
  context: LowerContext,
  input: QTensor,
  geometry: ConvShape,
  weights: Tensor,
  bias: Tensor | undefined,
  shape: Shape,
): QTensor {
  const x = integersOf(context, input, sizeOf(shape))
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
