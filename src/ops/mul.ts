import { attributesOf } from './attributes.ts'
import { WEIGHT_ERROR } from './doc.ts'
import { computeBinary, inferBinary } from './elementwise.ts'
import { lowerProduct, lowerScale } from './lower/elementwise.ts'
import type { Op } from './op.ts'

/** y = a · b, elementwise over broadcast tensors. https://onnx.ai/onnx/operators/onnx__Mul.html */
export const mul: Op = {
  type: 'Mul',
  domain: '',
  opsets: [7, 25],
  arity: [2, 2],
  doc: {
    integers: 'the exact product, times round(s₁·s₂ / sy · 2^S); by a constant as Add',
    rows: 'n products of two computed tensors; by a constant 0',
    error: WEIGHT_ERROR,
    example: { inputs: [[2, 3], [3]] },
  },
  infer: (context) => {
    attributesOf(context.node, {})
    return inferBinary(context)
  },
  compute: (context, inputs) => computeBinary(context, inputs, (a, b) => a * b),
  scaling: { accumulates: true, nonNegative: (_, [a, b]) => a === true && b === true },
  lower: (context, [a, b]) => {
    const { shape } = mul.infer(context)[0]!
    if (a === undefined) return [lowerScale(context, b!, context.constants[0]!, shape)]
    if (b === undefined) return [lowerScale(context, a, context.constants[1]!, shape)]
    return [lowerProduct(context, a, b, shape)]
  },
}
