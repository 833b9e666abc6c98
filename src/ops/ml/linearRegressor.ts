import { attributesOf, floats, int, oneOf, required } from '../attributes.ts'
import { WEIGHT_ERROR } from '../doc.ts'
import { invalid } from '../inputs.ts'
import { lowerGemm } from '../lower/affine.ts'
import type { InferContext, Op } from '../op.ts'
import { rowsOf } from './classes.ts'

/** Coefficients [targets, features] and one intercept per target. */
function regressor(context: InferContext) {
  const given = attributesOf(context.node, {
    coefficients: required(floats()),
    intercepts: floats(),
    targets: int(1),
    post_transform: oneOf(['NONE'], 'NONE'),
  })
  const { rows, features } = rowsOf(context)
  const { targets, coefficients, intercepts } = given
  if (targets < 1 || coefficients.length !== targets * features)
    invalid(context, `${coefficients.length} coefficients for ${targets} targets of ${features} features`)
  if (intercepts !== undefined && intercepts.length !== targets)
    invalid(context, `${intercepts.length} intercepts for ${targets} targets`)
  const intercept = (t: number): number => intercepts?.[t] ?? 0
  return { rows, features, targets, intercept, weight: (k: number, t: number) => coefficients[t * features + k]! }
}

/** y = x · coefficients' + intercepts. https://onnx.ai/onnx/operators/onnx_aionnxml_LinearRegressor.html */
export const linearRegressor: Op = {
  type: 'LinearRegressor',
  domain: 'ai.onnx.ml',
  opsets: [1, 5],
  arity: [1, 1],
  doc: {
    integers: 'Σ W·q + B',
    rows: '0',
    error: WEIGHT_ERROR,
    example: { inputs: [[2, 3]], attributes: { coefficients: [1, 2, 3], intercepts: [1] } },
  },
  infer: (context) => {
    const { rows, targets } = regressor(context)
    return [{ dtype: 'float32', shape: [rows, targets] }]
  },
  compute: (context, [x]) => {
    const { rows, features, targets, intercept, weight } = regressor(context)
    const data = Float64Array.from({ length: rows * targets }, (_, i) => {
      const [row, t] = [Math.floor(i / targets), i % targets]
      let sum = intercept(t)
      for (let k = 0; k < features; k++) sum += x!.data[row * features + k]! * weight(k, t)
      return sum
    })
    return [{ dtype: 'float32', shape: [rows, targets], data }]
  },
  lower: (context, [x]) => {
    const { rows, features, targets, intercept, weight } = regressor(context)
    return [lowerGemm(context, x!, [rows, features, targets], { weight, bias: (_, t) => intercept(t) })]
  },
}
