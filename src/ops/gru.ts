import { constantOf } from './doc.ts'
import type { Op } from './op.ts'
import { activate, inferRecurrent, runRecurrent } from './recurrent.ts'

/**
 * Gated recurrent unit, with gates z, r and candidate n:
 *
 *     z = f(X·Wzᵀ + H·Rzᵀ + bz)        r = f(X·Wrᵀ + H·Rrᵀ + br)
 *     n = g(X·Whᵀ + (r ⊙ H)·Rhᵀ + bh)  or, with linear_before_reset,  g(X·Whᵀ + r ⊙ (H·Rhᵀ + Rbh) + Wbh)
 *     H' = (1 - z) ⊙ n + z ⊙ H
 *
 * Unrolled before it is quantised (`src/graph/unroll.ts`). https://onnx.ai/onnx/operators/onnx__GRU.html
 */
export const gru: Op = {
  type: 'GRU',
  domain: '',
  opsets: [7, 25],
  arity: [3, 6],
  doc: {
    integers: 'as RNN',
    rows: 'three tables, three products and requantisations a step for each unit',
    error: 'as RNN',
    refuses: 'as RNN',
    example: {
      inputs: [[2, 1, 2]],
      constants: [constantOf([1, 3, 2], Array(6).fill(0.5)), constantOf([1, 3, 1], Array(3).fill(0.5))],
      attributes: { hidden_size: 1 },
    },
  },
  infer: (context) => inferRecurrent(context, 'GRU'),
  compute: (context, inputs) =>
    runRecurrent(context, 'GRU', inputs, (step) => {
      const { h, recurrence, clipped, input, recurrent, biases } = step
      const [f, g] = step.activations
      const gate = (which: number): Float64Array =>
        h.map((_, i) => {
          const [wb, rb] = biases(which, i)
          return activate(f!, clipped(input(which, i) + recurrent(which, i) + wb + rb))
        })
      const [z, r] = [gate(0), gate(1)]
      const reset = h.map((v, i) => r[i]! * v)
      return {
        h: h.map((v, i) => {
          const [wb, rb] = biases(2, i)
          const state = recurrence.linearBeforeReset ? r[i]! * (recurrent(2, i) + rb) : recurrent(2, i, reset) + rb
          const n = activate(g!, clipped(input(2, i) + state + wb))
          return (1 - z[i]!) * n + z[i]! * v
        }),
      }
    }),
}
