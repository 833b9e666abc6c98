import { broadcastMap, broadcastShapes, type DType, formatShape, type TensorType } from '../tensor.ts'
import { attributesOf } from './attributes.ts'
import { invalid, numericTypes, typeLikeFirst, typeOf } from './inputs.ts'
import { type Comparison, lowerComparison, lowerLogic } from './lower/compare.ts'
import type { InferContext, Op } from './op.ts'

/** Type of a truth value for every pair of elements of two broadcast tensors of one type. */
function truths(context: InferContext, types: readonly DType[]): TensorType {
  attributesOf(context.node, {})
  const a = typeOf(context, 0, types)
  const b = typeLikeFirst(context, 1)
  const shape = broadcastShapes(a.shape, b.shape)
  if (shape === undefined)
    return invalid(context, `shapes ${formatShape(a.shape)} and ${formatShape(b.shape)} do not broadcast`)
  return { dtype: 'bool', shape }
}

const elementwise = (types: readonly DType[], f: (a: number, b: number) => boolean): Pick<Op, 'infer' | 'compute'> => ({
  infer: (context) => [truths(context, types)],
  compute: (context, [a, b]) => {
    const type = truths(context, types)
    const [of, by] = [broadcastMap(a!.shape, type.shape), broadcastMap(b!.shape, type.shape)]
    return [{ ...type, data: Float64Array.from(of, (at, i) => (f(a!.data[at]!, b!.data[by[i]!]!) ? 1 : 0)) }]
  },
})

/** An operator that compares two tensors elementwise, with all their fraction bits. */
export const comparison = (
  type: string,
  since: number,
  kind: Comparison,
  f: (a: number, b: number) => boolean,
): Op => ({
  type,
  domain: '',
  opsets: [since, 25],
  arity: [2, 2],
  ...elementwise(kind === 'equal' ? [...numericTypes, 'bool'] : numericTypes, f),
  scaling: { wantsWide: true, nonNegative: () => true },
  lower: (context, inputs) => [lowerComparison(context, inputs, kind, truthShape(context))],
})

/** An operator of two tensors of booleans: a·b, or a + b - overlap·a·b. */
export const logic = (type: string, overlap: number | 'product', f: (a: number, b: number) => boolean): Op => ({
  type,
  domain: '',
  opsets: [7, 25],
  arity: [2, 2],
  ...elementwise(['bool'], f),
  scaling: { nonNegative: () => true },
  lower: (context, inputs) => [lowerLogic(context, inputs, overlap, truthShape(context))],
})

const truthShape = (context: InferContext) => truths(context, [...numericTypes, 'bool']).shape
