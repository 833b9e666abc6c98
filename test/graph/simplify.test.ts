import { describe, expect, test } from 'vitest'
import type { Graph } from '../../src/graph/graph.ts'
import { importOnnx } from '../../src/graph/import.ts'
import { contextOf, inferNode } from '../../src/graph/infer.ts'
import { encodeModel, type ModelSpec } from '../../src/graph/onnx.ts'
import { runFloat } from '../../src/graph/run.ts'
import {
  dropNoOps,
  foldConstants,
  fuseAffine,
  fuseBatchNormalization,
  removeDead,
  simplify,
} from '../../src/graph/simplify.ts'
import { findOp } from '../../src/ops/index.ts'
import type { Tensor } from '../../src/tensor.ts'
import { difference } from '../support/corpus.ts'
import { type Random, seeded } from '../support/random.ts'
import { int64s, normal, tensor } from '../support/tensors.ts'

const random = seeded(4)
type Nodes = ModelSpec['nodes']
const node = (
  op: string,
  inputs: string[],
  output: string,
  attributes: NonNullable<Nodes[number]['attributes']> = {},
): Nodes[number] => ({ op, inputs, outputs: [output], attributes })

/** Imports a model with one input x of a shape. */
const load = (
  shape: readonly number[],
  nodes: Nodes,
  initializers: Readonly<Record<string, Tensor>> = {},
  outputs = ['y'],
): Graph =>
  importOnnx(
    encodeModel({ inputs: [{ name: 'x', shape }], outputs: outputs.map((name) => ({ name })), nodes, initializers }),
  )

const opsOf = (graph: Graph): string => graph.nodes.map((n) => n.op).join(' ')

/** A pass keeps the graph well-formed and its outputs the same; returns the new graph. */
function checked(pass: (graph: Graph) => Graph, graph: Graph): Graph {
  const result = pass(graph)
  expect(result.inputs).toEqual(graph.inputs)
  expect(result.outputs).toEqual(graph.outputs)
  expectWellFormed(result)
  const inputs = new Map(graph.inputs.map(({ name, shape }) => [name, normal(random, shape)]))
  const [before, after] = [runFloat(graph, inputs), runFloat(result, inputs)]
  // exact but for the order of sums in doubles
  for (const name of graph.outputs) expect(difference(after.get(name)!, before.get(name)!, 1e-9, 1e-9)).toBeUndefined()
  return result
}

/** Every value is defined once before its uses, with the type that its operator infers; names of nodes are unique. */
function expectWellFormed(graph: Graph): void {
  const known = new Set([...graph.inputs.map(({ name }) => name), ...graph.constants.keys()])
  for (const n of graph.nodes) {
    for (const input of n.inputs) expect(input === '' || known.has(input)).toBe(true)
    const types = inferNode(findOp(n.domain, n.op, n.opset), contextOf(n, graph))
    n.outputs.forEach((output, i) => {
      expect(known.has(output)).toBe(false)
      known.add(output)
      expect(graph.types.get(output)).toEqual(types[i])
    })
  }
  for (const name of known) expect(graph.types.has(name)).toBe(true)
  for (const name of graph.outputs) expect(known.has(name)).toBe(true)
  expect(new Set(graph.nodes.map((n) => n.name)).size).toBe(graph.nodes.length)
}

const batchNormalization = (random: Random, channels: number, prefix = ''): Record<string, Tensor> => ({
  [`${prefix}scale`]: normal(random, [channels]),
  [`${prefix}shift`]: normal(random, [channels]),
  [`${prefix}mean`]: normal(random, [channels]),
  [`${prefix}var`]: tensor(
    [channels],
    Array.from({ length: channels }, () => 0.1 + random.unit()),
  ),
})
const parameters = ['scale', 'shift', 'mean', 'var']

describe('foldConstants', () => {
  test('computes what only constants reach', () => {
    const graph = load([2], [node('Add', ['x', 'w'], 'y')], { w: normal(random, [2]) })
    // as a pass leaves it that makes a value constant
    const late: Graph = {
      ...graph,
      nodes: [
        { ...graph.nodes[0]!, name: 'late', inputs: ['w', 'w'], outputs: ['v'] },
        { ...graph.nodes[0]!, inputs: ['x', 'v'] },
      ],
      types: new Map([...graph.types, ['v', graph.types.get('w')!]]),
    }
    expect(opsOf(checked(foldConstants, late))).toBe('Add')
  })
})

describe('dropNoOps', () => {
  test('drops what gives its input as it is', () => {
    const graph = load(
      [2, 3],
      [
        node('Identity', ['x'], 'a'),
        node('Dropout', ['a'], 'b'),
        node('Reshape', ['b', 'shape'], 'c'),
        node('Transpose', ['c'], 'd', { perm: { ints: [0, 1] } }),
        node('Cast', ['d'], 'e', { to: { int: 1 } }),
        node('Flatten', ['e'], 'f'),
        node('Pad', ['f', 'pads'], 'g'),
        node('Concat', ['g'], 'h', { axis: { int: 0 } }),
        node('Relu', ['h'], 'i'),
        node('Identity', ['i'], 'j'),
        node('Identity', ['j'], 'y'),
      ],
      { shape: int64s(2, 3), pads: int64s(0, 0, 0, 0) },
    )
    expect(opsOf(checked(dropNoOps, graph))).toBe('Relu')
  })

  test('keeps what moves, converts, or names an output', () => {
    const moving = load([2, 2], [node('Transpose', ['x'], 'a'), node('Cast', ['a'], 'y', { to: { int: 11 } })])
    expect(opsOf(checked(dropNoOps, moving))).toBe('Transpose Cast')
    expect(opsOf(checked(dropNoOps, load([2], [node('Identity', ['x'], 'y')])))).toBe('Identity')
    const twice = load(
      [2],
      [node('Relu', ['x'], 'a'), node('Identity', ['a'], 'y'), node('Identity', ['a'], 'z')],
      {},
      ['y', 'a', 'z'],
    )
    expect(opsOf(checked(dropNoOps, twice))).toBe('Relu Identity Identity')
    const both = load([2], [node('Relu', ['x'], 'a'), node('Identity', ['a'], 'y'), node('Identity', ['a'], 'z')], {}, [
      'y',
      'z',
    ])
    expect(opsOf(checked(dropNoOps, both))).toBe('Relu Identity')
  })
})

describe('fuseBatchNormalization', () => {
  const conv = { w: normal(random, [4, 1, 3, 3]), b: normal(random, [4]) }

  test.each([
    ['with bias', ['x', 'w', 'b']],
    ['without bias', ['x', 'w']],
  ])('into a Conv in groups %s', (_, inputs) => {
    const graph = load(
      [2, 2, 5, 5],
      [
        node('Conv', inputs, 'c', { group: { int: 2 } }),
        node('BatchNormalization', ['c', ...parameters], 'y', { epsilon: { float: 0.01 } }),
      ],
      { ...conv, ...batchNormalization(random, 4) },
    )
    expect(opsOf(checked(fuseBatchNormalization, graph))).toBe('Conv')
  })

  test.each([0, 1])('into a Gemm, transB = %i', (transB) => {
    const graph = load(
      [2, 3],
      [
        node('Gemm', ['x', 'w', 'c'], 'g', {
          alpha: { float: 0.5 },
          beta: { float: -2 },
          transB: { int: transB },
        }),
        node('BatchNormalization', ['g', ...parameters], 'y'),
      ],
      {
        w: normal(random, transB === 1 ? [4, 3] : [3, 4]),
        c: normal(random, [2, 1]),
        ...batchNormalization(random, 4),
      },
    )
    expect(opsOf(checked(fuseBatchNormalization, graph))).toBe('Gemm')
  })

  test('into a MatMul, which becomes a Gemm', () => {
    const graph = load(
      [2, 3],
      [node('MatMul', ['x', 'w'], 'm'), node('BatchNormalization', ['m', ...parameters], 'y')],
      {
        w: normal(random, [3, 4]),
        ...batchNormalization(random, 4),
      },
    )
    expect(opsOf(checked(fuseBatchNormalization, graph))).toBe('Gemm')
  })

  test('becomes Mul and Add elsewhere', () => {
    const nodes = [node('BatchNormalization', ['x', ...parameters], 'y')]
    const alone = load([2, 3, 2, 2], nodes, batchNormalization(random, 3))
    expect(opsOf(checked(fuseBatchNormalization, alone))).toBe('Mul Add')
    const shared = load(
      [1, 2, 3, 3],
      [
        node('Conv', ['x', 'w'], 'c'),
        node('BatchNormalization', ['c', ...parameters], 'n'),
        node('Add', ['n', 'c'], 'y'),
      ],
      { w: normal(random, [2, 2, 1, 1]), ...batchNormalization(random, 2) },
    )
    expect(opsOf(checked(fuseBatchNormalization, shared))).toBe('Conv Mul Add Add')
    const seen = load(
      [1, 2, 3, 3],
      [node('Conv', ['x', 'w'], 'c'), node('BatchNormalization', ['c', ...parameters], 'y')],
      { w: normal(random, [2, 2, 1, 1]), ...batchNormalization(random, 2) },
      ['y', 'c'],
    )
    expect(opsOf(checked(fuseBatchNormalization, seen))).toBe('Conv Mul Add')
  })
})

describe('fuseAffine', () => {
  const weights = { w: normal(random, [3, 4]), k: normal(random, [4]) }

  test.each<[string, string[]]>([
    ['Add', ['m', 'k']],
    ['Add', ['k', 'm']],
    ['Sub', ['m', 'k']],
    ['Sub', ['k', 'm']],
    ['Mul', ['m', 'k']],
  ])('%s of %j after MatMul', (op, inputs) => {
    const graph = load([2, 3], [node('MatMul', ['x', 'w'], 'm'), node(op, inputs, 'y')], weights)
    expect(opsOf(checked(fuseAffine, graph))).toBe('Gemm')
  })

  test('Add after a Gemm with factors', () => {
    const graph = load(
      [2, 3],
      [node('Gemm', ['x', 'w', 'k'], 'm', { alpha: { float: 0.5 }, beta: { float: 2 } }), node('Add', ['m', 'k'], 'y')],
      weights,
    )
    expect(opsOf(checked(fuseAffine, graph))).toBe('Gemm')
  })

  test('chains of them after Conv', () => {
    const graph = load(
      [1, 2, 4, 4],
      [
        node('Conv', ['x', 'w'], 'c', { strides: { ints: [2, 2] } }),
        node('Mul', ['c', 'a'], 'd'),
        node('Add', ['d', 'b'], 'e'),
        node('Sub', ['e', 'one'], 'y'),
      ],
      {
        w: normal(random, [3, 2, 2, 2]),
        a: normal(random, [3, 1, 1]),
        b: normal(random, [1, 3, 1, 1]),
        one: tensor([], [1]),
      },
    )
    expect(opsOf(checked(fuseAffine, graph))).toBe('Conv')
  })

  test('leaves what is not one value per channel, or widens', () => {
    const k = { w: normal(random, [3, 4]), row: normal(random, [2, 1]), all: normal(random, [2, 4]) }
    for (const other of ['row', 'all'])
      expect(
        opsOf(checked(fuseAffine, load([2, 3], [node('MatMul', ['x', 'w'], 'm'), node('Add', ['m', other], 'y')], k))),
      ).toBe('MatMul Add')
    expect(
      opsOf(checked(fuseAffine, load([1, 3], [node('MatMul', ['x', 'w'], 'm'), node('Add', ['m', 'all'], 'y')], k))),
    ).toBe('MatMul Add')
    expect(
      opsOf(
        checked(fuseAffine, load([2, 2, 3], [node('MatMul', ['x', 'w'], 'm'), node('Add', ['m', 'k'], 'y')], weights)),
      ),
    ).toBe('MatMul Add')
    expect(
      opsOf(
        checked(fuseAffine, load([2, 3], [node('MatMul', ['x', 'w'], 'm'), node('Add', ['m', 'm'], 'y')], weights)),
      ),
    ).toBe('MatMul Add')
  })

  test('new names do not meet old ones', () => {
    const graph = importOnnx(
      encodeModel({
        inputs: [{ name: 'x', shape: [1, 3] }],
        outputs: [{ name: 'y' }, { name: 'fc.bias' }],
        nodes: [
          { op: 'MatMul', name: 'fc', inputs: ['x', 'w'], outputs: ['m'] },
          node('Relu', ['x'], 'fc.bias'),
          node('Add', ['m', 'k'], 'y'),
        ],
        initializers: weights,
      }),
    )
    expect(opsOf(checked(fuseAffine, graph))).toBe('Relu Gemm')
  })
})

describe('removeDead', () => {
  test('removes nodes, constants and types that no output needs', () => {
    const graph = load([2], [node('Relu', ['x'], 'a'), node('Add', ['a', 'w'], 'b'), node('Tanh', ['x'], 'y')], {
      w: normal(random, [2]),
    })
    const small = checked(removeDead, graph)
    expect(opsOf(small)).toBe('Tanh')
    expect([...small.types.keys()]).toEqual(['x', 'y'])
    expect(small.constants.size).toBe(0)
  })
})

test('random networks keep their outputs through all passes', () => {
  for (let round = 0; round < 100; round++) {
    const nodes: Nodes[number][] = []
    const initializers: Record<string, Tensor> = {}
    const constant = (shape: number[], values = normal(random, shape)): string => {
      const name = `k${Object.keys(initializers).length}`
      initializers[name] = values
      return name
    }
    let [at, channels, spatial] = ['x', 2, 6]
    const push = (op: string, more: string[] = [], attributes: NonNullable<Nodes[number]['attributes']> = {}): void => {
      nodes.push(node(op, [at, ...more], `v${nodes.length}`, attributes))
      at = `v${nodes.length - 1}`
    }
    for (let step = 0; step < 8; step++)
      switch (random.integer(0, 7)) {
        case 0: {
          const filters = random.integer(1, 4)
          push('Conv', [constant([filters, channels, 1, 1]), ...(random.unit() < 0.5 ? [constant([filters])] : [])])
          channels = filters
          break
        }
        case 1:
          push('BatchNormalization', [
            ...[0, 1, 2].map(() => constant([channels])),
            constant([channels], tensor([channels], Array(channels).fill(0.5))),
          ])
          break
        case 2:
          push(random.pick(['Add', 'Sub', 'Mul']), [constant(random.pick([[channels, 1, 1], [1], [spatial], []]))])
          break
        case 3:
          push('Relu')
          break
        case 4:
          push(random.pick(['Identity', 'Dropout']))
          break
        case 5:
          push('Add', [at])
          break
        case 6:
          nodes.push(node('Sub', [constant([channels, 1, 1]), at], `v${nodes.length}`))
          at = `v${nodes.length - 1}`
          break
        default:
          push('Transpose', [], { perm: { ints: [0, 1, 3, 2] } })
      }
    spatial = 6
    nodes.push(node('Identity', [at], 'y'))
    // now and then a value in between is an output too
    const also = random.unit() < 0.5 ? [`v${random.integer(0, 7)}`] : []
    checked(simplify, load([1, 2, 6, 6], nodes, initializers, ['y', ...also]))
  }
})
