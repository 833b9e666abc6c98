import { attributesOf } from './attributes.ts'
import { WEIGHT_ERROR } from './doc.ts'
import { computeBinary, inferBinary } from './elementwise.ts'
import { lowerSum } from './lower/elementwise.ts'
import type { Op } from './op.ts'

/** y = a + b, elementwise over broadcast tensors. https://onnx.ai/onnx/operators/onnx__Add.html */
export const add: Op = {
  type: 'Add',
  domain: '',
  opsets: [7, 25],
  arity: [2, 2],
  doc: {
    integers: 'Σ round(s / sy · 2^S)·q over the summands, constants round(c / sy · 2^S)',
    rows: '0',
    error: WEIGHT_ERROR,
    example: { inputs: [[2, 3], [3]] },
  },
  infer: (context) => {
    attributesOf(context.node, {})
    return inferBinary(context)
  },
  compute: (context, inputs) => computeBinary(context, inputs, (a, b) => a + b),
  scaling: { accumulates: true, addsWide: true, nonNegative: (_, [a, b]) => a === true && b === true },
  lower: (context, [a, b]) => [
    lowerSum(
      context,
      [
        { tensor: a, constant: context.constants[0], sign: 1 },
        { tensor: b, constant: context.constants[1], sign: 1 },
      ],
      add.infer(context)[0]!.shape,
    ),
  ],
}
