import { expect, test } from 'vitest'
import { Fr } from '../../circuits/field.ts'
import type { LC } from '../../circuits/lc.ts'
import { solve, wireValue } from '../../circuits/solve.ts'
import { compile } from '../../src/compile.ts'
import { importOnnx } from '../../src/graph/import.ts'
import { runFloat } from '../../src/graph/run.ts'
import { simplify } from '../../src/graph/simplify.ts'
import { arrange } from '../../src/model/arrange.ts'
import { prepareInteger } from '../../src/model/model.ts'
import { calibrate } from '../../src/quantise/calibrate.ts'
import { dequantise, quantiseInput } from '../../src/quantise/ports.ts'
import { quantise } from '../../src/quantise/quantise.ts'
import { seeded } from '../support/random.ts'
import { randomGraph } from '../support/randomGraph.ts'

const SEED = 424242
const GRAPHS = 240

test(`${GRAPHS} random graphs: the circuit equals the integer model on every value (seed ${SEED})`, () => {
  const random = seeded(SEED)
  const { steps } = randomGraph(random, 0, 'Relu')
  const seen = new Map<string, number>()
  const errors: number[] = []
  for (let k = 0; k < GRAPHS; k++) {
    const { onnx, ops, samples } =
      k < 2 * steps.length ? randomGraph(random, random.integer(0, 2), steps[k % steps.length]) : randomGraph(random)
    for (const op of ops) seen.set(op, (seen.get(op) ?? 0) + 1)
    const graph = simplify(importOnnx(onnx))
    const named = samples.map((x) => new Map([['x', x]]))
    const model = quantise(graph, calibrate(graph, named), { bits: random.pick([8, 8, 6, 10]), weightBits: 16 })
    const layers: ArrayLike<LC>[] = []
    const circuit = compile(
      model,
      { input: random.pick(['public', 'private'] as const), output: random.pick(['public', 'private'] as const) },
      { onLayer: (_, values) => layers.push(values) },
    )
    const arranged = arrange(model)
    const run = prepareInteger(arranged)
    const plain = prepareInteger(model)
    for (const sample of samples.slice(0, 2)) {
      const x = quantiseInput(model.inputs[0]!, sample, 'refuse')
      const values = run([x])
      const witness = solve(circuit, x)
      const table = circuit.coefficients
      layers.forEach((lcs, i) => {
        const expected = values[i + 1]!
        for (let j = 0; j < lcs.length; j++) {
          const { wires, coefficients } = lcs[j]!
          let sum = 0n
          for (let t = 0; t < wires.length; t++) sum += table[coefficients[t]!]! * wireValue(Fr, witness, wires[t]!)
          expect(Fr.signed(sum), `graph ${k} (${ops.join(' ')}), layer ${i}, element ${j}`).toBe(BigInt(expected[j]!))
        }
      })
      const port = arranged.outputs[0]!
      const original = model.outputs[0]!.value
      // the arrangement changes nothing
      expect(Array.from(values[port.value]!, Number)).toEqual(Array.from(plain([x])[original]!, Number))
      const integer = dequantise(port, values[port.value]!).data
      const float = runFloat(graph, new Map([['x', sample]])).get(port.name)!.data
      const size = Math.max(...float.map(Math.abs), 1e-9)
      if (!ops.includes('ArgMax')) errors.push(Math.max(...float.map((v, i) => Math.abs(v - integer[i]!))) / size)
    }
  }
  // every operator took part
  expect(steps.filter((step) => !seen.has(step) && !/Tensor|Constant|Computed/.test(step))).toEqual([])
  errors.sort((a, b) => a - b)
  const quantile = (q: number): number => errors[Math.floor(q * (errors.length - 1))]!
  // eight bits resolve the range to 1/255; a few layers add up
  expect(quantile(0.5)).toBeLessThan(0.01)
  expect(quantile(0.9)).toBeLessThan(0.06)
})
