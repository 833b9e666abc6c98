import { sizeOf } from '../tensor.ts'
import { attributesOf, flag } from './attributes.ts'
import { constantOf, WEIGHT_ERROR } from './doc.ts'
import { axisOf, constantScalar, numericTypes, typeAt, typeOf } from './inputs.ts'
import { lowerTaps } from './lower/linear.ts'
import type { InferContext, Op } from './op.ts'
import { applyTaps, type Taps, tapsOfAxes } from './taps.ts'

/** Along the axis, sums of what comes before (after, if reversed); along the others nothing. */
function axisTaps(context: InferContext): Taps[] {
  const { shape } = typeAt(context, 0)
  const { exclusive, reverse } = attributesOf(context.node, { exclusive: flag(false), reverse: flag(false) })
  const axis = axisOf(context, constantScalar(context, 1, 'axis')!, shape.length)
  return shape.map((size, i) =>
    Array.from({ length: size }, (_, j) => {
      if (i !== axis) return new Map([[j, 1]])
      const [from, to] = reverse ? [j + Number(exclusive), size] : [0, j + 1 - Number(exclusive)]
      return new Map(Array.from({ length: to - from }, (_v, k) => [from + k, 1]))
    }),
  )
}

/** Running sums along a constant axis. https://onnx.ai/onnx/operators/onnx__CumSum.html */
export const cumSum: Op = {
  type: 'CumSum',
  domain: '',
  opsets: [11, 25],
  arity: [2, 2],
  doc: {
    integers: 'Σ round(s / sy · 2^S)·q',
    rows: '0',
    error: WEIGHT_ERROR,
    refuses: 'an axis that the model computes',
    example: { inputs: [[2, 3]], constants: [constantOf([], [1], 'int64')] },
  },
  infer: (context) => {
    const x = typeOf(context, 0, numericTypes)
    axisOf(context, constantScalar(context, 1, 'axis')!, x.shape.length)
    return [x]
  },
  compute: (context, [x]) => [{ ...x!, data: sizeOf(x!.shape) === 0 ? x!.data : applyTaps(x!, axisTaps(context)) }],
  scaling: { nonNegative: (_, [x]) => x === true },
  lower: (context, [x]) => [lowerTaps(context, x!, tapsOfAxes(x!.shape, axisTaps(context)), x!.shape)],
}
