import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { audit } from '../../../circuits/audit/audit.ts'
import { compile } from '../../../src/compile.ts'
import type { Graph } from '../../../src/graph/graph.ts'
import { importOnnx } from '../../../src/graph/import.ts'
import { simplify } from '../../../src/graph/simplify.ts'
import { packageRoot } from '../../../src/packageRoot.ts'
import { type CompileModelOptions, compileModel } from '../../../src/pipeline/compileModel.ts'
import { calibrate } from '../../../src/quantise/calibrate.ts'
import { quantise } from '../../../src/quantise/quantise.ts'
import { decodeSamples } from '../../../src/samples/samples.ts'
import { withoutRow } from '../../support/everyWitness.ts'
import { seeded } from '../../support/random.ts'
import { randomGraph } from '../../support/randomGraph.ts'

describe.each(['mnist', 'tabular'])('example %s', (name) => {
  const read = (file: string) => {
    const path = join(packageRoot, 'examples', name, file)
    return { path, bytes: readFileSync(path) }
  }
  const calibration = (graph: Graph) => decodeSamples(graph, read('calibration.npy'))
  const { circuit, model } = compileModel(read('model.onnx').bytes, { calibration, compress: false })

  test('every wire is determined, and every input bounded', () => {
    const result = audit(circuit)
    expect(result).toMatchObject({ determined: true, clean: true, undeterminedCount: 0, undetermined: [] })
    expect(result.counts).toMatchObject({
      freeWires: 0,
      unusedPublicInputs: { count: 0 },
      unusedPrivateInputs: { count: 0 },
      duplicateRows: { count: 0 },
      contradictions: { count: 0 },
    })
    // far from the field's 254 bits
    expect(result.ranges.widestRow!.bits).toBeLessThan(64)
    expect(result.ranges).toMatchObject({ unbounded: 0, unprovenInputs: { count: 0 }, unprovenWires: { count: 0 } })
    expect(result.kernel).toEqual({ witnesses: 2, unsatisfied: 0, undecided: 0, moving: { count: 0, first: [] } })
  })

  const others: Readonly<Record<string, Partial<CompileModelOptions>>> = {
    'commitments to inputs and outputs': { input: 'committed', output: 'committed' },
    'compressed inputs and outputs': { input: 'public', compress: true },
    // of the larger one that would take long
    ...(name === 'tabular' ? { 'private weights': { weights: 'private' } } : {}),
  }
  test.each(Object.entries(others))('with %s likewise', (_, options) => {
    const other = compileModel(read('model.onnx').bytes, { calibration, ...options })
    expect(other.circuit.rows).toBeGreaterThan(circuit.rows)
    expect(audit(other.circuit)).toMatchObject({
      ...{ determined: true, clean: true, kernel: { witnesses: 2 } },
      ranges: { unprovenInputs: { count: 0 }, unprovenWires: { count: 0 } },
    })
  })

  test('the layer of a dropped row is named', () => {
    const random = seeded(11)
    const layers = new Set(model.layers.map((l) => l.name))
    for (let k = 0; k < 4; k++) {
      const row = random.integer(0, circuit.rows - 1)
      const result = audit(withoutRow(circuit, row), { searched: 1, named: 12 })
      const scope = circuit.scopes[circuit.rowScope[row]!]!
      if (scope.endsWith('/input range')) {
        // without its sum the bits are loose, without one bit's row so is that bit; the input itself is given
        expect(result.undetermined[0]!.scopes).toEqual([scope])
        continue
      }
      expect({ row, scope, clean: result.clean }).toEqual({ row, scope, clean: false })
      expect(layers.has(scope.split('/')[0]!) || scope.endsWith('/output')).toBe(true)
      if (!scope.endsWith('/output')) expect(result.undetermined[0]!.scopes).toContain(scope)
    }
  })
})

const SEED = 99
const GRAPHS = 60

test(`${GRAPHS} random graphs: every wire is determined (seed ${SEED})`, () => {
  const random = seeded(SEED)
  for (let k = 0; k < GRAPHS; k++) {
    const { onnx, ops, samples } = randomGraph(random)
    const graph = simplify(importOnnx(onnx))
    const ranges = calibrate(
      graph,
      samples.map((x) => new Map([['x', x]])),
    )
    const model = quantise(graph, ranges, { bits: random.pick([8, 8, 6, 10]), weightBits: 16 })
    const circuit = compile(model, {
      input: random.pick(['public', 'private', 'private', 'committed'] as const),
      output: random.pick(['public', 'private'] as const),
    })
    const { determined, clean, undetermined, ranges: report } = audit(circuit, { searched: 0, named: 3 })
    expect({ k, ops, undetermined, determined, clean }).toEqual({
      k,
      ops,
      undetermined: [],
      determined: true,
      clean: true,
    })
    expect(report.unprovenInputs.count + report.unprovenWires.count).toBe(0)
  }
})
