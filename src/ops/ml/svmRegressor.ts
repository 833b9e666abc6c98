import { attributesOf, floats, int, oneOf, required } from '../attributes.ts'
import { invalid, unsupported } from '../inputs.ts'
import { lowerGemm } from '../lower/affine.ts'
import { emitSparse, integerStats, type LowerContext, type QTensor, type RealRow } from '../lowering.ts'
import type { InferContext, Op } from '../op.ts'
import { rowsOf } from './classes.ts'

/** Bits of the index into the table of a kernel, and fraction bits of its largest value. */
const INDEX_BITS = 11
const VALUE_BITS = 14

/** Support vectors [count, features], a coefficient for each, and what the kernel makes of two vectors. */
function machine(context: InferContext) {
  const given = attributesOf(context.node, {
    coefficients: required(floats()),
    kernel_params: floats(),
    kernel_type: oneOf(['LINEAR', 'POLY', 'RBF', 'SIGMOID'] as const, 'LINEAR'),
    n_supports: int(0),
    one_class: oneOf([0], 0),
    post_transform: oneOf(['NONE'], 'NONE'),
    rho: required(floats()),
    support_vectors: floats(),
  })
  const { rows, features } = rowsOf(context)
  const [gamma = 0, offset = 0, degree = 0] = given.kernel_params ?? []
  const { coefficients, n_supports: count, kernel_type: kernel } = given
  const vectors = count > 0 ? (given.support_vectors ?? []) : [...coefficients]
  const weights = count > 0 ? coefficients : [1]
  const type = count > 0 ? kernel : 'LINEAR'
  if (given.rho.length < 1 || count < 0 || weights.length < Math.max(count, 1))
    invalid(context, `${coefficients.length} coefficients for ${count} support vectors`)
  if (vectors.length !== Math.max(count, 1) * features)
    invalid(context, `support vectors of ${vectors.length} numbers for ${features} features`)
  /** The kernel as a function of the product of vectors, or for RBF of their squared distance. */
  const f = (t: number): number =>
    type === 'POLY'
      ? (gamma * t + offset) ** degree
      : type === 'RBF'
        ? Math.exp(-gamma * t)
        : type === 'SIGMOID'
          ? Math.tanh(gamma * t + offset)
          : t
  return { rows, features, type, count: Math.max(count, 1), weights, vectors, rho: given.rho[0]!, f }
}

/** x · sᵢ, or |x - sᵢ|² for RBF, for each row and support vector, as indices of a table; with the real value of index k. */
function indices(context: LowerContext, x: QTensor): { readonly index: number; readonly at: (k: number) => number } {
  const { rows, features, type, count, vectors } = machine(context)
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

/**
 * Σ coefficient · kernel(x, support vector) + rho. Kernels other than the linear one are tables of 2,048 steps over all
 * products (or squared distances) that inputs allow. https://onnx.ai/onnx/operators/onnx_aionnxml_SVMRegressor.html
 */
export const svmRegressor: Op = {
  type: 'SVMRegressor',
  domain: 'ai.onnx.ml',
  opsets: [1, 5],
  arity: [1, 1],
  infer: (context) => {
    const { rows } = machine(context)
    return [{ dtype: 'float32', shape: [rows, 1] }]
  },
  compute: (context, [x]) => {
    const { rows, features, type, count, weights, vectors, rho, f } = machine(context)
    const data = Float64Array.from({ length: rows }, (_, row) => {
      let sum = rho
      for (let i = 0; i < count; i++) {
        let t = 0
        for (let k = 0; k < features; k++) {
          const [v, s] = [x!.data[row * features + k]!, vectors[i * features + k]!]
          t += type === 'RBF' ? (v - s) ** 2 : v * s
        }
        sum += weights[i]! * f(t)
      }
      return sum
    })
    return [{ dtype: 'float32', shape: [rows, 1], data }]
  },
  lower: (context, [input]) => {
    const { rows, features, type, count, weights, vectors, rho, f } = machine(context)
    if (type === 'LINEAR') {
      const weight = (k: number): number => {
        let sum = 0
        for (let i = 0; i < count; i++) sum += weights[i]! * vectors[i * features + k]!
        return sum
      }
      return [lowerGemm(context, input!, [rows, features, 1], { weight, bias: () => rho })]
    }
    const target = context.target()
    const { index, at } = indices(context, context.narrow(input!))
    const { lo, hi } = context.boundsOf(index)
    const real = Float64Array.from({ length: hi - lo + 1 }, (_, i) => f(at(lo + i)))
    const most = real.reduce((m, v) => Math.max(m, Math.abs(v)), 0)
    if (!Number.isFinite(most))
      return unsupported(context, 'kernel_params', type, 'kernels that stay finite on the input range')
    const unit = (most || 1) / 2 ** VALUE_BITS
    const table = real.map((v) => Math.round(v / unit))
    const shape = [rows, 1]
    const values = context.emit({ kind: 'lookup', inputs: [index], shape: [rows, count], table, first: lo })
    const sums = Array.from(
      { length: rows },
      (_, row): RealRow => ({
        positions: Array.from({ length: count }, (_p, i) => row * count + i),
        weights: Array.from({ length: count }, (_w, i) => (weights[i]! * unit) / target.scale),
        bias: rho / target.scale,
      }),
    )
    const half = 2 ** (VALUE_BITS - 1)
    const { value, shift } = emitSparse(context, [{ value: values, rms: half, mean: half / 2 }], sums, shape)
    return [{ name: '', value, shape, scale: target.scale, shift }]
  },
}
