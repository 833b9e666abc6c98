import {
  broadcastMap,
  broadcastShapes,
  floatTypes,
  formatShape,
  type Shape,
  type TensorType,
  wrapInteger,
} from '../tensor.ts'
import { attributesOf } from './attributes.ts'
import { WEIGHT_ERROR } from './doc.ts'
import { invalid, numericTypes, typeLikeFirst, typeOf } from './inputs.ts'
import { lowerExtremeOf, lowerSum } from './lower/elementwise.ts'
import { constantLike } from './lower/moves.ts'
import type { InferContext, Op } from './op.ts'

/** An operator of one or more tensors, elementwise over broadcast tensors. */
export function variadic(
  type: string,
  since: number,
  kind: 'sum' | 'mean' | 'max' | 'min',
  f: (values: readonly number[]) => number,
): Op {
  const linear = kind === 'sum' || kind === 'mean'
  const resultOf = (context: InferContext): TensorType => {
    attributesOf(context.node, {})
    const { dtype, shape } = typeOf(context, 0, linear ? floatTypes : numericTypes)
    const all = context.node.inputs.map((_, i) => typeLikeFirst(context, i).shape)
    const result = all.reduce<Shape | undefined>((a, b) => a && broadcastShapes(a, b), shape)
    if (result === undefined) return invalid(context, `shapes ${all.map(formatShape).join(', ')} do not broadcast`)
    return { dtype, shape: result }
  }
  return {
    type,
    domain: '',
    opsets: [since, 25],
    arity: [1, Number.POSITIVE_INFINITY],
    doc: linear
      ? {
          integers: 'as Add; Mean with weights 1 / count',
          rows: '0',
          error: WEIGHT_ERROR,
          example: { inputs: [[2, 3], [3]] },
        }
      : {
          integers:
            'the largest integer in one scale, for Min the negative of the largest of the negatives; constants are rounded to the scale',
          rows: '(count - 1)·(b + 3) an element',
          error: 'half a step for constants',
          example: { inputs: [[2, 3], [3]] },
        },
    infer: (context) => [resultOf(context)],
    compute: (context, inputs) => {
      const { dtype, shape } = resultOf(context)
      const maps = inputs.map((x) => broadcastMap(x!.shape, shape))
      const data = Float64Array.from(maps[0]!, (_, i) =>
        wrapInteger(dtype, f(inputs.map((x, k) => x!.data[maps[k]![i]!]!))),
      )
      return [{ dtype, shape, data }]
    },
    scaling: linear
      ? { accumulates: true, addsWide: kind === 'sum', nonNegative: (_, inputs) => inputs.every(Boolean) }
      : {
          tied: true,
          nonNegative: (_, inputs) => (kind === 'max' ? inputs.some(Boolean) : inputs.every(Boolean)),
        },
    lower: (context, inputs) => {
      const { shape } = resultOf(context)
      if (linear) {
        const sign = kind === 'mean' ? 1 / inputs.length : 1
        const operands = inputs.map((tensor, i) => ({ tensor, constant: context.constants[i], sign }))
        return [lowerSum(context, operands, shape)]
      }
      const anchor = inputs.find((x) => x !== undefined)!.value
      const tensors = inputs.map((x, i) => x ?? constantLike(context, i, anchor))
      return [lowerExtremeOf(context, tensors, kind === 'max' ? 1 : -1, shape)]
    },
  }
}
