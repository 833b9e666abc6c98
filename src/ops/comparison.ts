import { broadcastMap, broadcastShapes, type DType, formatShape, type TensorType } from '../tensor.ts'
import { attributesOf } from './attributes.ts'
import { constantOf } from './doc.ts'
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
  doc: {
    integers:
      'with a constant c: q > ⌊c / u⌋, q ≥ ⌈c / u⌉, q = ⌊c / u + 1/2⌋ in steps u of the input with its fraction bits; of two tensors ' +
      'the sign of q₁·round(u₁ / u · 2^S) - q₂·round(u₂ / u · 2^S), u the finer step',
    rows: 'a clamp of the difference an element, two for Equal',
    error:
      'none with constants; of two tensors those that differ by less than the rounding of u₁ / u may count as equal',
    example: { inputs: [[2, 3], [3]] },
  },
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
  doc: {
    integers: 'And a·b; Or a + b - a·b; Xor a + b - 2·a·b',
    rows: 'a product an element; for Or and Xor a clamp of 2 bits more',
    error: 'none',
    example: { inputs: [constantOf([3], [0, 0, 1], 'bool'), constantOf([3], [0, 1, 1], 'bool')] },
  },
  ...elementwise(['bool'], f),
  scaling: { nonNegative: () => true },
  lower: (context, inputs) => [lowerLogic(context, inputs, overlap, truthShape(context))],
})

const truthShape = (context: InferContext) => truths(context, [...numericTypes, 'bool']).shape
