import { maxElements } from '../tensor.ts'
import { attributesOf } from './attributes.ts'
import { constantOf, known } from './doc.ts'
import { constantScalar, invalid, numericTypes, typeLikeFirst, typeOf } from './inputs.ts'
import type { InferContext, Op } from './op.ts'

/** First number, step and how many numbers there are. */
function progression(context: InferContext): {
  readonly start: number
  readonly delta: number
  readonly count: number
} {
  attributesOf(context.node, {})
  const start = constantScalar(context, 0, 'start')!
  const limit = constantScalar(context, 1, 'limit')!
  const delta = constantScalar(context, 2, 'delta')!
  const count = Math.max(0, Math.ceil((limit - start) / delta))
  if (delta === 0 || !(count <= maxElements)) invalid(context, `${start} to ${limit} in steps of ${delta} has no end`)
  return { start, delta, count }
}

/** start, start + delta, … below limit, from constants. https://onnx.ai/onnx/operators/onnx__Range.html */
export const range: Op = {
  type: 'Range',
  domain: '',
  opsets: [11, 25],
  arity: [3, 3],
  doc: known({ inputs: [], constants: [constantOf([], [0]), constantOf([], [3]), constantOf([], [1])] }),
  infer: (context) => {
    const { dtype } = typeOf(context, 0, numericTypes)
    for (const i of [1, 2]) typeLikeFirst(context, i)
    return [{ dtype, shape: [progression(context).count] }]
  },
  compute: (context) => {
    const { start, delta, count } = progression(context)
    return [{ ...range.infer(context)[0]!, data: Float64Array.from({ length: count }, (_, i) => start + i * delta) }]
  },
}
