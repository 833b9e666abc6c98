/**
 * How operators become layers of the integer model: the vocabulary that each op file's `lower` speaks.
 * @module
 */
import { type Bounds, magnitudeOf, type ValueId } from '../model/layer.ts'
import type { Layer } from '../model/layers/index.ts'
import type { SparseMap } from '../model/layers/linear.ts'
import type { Encoding } from '../model/model.ts'
import { type Shape, sizeOf } from '../tensor.ts'
import type { InferContext } from './op.ts'

/** Shifts that are still to be applied: one for all elements, or one per channel (element j has channel ⌊j/inner⌋). */
export type Shift = number | { readonly shifts: Uint8Array; readonly inner: number }

/** A tensor of the ONNX graph as integers: real value = scale · integer / 2^shift. */
export type QTensor = {
  /** Name of the tensor in the graph. */
  readonly name: string
  readonly value: ValueId
  readonly shape: Shape
  readonly scale: number
  /** 0 once the tensor is requantised; otherwise it is *wide*, an accumulator whose low bits are fractions. */
  readonly shift: Shift
}

/** What a tensor is requantised to: real = scale · q with q in [lo, hi]. */
export type Target = Bounds & {
  readonly scale: number
  /** The tensor is used with all its fraction bits (as an output, or by Softmax or ArgMax), so its shift must be uniform. */
  readonly wide: boolean
  /** A sum that goes, with all its fraction bits, into the sum that alone reads it: nothing is requantised to this window. */
  readonly summed?: true
  /** Integers are the numbers of floats (model/floatOrder.ts) and no multiples of the scale. */
  readonly encoding?: Encoding
}

/** Distribution of a tensor's real values over the calibration samples. */
export type Stats = { readonly min: number; readonly max: number; readonly mean: number; readonly rms: number }

export type Scheme = {
  /** Bits of activations: signed tensors take [-2^(n-1), 2^(n-1)-1], non-negative ones [0, 2ⁿ-1]. */
  readonly bits: number
  /** Most bits of an integer weight, sign included; exactly so many where weights are open. */
  readonly weightBits: number
  /** Weights are no constants of the model: a weight set gives them. */
  readonly openWeights?: true
}

/** What `lower` sees of its node and the model under construction. */
export type LowerContext = InferContext & {
  readonly scheme: Scheme
  /** Adds a layer; its inputs' bounds are known, so overflow is refused here. */
  emit(layer: LayerSpec): ValueId
  /** Adds the weights, or the bias, that weight sets give for this node. */
  emitWeights(part: 'weights' | 'bias', tensor: Bounds & { readonly shape: Shape; readonly scale: number }): ValueId
  boundsOf(value: ValueId): Bounds
  /** Elements of a value. */
  sizeOf(value: ValueId): number
  /** Target of output i of the node. */
  target(output?: number): Target
  /** How a tensor's integers stand for its values, where they are no multiples of its scale. */
  encodingOf(tensor: string): Encoding | undefined
  /** Whether a tensor goes into a sum with all its fraction bits. */
  isSummed(tensor: string): boolean
  /** Statistics of the real values of a tensor. */
  stats(tensor: string): Stats
  /** The tensor requantised to its own target; once per tensor. A tensor that is not wide is returned as it is. */
  narrow(x: QTensor): QTensor
  /** A constant tensor as integers with its own scale, in n bits. */
  constant(name: string): QTensor
}

/** A layer without its name, which the context gives. */
export type LayerSpec = Layer extends infer L ? (L extends Layer ? Omit<L, 'name'> : never) : never

/**
 * How large the noise of rounded weights may be beside the noise of rounded activations (standard deviations). 1/4 makes
 * the total 3 % worse than exact weights would.
 */
const WEIGHT_NOISE = 0.25

/** Largest shift that is tried: beyond it products leave 2⁵³. */
export const MAX_SHIFT = 30

/** Least share of a tensor's mean square that counts as variance: samples may vary less than what is proved later. */
const LEAST_VARIANCE = 1 / 16

/**
 * The least shift S for which weights rounded to multiples of 2^-S disturb a sum of weight · x by less than WEIGHT_NOISE
 * roundings of its result. Exact weights (a half, an integer) need no more than their own bits. Errors of terms that read
 * different tensors do not cancel each other: such sums take the largest shift of their parts.
 *
 * @param weights real weights of one output, in units of the result's step per step of x
 * @param rms root mean square of x in its integer units; `mean` its mean
 */
export function chooseShift(weights: ArrayLike<number>, rms: number, mean: number, weightBits: number): number {
  const square = rms * rms
  const variance = Math.max(square - mean * mean, LEAST_VARIANCE * square)
  let largest = 0
  for (let i = 0; i < weights.length; i++) largest = Math.max(largest, Math.abs(weights[i]!))
  if (largest === 0) return 0
  const limit = 2 ** (weightBits - 1) - 1
  let shift = 0
  for (; shift < MAX_SHIFT; shift++) {
    const factor = 2 ** shift
    let [sum, squares] = [0, 0]
    for (let i = 0; i < weights.length; i++) {
      const w = weights[i]! * factor
      const error = Math.round(w) - w
      sum += error
      squares += error * error
    }
    const noise = squares * variance + sum * sum * mean * mean
    if (noise <= ((WEIGHT_NOISE * WEIGHT_NOISE) / 12) * factor * factor) return shift
    if (largest * factor * 2 > limit) return shift
  }
  return shift
}

/** round(w · 2^shift), ties away from zero for negative numbers as for positive ones. */
export const toInteger = (w: number, shift: number): number => {
  const scaled = Math.abs(w) * 2 ** shift
  const rounded = Math.round(scaled)
  return w < 0 ? 0 - rounded : rounded
}

/** Terms of one output of a sparse map, before its weights are rounded. */
export type RealRow = {
  readonly positions: readonly number[]
  readonly weights: readonly number[]
  readonly bias: number
}

/**
 * A linear layer with few real terms per output, under one shift: for sums, averages, scalings.
 *
 * @param rows terms per output in units of the result's step per integer step of the input, positions ascending
 * @param inputs the layer's inputs and, for each, rms and mean in integer units
 * @param output the node's output that the sums are
 */
export function emitSparse(
  context: LowerContext,
  inputs: readonly { readonly value: ValueId; readonly rms: number; readonly mean: number }[],
  rows: readonly RealRow[],
  shape: Shape,
  output = 0,
): { readonly value: ValueId; readonly shift: number } {
  // rows repeat a few patterns of weights: a shift per pattern
  const known = new Map<string, number>()
  const ends = inputs.map(({ value }) => context.sizeOf(value))
  for (let i = 1; i < ends.length; i++) ends[i]! += ends[i - 1]!
  const ownerOf = (position: number): number => ends.findIndex((end) => position < end)
  let shift = 0
  for (const { weights, positions } of rows) {
    const owners = inputs.length === 1 ? [] : positions.map(ownerOf)
    const key = `${weights.join()};${owners.join()}`
    let s = known.get(key)
    if (s === undefined) {
      const shifts = inputs.map(({ rms, mean }, input) => {
        const own = inputs.length === 1 ? weights : weights.filter((_, i) => owners[i] === input)
        return chooseShift(own, rms, mean, context.scheme.weightBits)
      })
      s = Math.max(...shifts)
      known.set(key, s)
    }
    shift = Math.max(shift, s)
  }
  if (shift === 0 && leavesWindow(context, inputs, rows, ownerOf, output)) shift = 1
  const value = context.emit({ kind: 'linear', inputs: inputs.map((x) => x.value), shape, map: sparseMap(rows, shift) })
  return { value, shift }
}

/** How many times the result's window a sum without a shift, which is never clamped, may be. */
const UNCLAMPED = 4

/** Whether sums could lie so far outside of the result's window that they are to be requantised, which takes a shift. */
function leavesWindow(
  context: LowerContext,
  inputs: readonly { readonly value: ValueId }[],
  rows: readonly RealRow[],
  ownerOf: (position: number) => number,
  output: number,
): boolean {
  const { lo, hi, wide } = context.target(output)
  if (wide) return false
  const limit = UNCLAMPED * Math.max(-lo, hi)
  const most = inputs.map(({ value }) => magnitudeOf(context.boundsOf(value)))
  return rows.some(
    ({ positions, weights, bias }) =>
      positions.reduce((sum, p, i) => sum + Math.abs(weights[i]!) * most[ownerOf(p)]!, Math.abs(bias)) > limit,
  )
}

/** A sparse map of rows rounded to multiples of 2^-shift; each row may have a shift of its own. */
export function sparseMap(rows: readonly RealRow[], shift: number | ArrayLike<number>): SparseMap {
  const terms = rows.reduce((n, r) => n + r.positions.length, 0)
  const map = {
    type: 'sparse' as const,
    starts: new Uint32Array(rows.length + 1),
    positions: new Uint32Array(terms),
    weights: new Float64Array(terms),
    bias: new Float64Array(rows.length),
  }
  let at = 0
  rows.forEach(({ positions, weights, bias }, j) => {
    const own = typeof shift === 'number' ? shift : shift[j]!
    positions.forEach((p, i) => {
      map.positions[at] = p
      map.weights[at++] = toInteger(weights[i]!, own)
    })
    map.starts[j + 1] = at
    map.bias[j] = toInteger(bias, own)
  })
  return map
}

/** Root mean square and mean of a tensor in its integer units. */
export function integerStats(context: LowerContext, x: QTensor): { readonly rms: number; readonly mean: number } {
  const { rms, mean } = context.stats(x.name)
  return { rms: rms / x.scale, mean: mean / x.scale }
}

/** Name of the node's output i. */
export const outputName = (context: LowerContext, i = 0): string => context.node.outputs[i]!

/** Shape of the node's data input i. */
export const shapeOf = (x: QTensor): { readonly shape: Shape; readonly size: number } => ({
  shape: x.shape,
  size: sizeOf(x.shape),
})
