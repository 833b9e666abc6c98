import { describe, expect, test } from 'vitest'
import { audit } from '../../circuits/audit/audit.ts'
import { setCommitmentOf } from '../../circuits/commitment.ts'
import { Fr } from '../../circuits/field.ts'
import { firstViolated, runProgram, solve, type Witness, wireValue } from '../../circuits/solve.ts'
import { setup } from '../../src/artefacts/keys.ts'
import { weightsForm } from '../../src/compile.ts'
import { importOnnx } from '../../src/graph/import.ts'
import { type AttributeSpec, encodeModel, type ModelSpec } from '../../src/graph/onnx.ts'
import { verifierOf } from '../../src/groth16/verify.ts'
import { prepareInteger, weightsOf } from '../../src/model/model.ts'
import { type Compiled, compileModel, importGraph } from '../../src/pipeline/compileModel.ts'
import { circuitInputs, integersOf, prove } from '../../src/pipeline/prove.ts'
import { layoutOf, readSignals } from '../../src/pipeline/signals.ts'
import { statedWeights, type WeightSet, weightSetOf, weightSetOfGraph } from '../../src/pipeline/weights.ts'
import { comparer, reportOn } from '../../src/quantise/report.ts'
import type { Sample } from '../../src/samples/samples.ts'
import { sizeOf } from '../../src/tensor.ts'
import { refusal } from '../support/errors.ts'
import { violatedRow } from '../support/interpret.ts'
import { seeded } from '../support/random.ts'
import { normal, tensor } from '../support/tensors.ts'
import { uniformSamples, weightedNet } from '../support/weightedNets.ts'

const kinds = ['public', 'private', 'committed'] as const

/** A compiled network and the weight set of another one of its architecture. */
function pair(structure: number, weights: (typeof kinds)[number]) {
  const onnx = weightedNet(structure, 1)
  const random = seeded(structure + 1)
  const samples = uniformSamples(random, importOnnx(onnx).inputs[0]!.shape, 6)
  const compiled = compileModel(onnx, { calibration: samples, weights, compress: false })
  const other = weightSetOfGraph(compiled, importGraph(weightedNet(structure, 2, 0.5)))
  return { compiled, other, samples }
}

/** All wires of a witness, in [0, r). */
const valuesOf = (compiled: Compiled, witness: Witness): bigint[] =>
  Array.from({ length: compiled.circuit.wires }, (_, w) => wireValue(Fr, witness, w))

const witnessFor = (compiled: Compiled, sample: Sample, weights: WeightSet): Witness =>
  solve(compiled.circuit, circuitInputs(compiled, sample, { weights }))

describe('circuits for every weight set of an architecture', () => {
  const SEED = 7000
  test(`random networks: the circuit equals the integers and tells the weights (seeds from ${SEED})`, () => {
    let errors = 0
    for (let k = 0; k < 36; k++) {
      const { compiled, other, samples } = pair(SEED + k, kinds[k % 3]!)
      const { model, visibility, circuit, report } = compiled
      expect(circuit.rowScope.length).toBe(circuit.rows)
      const layout = layoutOf(visibility, model)
      const run = prepareInteger(model)
      for (const weights of [compiled.weights!, other])
        for (const sample of samples.slice(0, 3)) {
          const witness = witnessFor(compiled, sample, weights)
          const signals = Array.from({ length: circuit.publicOutputs + circuit.publicInputs }, (_, i) =>
            wireValue(Fr, witness, 1 + i),
          )
          const statement = readSignals(layout, signals)
          const values = run([...integersOf(model, sample, 'saturate'), ...weights.integers])
          const y = Array.from(values[model.outputs[0]!.value]!, BigInt)
          expect(statement[0]!.integers, `network ${k}`).toEqual(y)
          expect(statedWeights(weightsOf(model), statement), `network ${k}`).toBe(weights.digest)
        }
      expect(other.digest).not.toBe(compiled.weights!.digest)
      if (report.maxError > 0.1) errors++
      if (k % 3 === 0) {
        const { determined, clean, undetermined } = audit(circuit, { searched: 0, named: 3 })
        expect({ k, undetermined, determined, clean }).toEqual({ k, undetermined: [], determined: true, clean: true })
      }
    }
    // eight bits for activations and weights
    expect(errors).toBeLessThan(5)
  })

  test('one key proves two weight sets, and neither passes for the other', async () => {
    const onnx = weightedNet(7001, 1)
    const samples = uniformSamples(seeded(3), importOnnx(onnx).inputs[0]!.shape, 4)
    {
      const compiled = compileModel(onnx, { calibration: samples, weights: 'private' })
      const { model, visibility } = compiled
      const keys = await setup(compiled, { dev: true, threads: 1 })
      const isValid = verifierOf(keys.verifyingKey)
      const other = weightSetOfGraph(compiled, importGraph(weightedNet(7001, 2, 0.5)))
      const [own] = await prove(compiled, keys, samples.slice(2, 3))
      const [theirs] = await prove(compiled, keys, samples.slice(2, 3), { weights: other })
      for (const [{ proof, publicSignals, statement }, set] of [
        [own!, compiled.weights!],
        [theirs!, other],
      ] as const) {
        expect(isValid(publicSignals, proof)).toBe(true)
        expect(statedWeights(weightsOf(model), statement)).toBe(set.digest)
        expect(set.digest).toBe(setCommitmentOf(weightsForm(model, visibility), set.integers, set.salt))
        const at = layoutOf(visibility, model).find(({ kind }) => kind === 'weights')!.from
        for (const digest of [compiled.weights!.digest, other.digest, 0n])
          expect(isValid(publicSignals.with(at, digest), proof)).toBe(digest === set.digest)
      }
      expect(own!.statement[0]!.integers).not.toEqual(theirs!.statement[0]!.integers)
      // whoever is not in the know can't tell a salted digest of the same weights from any other
      const again = weightSetOf(model, visibility, compiled.weights!.integers)
      expect(again.digest).not.toBe(compiled.weights!.digest)
    }
  })

  test('BatchNormalization folds into each set', () => {
    const net = (scale: number, mean: number) =>
      encodeModel({
        inputs: [{ name: 'x', shape: [1, 1, 3, 3] }],
        outputs: [{ name: 'y' }],
        nodes: [
          { op: 'Conv', inputs: ['x', 'w'], outputs: ['c'] },
          { op: 'BatchNormalization', inputs: ['c', 'scale', 'bias', 'mean', 'var'], outputs: ['y'] },
        ],
        initializers: {
          w: tensor([2, 1, 2, 2], [0.9, -0.5, 0.3, 0.1, 0.2, 0.4, -0.6, 0.8]),
          scale: tensor([2], [scale, scale]),
          bias: tensor([2], [0.1, 0]),
          mean: tensor([2], [mean, 0]),
          var: tensor([2], [1, 1]),
        },
      })
    const samples = uniformSamples(seeded(8), [1, 1, 3, 3], 5)
    const compiled = compileModel(net(1, 0.25), { calibration: samples, weights: 'committed' })
    const halved = weightSetOfGraph(compiled, importGraph(net(0.5, 0)))
    const [w, b] = compiled.weights!.integers as [Float64Array, Float64Array]
    const [w2, b2] = halved.integers as [Float64Array, Float64Array]
    w.forEach((q, i) => {
      expect(Math.abs(w2[i]! - q / 2)).toBeLessThanOrEqual(0.75)
    })
    // bias - mean · scale, in steps of the first set
    expect(b[0]! / b2[0]!).toBeCloseTo((0.1 - 0.25) / 0.1, 3)
  })
})

describe('a lying prover', () => {
  const { compiled, other, samples } = pair(7004, 'committed')
  const { circuit } = compiled
  const sample = samples[2]!
  const honest = valuesOf(compiled, witnessFor(compiled, sample, compiled.weights!))
  const theirs = valuesOf(compiled, witnessFor(compiled, sample, other))
  const digestWire = 1 + layoutOf(compiled.visibility, compiled.model).find(({ kind }) => kind === 'weights')!.from
  const scopesOf = (row: number): string => circuit.scopes[circuit.rowScope[row]!]!

  test('has no witness for weights outside their window', () => {
    const inputs = circuitInputs(compiled, sample)
    const first = sizeOf(compiled.model.inputs[0]!.shape)
    const bits = 8
    // the solver takes bits only; a prover of his own takes anything
    const open = { ...circuit, inputRanges: circuit.inputRanges.map((v) => v * 1000 - 500) }
    expect(firstViolated(open, runProgram(open, inputs))).toBeUndefined()
    for (const [bit, value] of [
      [0, 2],
      [0, -1],
      [bits - 1, 2],
      [bits - 1, 100],
    ] as const) {
      const lied = [...inputs]
      lied[first + bit] = value
      const row = firstViolated(open, runProgram(open, lied))
      expect(scopesOf(row!)).toMatch(/\/weights$/)
    }
  })

  test('can’t move value from one slot to the next', () => {
    // the bits of a block, found by the row that sums them up: as many as its results have together
    let blocks = 0
    for (let row = 0; row < circuit.rows; row++) {
      if (!scopesOf(row).endsWith('/product')) continue
      const lc = circuit.rowLC[3 * row]!
      const [from, to] = [circuit.lcStart[lc]!, circuit.lcStart[lc + 1]!]
      if (to - from < 30) continue
      blocks++
      const wires = Array.from(circuit.lcWire.subarray(from, to))
      for (let i = 0; i + 1 < wires.length; i++)
        for (const [low, high] of [
          [2n, -1n],
          [-2n, 1n],
        ] as const) {
          // the weighted sum of all bits stays what it is
          const lied = [...honest]
          lied[wires[i]!] = Fr.mod(lied[wires[i]!]! + low)
          lied[wires[i + 1]!] = Fr.mod(lied[wires[i + 1]!]! + high)
          expect(violatedRow(circuit, lied)).toBeDefined()
        }
    }
    expect(blocks).toBeGreaterThan(0)
  })

  test('can’t run other weights under the digest', () => {
    expect(honest[digestWire]).not.toBe(theirs[digestWire])
    expect(violatedRow(circuit, honest)).toBeUndefined()
    const swapped = theirs.with(digestWire, honest[digestWire]!)
    expect(violatedRow(circuit, swapped)).toBeDefined()
    // nor mix two honest witnesses, at whatever wire: words of one set with bits of the other, hashes with products …
    const random = seeded(12)
    let mixed = 0
    for (let k = 0; k < 400; k++) {
      const cut = random.integer(1, circuit.wires - 1)
      const [a, b] = k % 2 === 0 ? [honest, theirs] : [theirs, honest]
      const lied = a.map((v, w) => (w < cut ? v : b[w]!))
      if (lied.every((v, w) => v === honest[w]) || lied.every((v, w) => v === theirs[w])) continue
      mixed++
      expect(violatedRow(circuit, lied), `cut ${cut}`).toBeDefined()
    }
    expect(mixed).toBeGreaterThan(200)
  })

  test('needs a weight set, of this model', async () => {
    const { weights: _, ...without } = compiled
    expect(refusal(() => circuitInputs(without, sample))).toMatch(/^input\/weights/)
    const fixed = compileModel(weightedNet(7004, 1), { calibration: samples })
    expect(refusal(() => circuitInputs(fixed, sample, { weights: other }))).toMatch(/^usage\/weights/)
    expect(refusal(() => weightSetOf(fixed.model, fixed.visibility, []))).toMatch(/^usage\/weights/)
    const { model, visibility } = compiled
    const { integers } = compiled.weights!
    expect(refusal(() => weightSetOf(model, visibility, integers.slice(1)))).toMatch(/^input\/count/)
    const wide = [Float64Array.from(integers[0]!).with(0, 128), ...integers.slice(1)]
    expect(refusal(() => weightSetOf(model, visibility, wide))).toMatch(
      /^input\/out-of-range: weights ".*"\[0\] is 128/,
    )
    expect(() => weightSetOf(model, visibility, integers, 5n)).toThrow(/no salt/)
  })
})

describe('other weights', () => {
  type Nodes = ModelSpec['nodes']
  const base: Nodes = [
    { op: 'Gemm', name: 'first', inputs: ['x', 'w1', 'b1'], outputs: ['h'], attributes: { transB: { int: 1 } } },
    { op: 'LeakyRelu', name: 'leaky', inputs: ['h'], outputs: ['r'], attributes: { alpha: { float: 0.1 } } },
    { op: 'Mul', name: 'twice', inputs: ['r', 'two'], outputs: ['s'] },
    { op: 'MatMul', name: 'second', inputs: ['s', 'w2'], outputs: ['y'] },
  ]
  const net = (nodes: Nodes = base, changed: ModelSpec['initializers'] = {}, shape = [1, 4]) =>
    encodeModel({
      inputs: [{ name: 'x', shape }],
      outputs: [{ name: 'y' }],
      nodes,
      initializers: {
        w1: tensor([3, 4], [0.5, -0.25, 0.125, 0.75, -0.5, 0.25, 0.3, 0.2, 0.1, -0.1, 0.4, 0.6]),
        b1: tensor([3], [0.1, -0.2, 0.3]),
        two: tensor([], [2]),
        w2: tensor([3, 2], [1, 0.5, -0.5, 0.25, 0.75, -0.125]),
        ...changed,
      },
    })
  const compiled = compileModel(net(), { calibration: uniformSamples(seeded(1), [1, 4], 6), weights: 'committed' })
  const take = (onnx: Uint8Array): string =>
    refusal(() => weightSetOfGraph(compiled, importGraph(onnx, {}))).replaceAll(/\s+/g, ' ')
  const replaced = (i: number, change: Partial<Nodes[number]>): Nodes =>
    base.map((node, k) => (k === i ? { ...node, ...change } : node))

  test('of the same architecture are taken, whatever nodes are called', () => {
    expect(take(net())).toBe('nothing was thrown')
    const named = base.map((node) => ({ ...node, name: `other.${node.op}` }))
    expect(take(net(named, { w2: tensor([3, 2], [0, 0, 0, 0, 0, -1]) }))).toBe('nothing was thrown')
  })

  test('of another architecture are refused with what differs', () => {
    const alpha = { attributes: { alpha: { float: 0.25 } as AttributeSpec } }
    expect(take(net(replaced(1, alpha)))).toMatch(
      /^model\/other-architecture: .*%1 = LeakyRelu.*0\.25.* instead of %1 = LeakyRelu.*0\.1/,
    )
    const cases = [
      net(replaced(1, { op: 'Relu', attributes: {} })),
      net(base, { two: tensor([], [3]) }),
      net(base, { w2: tensor([3, 5], new Array(15).fill(0.1)) }),
      net(replaced(0, { inputs: ['x', 'w1'] })),
      net(base.slice(0, 3).map((node, i) => (i === 2 ? { ...node, outputs: ['y'] } : node))),
      net(base, {}, [2, 4]),
      encodeModel({
        inputs: [{ name: 'z', shape: [1, 4] }],
        outputs: [{ name: 'y' }],
        nodes: [{ op: 'Relu', inputs: ['z'], outputs: ['y'] }],
      }),
    ]
    for (const onnx of cases) expect(take(onnx)).toMatch(/^model\/other-architecture/)
  })

  test('that leave the window of the first ones are refused with their place', () => {
    expect(take(net(base, { w2: tensor([3, 2], [0, 0, 2.5, 0, 0, 0]) }))).toMatch(
      /^input\/weights-range: weights "second\.weights"\[2\] is 2\.5; the circuit takes -\d.* to \d/,
    )
    expect(take(net(base, { b1: tensor([3], [0, 900, 0]) }))).toMatch(
      /^input\/weights-range: weights "first\.bias"\[1\]/,
    )
    expect(take(net(base, { w2: tensor([3, 2], [0, 0, Number.NaN, 0, 0, 0]) }))).toMatch(/^input\/not-finite/)
  })

  test('that are named when compiling find room', () => {
    const large = net(
      base.map((node) => ({ ...node, name: `large.${node.op}`, outputs: [node.outputs[0]!] })),
      { w2: tensor([3, 2], [0, 0, 2.5, 0, 0, 1]), b1: tensor([3], [0, 9, 0]) },
    )
    const calibration = uniformSamples(seeded(1), [1, 4], 6)
    expect(take(large)).toMatch(/^input\/weights-range/)
    const both = compileModel(net(), { calibration, weights: 'committed', fit: [large] })
    const theirs = weightSetOfGraph(both, importGraph(large))
    expect(theirs.integers.map((w) => Array.from(w).some((q) => q !== 0))).toEqual([true, true, true])
    // the integers of each set give its floats, in the scales of both
    for (const [onnx, weights] of [
      [net(), both.weights!],
      [large, theirs],
    ] as const) {
      const compared = calibration.map(comparer(importGraph(onnx), both.model, 'refuse', weights.integers))
      const largest = Math.max(...compared.flatMap(({ float }) => Array.from(float[0]!.data, Math.abs)))
      expect(reportOn(compared).maxError).toBeLessThan(0.05 * largest)
    }
    const relu = net(replaced(1, { op: 'Relu', attributes: {} }))
    expect(refusal(() => compileModel(net(), { calibration, weights: 'committed', fit: [relu] }))).toMatch(
      /^model\/other-architecture/,
    )
    expect(refusal(() => compileModel(net(), { calibration, fit: [large] }))).toMatch(/^usage\/weights/)
  })

  test('fit up to the bits that are asked for', () => {
    for (const weightBits of [3, 6, 12]) {
      const samples = uniformSamples(seeded(1), [1, 4], 6)
      const { model, weights, report } = compileModel(net(), { calibration: samples, weights: 'committed', weightBits })
      const [w] = weightsOf(model)
      expect([w!.lo, w!.hi]).toEqual([-(2 ** (weightBits - 1)), 2 ** (weightBits - 1) - 1])
      const largest = Array.from(weights!.integers[0]!).reduce((m, q) => Math.max(m, Math.abs(q)), 0)
      expect(largest).toBeGreaterThanOrEqual(2 ** (weightBits - 2))
      // six products of weights whose rounding is off by up to half a step
      expect(report.maxError).toBeLessThan(2 ** (3 - weightBits) + 0.05)
    }
  })
})

describe('weights that must be fixed', () => {
  const random = seeded(77)
  const w = (...shape: number[]) => normal(random, shape)
  const refused = (
    shape: readonly number[],
    nodes: ModelSpec['nodes'],
    initializers: ModelSpec['initializers'] = {},
  ) => {
    const onnx = encodeModel({
      inputs: [{ name: 'x', shape }],
      outputs: [{ name: 'y' }],
      opset: 17,
      opsets: { 'ai.onnx.ml': 3 },
      nodes,
      initializers,
    })
    const calibration = uniformSamples(seeded(2), shape, 3)
    expect(refusal(() => compileModel(onnx, { calibration }))).toBe('nothing was thrown')
    return refusal(() => compileModel(onnx, { calibration, weights: 'committed' }))
  }
  /** The node after a dense layer, whose result it takes as `h` [rows, 4]. */
  const behind = (op: string, inputs: string[], initializers: ModelSpec['initializers'], rows = 1, attributes = {}) =>
    refused(
      [rows, 4],
      [
        { op: 'MatMul', inputs: ['x', 'dense'], outputs: ['h'] },
        { op, name: 'odd', inputs, outputs: ['y'], attributes },
      ],
      { dense: w(4, 4), ...initializers },
    )
  const supported =
    '(supported: with weights that are not fixed: weights and biases of Conv, Gemm and MatMul with one matrix'

  test.each([
    ['PRelu', () => behind('PRelu', ['h', 's'], { s: w(4) })],
    ['Mul', () => behind('Mul', ['h', 's'], { s: w(2, 4) }, 2)],
    ['Einsum', () => behind('Einsum', ['h', 's'], { s: w(4, 3) }, 1, { equation: { string: 'ij,jk->ik' } })],
    ['LayerNormalization', () => behind('LayerNormalization', ['h', 's', 't'], { s: w(4), t: w(4) })],
    ['MatMul', () => behind('MatMul', ['s', 'h'], { s: w(3, 1) })],
    ['MatMul', () => behind('MatMul', ['h', 's'], { s: w(2, 4, 3) })],
    [
      'ConvTranspose',
      () =>
        refused([1, 1, 3, 3], [{ op: 'ConvTranspose', name: 'odd', inputs: ['x', 'w'], outputs: ['y'] }], {
          w: w(1, 1, 2, 2),
        }),
    ],
    [
      'Scaler',
      () =>
        refused(
          [1, 3],
          [
            {
              ...{ op: 'Scaler', domain: 'ai.onnx.ml', name: 'odd', inputs: ['x'], outputs: ['y'] },
              attributes: { offset: { floats: [0, 1, 2] }, scale: { floats: [1, 2, 3] } },
            },
          ],
        ),
    ],
  ] as const)('%s is named', (op, message) => {
    expect(message()).toMatch(new RegExp(`^model/unsupported: ${op} "odd": `))
    expect(message()).toContain(supported)
  })

  test('a bias per row, a recurrent layer, quantised weights, and no weights at all', () => {
    expect(behind('Gemm', ['h', 's', 't'], { s: w(4, 2), t: w(2, 2) }, 2)).toMatch(
      /Gemm "odd": C = "\[2, 2\]" is not supp/,
    )
    const lstm = {
      op: 'LSTM',
      name: 'cell.1',
      inputs: ['x', 'w', 'r'],
      outputs: ['y'],
      attributes: { hidden_size: { int: 2 } },
    }
    expect(refused([2, 1, 3], [lstm], { w: w(1, 8, 3), r: w(1, 8, 2) })).toMatch(
      /"cell\.1\.forward\..*: recurrent layer = "cell\.1" is not supported/,
    )
    const scale = { s: tensor([], [0.1]), z: tensor([], [0], 'int8') }
    const nodes = [
      { op: 'QuantizeLinear', name: 'q', inputs: ['x', 's', 'z'], outputs: ['q'] },
      { op: 'DequantizeLinear', name: 'd', inputs: ['q', 's', 'z'], outputs: ['y'] },
    ]
    expect(refused([1, 3], nodes, scale)).toMatch(/"q": weights = "committed" is not supported .*quantised already/)
    expect(refused([1, 3], [{ op: 'Relu', inputs: ['x'], outputs: ['y'] }])).toMatch(/layers with weights = 0/)
  })
})
