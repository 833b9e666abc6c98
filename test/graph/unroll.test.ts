import { describe, expect, test } from 'vitest'
import type { Graph } from '../../src/graph/graph.ts'
import { importOnnx } from '../../src/graph/import.ts'
import { contextOf, inferNode } from '../../src/graph/infer.ts'
import { type AttributeSpec, encodeModel } from '../../src/graph/onnx.ts'
import { runFloat } from '../../src/graph/run.ts'
import { simplify } from '../../src/graph/simplify.ts'
import { findOp } from '../../src/ops/index.ts'
import { calibrate } from '../../src/quantise/calibrate.ts'
import { planScales } from '../../src/quantise/plan.ts'
import { quantise } from '../../src/quantise/quantise.ts'
import { comparer } from '../../src/quantise/report.ts'
import type { Shape, Tensor } from '../../src/tensor.ts'
import { difference } from '../support/corpus.ts'
import { refusal } from '../support/errors.ts'
import { type Random, seeded } from '../support/random.ts'
import { int64s, normal, tensor } from '../support/tensors.ts'

const gatesOf = { RNN: 1, GRU: 3, LSTM: 4 } as const
type Type = keyof typeof gatesOf

type Case = {
  readonly type: Type
  readonly bytes: Uint8Array
  /** Shapes of the inputs that are not constant. */
  readonly shapes: Readonly<Record<string, Shape>>
  readonly what: string
}

/** A model of one recurrent node with random sizes, attributes and inputs that are left out, constant or computed. */
function randomCase(random: Random, type: Type, computedWeights = false, anyFunction = true): Case {
  const [steps, batch, inputSize, hidden] = [1, 1, 1, 1].map(() => random.integer(1, 4)) as [
    number,
    number,
    number,
    number,
  ]
  const direction = random.pick(['forward', 'reverse', 'bidirectional'])
  const directions = direction === 'bidirectional' ? 2 : 1
  const batchFirst = random.unit() < 0.4
  const gates = gatesOf[type]
  const state = batchFirst ? [batch, directions, hidden] : [directions, batch, hidden]
  const inputs: Record<string, Shape> = { X: batchFirst ? [batch, steps, inputSize] : [steps, batch, inputSize] }
  const initializers: Record<string, Tensor> = {}
  const names = ['X']
  const input = (name: string, shape: Shape, present: number, computed: number): void => {
    if (random.unit() >= present) return void names.push('')
    names.push(name)
    if (random.unit() < computed) inputs[name] = shape
    else initializers[name] = normal(random, shape)
  }
  input('W', [directions, gates * hidden, inputSize], 1, computedWeights ? 0.7 : 0)
  input('R', [directions, gates * hidden, hidden], 1, computedWeights ? 0.7 : 0)
  input('B', [directions, 2 * gates * hidden], 0.7, computedWeights ? 0.5 : 0)
  if (random.unit() < 0.4) {
    names.push('lengths')
    initializers.lengths = tensor([batch], Array(batch).fill(steps), 'int32')
  } else names.push('')
  input('h0', state, 0.6, 0.5)
  if (type === 'LSTM') {
    input('c0', state, 0.6, 0.5)
    input('P', [directions, 3 * hidden], 0.5, computedWeights ? 0.5 : 0)
  }
  const count = type === 'RNN' ? 1 : type === 'GRU' ? 2 : 3
  const functions = Array.from({ length: count * directions }, () =>
    random.pick(['Relu', 'Tanh', 'Sigmoid', 'HardSigmoid', 'LeakyRelu', 'Affine', 'ScaledTanh']),
  )
  const attributes: Record<string, AttributeSpec> = {
    hidden_size: { int: hidden },
    direction: { string: direction },
    layout: { int: Number(batchFirst) },
    ...(random.unit() < 0.4 ? { clip: { float: 0.75 } } : {}),
    ...(type === 'GRU' ? { linear_before_reset: { int: random.integer(0, 1) } } : {}),
    ...(type === 'LSTM' ? { input_forget: { int: random.integer(0, 1) } } : {}),
    ...(anyFunction && random.unit() < 0.5
      ? {
          activations: { strings: functions },
          activation_alpha: {
            floats: functions
              .filter((f) => !['Relu', 'Tanh', 'Sigmoid'].includes(f))
              .map(() => random.pick([0.25, 0.5])),
          },
          activation_beta: {
            floats: functions
              .filter((f) => ['HardSigmoid', 'Affine', 'ScaledTanh'].includes(f))
              .map(() => random.pick([0.25, 0.5])),
          },
        }
      : {}),
  }
  const outputs: string[] = ['Y', 'Y_h', ...(type === 'LSTM' ? ['Y_c'] : [])].map((name) =>
    random.unit() < 0.7 ? name : '',
  )
  if (outputs.join('') === '') outputs[0] = 'Y'
  const bytes = encodeModel({
    opset: 21,
    inputs: Object.entries(inputs).map(([name, shape]) => ({ name, shape })),
    outputs: outputs.filter((name) => name !== '').map((name) => ({ name })),
    nodes: [{ op: type, name: 'cell', inputs: names, outputs, attributes }],
    initializers,
  })
  return { type, bytes, shapes: inputs, what: JSON.stringify({ names, steps, batch, hidden, attributes, outputs }) }
}

/** Every value is defined once before its uses, with the type that its operator infers; names of nodes are unique. */
function expectWellFormed(graph: Graph): void {
  const known = new Set([...graph.inputs.map(({ name }) => name), ...graph.constants.keys()])
  for (const node of graph.nodes) {
    for (const name of node.inputs) expect(name === '' || known.has(name), `${node.name}: ${name}`).toBe(true)
    const types = inferNode(findOp(node.domain, node.op, node.opset), contextOf(node, graph))
    node.outputs.forEach((name, i) => {
      expect(known.has(name)).toBe(false)
      known.add(name)
      expect(graph.types.get(name)).toEqual(types[i])
    })
  }
  expect(new Set(graph.nodes.map((node) => node.name)).size).toBe(graph.nodes.length)
}

describe.each(Object.keys(gatesOf) as Type[])('%s', (type) => {
  test.each([false, true])('unrolled it gives the same outputs (seed 71, computed weights: %s)', (computed) => {
    const random = seeded(71)
    for (let k = 0; k < 60; k++) {
      const { bytes, shapes, what } = randomCase(random, type, computed)
      const graph = importOnnx(bytes)
      const unrolled = simplify(graph)
      expect(unrolled.nodes.some((node) => node.op === type)).toBe(false)
      expectWellFormed(unrolled)
      const inputs = new Map(Object.entries(shapes).map(([name, shape]) => [name, normal(random, shape)]))
      const [before, after] = [runFloat(graph, inputs), runFloat(unrolled, inputs)]
      for (const name of graph.outputs)
        expect(difference(after.get(name)!, before.get(name)!, 1e-9, 1e-9), what).toBeUndefined()
    }
  })

  test('its integer model is close to it at 12 bits (seed 72)', () => {
    const random = seeded(72)
    const errors: number[] = []
    for (let k = 0; k < 20; k++) {
      const { bytes, shapes } = randomCase(random, type, false, false)
      const graph = simplify(importOnnx(bytes))
      const samples = Array.from(
        { length: 6 },
        () => new Map(Object.entries(shapes).map(([name, shape]) => [name, normal(random, shape)])),
      )
      const model = quantise(graph, calibrate(graph, samples), { bits: 12, weightBits: 16 })
      const { float, integer } = comparer(graph, model, 'refuse')(samples[0]!)
      float.forEach((expected, i) => {
        const size = Math.max(...expected.data.map(Math.abs), 1e-3)
        errors.push(Math.max(...expected.data.map((v, j) => Math.abs(v - integer[i]!.data[j]!))) / size)
      })
    }
    errors.sort((a, b) => a - b)
    expect(errors[Math.floor(errors.length / 2)]).toBeLessThan(0.002)
    expect(errors.at(-1)).toBeLessThan(0.02)
  })
})

describe('names and refusals', () => {
  const model = (
    attributes: Readonly<Record<string, AttributeSpec>>,
    lengths?: Tensor,
    steps = 3,
    names = ['X', 'W', 'R', '', lengths === undefined ? '' : 'lengths'],
  ): Graph =>
    importOnnx(
      encodeModel({
        opset: 21,
        inputs: [{ name: 'X', shape: [steps, 1, 2] }],
        outputs: [{ name: 'Y' }],
        nodes: [{ op: 'RNN', name: 'cell', inputs: names, outputs: ['Y'], attributes }],
        initializers: {
          W: normal(seeded(1), [1, 4, 2]),
          R: normal(seeded(2), [1, 4, 4]),
          ...(lengths === undefined ? {} : { lengths }),
        },
      }),
    )

  test('nodes are named after the node, the direction, the step and the role', () => {
    const names = simplify(model({ direction: { string: 'reverse' } })).nodes.map((node) => node.name)
    expect(names).toContain('cell.reverse.2.h')
    expect(names.every((name) => name === 'cell' || name.startsWith('cell.'))).toBe(true)
  })

  test('the same place of every step has one scale', () => {
    const graph = simplify(model({}))
    const samples = [3, 4].map((seed) => new Map([['X', normal(seeded(seed), [3, 1, 2])]]))
    const plan = planScales(graph, calibrate(graph, samples), { bits: 8, weightBits: 16 })
    const scales = [0, 1, 2].map((t) => plan.get(`cell.forward.${t}.sum`)?.scale)
    expect(scales[0]).toBeGreaterThan(0)
    expect(new Set(scales).size).toBe(1)
  })

  test.each([
    ['model/unsupported', () => model({}, int64s(2))],
    ['model/invalid-node', () => model({}, int64s(3, 3))],
    ['model/unsupported', () => model({ activations: { strings: ['Gelu'] } })],
    ['model/invalid-node', () => model({ activations: { strings: ['Tanh', 'Tanh'] } })],
    ['model/invalid-node', () => model({ activations: { strings: ['ScaledTanh'] } })],
    ['model/unsupported', () => model({ activation_alpha: { floats: [1] } })],
    ['model/unsupported', () => model({ clip: { float: -1 } })],
    ['model/unsupported', () => model({ direction: { string: 'sideways' } })],
    ['model/invalid-node', () => model({ input_forget: { int: 1 } })],
    ['model/invalid-node', () => model({ hidden_size: { int: 3 } })],
    ['model/unsupported', () => model({ hidden_size: { int: 0 } })],
    ['model/unsupported', () => simplify(model({}, undefined, 3000))],
  ])('refuses with %s (%#)', (code, run) => {
    expect(refusal(run)).toMatch(new RegExp(`^${code}: `))
  })
})
