import { createBuilder } from '../../circuits/builder.ts'
import type { Circuit } from '../../circuits/circuit.ts'
import { Fr } from '../../circuits/field.ts'
import { relu } from '../../circuits/gadgets/sign.ts'
import { reluNetwork } from '../support/reluNetwork.ts'

/** `products`: sums of private inputs times private weights; `relu`: of inputs times constants. */
export const CIRCUITS = ['products', 'relu'] as const
export type CircuitKind = (typeof CIRCUITS)[number]

/** A circuit shaped like a quantised network, of `rows` rows at most and not many fewer, and inputs for it. */
export function benchCircuit(
  kind: CircuitKind,
  rows: number,
): { readonly circuit: Circuit; readonly inputs: readonly number[] } {
  const circuit = kind === 'relu' ? reluNetwork(rows, 64) : productNetwork(rows)
  const inputs = Array.from({ length: circuit.inputRanges.length / 2 }, (_, i) => ((i * 89 + 31) % 256) - 128)
  return { circuit, inputs }
}

/** Neurons of 32 rows and 37 wires: six private weights times inputs, 24 bits, ReLU. Their sum is the public output. */
function productNetwork(rows: number): Circuit {
  const cs = createBuilder(Fr)
  const out = cs.output()
  const range = { lo: -128n, hi: 127n }
  const neurons = Math.floor((rows - 1) / 32)
  const int8 = () => cs.proven(cs.input('private', range), range.lo, range.hi)
  const xs = Array.from({ length: 64 }, int8)
  const weights = Array.from({ length: 6 * neurons }, int8)
  const ys = Array.from({ length: neurons }, (_, n) => {
    const products = weights.slice(6 * n, 6 * n + 6).map((w, i) => cs.mul(w, xs[(6 * n + i) % 64]!))
    return relu(cs, cs.proven(cs.add(...products), -(2n ** 23n), 2n ** 23n - 1n))
  })
  cs.bindOutput(out, cs.add(...ys))
  return cs.build()
}
