import { floatTypes, sameShape, type Tensor } from '../tensor.ts'
import { attributesOf, ints } from './attributes.ts'
import { invalid, typeAt, typeLikeFirst, typeOf } from './inputs.ts'
import { lowerProductSum } from './lower/sums.ts'
import type { InferContext, Op } from './op.ts'

/** Sign of each term, and whether it is a product. */
function termsOf(context: InferContext): readonly { readonly sign: number; readonly product: boolean }[] {
  const { signs } = attributesOf(context.node, { signs: ints() })
  const { inputs } = context.node
  if (inputs.length % 2 !== 0 || signs?.length !== inputs.length / 2 || signs.some((s) => s !== 1 && s !== -1))
    return invalid(context, 'the terms do not fit')
  return signs.map((sign, i) => ({ sign, product: inputs[2 * i + 1] !== '' }))
}

/**
 * y = ±a₁ ⊙ b₁ ± a₂ ⊙ b₂ … for tensors of one shape: inputs a₁, b₁, a₂, b₂, …; a bᵢ that is left out counts as 1.
 *
 * Not of ONNX; simplification makes it. The sum of the exact products is rounded once.
 */
export const productSum: Op = {
  type: 'ProductSum',
  domain: 'veritensor',
  opsets: [1, 1],
  arity: [1, 16],
  infer: (context) => {
    const x = typeOf(context, 0, floatTypes)
    termsOf(context).forEach(({ product }, i) => {
      for (const at of product ? [2 * i, 2 * i + 1] : [2 * i])
        if (!sameShape(typeLikeFirst(context, at).shape, x.shape)) invalid(context, 'the terms differ in shape')
    })
    return [x]
  },
  compute: (context, inputs) => {
    const { dtype, shape } = typeAt(context, 0)
    const data = new Float64Array((inputs[0] as Tensor).data.length)
    termsOf(context).forEach(({ sign }, i) => {
      const [a, b] = [inputs[2 * i]!.data, inputs[2 * i + 1]?.data]
      for (let j = 0; j < data.length; j++) data[j]! += sign * a[j]! * (b?.[j] ?? 1)
    })
    return [{ dtype, shape, data }]
  },
  scaling: { accumulates: true },
  lower: (context, inputs) => {
    const value = (i: number) => ({ tensor: inputs[i], constant: context.constants[i] })
    const terms = termsOf(context).map(({ sign, product }, i) => ({
      sign,
      factors: (product ? [2 * i, 2 * i + 1] : [2 * i]).map(value),
    }))
    return [lowerProductSum(context, terms, typeAt(context, 0).shape)]
  },
}
