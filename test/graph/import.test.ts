import { describe, expect, test } from 'vitest'
import { importOnnx } from '../../src/graph/import.ts'
import { encodeModel, type ModelSpec } from '../../src/graph/onnx.ts'
import { runFloat } from '../../src/graph/run.ts'
import { refusal } from '../support/errors.ts'
import { counting, int64s, tensor } from '../support/tensors.ts'

/** A model with input x [2], output y, and the given nodes. */
const model = (nodes: ModelSpec['nodes'], more: Partial<ModelSpec> = {}): Uint8Array =>
  encodeModel({ inputs: [{ name: 'x', shape: [2] }], outputs: [{ name: 'y' }], nodes, ...more })

const relu = (from: string, to: string, name = ''): ModelSpec['nodes'][number] => ({
  op: 'Relu',
  name,
  inputs: [from],
  outputs: [to],
})

describe('order and names', () => {
  test('nodes are sorted, those in order stay', () => {
    const graph = importOnnx(model([relu('b', 'y', 'third'), relu('x', 'a', 'first'), relu('a', 'b', 'second')]))
    expect(graph.nodes.map((node) => node.name)).toEqual(['first', 'second', 'third'])
    const other = importOnnx(
      model([relu('x', 'b', '1'), relu('x', 'a', '2'), relu('b', 'y', '3'), relu('a', 'c', '4')]),
    )
    expect(other.nodes.map((node) => node.name)).toEqual(['1', '2', '3', '4'])
  })

  test('a chain of 20,000 nodes in reverse', () => {
    const chain = Array.from({ length: 20_000 }, (_, i) =>
      relu(i === 0 ? 'x' : `v${i}`, i === 19_999 ? 'y' : `v${i + 1}`),
    )
    expect(importOnnx(model(chain.reverse())).nodes.at(-1)!.outputs).toEqual(['y'])
  })

  test('node names become unique', () => {
    const nodes = [relu('x', 'a', 'same'), relu('a', 'b', 'same'), relu('b', 'c'), relu('c', 'y', 'same_2')]
    expect(importOnnx(model(nodes)).nodes.map((node) => node.name)).toEqual(['same', 'same_3', 'Relu_2', 'same_2'])
  })

  test('types of all values are known', () => {
    const graph = importOnnx(
      model([{ op: 'Add', inputs: ['x', 'w'], outputs: ['y'] }], { initializers: { w: counting([3, 1]) } }),
    )
    expect([...graph.types]).toEqual([
      ['x', { dtype: 'float32', shape: [2] }],
      ['w', { dtype: 'float32', shape: [3, 1] }],
      ['y', { dtype: 'float32', shape: [3, 2] }],
    ])
  })
})

describe('refusals', () => {
  test.each<[string, Uint8Array]>([
    [
      'model/cycle: the graph has a cycle through Relu "q"',
      model([relu('b', 'a', 'p'), relu('a', 'b', 'q'), relu('a', 'y')]),
    ],
    ['model/cycle: the graph has a cycle through Relu "self"', model([relu('y', 'y', 'self')])],
    ['model/missing-value: "nowhere", an input of Relu "r", is not defined', model([relu('nowhere', 'y', 'r')])],
    ['model/missing-value: "y", an output of the model, is not defined', model([relu('x', 'z')])],
    ['model/duplicate-value: the value "y" is defined twice', model([relu('x', 'y'), relu('x', 'y')])],
    ['model/duplicate-value: the value "x" is defined twice', model([relu('x', 'x')])],
    [
      'model/duplicate-value: the value "x" is defined twice',
      model([relu('x', 'y')], { inputs: [1, 2].map((n) => ({ name: 'x', shape: [n] })) }),
    ],
    [
      'model/duplicate-value: the value "y" is defined twice',
      model([relu('x', 'y')], { outputs: [{ name: 'y' }, { name: 'y' }] }),
    ],
    ['model/no-outputs: the model has no outputs', model([relu('x', 'y')], { outputs: [] })],
    [
      'model/unsupported: Relu "Relu_0": opset = 5 is not supported (supported: 6 to 25)',
      model([relu('x', 'y')], { opset: 5 }),
    ],
    ['model/opset: the model uses opset 26 of ai.onnx; 1 to 25 are supported', model([relu('x', 'y')], { opset: 26 })],
    [
      'model/open-shape: input "x" is [batch, 3, height]: its shape is not known',
      model([relu('x', 'y')], { inputs: [{ name: 'x', shape: ['batch', 3, 'height'] }] }),
    ],
    [
      'model/open-shape: input "x" is [134217728, 2], which is too large',
      model([relu('x', 'y')], { inputs: [{ name: 'x', shape: [2 ** 27, 2] }] }),
    ],
    [
      'model/unsupported: BatchNormalization "BatchNormalization_0": use of output 1 = "m" is not supported (supported: only the first output)',
      model([{ op: 'BatchNormalization', inputs: ['x', 's', 's', 's', 's'], outputs: ['y', 'm'] }], {
        inputs: [
          { name: 'x', shape: [1, 3] },
          { name: 's', shape: [3] },
        ],
        outputs: [{ name: 'm' }],
      }),
    ],
  ])('%s', (message, bytes) => {
    expect(refusal(() => importOnnx(bytes))).toBe(message)
  })

  test('an operator that is not supported', () => {
    const bytes = model([{ op: 'Loop', name: 'l', inputs: ['x'], outputs: ['y'] }])
    expect(refusal(() => importOnnx(bytes))).toMatch(
      /^model\/unsupported: Loop "l": the operator is not supported \(supp/,
    )
    const foreign = model([{ op: 'Relu', name: 'r', domain: 'com.acme', inputs: ['x'], outputs: ['y'] }])
    expect(refusal(() => importOnnx(foreign))).toMatch(/^model\/unsupported: com.acme.Relu "r"/)
  })
})

describe('shapes of inputs', () => {
  const open = model([relu('x', 'y')], { inputs: [{ name: 'x', shape: ['n', 'width'] }] })

  test('the batch is 1 unless given', () => {
    expect(importOnnx(model([relu('x', 'y')], { inputs: [{ name: 'x', shape: [0, 3] }] })).inputs[0]!.shape).toEqual([
      1, 3,
    ])
    expect(importOnnx(open, { shapes: { x: [5, 6] } }).types.get('y')!.shape).toEqual([5, 6])
  })

  test.each([
    [{ x: [1] }, 'input/shape: input "x" is [n, width]; the shape [1] does not fit'],
    [{ x: [1, -1] }, 'input/shape: input "x" is [n, width]; the shape [1, -1] does not fit'],
    [{ z: [1] }, 'input/unknown: the model has no input "z"'],
    [{ toString: [1] }, 'input/unknown: the model has no input "toString"'],
  ])('%j', (shapes, message) => {
    expect(refusal(() => importOnnx(open, { shapes }))).toBe(message)
  })

  test('a fixed size may not be changed', () => {
    expect(refusal(() => importOnnx(model([relu('x', 'y')]), { shapes: { x: [3] } }))).toBe(
      'input/shape: input "x" is [2]; the shape [3] does not fit',
    )
  })

  test('initializers that are listed as inputs are constants', () => {
    const graph = importOnnx(
      model([{ op: 'Add', inputs: ['x', 'w'], outputs: ['y'] }], {
        inputs: ['x', 'w'].map((name) => ({ name, shape: [2] })),
        initializers: { w: counting([2]) },
      }),
    )
    expect(graph.inputs.map(({ name }) => name)).toEqual(['x'])
  })

  test('inputs can be fixed to a value', () => {
    const bytes = model([{ op: 'Reshape', inputs: ['x', 's'], outputs: ['y'] }], {
      inputs: [
        { name: 'x', shape: [2] },
        { name: 's', dtype: 'int64', shape: [2] },
      ],
    })
    const graph = importOnnx(bytes, { constants: { s: int64s(2, 1) } })
    expect(graph.inputs.map(({ name }) => name)).toEqual(['x'])
    expect(graph.types.get('y')!.shape).toEqual([2, 1])
    expect(refusal(() => importOnnx(bytes, { constants: { s: tensor([2], [2, 1]) } }))).toBe(
      'input/dtype: input "s" is int64, its value is float32',
    )
  })
})

describe('folding', () => {
  test('what depends on constants only is computed', () => {
    const graph = importOnnx(
      model(
        [
          { op: 'Constant', inputs: [], outputs: ['two'], attributes: { value_float: { float: 2 } } },
          { op: 'Mul', inputs: ['w', 'two'], outputs: ['w2'] },
          { op: 'Add', inputs: ['x', 'w2'], outputs: ['y'] },
        ],
        { initializers: { w: counting([2]) } },
      ),
    )
    expect(graph.nodes.map((node) => node.op)).toEqual(['Add'])
    expect(graph.constants.get('w2')).toEqual(tensor([2], [0, 2]))
  })

  test('an output may be constant', () => {
    const graph = importOnnx(model([relu('w', 'y')], { initializers: { w: tensor([2], [-1, 1]) } }))
    expect(runFloat(graph, new Map([['x', counting([2])]])).get('y')!.data).toEqual(Float64Array.of(0, 1))
  })

  test('small files can not make it compute for long or fill the memory', () => {
    const column = tensor([4096, 1], Array(4096).fill(1))
    const row = tensor([1, 4096], Array(4096).fill(1))
    const squares = Array.from({ length: 30 }, (_, i) => ({ op: 'Add', inputs: ['c', 'r'], outputs: [`s${i}`] }))
    const products = squares.map((_, i) => ({ op: 'MatMul', inputs: [`s${i}`, `s${i}`], outputs: [`p${i}`] }))
    const onnx = model([...squares, ...products, relu('x', 'y')], { initializers: { c: column, r: row } })
    expect(refusal(() => importOnnx(onnx))).toMatch(/^limit\/elements/)
    const graph = importOnnx(onnx, { maxElements: 2 ** 31 })
    expect(graph.nodes.filter((node) => node.op === 'MatMul').length).toBe(30)
    expect(graph.nodes.filter((node) => node.op === 'Add').length).toBe(28)
  })
})

describe('large shapes', () => {
  const normalisation = (op: string, shape: readonly number[], opset = 13): Uint8Array =>
    encodeModel({
      opset,
      inputs: [{ name: 'x', shape }],
      outputs: [{ name: 'y' }],
      nodes: [
        { op, inputs: op === 'LRN' ? ['x'] : ['x', 'c', 'c'], outputs: ['y'], attributes: attributesFor[op] ?? {} },
      ],
      initializers: { c: { dtype: 'float32', shape: [2], data: Float64Array.of(1, 1) } },
    })
  const attributesFor: Record<string, Record<string, { int: number }>> = {
    LRN: { size: { int: 3 } },
    LayerNormalization: { axis: { int: -1 } },
  }

  test('are refused beyond a number of elements in all', () => {
    const onnx = normalisation('InstanceNormalization', [1000, 2, 2, 2])
    const of = (maxElements: number): string => refusal(() => importOnnx(onnx, { maxElements }))
    expect(of(16_000)).toBe('nothing was thrown')
    expect(of(15_999)).toMatch(/^limit\/elements: .*more than 15999/)
    expect(refusal(() => importOnnx(normalisation('InstanceNormalization', [2 ** 24, 2, 2, 2])))).toMatch(
      /^limit\/elements/,
    )
  })

  // lists of elements or windows would take gigabytes
  test.each(['InstanceNormalization', 'LRN', 'LayerNormalization'])('have a type: %s', (op) => {
    const shape = op === 'LayerNormalization' ? [2 ** 22, 2, 1, 2] : [2 ** 21, 2, 1, 4]
    expect(importOnnx(normalisation(op, shape, 17)).types.get('y')!.shape).toEqual(shape)
  })
})
