import { broadcastMap, broadcastShapes, floatTypes, sameShape, sizeOf, type Tensor } from '../tensor.ts'
import { attributesOf } from './attributes.ts'
import { addProduct } from './contract.ts'
import { constantAt, invalid, typeAt, typeLikeFirst, typeOf, unsupported } from './inputs.ts'
import { lowerLinearSum } from './lower/sums.ts'
import type { InferContext, Op } from './op.ts'

/** Positions of the terms' tensors: X₁, W₁, X₂, W₂, … after the bias. */
const termsOf = ({ node }: InferContext): number[] => node.inputs.flatMap((_, i) => (i % 2 === 1 ? [i] : []))

/** Rows, columns, and the inner size of each term. */
export function linearSumSizes(context: InferContext): {
  readonly rows: number
  readonly columns: number
  readonly inner: readonly number[]
} {
  const terms = termsOf(context)
  const inner = terms.map((i) => {
    const [x, w] = [typeLikeFirst(context, i).shape, typeLikeFirst(context, i + 1).shape]
    if (x.length !== 2 || w.length !== 2 || x[1] !== w[0]) invalid(context, `term ${(i - 1) / 2} is no matrix product`)
    return w[0]!
  })
  const [rows, columns] = [typeAt(context, 1).shape[0]!, typeAt(context, 2).shape[1]!]
  const fits = terms.every((i) => typeAt(context, i).shape[0] === rows && typeAt(context, i + 1).shape[1] === columns)
  const bias = broadcastShapes(typeAt(context, 0).shape, [rows, columns])
  if (!fits || bias === undefined || !sameShape(bias, [rows, columns])) invalid(context, 'the terms do not fit')
  return { rows, columns, inner }
}

/**
 * Y = b + X₁·W₁ + X₂·W₂ + … for matrices, with constant Wᵢ and b: inputs b, X₁, W₁, X₂, W₂, …
 *
 * Not of ONNX; simplification makes it. Each Xᵢ has a scale of its own, and the sum is rounded once.
 */
export const linearSum: Op = {
  type: 'LinearSum',
  domain: 'veritensor',
  opsets: [1, 1],
  arity: [3, 15],
  infer: (context) => {
    attributesOf(context.node, {})
    if (context.node.inputs.length % 2 === 0) invalid(context, 'an X has no W')
    const { dtype } = typeOf(context, 0, floatTypes)
    const { rows, columns } = linearSumSizes(context)
    constantAt(context, 0, 'b')
    for (const i of termsOf(context)) constantAt(context, i + 1, 'W')
    return [{ dtype, shape: [rows, columns] }]
  },
  compute: (context, inputs) => {
    const { rows, columns, inner } = linearSumSizes(context)
    const [bias, ...terms] = inputs as readonly Tensor[]
    const data = Float64Array.from(broadcastMap(bias!.shape, [rows, columns]), (at) => bias!.data[at]!)
    inner.forEach((k, i) => {
      const [x, w] = [terms[2 * i]!, terms[2 * i + 1]!]
      addProduct(
        data,
        0,
        [rows, k, columns],
        { data: x.data, offset: 0, row: k, column: 1 },
        { data: w.data, offset: 0, row: columns, column: 1 },
      )
    })
    return [{ dtype: bias!.dtype, shape: [rows, columns], data }]
  },
  scaling: { accumulates: true },
  lower: (context, inputs) => {
    const { rows, columns } = linearSumSizes(context)
    const shape = [rows, columns]
    const [bias] = context.constants
    const at = broadcastMap(bias!.shape, shape)
    const biases = Float64Array.from({ length: sizeOf(shape) }, (_, j) => bias!.data[at[j]!]!)
    const terms = termsOf(context).map((i) => {
      const x = inputs[i]
      if (x === undefined) return unsupported(context, 'X', 'a constant', 'tensors that the model computes')
      return { x, weights: context.constants[i + 1]!.data }
    })
    return [lowerLinearSum(context, terms, biases, shape as [number, number])]
  },
}
