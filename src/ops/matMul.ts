import { broadcastMap, broadcastShapes, floatTypes, formatShape, type Shape, sizeOf, type Tensor } from '../tensor.ts'
import { attributesOf } from './attributes.ts'
import { addProduct } from './contract.ts'
import { WEIGHT_ERROR } from './doc.ts'
import { invalid, typeAt, typeLikeFirst, typeOf } from './inputs.ts'
import { lowerMatMul } from './lower/affine.ts'
import { lowerProduct } from './lower/product.ts'
import type { InferContext, Op } from './op.ts'

/** Product of matrices [m, k] and [k, n], once per element of `batch`. */
export type MatMulGeometry = {
  readonly m: number
  readonly k: number
  readonly n: number
  /** Shape of the stack of products, and which matrix of the left and right stack each one takes. */
  readonly batch: Shape
  readonly left: Int32Array
  readonly right: Int32Array
  /** Shape of the result, without the axes that vectors do not have. */
  readonly shape: Shape
}

/** numpy.matmul of tensors of two shapes: a vector on the left is a row, on the right a column; further axes broadcast. */
export function matMulGeometry(
  context: InferContext,
  [a, b]: readonly [Shape, Shape] = [typeAt(context, 0).shape, typeAt(context, 1).shape],
): MatMulGeometry {
  const misfit = (): never => invalid(context, `${formatShape(a)} and ${formatShape(b)} can't be multiplied`)
  if (a.length === 0 || b.length === 0) misfit()
  const rows = a.length === 1 ? [1, ...a] : a
  const columns = b.length === 1 ? [...b, 1] : b
  const [m, k] = rows.slice(-2) as [number, number]
  const [k2, n] = columns.slice(-2) as [number, number]
  const batch = broadcastShapes(rows.slice(0, -2), columns.slice(0, -2))
  if (k !== k2 || batch === undefined) return misfit()
  return {
    m,
    k,
    n,
    batch,
    left: broadcastMap(rows.slice(0, -2), batch),
    right: broadcastMap(columns.slice(0, -2), batch),
    shape: [...batch, ...(a.length === 1 ? [] : [m]), ...(b.length === 1 ? [] : [n])],
  }
}

/** Matrix product, batched. https://onnx.ai/onnx/operators/onnx__MatMul.html */
export const matMul: Op = {
  type: 'MatMul',
  domain: '',
  opsets: [1, 25],
  arity: [2, 2],
  doc: {
    integers: 'as Gemm, batched',
    rows: '0 where one side is constant; else n·k products',
    error: WEIGHT_ERROR,
    example: {
      inputs: [
        [2, 3],
        [3, 2],
      ],
    },
  },
  infer: (context) => {
    attributesOf(context.node, {})
    const { dtype } = typeOf(context, 0, floatTypes)
    typeLikeFirst(context, 1)
    return [{ dtype, shape: matMulGeometry(context).shape }]
  },
  compute: (context, [a, b]) => [computeMatMul(a!, b!, matMulGeometry(context))],
  scaling: { accumulates: true, nonNegative: (_, [a, b]) => a === true && b === true },
  parameters: (context) => {
    const weights = context.constants[1]
    const { m, k, n, left, shape } = matMulGeometry(context)
    if (weights?.data.length !== k * n || context.constants[0] !== undefined) return undefined
    return {
      map: { type: 'matMul', rows: left.length * m, inner: k, columns: n },
      shape,
      weights: weights.data,
    }
  },
  lower: (context, [a, b]) => {
    const parameters = context.scheme.openWeights && matMul.parameters!(context)
    if (parameters) return [lowerProduct(context, a!, parameters)]
    const [constantA, constantB] = context.constants
    const operands = [
      { tensor: a, constant: constantA },
      { tensor: b, constant: constantB },
    ] as const
    return [lowerMatMul(context, operands, matMulGeometry(context))]
  },
}

/** alpha · a · b. */
export function computeMatMul(
  a: Tensor,
  b: Tensor,
  { m, k, n, left, right, shape }: MatMulGeometry,
  alpha = 1,
): Tensor {
  const data = new Float64Array(sizeOf(shape))
  left.forEach((of, i) => {
    addProduct(
      data,
      i * m * n,
      [m, k, n],
      { data: a.data, offset: of * m * k, row: k, column: 1 },
      { data: b.data, offset: right[i]! * k * n, row: n, column: 1 },
      alpha,
    )
  })
  return { dtype: a.dtype, shape, data }
}
