import { attributesOf, flag, floats, int, oneOf, required } from '../attributes.ts'
import { invalid } from '../inputs.ts'
import { emitAffine, emitClamp } from '../lower/compare.ts'
import type { LowerContext } from '../lowering.ts'
import type { InferContext, Op } from '../op.ts'
import { rowsOf } from './classes.ts'
import { computeKernels, type Kernels, kernelFunction, kernelTypes, lowerMachines } from './kernels.ts'

/** Support vectors, a coefficient for each, the summand, and whether only the sign of the sum counts. */
type Machine = Kernels & { readonly weights: readonly number[]; readonly rho: number; readonly oneClass: boolean }

/** Bits of a sum of which only the sign counts. */
const ONE_CLASS_BITS = 12

function machine(context: InferContext): Machine {
  const given = attributesOf(context.node, {
    coefficients: required(floats()),
    kernel_params: floats(),
    kernel_type: oneOf(kernelTypes, 'LINEAR'),
    n_supports: int(0),
    one_class: flag(false),
    post_transform: oneOf(['NONE'], 'NONE'),
    rho: required(floats()),
    support_vectors: floats(),
  })
  const { rows, features } = rowsOf(context)
  const { coefficients, n_supports: count } = given
  const vectors = count > 0 ? (given.support_vectors ?? []) : [...coefficients]
  const weights = count > 0 ? coefficients : [1]
  const type = count > 0 ? given.kernel_type : 'LINEAR'
  if (given.rho.length < 1 || count < 0 || weights.length < Math.max(count, 1))
    invalid(context, `${coefficients.length} coefficients for ${count} support vectors`)
  if (vectors.length !== Math.max(count, 1) * features)
    invalid(context, `support vectors of ${vectors.length} numbers for ${features} features`)
  const f = kernelFunction(type, given.kernel_params)
  return {
    rows,
    features,
    type,
    count: Math.max(count, 1),
    vectors,
    f,
    weights,
    rho: given.rho[0]!,
    oneClass: given.one_class,
  }
}

/**
 * Σ coefficient · kernel(x, support vector) + rho; with one_class 1 where that is above 0 and -1 elsewhere. Kernels other than the linear one are tables of 2,048 steps over all
 * products (or squared distances) that inputs allow. https://onnx.ai/onnx/operators/onnx_aionnxml_SVMRegressor.html
 */
export const svmRegressor: Op = {
  type: 'SVMRegressor',
  domain: 'ai.onnx.ml',
  opsets: [1, 5],
  arity: [1, 1],
  doc: {
    integers:
      'Σ coefficient·kernel + rho; the linear kernel as Gemm, others a table of 2,048 steps over all products (or squared distances) that inputs allow, with 14 fraction bits',
    rows: '0 for the linear kernel; else N products for RBF, a requantisation and a table of 11 bits for each row and support vector',
    error: 'half a step of the table, times the slope of the kernel, for each support vector',
    example: {
      inputs: [[2, 3]],
      attributes: {
        n_supports: 2,
        coefficients: [1, 0.5],
        rho: [0.25],
        support_vectors: [1, 0, 0, 0, 1, 0],
        kernel_type: 'RBF',
        kernel_params: [0.5, 0, 0],
      },
    },
  },
  infer: (context) => [{ dtype: 'float32', shape: [machine(context).rows, 1] }],
  compute: (context, [x]) => {
    const { weights, rho, oneClass, ...kernels } = machine(context)
    const { rows, count } = kernels
    const values = computeKernels(x!.data, kernels)
    const data = Float64Array.from({ length: rows }, (_, row) => {
      let sum = rho
      for (let i = 0; i < count; i++) sum += weights[i]! * values[row * count + i]!
      return oneClass ? (sum > 0 ? 1 : -1) : sum
    })
    return [{ dtype: 'float32', shape: [rows, 1], data }]
  },
  scaling: { fixedScale: (_, context) => (context && machine(context).oneClass ? 1 : undefined) },
  lower: (context, [x]) => {
    const { weights, rho, oneClass, ...kernels } = machine(context)
    const target = context.target()
    // only the sign of the sum counts: its step is a small part of what weights and kernels of about 1 make
    const scale = weights.reduce((sum, w) => sum + Math.abs(w), Math.abs(rho)) / 2 ** ONE_CLASS_BITS
    const summed: LowerContext = oneClass ? { ...context, target: () => ({ ...target, scale, wide: true }) } : context
    const sums = lowerMachines(
      summed,
      x!,
      kernels,
      1,
      (i) => weights[i]!,
      () => rho,
    )
    if (!oneClass) return [sums]
    const above = emitClamp(context, sums.value, sums.shape, 0, 1)
    return [{ ...sums, value: emitAffine(context, [[2, above]], -1, sums.shape), scale: 1, shift: 0 }]
  },
}
