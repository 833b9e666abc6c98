import { describe, expect, test } from 'vitest'
import { importOnnx } from '../../src/graph/import.ts'
import { encodeModel } from '../../src/graph/onnx.ts'
import { runFloat } from '../../src/graph/run.ts'
import { prepareInteger } from '../../src/model/model.ts'
import { calibrate } from '../../src/quantise/calibrate.ts'
import { dequantise, quantiseInput } from '../../src/quantise/ports.ts'
import { quantise } from '../../src/quantise/quantise.ts'
import type { Tensor } from '../../src/tensor.ts'
import { seeded } from '../support/random.ts'
import { int64s, normal, type SingleNode, singleNode, tensor } from '../support/tensors.ts'

const random = seeded(7)
const x = normal(random, [2, 3, 4])
const image = normal(random, [1, 4, 5, 5])
const positive: Tensor = { ...x, data: x.data.map((v) => Math.abs(v) + 0.2) }
const scalar = (v: number): Tensor => tensor([], [v])
const ints = (...values: number[]) => ({ ints: values })

/** One node each, with inputs of moderate size. */
const nodes: readonly SingleNode[] = [
  { op: 'Abs', inputs: [x] },
  { op: 'Neg', inputs: [x] },
  { op: 'Div', inputs: [x, positive] },
  { op: 'Div', inputs: [positive, { ...positive, data: positive.data.map((v, i) => (i % 2 ? -v : v)) }] },
  { op: 'Div', inputs: [x], constants: [scalar(-3)] },
  { op: 'Pow', inputs: [x], constants: [scalar(2)] },
  { op: 'Pow', inputs: [x], constants: [scalar(3)] },
  { op: 'Pow', inputs: [positive], constants: [tensor([4], [0, 0.5, 1, 2])] },
  { op: 'TopK', inputs: [x], constants: [int64s(2)] },
  { op: 'TopK', attributes: { axis: { int: 1 }, largest: { int: 0 } }, inputs: [x], constants: [int64s(3)] },
  ...[
    {},
    { transA: { int: 1 }, transB: { int: 1 } },
    { alpha: { float: 0.25 }, beta: { float: -2 }, transA: { int: 1 } },
  ].flatMap((attributes): SingleNode[] => {
    const [a, b, c] = [normal(random, [4, 4]), normal(random, [4, 4]), normal(random, [1, 4])]
    return [
      { op: 'Gemm', attributes, inputs: [a, b] },
      { op: 'Gemm', attributes, inputs: [a, b, c] },
      { op: 'Gemm', attributes, inputs: [a, b], constants: [c] },
      { op: 'Gemm', attributes, inputs: [a], constants: [b, c] },
    ]
  }),
  { op: 'PRelu', inputs: [x], constants: [normal(random, [4])] },
  { op: 'ThresholdedRelu', attributes: { alpha: { float: 0.7 } }, inputs: [x] },
  ...['ReduceSum', 'ReduceMean', 'ReduceMax', 'ReduceMin', 'ReduceL1', 'ReduceL2', 'ReduceSumSquare'].map(
    (op): SingleNode => ({ op, opset: 18, inputs: [x], constants: [int64s(1)] }),
  ),
  { op: 'ReduceLogSumExp', opset: 18, inputs: [x], constants: [int64s(1)] },
  { op: 'ReduceLogSum', opset: 18, inputs: [positive], constants: [int64s(1)] },
  { op: 'ReduceProd', opset: 18, inputs: [x], constants: [int64s(1)] },
  { op: 'ReduceProd', opset: 18, inputs: [positive], constants: [int64s(1, 2)] },
  { op: 'Sum', inputs: [x, positive, normal(random, [4])] },
  { op: 'Mean', inputs: [x, positive, x] },
  { op: 'Max', inputs: [x, positive], constants: [scalar(0.5)] },
  { op: 'Min', inputs: [x, positive], constants: [scalar(0.5)] },
  { op: 'CumSum', inputs: [x], constants: [int64s(2)] },
  {
    op: 'Resize',
    attributes: { mode: { string: 'cubic' } },
    inputs: [x],
    constants: [undefined, tensor([3], [1, 1, 2])],
  },
  {
    op: 'ConvTranspose',
    attributes: { strides: ints(2, 2), pads: ints(1, 1, 1, 1), output_padding: ints(1, 1), group: { int: 2 } },
    inputs: [image],
    constants: [normal(random, [4, 2, 3, 3]), normal(random, [4])],
  },
  { op: 'Gather', attributes: { axis: { int: 1 } }, inputs: [x, tensor([2], [2, 0], 'int64')] },
  { op: 'GatherElements', inputs: [x, tensor([1, 3, 4], [0, 1, 1, 0, 1, 0, 0, 1, 1, 1, 0, 0], 'int64')] },
  { op: 'LpPool', attributes: { kernel_shape: ints(2, 2) }, inputs: [image] },
  { op: 'LpPool', attributes: { kernel_shape: ints(3, 3), p: { int: 1 } }, inputs: [image] },
  { op: 'LRN', attributes: { size: { int: 3 }, alpha: { float: 0.9 }, bias: { float: 2 } }, inputs: [image] },
  { op: 'LayerNormalization', opset: 17, inputs: [x], constants: [normal(random, [4]), normal(random, [4])] },
  {
    op: 'LayerNormalization',
    opset: 17,
    attributes: { axis: { int: 1 }, epsilon: { float: 0.1 } },
    inputs: [image],
    constants: [normal(random, [4, 5, 5])],
  },
  { op: 'RMSNormalization', opset: 23, inputs: [x], constants: [normal(random, [4])] },
  { op: 'InstanceNormalization', inputs: [image], constants: [normal(random, [4]), normal(random, [4])] },
  {
    op: 'GroupNormalization',
    opset: 21,
    attributes: { num_groups: { int: 2 } },
    inputs: [image],
    constants: [normal(random, [4]), normal(random, [4])],
  },
  { op: 'MeanVarianceNormalization', inputs: [image] },
  { op: 'Einsum', attributes: { equation: { string: 'abc,abd->acd' } }, inputs: [x, x] },
  {
    op: 'Einsum',
    attributes: { equation: { string: 'abc,cd->dab' } },
    inputs: [x],
    constants: [normal(random, [4, 2])],
  },
]

describe('integers of one node are close to its floats', () => {
  for (const [bits, share] of [
    [8, 0.04],
    [12, 0.003],
    [15, 0.003],
  ] as const)
    test.each(nodes.map((node, i) => ({ ...node, i })))(`$i $op at ${bits} bits`, (node) => {
      const graph = importOnnx(singleNode(node))
      const sample = new Map(graph.inputs.map(({ name }) => [name, node.inputs[Number(name.slice(1))]!] as const))
      const model = quantise(graph, calibrate(graph, [sample]), { bits, weightBits: 16 })
      const values = prepareInteger(model)(
        model.inputs.map((port) => quantiseInput(port, sample.get(port.name)!, 'refuse')),
      )
      const expected = runFloat(graph, sample).get('y')!.data
      const port = model.outputs[0]!
      const got = dequantise(port, values[port.value]!).data
      const range = expected.reduce((m, v) => Math.max(m, Math.abs(v)), 0)
      const worst = expected.reduce((m, v, i) => Math.max(m, Math.abs(v - got[i]!)), 0)
      expect(worst / range).toBeLessThan(share)
    })
})

/** Operators whose integers are exact for inputs that the scale represents. */
const exact: readonly SingleNode[] = [
  { op: 'Floor', inputs: [x] },
  { op: 'Ceil', inputs: [x] },
  { op: 'Round', inputs: [x] },
  { op: 'Sign', inputs: [x] },
  { op: 'Greater', inputs: [x], constants: [scalar(0.3)] },
  { op: 'GreaterOrEqual', inputs: [x], constants: [scalar(0.3)] },
  { op: 'Less', inputs: [x], constants: [scalar(0.3)] },
  { op: 'LessOrEqual', inputs: [x], constants: [scalar(0.3)] },
  { op: 'Greater', inputs: [x, positive] },
  { op: 'Less', inputs: [x, positive] },
  { op: 'ArgMin', attributes: { axis: { int: 1 } }, inputs: [x] },
  { op: 'Hardmax', inputs: [x] },
  { op: 'Cast', attributes: { to: { int: 6 } }, inputs: [x] },
  { op: 'Cast', attributes: { to: { int: 9 } }, inputs: [x] },
  { op: 'And', inputs: [tensor([4], [0, 0, 1, 1], 'bool'), tensor([4], [0, 1, 0, 1], 'bool')] },
  { op: 'Or', inputs: [tensor([4], [0, 0, 1, 1], 'bool'), tensor([4], [0, 1, 0, 1], 'bool')] },
  { op: 'Xor', inputs: [tensor([4], [0, 0, 1, 1], 'bool'), tensor([4], [0, 1, 0, 1], 'bool')] },
  { op: 'Not', inputs: [tensor([2], [0, 1], 'bool')] },
  { op: 'Equal', inputs: [tensor([3], [5, 300, -7], 'int32'), tensor([3], [5, 299, -7], 'int32')] },
  { op: 'Add', opset: 14, inputs: [tensor([2], [5, 300], 'int32'), tensor([2], [-700, 4], 'int32')] },
  { op: 'Pow', inputs: [tensor([4], [-7, 2, 300, 1], 'int32')], constants: [tensor([4], [3, 11, 2, 0])] },
  { op: 'TopK', inputs: [tensor([6], [3, 9, 9, -4, 9, 5], 'int32')], constants: [int64s(4)] },
  { op: 'Mul', opset: 14, inputs: [tensor([2], [5, 300], 'int32'), tensor([2], [-700, 4], 'int32')] },
  { op: 'ReduceSum', inputs: [tensor([3], [1000, -3, 70], 'int32')] },
  { op: 'ReduceProd', inputs: [tensor([4], [1000, -3, 70, 11], 'int32')] },
  { op: 'Max', inputs: [tensor([2], [5, 300], 'int32'), tensor([2], [-700, 400], 'int32')] },
  { op: 'Div', opset: 14, inputs: [tensor([2], [9, 200], 'uint8'), tensor([2], [2, 7], 'uint8')] },
  { op: 'Div', opset: 14, inputs: [tensor([4], [9, -9, 300, -7], 'int32'), tensor([4], [2, 2, -7, -8], 'int32')] },
  {
    op: 'Gather',
    attributes: { axis: { int: 1 } },
    inputs: [tensor([2, 3], [5, -60, 700, 8, 9, 10], 'int32'), tensor([2], [2, -3], 'int64')],
  },
  {
    op: 'GatherElements',
    attributes: { axis: { int: 1 } },
    inputs: [tensor([2, 3], [5, -60, 700, 8, 9, 10], 'int32'), tensor([2, 1], [2, -2], 'int64')],
  },
  { op: 'OneHot', inputs: [tensor([3], [0, -1, 1], 'int64')], constants: [scalar(3), tensor([2], [0, 1])] },
  {
    op: 'Where',
    inputs: [tensor([3], [0, 1, 0], 'bool'), tensor([3], [9, 8, 7], 'int32'), tensor([3], [-1000, 2, 3], 'int32')],
  },
]

/** Integers and floats of a model on a sample that its scales represent. */
function bothOf(bytes: Uint8Array, given: ReadonlyMap<string, Tensor>, bits = 8) {
  const graph = importOnnx(bytes)
  const model = quantise(graph, calibrate(graph, [given]), { bits, weightBits: 16 })
  const integers = model.inputs.map((port) => quantiseInput(port, given.get(port.name)!, 'refuse'))
  const sample = new Map(
    model.inputs.map((port, i) => [
      port.name,
      { ...given.get(port.name)!, data: integers[i]!.map((q) => q * port.scale) },
    ]),
  )
  const values = prepareInteger(model)(integers)
  const expected = runFloat(graph, sample)
  return model.outputs.map((port) => ({
    got: Array.from(dequantise(port, values[port.value]!).data, (v) => v + 0),
    expected: Array.from(expected.get(port.name)!.data, (v) => v + 0),
  }))
}

describe('integers of several outputs', () => {
  const model = (op: string, outputs: string[], attributes: SingleNode['attributes'], initializers = {}, from = x) =>
    bothOf(
      encodeModel({
        opset: 17,
        inputs: [{ name: 'x', shape: from.shape }],
        outputs: outputs.filter((name) => name !== '').map((name) => ({ name })),
        nodes: [{ op, inputs: ['x', ...Object.keys(initializers)], outputs, attributes: attributes ?? {} }],
        initializers,
      }),
      new Map([['x', from]]),
      12,
    )
  const ties = tensor([2, 5], [1, 3, 3, 0, 3, -1, -1, 2, -1, 2])

  test.each([1, 2, 5])('TopK of %i: values and places, the first of equal ones first', (k) => {
    for (const [largest, axis] of [
      [1, 1],
      [0, 1],
      [1, 0],
      [0, 0],
    ] as const) {
      const attributes = { largest: { int: largest }, axis: { int: axis } }
      const count = int64s(Math.min(k, ties.shape[axis]!))
      for (const { got, expected } of model('TopK', ['v', 'i'], attributes, { k: count }, ties))
        expect(got).toEqual(expected)
      const [places] = model('TopK', ['', 'i'], attributes, { k: count }, ties)
      expect(places!.got).toEqual(places!.expected)
    }
  })

  test('indices of MaxPool in both orders; a mask of Dropout', () => {
    const rows = { kernel_shape: ints(2, 3), pads: ints(1, 0, 0, 1), strides: ints(2, 1) }
    for (const order of [0, 1]) {
      const [values, indices] = model('MaxPool', ['v', 'i'], { ...rows, storage_order: { int: order } }, {}, image)
      values!.got.forEach((v, i) => {
        expect(v).toBeCloseTo(values!.expected[i]!, 9)
      })
      expect(indices!.got).toEqual(indices!.expected)
    }
    const [kept, mask] = model('Dropout', ['y', 'm'], {})
    expect(kept!.got).toEqual(kept!.expected)
    expect(mask!.got).toEqual(Array(24).fill(1))
  })

  test('means and factors of LayerNormalization', () => {
    const scale = { scale: normal(random, [4]) }
    for (const { got, expected } of model('LayerNormalization', ['y', 'mean', 'factor'], {}, scale)) {
      const range = expected.reduce((m, v) => Math.max(m, Math.abs(v)), 0)
      got.forEach((v, i) => {
        expect(Math.abs(v - expected[i]!)).toBeLessThan(0.004 * range)
      })
    }
  })
})

describe('integers of one node are its whole numbers', () => {
  test.each(exact.map((node, i) => ({ ...node, i })))('$i $op', (node) => {
    const given = new Map(node.inputs.flatMap((t, i) => (t === undefined ? [] : [[`x${i}`, t] as const])))
    const [{ got, expected }] = bothOf(singleNode(node), given) as [ReturnType<typeof bothOf>[0]]
    expect(got).toEqual(expected)
  })
})
