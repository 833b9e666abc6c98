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
  infer: (context) => inferRecurrent(context, 'RNN'),
  compute: (context, inputs) =>
    runRecurrent(context, 'RNN', inputs, ({ h, activations: [f], clipped, input, recurrent, biases }) => ({
      h: h.map((_, i) => {
        const [wb, rb] = biases(0, i)
        return activate(f!, clipped(input(0, i) + recurrent(0, i) + wb + rb))
      }),
    })),
}
