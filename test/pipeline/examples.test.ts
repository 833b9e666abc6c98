import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { Fr } from '../../circuits/field.ts'
import type { LC } from '../../circuits/lc.ts'
import { rowHolds, solve, wireValue } from '../../circuits/solve.ts'
import { compile } from '../../src/compile.ts'
import { arrange } from '../../src/model/arrange.ts'
import { prepareInteger } from '../../src/model/model.ts'
import { packageRoot } from '../../src/packageRoot.ts'
import { compileModel } from '../../src/pipeline/compileModel.ts'
import { quantiseInput } from '../../src/quantise/ports.ts'
import { firstLargest } from '../../src/quantise/report.ts'
import { decodeSamples } from '../../src/samples/samples.ts'
import { seeded } from '../support/random.ts'
import { rowsOfWires } from '../support/rowsOfWire.ts'

const SEED = 77
const MUTATIONS = 1000

describe.each(['mnist', 'tabular'])('example %s', (name) => {
  const folder = join(packageRoot, 'examples', name)
  const read = (file: string) => ({ path: file, bytes: readFileSync(join(folder, file)) })
  const compiled = compileModel(read('model.onnx').bytes, {
    calibration: (graph) => decodeSamples(graph, read('calibration.npy')),
    input: 'public',
    compress: false,
  })
  const { graph, model, circuit } = compiled
  const samples = decodeSamples(graph, read('samples.npy'))
  const labels = JSON.parse(readFileSync(join(folder, 'example.json'), 'utf8')).labels as number[]
  const port = model.inputs[0]!
  const inputOf = (i: number) => quantiseInput(port, samples[i]!.get(port.name)!, 'saturate')

  test('the integer model classifies its samples', () => {
    const run = prepareInteger(model)
    const classes = samples.map((_, i) => firstLargest(Array.from(run([inputOf(i)])[model.outputs[0]!.value]!, Number)))
    expect(classes).toEqual(labels)
  })

  test('the circuit equals the integer model on every value', () => {
    const layers: ArrayLike<LC>[] = []
    const again = compile(model, { input: 'public', output: 'public' }, { onLayer: (_, lcs) => layers.push(lcs) })
    const run = prepareInteger(arrange(model))
    for (let s = 0; s < 3; s++) {
      const x = inputOf(s)
      const values = run([x])
      const witness = solve(again, x)
      layers.forEach((lcs, i) => {
        for (let j = 0; j < lcs.length; j++) {
          const { wires, coefficients } = lcs[j]!
          const sum = wires.reduce(
            (n, w, t) => n + again.coefficients[coefficients[t]!]! * wireValue(Fr, witness, w),
            0n,
          )
          if (Fr.signed(sum) !== BigInt(values[i + 1]![j]!)) expect.fail(`layer ${i}, element ${j}`)
        }
      })
    }
  })

  test(`${MUTATIONS} mutated witnesses are refused (seed ${SEED})`, () => {
    const random = seeded(SEED)
    const rows = rowsOfWires(circuit)
    const witness = solve(circuit, inputOf(0))
    const honest = Array.from({ length: circuit.wires }, (_, w) => wireValue(Fr, witness, w))
    const values = [...honest]
    for (let k = 0; k < MUTATIONS; k++) {
      const wires = new Set(
        Array.from({ length: random.pick([1, 1, 1, 2, 5]) }, () => random.integer(1, circuit.wires - 1)),
      )
      for (const wire of wires) {
        const lie = random.pick([
          honest[wire]! + 1n,
          honest[wire]! - 1n,
          1n - honest[wire]!,
          -honest[wire]! - 1n,
          honest[wire]! + (1n << BigInt(random.integer(1, 200))),
          BigInt(random.integer(2, 2 ** 31)),
        ])
        values[wire] = Fr.mod(lie) === honest[wire] ? Fr.mod(honest[wire]! + 7n) : Fr.mod(lie)
      }
      const touched = new Set([...wires].flatMap((w) => rows[w]!))
      const refused = [...touched].some((r) => !rowHolds(Fr, circuit, r, values))
      expect(refused, `wires ${[...wires].join(', ')}`).toBe(true)
      for (const wire of wires) values[wire] = honest[wire]!
    }
  })

  test('another output is refused wherever it is claimed', () => {
    const rows = rowsOfWires(circuit)
    const witness = solve(circuit, inputOf(0))
    const values = Array.from({ length: circuit.wires }, (_, w) => wireValue(Fr, witness, w))
    for (let out = 1; out <= circuit.publicOutputs; out++) {
      const honest = values[out]!
      values[out] = Fr.add(honest, 1n)
      expect(rows[out]!.every((r) => rowHolds(Fr, circuit, r, values))).toBe(false)
      values[out] = honest
    }
  })

  test('a public input out of range has no witness', () => {
    const x = Array.from(inputOf(0))
    // past the solver's own check: the rows themselves must refuse
    const open = { ...circuit, inputRanges: circuit.inputRanges.map((_, i) => (i % 2 === 0 ? -1e6 : 1e6)) }
    for (const bad of [port.hi + 1, port.lo - 1, 3 * port.hi + 3]) {
      const inputs = x.with(0, bad)
      expect(() => solve(circuit, inputs)).toThrow(/outside/)
      expect(() => solve(open, inputs)).toThrow(/input range/)
    }
  })
})
