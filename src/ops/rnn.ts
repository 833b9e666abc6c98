import { constantOf } from './doc.ts'
import type { Op } from './op.ts'
import { activate, inferRecurrent, runRecurrent } from './recurrent.ts'

/**
 * Simple recurrent network: H' = f(X·Wᵀ + H·Rᵀ + Wb + Rb). Unrolled before it is quantised (`src/graph/unroll.ts`).
 * https://onnx.ai/onnx/operators/onnx__RNN.html
 */
export const rnn: Op = {
  type: 'RNN',
  domain: '',
  opsets: [7, 25],
  arity: [3, 6],
  doc: {
    integers:
      'a copy of the cell for each step and direction, of sums, products and functions as above: a gate is one sum with a scale for each of X, H and C; f ⊙ C + i ⊙ n and n - z ⊙ n + z ⊙ H are sums of exact products, rounded once. The same place has one scale at all steps',
    rows: 'a table and a requantisation a step for each unit',
    error: 'that of the operators it is made of',
    refuses: 'sequences of different lengths, and functions other than ONNX names for it',
    example: {
      inputs: [[2, 1, 2]],
      constants: [constantOf([1, 1, 2], Array(2).fill(0.5)), constantOf([1, 1, 1], Array(1).fill(0.5))],
      attributes: { hidden_size: 1 },
    },
  },
  infer: (context) => inferRecurrent(context, 'RNN'),
  compute: (context, inputs) =>
    runRecurrent(context, 'RNN', inputs, ({ h, activations: [f], clipped, input, recurrent, biases }) => ({
      h: h.map((_, i) => {
        const [wb, rb] = biases(0, i)
        return activate(f!, clipped(input(0, i) + recurrent(0, i) + wb + rb))
      }),
    })),
}
