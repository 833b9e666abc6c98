import { createBuilder } from '../../circuits/builder.ts'
import type { Circuit } from '../../circuits/circuit.ts'
import { Fr } from '../../circuits/field.ts'
import { relu } from '../../circuits/gadgets/sign.ts'
import type { LinearMap } from '../../circuits/linearMap.ts'

/**
 * A circuit shaped like a quantised network, of `rows` rows at most and not many fewer: dense sums of private int8 inputs,
 * bits, ReLU, and their sum as public output.
 */
export function reluNetwork(rows: number, inputs: number): Circuit {
  let state = 1
  const weight = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return (state >>> 24) - 128
  }
  const cs = createBuilder(Fr)
  const out = cs.output()
  const range = { lo: -128n, hi: 127n }
  const xs = Array.from({ length: inputs }, () => cs.proven(cs.input('private', range), range.lo, range.hi))
  const map: LinearMap = {
    outputs: 1,
    maxTerms: inputs,
    terms: (_, positions, weights) => {
      for (let i = 0; i < inputs; i++) {
        positions[i] = i
        weights[i] = weight()
      }
      return inputs
    },
    bias: () => weight(),
  }
  const ys = []
  while (cs.rows() < rows - 30) ys.push(relu(cs, cs.linear(map, xs)[0]!))
  cs.bindOutput(out, cs.add(...ys))
  return cs.build()
}
