import { constantOf } from './doc.ts'
import type { Op } from './op.ts'
import { activate, inferRecurrent, runRecurrent } from './recurrent.ts'

/**
 * Long short-term memory, with gates i, o, f, candidate n, cell state C and peepholes P:
 *
 *     i = f(X·Wiᵀ + H·Riᵀ + Pi ⊙ C + bi)       f = f(X·Wfᵀ + H·Rfᵀ + Pf ⊙ C + bf), or 1 - i with input_forget
 *     n = g(X·Wcᵀ + H·Rcᵀ + bc)                C' = f ⊙ C + i ⊙ n
 *     o = f(X·Woᵀ + H·Roᵀ + Po ⊙ C' + bo)      H' = o ⊙ h(C')
 *
 * `clip` bounds the arguments of f and g, but not that of h, as in onnxruntime. Unrolled before it is quantised
 * (`src/graph/unroll.ts`). https://onnx.ai/onnx/operators/onnx__LSTM.html
 */
export const lstm: Op = {
  type: 'LSTM',
  domain: '',
  opsets: [7, 25],
  arity: [3, 8],
  doc: {
    integers: 'as RNN',
    rows: 'five tables, three products and requantisations a step for each unit',
    error: 'as RNN',
    refuses: 'as RNN',
    example: {
      inputs: [[2, 1, 2]],
      constants: [constantOf([1, 4, 2], Array(8).fill(0.5)), constantOf([1, 4, 1], Array(4).fill(0.5))],
      attributes: { hidden_size: 1 },
    },
  },
  infer: (context) => inferRecurrent(context, 'LSTM'),
  compute: (context, inputs) =>
    runRecurrent(context, 'LSTM', inputs, (step) => {
      const { c, recurrence, clipped, input, recurrent, biases, peephole } = step
      const [f, g, h] = step.activations
      const argument = (gate: number, k: number): number => {
        const [wb, rb] = biases(gate, k)
        return input(gate, k) + recurrent(gate, k) + wb + rb
      }
      const next = c.map((cell, k) => {
        const i = activate(f!, clipped(argument(0, k) + peephole(0, k) * cell))
        const forget = recurrence.inputForget ? 1 - i : activate(f!, clipped(argument(2, k) + peephole(2, k) * cell))
        return forget * cell + i * activate(g!, clipped(argument(3, k)))
      })
      const output = next.map((cell, k) => {
        const o = activate(f!, clipped(argument(1, k) + peephole(1, k) * cell))
        return o * activate(h!, cell)
      })
      return { h: output, c: next }
    }),
}
