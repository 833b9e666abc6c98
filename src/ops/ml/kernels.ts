/**
 * Kernels of support vector machines.
 * @module
 */
import { unsupported } from '../inputs.ts'
import { lowerGemm } from '../lower/affine.ts'
import { emitSparse, integerStats, type LowerContext, type QTensor, type RealRow } from '../lowering.ts'

/** Bits of the index into the table of a kernel, and fraction bits of its largest value. */
const INDEX_BITS = 11
const VALUE_BITS = 14

export const kernelTypes = ['LINEAR', 'POLY', 'RBF', 'SIGMOID'] as const

/** Support vectors [count, features] and what the kernel makes of one and an input's row. */
export type Kernels = {
  readonly rows: number
  readonly features: number
  readonly type: (typeof kernelTypes)[number]
  readonly count: number
  readonly vectors: readonly number[]
  /** Of the product of the vectors, or for RBF of their squared distance. */
  readonly f: (t: number) => number
}

/** The kernel's function for parameters gamma, coef0 and degree. */
export function kernelFunction(type: Kernels['type'], parameters: readonly number[] | undefined): Kernels['f'] {
  const [gamma = 0, offset = 0, degree = 0] = parameters ?? []
  switch (type) {
    case 'POLY':
      return (t) => (gamma * t + offset) ** degree
    case 'RBF':
      return (t) => Math.exp(-gamma * t)
    case 'SIGMOID':
      return (t) => Math.tanh(gamma * t + offset)
    case 'LINEAR':
      return (t) => t
  }
}

/** The kernel of each row and support vector, [rows, count]. */
export function computeKernels(x: Float64Array, { rows, features, type, count, vectors, f }: Kernels): Float64Array {
  return Float64Array.from({ length: rows * count }, (_, j) => {
    const [row, i] = [Math.floor(j / count), j % count]
    let t = 0
    for (let k = 0; k < features; k++) {
      const [v, s] = [x[row * features + k]!, vectors[i * features + k]!]
      t += type === 'RBF' ? (v - s) ** 2 : v * s
    }
    return f(t)
  })
}

/** x · sᵢ, or |x - sᵢ|² for RBF, for each row and support vector, as indices of a table; with the real value of index k. */
function indices(
  context: LowerContext,
  x: QTensor,
  { rows, features, type, count, vectors }: Kernels,
): { readonly index: number; readonly at: (k: number) => number } {
  const distance = type === 'RBF'
  const size = rows * features
  const squares = distance ? context.emit({ kind: 'multiply', inputs: [x.value, x.value], shape: [size] }) : x.value
  const { lo, hi } = context.boundsOf(x.value)
  const most = Math.max(-lo, hi) * x.scale
  // the largest value that bounds allow decides the step
  let reach = 0
  for (let i = 0; i < count; i++) {
    let sum = 0
    for (let k = 0; k < features; k++) {
      const s = Math.abs(vectors[i * features + k]!)
      sum += distance ? (most + s) ** 2 : most * s
    }
    reach = Math.max(reach, sum)
  }
  const step = (distance ? reach : 2 * reach) / (2 ** INDEX_BITS - 2) || 1
  const terms = Array.from({ length: rows * count }, (_, j): RealRow => {
    const [row, i] = [Math.floor(j / count), j % count]
    const s = Array.from({ length: features }, (_s, k) => vectors[i * features + k]!)
    const positions = s.map((_s, k) => row * features + k)
    const linear = s.map((v) => ((distance ? -2 : 1) * v * x.scale) / step)
    return {
      positions: distance ? [...positions, ...positions.map((p) => size + p)] : positions,
      weights: distance ? [...linear, ...s.map(() => x.scale ** 2 / step)] : linear,
      bias: distance ? s.reduce((sum, v) => sum + v * v, 0) / step : 0,
    }
  })
  const { rms, mean } = integerStats(context, x)
  const inputs = [
    { value: x.value, rms, mean },
    ...(distance ? [{ value: squares, rms: rms ** 2, mean: rms ** 2 }] : []),
  ]
  const { value, shift } = emitSparse(context, inputs, terms, [rows, count])
  const half = distance ? 0 : 2 ** (INDEX_BITS - 1)
  const index = context.emit({
    kind: 'requantise',
    inputs: [value],
    shape: [rows, count],
    shifts: Uint8Array.of(shift),
    inner: rows * count,
    lo: -half,
    hi: 2 ** INDEX_BITS - 1 - half,
  })
  return { index, at: (k) => k * step }
}

/** Kernels as integers [rows, count] in steps of `unit`: a table of 2,048 steps over all products or distances that inputs allow. */
export function lowerKernels(
  context: LowerContext,
  input: QTensor,
  kernels: Kernels,
): { readonly value: number; readonly unit: number; readonly rms: number; readonly mean: number } {
  const { rows, count, type, f } = kernels
  const { index, at } = indices(context, context.narrow(input), kernels)
  const { lo, hi } = context.boundsOf(index)
  const real = Float64Array.from({ length: hi - lo + 1 }, (_, i) => f(at(lo + i)))
  const most = real.reduce((m, v) => Math.max(m, Math.abs(v)), 0)
  if (!Number.isFinite(most))
    return unsupported(context, 'kernel_params', type, 'kernels that stay finite on the input range')
  const unit = (most || 1) / 2 ** VALUE_BITS
  const table = real.map((v) => Math.round(v / unit))
  const value = context.emit({ kind: 'lookup', inputs: [index], shape: [rows, count], table, first: lo })
  const half = 2 ** (VALUE_BITS - 1)
  return { value, unit, rms: half, mean: half / 2 }
}

/** Σ weight(i, c) · kernel(x, vector i) + bias(c) for each row and column c, in steps of a scale. Wide result, one shift. */
export function lowerMachines(
  context: LowerContext,
  input: QTensor,
  kernels: Kernels,
  columns: number,
  weight: (vector: number, column: number) => number,
  bias: (column: number) => number,
): QTensor {
  const { rows, features, type, count, vectors } = kernels
  const shape = [rows, columns]
  if (type === 'LINEAR') {
    const combined = (k: number, c: number): number => {
      let sum = 0
      for (let i = 0; i < count; i++) sum += weight(i, c) * vectors[i * features + k]!
      return sum
    }
    return lowerGemm(context, input, [rows, features, columns], { weight: combined, bias: (_, c) => bias(c) })
  }
  const { scale } = context.target()
  const { value: values, unit, rms, mean } = lowerKernels(context, input, kernels)
  const sums = Array.from({ length: rows * columns }, (_, j): RealRow => {
    const [row, c] = [Math.floor(j / columns), j % columns]
    return {
      positions: Array.from({ length: count }, (_p, i) => row * count + i),
      weights: Array.from({ length: count }, (_w, i) => (weight(i, c) * unit) / scale),
      bias: bias(c) / scale,
    }
  })
  const { value, shift } = emitSparse(context, [{ value: values, rms, mean }], sums, shape)
  return { name: '', value, shape, scale, shift }
}
