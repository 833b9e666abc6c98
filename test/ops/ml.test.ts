import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { Fr } from '../../circuits/field.ts'
import { firstViolated, runProgram } from '../../circuits/solve.ts'
import { compile } from '../../src/compile.ts'
import type { Graph } from '../../src/graph/graph.ts'
import { importOnnx } from '../../src/graph/import.ts'
import { contextOf } from '../../src/graph/infer.ts'
import { type AttributeSpec, encodeModel, type ModelSpec } from '../../src/graph/onnx.ts'
import { runFloat } from '../../src/graph/run.ts'
import { simplify } from '../../src/graph/simplify.ts'
import { floatNumber, floatOfNumber, numberAbove, numberFrom } from '../../src/model/floatOrder.ts'
import { runInteger } from '../../src/model/model.ts'
import { findOp } from '../../src/ops/index.ts'
import { readSignals, signalLayout } from '../../src/pipeline/signals.ts'
import { calibrate } from '../../src/quantise/calibrate.ts'
import { dequantise, quantiseInput } from '../../src/quantise/ports.ts'
import { defaultScheme, quantise } from '../../src/quantise/quantise.ts'
import type { Tensor } from '../../src/tensor.ts'
import { byName, corpus, difference, hasCorpus, tensorsIn } from '../support/corpus.ts'
import { refusal } from '../support/errors.ts'
import { type Random, seeded } from '../support/random.ts'
import { normal, tensor } from '../support/tensors.ts'

type Attributes = Readonly<Record<string, AttributeSpec>>

const ints = (...values: number[]): AttributeSpec => ({ ints: values })
const floats = (...values: number[]): AttributeSpec => ({ floats: values })

const ml = { 'ai.onnx.ml': 3 }

/** A model of one node of ai.onnx.ml on inputs x0, x1, …; the last ones may be constant. */
function modelOf(
  op: string,
  attributes: Attributes,
  inputs: readonly Tensor[],
  { outputs = ['y'], constants = [] as readonly Tensor[], opset = 3 } = {},
): Uint8Array {
  const all = [...inputs, ...constants]
  return encodeModel({
    opsets: { 'ai.onnx.ml': opset },
    inputs: inputs.map(({ dtype, shape }, i) => ({ name: `x${i}`, dtype, shape })),
    outputs: outputs.map((name) => ({ name })),
    nodes: [{ op, domain: 'ai.onnx.ml', inputs: all.map((_, i) => `x${i}`), outputs, attributes }],
    initializers: Object.fromEntries(constants.map((t, i) => [`x${inputs.length + i}`, t])),
  })
}

const named = (inputs: readonly Tensor[]): Map<string, Tensor> => new Map(inputs.map((t, i) => [`x${i}`, t]))

/** Integers and floats of a model on inputs, and whether the circuit accepts the integers. */
function prove(onnx: Uint8Array, samples: readonly (readonly Tensor[])[], bits = 12) {
  const graph = simplify(importOnnx(onnx))
  const model = quantise(graph, calibrate(graph, samples.map(named)), { ...defaultScheme, bits })
  const circuit = compile(model, { input: 'private', output: 'public' })
  const run = (inputs: readonly Tensor[]): { readonly float: Tensor[]; readonly integer: Tensor[] } => {
    const x = model.inputs.map((port) => quantiseInput(port, named(inputs).get(port.name)!, 'refuse'))
    const values = runInteger(model, x)
    const witness = runProgram(
      circuit,
      x.flatMap((v) => [...v]),
    )
    expect(firstViolated(circuit, witness)).toBeUndefined()
    const given = model.outputs.flatMap(({ value }) => Array.from(values[value]!, Number))
    expect(Array.from(witness.small.subarray(1, 1 + given.length))).toEqual(given)
    const float = runFloat(graph, named(inputs))
    return {
      float: graph.outputs.map((name) => float.get(name)!),
      integer: model.outputs.map((port) => dequantise(port, values[port.value]!)),
    }
  }
  return { graph, model, circuit, run }
}

/** A random tree as lists of nodes: branches at whose thresholds some samples lie exactly. */
function randomTrees(
  random: Random,
  count: number,
  features: number,
  thresholds: readonly number[],
  modes: readonly string[],
) {
  const lists = { trees: [], ids: [], modes: [], features: [], values: [], yes: [], no: [] } as unknown as {
    trees: number[]
    ids: number[]
    modes: string[]
    features: number[]
    values: number[]
    yes: number[]
    no: number[]
  }
  const leaves: { tree: number; node: number }[] = []
  for (let tree = 0; tree < count; tree++) {
    let next = 0
    const add = (depth: number): number => {
      const id = next++
      const at = lists.ids.length
      const isLeaf = depth === 0 || (depth < 3 && random.unit() < 0.2)
      lists.trees.push(tree)
      lists.ids.push(id)
      lists.modes.push(isLeaf ? 'LEAF' : `BRANCH_${random.pick(modes)}`)
      lists.features.push(isLeaf ? 0 : random.integer(0, features - 1))
      lists.values.push(isLeaf ? 0 : random.pick(thresholds))
      lists.yes.push(0)
      lists.no.push(0)
      if (isLeaf) leaves.push({ tree, node: id })
      else {
        lists.yes[at] = add(depth - 1)
        lists.no[at] = add(depth - 1)
      }
      return id
    }
    add(4)
  }
  const attributes: Attributes = {
    nodes_treeids: { ints: lists.trees },
    nodes_nodeids: { ints: lists.ids },
    nodes_modes: { strings: lists.modes },
    nodes_featureids: { ints: lists.features },
    nodes_values: { floats: lists.values },
    nodes_truenodeids: { ints: lists.yes },
    nodes_falsenodeids: { ints: lists.no },
  }
  return { attributes, leaves }
}

/** Every value is as near to the expected one. */
function expectClose(values: ArrayLike<number>, expected: ArrayLike<number>, error: number): void {
  expect(values).toHaveLength(expected.length)
  const worst = Array.from(expected, (v, i) => Math.abs(v - values[i]!)).reduce((m, e) => Math.max(m, e), 0)
  expect(worst).toBeLessThanOrEqual(error)
}

/** Labels are those of the floats, but where scores are so close to each other or to 1/2 that roundings decide. */
function expectLabels(integer: readonly Tensor[], float: readonly Tensor[]): void {
  const [labels, scores] = [float[0]!, float[1]!]
  const columns = scores.shape[1]!
  labels.data.forEach((label, row) => {
    const line = [...scores.data.subarray(row * columns, (row + 1) * columns)]
    const [first, second] = [...line].sort((a, b) => b - a)
    if (first! - second! < 0.02 || line.some((s) => Math.abs(s - 0.5) < 0.01)) return
    expect(integer[0]!.data[row]).toBe(label)
  })
}

/** The two floats next to a float, and itself. */
const around = (x: number): number[] => [-1, 0, 1].map((step) => floatOfNumber(floatNumber(x) + step))

describe('numbers of floats', () => {
  test('are in the order of floats', () => {
    const random = seeded(1)
    const floats = [0, -0, 1, -1, 1e-45, -1e-45, 3.4028234663852886e38, Number.POSITIVE_INFINITY, 0.1, 1.75].map(
      Math.fround,
    )
    for (let i = 0; i < 300; i++) floats.push(Math.fround(random.normal() * 2 ** random.integer(-60, 60)))
    for (const a of floats) {
      expect(floatOfNumber(floatNumber(a)) + 0).toBe(a + 0)
      for (const b of floats) expect(Math.sign(floatNumber(a) - floatNumber(b))).toBe(a < b ? -1 : a > b ? 1 : 0)
    }
  })

  test('of public inputs are read as floats', () => {
    const values = [0.1, -755.5, 0].map(Math.fround)
    const port = {
      name: 'x',
      shape: [3],
      scale: 1,
      value: 0,
      encoding: 'float32' as const,
      lo: -(2 ** 31),
      hi: 2 ** 31 - 1,
    }
    const integers = quantiseInput(port, tensor([3], values), 'refuse')
    const layout = signalLayout({ input: 'public', output: 'private' }, [port], [])
    const signals = Array.from(integers, (q) => Fr.mod(BigInt(q)))
    expect([...readSignals(layout, signals)[0]!.values]).toEqual(values)
  })

  test('of thresholds between floats are those of their neighbours', () => {
    for (const t of [0.1, -0.1, 1e-46, -1e-46, 0, 4.750000000000001, Math.fround(0.3)]) {
      expect(floatOfNumber(numberFrom(t))).toBeGreaterThanOrEqual(t)
      expect(floatOfNumber(numberFrom(t) - 1)).toBeLessThan(t)
      expect(floatOfNumber(numberAbove(t))).toBeGreaterThan(t)
      expect(floatOfNumber(numberAbove(t) - 1)).toBeLessThanOrEqual(t)
    }
  })
})

describe('decision trees', () => {
  const thresholds = [0, -1.5, 0.1, 2.950000047683716, 1e-35, 755, 0.8999999761581421].map(Math.fround)
  const pool = thresholds.flatMap(around)

  test('compare as float32 does, at thresholds and beside them', () => {
    const random = seeded(20)
    for (let k = 0; k < 12; k++) {
      const modes = random.pick([['LEQ'], ['LT'], ['GTE', 'GT'], ['LEQ', 'LT', 'EQ', 'NEQ', 'GT', 'GTE']])
      const { attributes, leaves } = randomTrees(random, 4, 3, thresholds, modes)
      const rows = random.integer(1, 2)
      const onnx = modelOf(
        'TreeEnsembleRegressor',
        {
          ...attributes,
          n_targets: { int: 2 },
          target_ids: { ints: leaves.map((_, i) => i % 2) },
          target_nodeids: { ints: leaves.map((l) => l.node) },
          target_treeids: { ints: leaves.map((l) => l.tree) },
          target_weights: { floats: leaves.map(() => random.integer(-8, 8)) },
          base_values: { floats: [1, -2] },
          aggregate_function: { string: k % 3 === 0 ? 'AVERAGE' : 'SUM' },
        },
        [tensor([rows, 3], Array(rows * 3).fill(0))],
      )
      const sample = (): Tensor[] => [
        tensor(
          [rows, 3],
          Array.from({ length: rows * 3 }, () => random.pick(pool)),
        ),
      ]
      const calibration = Array.from({ length: 20 }, sample)
      const { run, model } = prove(onnx, calibration)
      expect(model.inputs[0]!.encoding).toBe('float32')
      for (let i = 0; i < 25; i++) {
        const { float, integer } = run(sample())
        // weights of a few bits keep sums exact, so another leaf would show
        expectClose(integer[0]!.data, float[0]!.data, 0.01)
      }
    }
  })

  test('give labels and transformed scores', () => {
    const random = seeded(21)
    const cases: [labels: number[], ids: (i: number) => number, positive: boolean, transform: string][] = [
      [[4, 7, -2], (i) => i % 3, true, 'NONE'],
      [[0, 1, 2], (i) => i % 3, false, 'SOFTMAX'],
      [[0, 1], () => 0, true, 'NONE'],
      [[3, 5], () => 0, false, 'LOGISTIC'],
      [[3, 5], () => 0, false, 'NONE'],
      [[0, 1], () => 1, true, 'NONE'],
    ]
    for (const [labels, idOf, positive, transform] of cases) {
      const { attributes, leaves } = randomTrees(random, 5, 3, thresholds, ['LEQ'])
      const classes = Array.from(leaves, (_, i) => idOf(i))
      // every leaf scores every class that any leaf scores
      const scored = [...new Set(classes)]
      const entries = leaves.flatMap((leaf) => scored.map((c) => ({ ...leaf, c })))
      const x = (): Tensor[] => [
        tensor(
          [2, 3],
          Array.from({ length: 6 }, () => random.pick(pool)),
        ),
      ]
      const onnx = modelOf(
        'TreeEnsembleClassifier',
        {
          ...attributes,
          class_ids: { ints: entries.map((e) => e.c) },
          class_nodeids: { ints: entries.map((e) => e.node) },
          class_treeids: { ints: entries.map((e) => e.tree) },
          class_weights: {
            floats: entries.map(() => (positive ? 0.01 + random.integer(0, 30) / 100 : random.normal() / 2)),
          },
          classlabels_int64s: { ints: labels },
          post_transform: { string: transform },
        },
        x(),
        { outputs: ['label', 'scores'] },
      )
      const { run } = prove(onnx, Array.from({ length: 20 }, x))
      for (let i = 0; i < 20; i++) {
        const { float, integer } = run(x())
        expect(float.map((t) => t.dtype)).toEqual(['int64', 'float32'])
        expectLabels(integer, float)
        expectClose(integer[1]!.data, float[1]!.data, 0.01)
      }
    }
  })

  test('give labels alone', () => {
    const random = seeded(22)
    const { attributes, leaves } = randomTrees(random, 5, 3, thresholds, ['LEQ'])
    const x = (): Tensor[] => [
      tensor(
        [2, 3],
        normal(random, [2, 3]).data.map((v) => Math.min(Math.max(v, -2), 2)),
      ),
    ]
    const entries = leaves.flatMap((leaf) => [0, 1, 2].map((c) => ({ ...leaf, c })))
    const trees: Attributes = {
      ...attributes,
      class_ids: { ints: entries.map((e) => e.c) },
      class_nodeids: { ints: entries.map((e) => e.node) },
      class_treeids: { ints: entries.map((e) => e.tree) },
      class_weights: { floats: entries.map(() => random.integer(0, 100) / 64) },
      classlabels_int64s: { ints: [4, 7, -2] },
    }
    const linear: Attributes = {
      classlabels_ints: { ints: [4, 7, -2] },
      coefficients: { floats: Array.from({ length: 9 }, () => random.normal() / 1000) },
      intercepts: { floats: [0, 0.001, -0.001] },
    }
    const machine: Attributes = {
      ...{ classlabels_ints: { ints: [4, 7] }, vectors_per_class: { ints: [1, 1] }, rho: { floats: [0.1] } },
      coefficients: { floats: [0.75, -0.75] },
      ...{ kernel_type: { string: 'RBF' }, kernel_params: { floats: [0.25, 0, 3] } },
      support_vectors: { floats: [0.5, -0.5, 1, -1, 0.25, 0] },
    }
    for (const [op, attributes] of [
      ['TreeEnsembleClassifier', trees],
      ['LinearClassifier', linear],
      ['SVMClassifier', machine],
    ] as const) {
      const { run } = prove(modelOf(op, attributes, x(), { outputs: ['label'] }), Array.from({ length: 20 }, x))
      const found = Array.from({ length: 40 }, () => run(x()))
      const labels = found.flatMap(({ float }) => [...float[0]!.data])
      const same = found.flatMap(({ integer }) => [...integer[0]!.data]).filter((v, i) => v === labels[i]).length
      expect(new Set(labels).size, op).toBeGreaterThan(1)
      expect(same, op).toBeGreaterThanOrEqual(op === 'TreeEnsembleClassifier' ? 80 : 78)
    }
  })

  test('of malformed lists are refused', () => {
    const x = [tensor([1, 2], [0, 0])]
    const good = {
      nodes_treeids: { ints: [0, 0, 0] },
      nodes_nodeids: { ints: [0, 1, 2] },
      nodes_modes: { strings: ['BRANCH_LEQ', 'LEAF', 'LEAF'] },
      nodes_featureids: { ints: [1, 0, 0] },
      nodes_values: { floats: [0.5, 0, 0] },
      nodes_truenodeids: { ints: [1, 0, 0] },
      nodes_falsenodeids: { ints: [2, 0, 0] },
      n_targets: { int: 1 },
      target_ids: { ints: [0, 0] },
      target_nodeids: { ints: [1, 2] },
      target_treeids: { ints: [0, 0] },
      target_weights: { floats: [1, 2] },
    }
    const of = (changes: Attributes): string =>
      refusal(() => importOnnx(modelOf('TreeEnsembleRegressor', { ...good, ...changes }, x)))
    expect(of({})).toBe('nothing was thrown')
    expect(of({ nodes_truenodeids: { ints: [0, 0, 0] } })).toMatch(/cycle/)
    expect(of({ nodes_falsenodeids: { ints: [9, 0, 0] } })).toMatch(/no node 9/)
    expect(of({ nodes_nodeids: { ints: [0, 1, 1] } })).toMatch(/given twice/)
    expect(of({ nodes_values: { floats: [0.5] } })).toMatch(/different lengths/)
    expect(of({ nodes_values: { floats: [Number.NaN, 0, 0] } })).toMatch(/not a number/)
    expect(of({ nodes_featureids: { ints: [2, 0, 0] } })).toMatch(/2 features, not 3/)
    expect(of({ nodes_modes: { strings: ['BRANCH_X', 'LEAF', 'LEAF'] } })).toMatch(/^model\/unsupported/)
    expect(of({ target_ids: { ints: [0, 1] } })).toMatch(/target 1/)
    expect(of({ n_targets: { int: 0 } })).toMatch(/0 targets/)
    expect(of({ aggregate_function: { string: 'MIN' } })).toMatch(/^model\/unsupported/)
  })

  test('that never branch are constant', () => {
    const attributes: Attributes = {
      nodes_treeids: { ints: [0] },
      nodes_nodeids: { ints: [0] },
      nodes_modes: { strings: ['LEAF'] },
      nodes_featureids: { ints: [0] },
      nodes_values: { floats: [0] },
      nodes_truenodeids: { ints: [0] },
      nodes_falsenodeids: { ints: [0] },
      n_targets: { int: 1 },
      target_ids: { ints: [0] },
      target_nodeids: { ints: [0] },
      target_treeids: { ints: [0] },
      target_weights: { floats: [3] },
    }
    const x = [tensor([1, 2], [1, 2])]
    const { run } = prove(modelOf('TreeEnsembleRegressor', attributes, x), [x])
    expect([...run(x).float[0]!.data]).toEqual([3])
    expect(run(x).integer[0]!.data[0]).toBeCloseTo(3, 3)
  })
})

/** Operators on small inputs, with outputs worked out by hand. */
const cases: readonly [
  op: string,
  attributes: Attributes,
  inputs: Tensor[],
  expected: number[],
  constants?: Tensor[],
][] = [
  [
    'Scaler',
    { offset: { floats: [1, 2] }, scale: { floats: [2, -0.5] } },
    [tensor([2, 2], [1, 2, 3, 4])],
    [0, 0, 4, -1],
  ],
  ['Scaler', { offset: { floats: [1] }, scale: { floats: [2] } }, [tensor([1, 3], [1, 2, 3])], [0, 2, 4]],
  ['Normalizer', { norm: { string: 'L1' } }, [tensor([2, 2], [1, -3, 0, 0])], [0.25, -0.75, 0, 0]],
  ['Normalizer', { norm: { string: 'MAX' } }, [tensor([1, 3], [1, 2, 4])], [0.25, 0.5, 1]],
  ['Binarizer', { threshold: { float: 0.5 } }, [tensor([1, 4], [0.5, 0.50001, -1, 9])], [0, 1, 0, 1]],
  [
    'LabelEncoder',
    { keys_int64s: { ints: [2, -1, 5] }, values_int64s: { ints: [10, 20, -30] }, default_int64: { int: 7 } },
    [tensor([5], [2, -1, 5, 3, 6], 'int64')],
    [10, 20, -30, 7, 7],
  ],
  [
    'LabelEncoder',
    { keys_floats: { floats: [0.5, 2] }, values_floats: { floats: [1.5, -1] }, default_float: { float: 4 } },
    [tensor([4], [0.5, 2, 0.25, 3])],
    [1.5, -1, 4, 4],
  ],
  [
    'OneHotEncoder',
    { cats_int64s: { ints: [3, -1, 0] } },
    [tensor([4], [3, -1, 0, 2], 'int64')],
    [1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0],
  ],
  ['OneHotEncoder', { cats_int64s: { ints: [1, 0] } }, [tensor([3], [1.75, -0.5, -1])], [1, 0, 0, 1, 0, 0]],
  ['ArrayFeatureExtractor', {}, [tensor([2, 3], [1, 2, 3, 4, 5, 6])], [3, 1, 6, 4], [tensor([2], [2, 0], 'int64')]],
  [
    'Imputer',
    { imputed_value_floats: { floats: [9] }, replaced_value_float: { float: Number.NaN } },
    [tensor([1, 2], [1, 2])],
    [1, 2],
  ],
  [
    'FeatureVectorizer',
    { inputdimensions: { ints: [2, 1, 3] } },
    [tensor([2, 2], [1, 2, 3, 4]), tensor([2, 2], [5, 6, 7, 8]), tensor([2, 1], [9, 10])],
    [1, 2, 5, 9, 0, 0, 3, 4, 7, 10, 0, 0],
  ],
  [
    'LinearRegressor',
    { coefficients: { floats: [1, 2, -1, 0.5] }, intercepts: { floats: [1, 0] }, targets: { int: 2 } },
    [tensor([1, 2], [3, 4])],
    [12, -1],
  ],
]

describe('operators of ai.onnx.ml', () => {
  test.each(cases)('%s %j', (op, attributes, inputs, expected, constants = []) => {
    const { run, graph } = prove(modelOf(op, attributes, inputs, { constants, opset: op === 'LabelEncoder' ? 2 : 1 }), [
      inputs,
    ])
    const { float, integer } = run(inputs)
    expectClose(float[0]!.data, expected, 1e-6)
    // twelve bits; whole numbers are exact
    expectClose(integer[0]!.data, expected, /int/.test(float[0]!.dtype) ? 0 : 0.01)
    const node = graph.nodes.find((n) => n.op === op)
    const moves = node && findOp(node.domain, op, node.opset).moves?.(contextOf(node, graph))
    const data = inputs.flatMap((t) => [...t.data])
    if (moves !== undefined) expect([...moves.map].map((at) => (at < 0 ? moves.fill : data[at]))).toEqual(expected)
  })

  test('Normalizer by the root of squares is computed, but not proved', () => {
    const x = [tensor([1, 2], [3, 4])]
    const onnx = modelOf('Normalizer', { norm: { string: 'L2' } }, x)
    expect([...runFloat(importOnnx(onnx), named(x)).get('y')!.data]).toEqual([0.6, 0.8])
    expect(refusal(() => prove(onnx, [x]))).toMatch(/^model\/unsupported: Normalizer .*L2/)
  })

  test('Imputer replaces NaN only', () => {
    const given = { imputed_value_floats: { floats: [9, 8] } }
    const x = [tensor([1, 2], [Number.NaN, 2])]
    const nan = modelOf('Imputer', { ...given, replaced_value_float: { float: Number.NaN } }, x)
    expect([...runFloat(importOnnx(nan), named(x)).get('y')!.data]).toEqual([9, 2])
    expect(refusal(() => importOnnx(modelOf('Imputer', given, x)))).toMatch(/^model\/unsupported/)
  })

  test.each(['LINEAR', 'POLY', 'RBF', 'SIGMOID'])('SVMRegressor with the kernel %s', (kernel) => {
    const random = seeded(23)
    const vectors = Array.from({ length: 12 }, () => Math.fround(random.normal()))
    const x = (): Tensor[] => [
      tensor(
        [2, 3],
        normal(random, [2, 3]).data.map((v) => Math.min(Math.max(v, -2), 2)),
      ),
    ]
    const onnx = modelOf(
      'SVMRegressor',
      {
        coefficients: { floats: [1, -0.5, 0.75, -1.25] },
        kernel_params: { floats: [0.25, 0.5, 2] },
        kernel_type: { string: kernel },
        n_supports: { int: 4 },
        rho: { floats: [0.5] },
        support_vectors: { floats: vectors },
      },
      x(),
    )
    const samples = Array.from({ length: 30 }, x)
    const { run } = prove(onnx, samples)
    const all = samples.map(run)
    const values = all.flatMap(({ float }) => [...float[0]!.data])
    const span = Math.max(...values) - Math.min(...values)
    for (const { float, integer } of all) expectClose(integer[0]!.data, float[0]!.data, 0.01 * span)
    const [row] = [samples[0]![0]!.data.subarray(0, 3)]
    const products = [0, 1, 2, 3].map((i) => {
      const s = vectors.slice(3 * i, 3 * i + 3)
      const dot = s.reduce((sum, v, k) => sum + v * row[k]!, 0)
      if (kernel === 'POLY') return (0.25 * dot + 0.5) ** 2
      if (kernel === 'SIGMOID') return Math.tanh(0.25 * dot + 0.5)
      return kernel === 'LINEAR' ? dot : Math.exp(-0.25 * s.reduce((sum, v, k) => sum + (v - row[k]!) ** 2, 0))
    })
    const expected = [1, -0.5, 0.75, -1.25].reduce((sum, a, i) => sum + a * products[i]!, 0.5)
    expect(all[0]!.float[0]!.data[0]).toBeCloseTo(expected, 6)
  })

  const pair = { vectors_per_class: ints(2, 2), coefficients: floats(1, 0.5, -0.75, -1), rho: floats(0.125) }
  const three = {
    vectors_per_class: ints(1, 2, 1),
    coefficients: floats(1, 0.5, -0.75, -1, 0.25, -0.5, 1.5, -1.25),
    rho: floats(0.125, -0.25, 0.5),
    classlabels_ints: ints(5, 3, 4),
  }
  const linear = { classlabels_ints: ints(0, 1), rho: floats(-0.375), coefficients: floats(1, -0.5, 0.5, 0.25) }
  // labels and scores from onnxruntime 1.30.0
  test.each([
    [
      ...['LINEAR', 'NONE', { ...pair, classlabels_ints: ints(7, -2) }],
      ...[
        [-2, 7, 7, 7],
        [1, -1, -2.4375, 2.4375, -2.6875, 2.6875, -0.125, 0.125],
      ],
    ],
    [
      ...['RBF', 'LOGISTIC', { ...pair, classlabels_ints: ints(0, 1) }],
      ...[
        [1, 0, 0, 1],
        [0.60013, 0.39987, 0.34752, 0.65248, 0.41217, 0.58783, 0.50498, 0.49502],
      ],
    ],
    [
      ...['SIGMOID', 'SOFTMAX', { ...pair, classlabels_ints: ints(0, 1) }],
      ...[
        [1, 0, 0, 0],
        [1.43653, -0.43653, 0.02811, 0.97189, -0.10513, 1.10513, 0.93623, 0.06377],
      ],
    ],
    [
      ...['RBF', 'NONE', { ...pair, classlabels_ints: ints(0, 1), prob_a: floats(-2), prob_b: floats(0.25) }],
      ...[
        [1, 0, 0, 1],
        [0.25692, 0.74308, 0.733, 0.267, 0.61211, 0.38789, 0.42781, 0.57219],
      ],
    ],
    [
      ...['POLY', 'NONE', three, [5, 5, 4, 5]],
      [
        ...[0.21875, -0.57813, 0.35547, 0.90234, -0.31641, 0.62012],
        ...[0.81641, -0.4375, -0.30957, 0.17188, -0.29688, 0.48438],
      ],
    ],
    [
      ...['RBF', 'SOFTMAX', three, [4, 4, 5, 4]],
      [
        ...[0.57157, 0.13074, 0.29769, 0.6705, 0.13786, 0.19164],
        ...[0.41296, 0.21821, 0.36883, 0.6375, 0.12415, 0.23835],
      ],
    ],
    ['LINEAR', 'NONE', linear, [1, 1, 1, 0], [0.625, -0.375, 1, 0.4375, -2.125, -0.25, -0.375, -0.375]],
    [
      ...['LINEAR', 'LOGISTIC', { ...linear, rho: floats(0.25), coefficients: floats(0.5, 0.25, 0, 1) }],
      ...[
        [0, 1, 1, 0],
        [0.56218, 0.32082, 0.74317, 0.62246, 0.59267, 0.90465, 0.56218, 0.56218],
      ],
    ],
    [
      ...['LINEAR', 'LOGISTIC'],
      {
        classlabels_ints: ints(4, 6, 8),
        rho: floats(0.25),
        coefficients: floats(0.5, 0.25, 0, 1, -1, 0.5),
      },
      [4, 4, 6, 4],
      [
        ...[0.56218, 0.32082, 0.32082, 0.74317, 0.62246, 0.24509],
        ...[0.59267, 0.90465, 0.8808, 0.56218, 0.56218, 0.56218],
      ],
    ],
  ] as [string, string, Attributes, number[], number[]][])(
    'SVMClassifier with the kernel %s and %s %j',
    (kernel, transform, attributes, labels, scores) => {
      const vectors = { kernel_params: floats(0.5, 0.25, 2), support_vectors: floats(1, 0, 0, 1, -1, -1, 0.5, -0.5) }
      const all = {
        ...(attributes.vectors_per_class === undefined ? {} : vectors),
        ...{ kernel_type: { string: kernel }, post_transform: { string: transform }, ...attributes },
      }
      const x = [tensor([4, 2], [0.5, -1, 1.5, 0.25, -0.75, 2, 0, 0])]
      const { run } = prove(modelOf('SVMClassifier', all, x, { outputs: ['label', 'scores'] }), [x])
      const { float, integer } = run(x)
      expect([...float[0]!.data]).toEqual(labels)
      // onnxruntime's probabilities of pairs are those of an iteration that it ends early
      expectClose(float[1]!.data, scores, 'prob_a' in attributes ? 0.005 : 1e-4)
      expect([...integer[0]!.data]).toEqual(labels)
      expectClose(integer[1]!.data, [...float[1]!.data], 0.01 * Math.max(...scores.map(Math.abs)))
    },
  )

  test('SVMClassifier refuses probabilities of three classes', () => {
    const attributes = {
      ...three,
      prob_a: floats(1, 1, 1),
      prob_b: floats(0, 0, 0),
      support_vectors: floats(1, 2, 3, 4),
    }
    const onnx = modelOf('SVMClassifier', attributes, [tensor([1, 1], [0])], { outputs: ['label', 'scores'] })
    expect(refusal(() => importOnnx(onnx))).toMatch(/^model\/unsupported: SVMClassifier .*prob_a = 3/)
  })

  test('SVMRegressor of one class gives the sign', () => {
    const random = seeded(29)
    const x = (): Tensor[] => [normal(random, [4, 2])]
    const attributes = {
      coefficients: { floats: [1, 0.5] },
      kernel_params: { floats: [0.5] },
      kernel_type: { string: 'RBF' },
      n_supports: { int: 2 },
      one_class: { int: 1 },
      rho: { floats: [-0.6] },
      support_vectors: { floats: [0, 0, 1, -1] },
    }
    const samples = Array.from({ length: 20 }, x)
    const { run } = prove(modelOf('SVMRegressor', attributes, x()), samples)
    const sign = (a: number, b: number): number =>
      Math.exp(-0.5 * (a * a + b * b)) + 0.5 * Math.exp(-0.5 * ((a - 1) ** 2 + (b + 1) ** 2)) > 0.6 ? 1 : -1
    const all = samples.flatMap(([t]) => {
      const { float, integer } = run([t!])
      const [f, q] = [[...float[0]!.data], [...integer[0]!.data]]
      expect(f).toEqual([0, 1, 2, 3].map((row) => sign(t!.data[2 * row]!, t!.data[2 * row + 1]!)))
      return q.map((v, i) => v === f[i])
    })
    expect(all.filter(Boolean).length).toBeGreaterThan(0.97 * all.length)
  })

  test('LinearClassifier labels the greatest score, first of equals', () => {
    const random = seeded(22)
    const attributes = {
      classlabels_ints: { ints: [5, 6, 9] },
      coefficients: { floats: [1, 0, 0, 1, -1, -1] },
      intercepts: { floats: [0, 0, 0.25] },
    }
    for (const transform of ['NONE', 'SOFTMAX', 'LOGISTIC']) {
      const x = (): Tensor[] => [normal(random, [2, 2])]
      const onnx = modelOf('LinearClassifier', { ...attributes, post_transform: { string: transform } }, x(), {
        outputs: ['label', 'scores'],
      })
      const samples = Array.from({ length: 20 }, x)
      const { run } = prove(onnx, samples)
      for (const sample of samples) {
        const { float, integer } = run(sample)
        expectLabels(integer, float)
        expectClose(integer[1]!.data, float[1]!.data, 0.01)
      }
    }
  })
})

describe('strings', () => {
  const spec = (extra: Partial<ModelSpec> = {}): ModelSpec => ({
    opsets: ml,
    inputs: [{ name: 'x', shape: [1, 2] }],
    outputs: [{ name: 'label' }, { name: 'maps' }],
    nodes: [
      {
        op: 'LinearClassifier',
        domain: 'ai.onnx.ml',
        inputs: ['x'],
        outputs: ['label', 'scores'],
        attributes: {
          classlabels_strings: { strings: ['cat', 'dog'] },
          coefficients: { floats: [1, 0, 0, 1] },
          intercepts: { floats: [0, 0] },
        },
      },
      {
        op: 'ZipMap',
        domain: 'ai.onnx.ml',
        inputs: ['scores'],
        outputs: ['maps'],
        attributes: { classlabels_strings: { strings: ['cat', 'dog'] } },
      },
    ],
    ...extra,
  })

  test('are left out with a notice where numbers remain, and so is ZipMap', () => {
    const graph = importOnnx(encodeModel(spec()))
    expect(graph.outputs).toEqual(['scores'])
    expect(graph.notices).toHaveLength(2)
    expect(graph.notices!.join()).toMatch(/"label" is left out.*ZipMap is left out.*"scores"/s)
    const x = new Map([['x', tensor([1, 2], [3, 4])]])
    expect([...runFloat(graph, x).get('scores')!.data]).toEqual([3, 4])
    expect(simplify(graph).nodes.map((node) => node.outputs)).toEqual([['', 'scores']])
  })

  test('as the only outputs are refused', () => {
    expect(refusal(() => importOnnx(encodeModel(spec({ outputs: [{ name: 'label' }] }))))).toMatch(
      /^model\/unsupported/,
    )
  })

  test('nothing is said where nothing is left out', () => {
    const graph: Graph = importOnnx(modelOf('Scaler', {}, [tensor([1, 1], [1])]))
    expect(graph.notices).toBeUndefined()
  })
})

const models = [
  'logreg-iris-ort',
  'rf-iris-ankane',
  'sklonnx-treecl2',
  'tract-linear_classifier',
  'tract-linear_regressor',
  'tract-xgboost_classifier_tree',
  'tree-as-tensor-ort',
]

describe.skipIf(!hasCorpus('models'))('models of the corpus', () => {
  test.each(models)('%s agrees with the expected outputs', (name) => {
    const folder = join(corpus, 'models', name)
    const inputs = tensorsIn(folder, 'input')
    const bytes = readFileSync(join(folder, 'model.onnx'))
    const shapes = /^(sklonnx|tract|tree)/.test(name) ? { [importedInput(bytes, inputs)]: inputs[0]!.shape } : {}
    const graph = simplify(importOnnx(bytes, { shapes }))
    const expected = tensorsIn(folder, 'output')
    const got = runFloat(graph, byName(graph, inputs))
    expect(
      graph.outputs.map((output, i) => difference({ ...got.get(output)!, dtype: expected[i]!.dtype }, expected[i]!)),
    ).toEqual(graph.outputs.map(() => undefined))
    const model = quantise(graph, calibrate(graph, [byName(graph, inputs)]))
    const values = runInteger(
      model,
      model.inputs.map((port, i) => quantiseInput(port, inputs[i]!, 'refuse')),
    )
    model.outputs.forEach((port, i) => {
      const { data, dtype } = expected[i]!
      const integers = dequantise(port, values[port.value]!).data
      const span = Math.max(...data.map(Math.abs), 1e-9)
      expectClose(integers, data, /int/.test(dtype) ? 0 : 0.01 * span)
    })
  })
})

/** Name of a model's only input. */
function importedInput(bytes: Uint8Array, inputs: readonly Tensor[]): string {
  for (const name of ['input', 'X', 'x']) {
    const code = refusal(() => importOnnx(bytes, { shapes: { [name]: inputs[0]!.shape } }))
    if (!code.startsWith('input/unknown')) return name
  }
  throw new Error('the input has another name')
}
