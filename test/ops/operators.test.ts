import { describe, expect, test } from 'vitest'
import type { Tensor } from '../../src/tensor.ts'
import { refusal } from '../support/errors.ts'
import { seeded } from '../support/random.ts'
import { counting, int64s, normal, runNode, type SingleNode, tensor } from '../support/tensors.ts'

const scalar = (v: number): Tensor => tensor([], [v])
const image = tensor([1, 1, 3, 3], [1, 2, 3, 4, 5, 6, 7, 8, 9])

/** Cases worked out by hand: what the node is, its output's shape and values. */
const cases: readonly [what: string, node: SingleNode, shape: number[], values: number[]][] = [
  ['Add broadcasts', { op: 'Add', inputs: [counting([2, 2]), tensor([2], [10, 20])] }, [2, 2], [10, 21, 12, 23]],
  ['Sub of both ranks', { op: 'Sub', inputs: [tensor([2], [1, 2]), tensor([2, 1], [1, 3])] }, [2, 2], [0, 1, -2, -1]],
  [
    'Mul of bytes wraps',
    { op: 'Mul', opset: 14, inputs: [tensor([2], [100, 7], 'int8'), tensor([2], [3, -3], 'int8')] },
    [2],
    [44, -21],
  ],
  [
    'Shape of some axes',
    { op: 'Shape', opset: 15, attributes: { start: { int: -2 } }, inputs: [counting([4, 2, 3])] },
    [2],
    [2, 3],
  ],
  ['Size', { op: 'Size', inputs: [counting([4, 2, 3])] }, [], [24]],
  ['Range', { op: 'Range', inputs: [], constants: [scalar(1), scalar(4), scalar(1.5)] }, [2], [1, 2.5]],
  ['Range downwards', { op: 'Range', inputs: [], constants: [scalar(1), scalar(-1), scalar(-1)] }, [2], [1, 0]],
  ['ConstantOfShape', { op: 'ConstantOfShape', inputs: [], constants: [int64s(1, 2)] }, [1, 2], [0, 0]],
  ['EyeLike', { op: 'EyeLike', attributes: { k: { int: 1 } }, inputs: [counting([2, 3])] }, [2, 3], [0, 1, 0, 0, 0, 1]],
  [
    'Expand both ways',
    { op: 'Expand', inputs: [tensor([2, 1], [1, 2])], constants: [int64s(1, 2)] },
    [2, 2],
    [1, 1, 2, 2],
  ],
  [
    'Split into unequal parts',
    { op: 'Split', opset: 13, inputs: [counting([3])], constants: [int64s(3)] },
    [3],
    [0, 1, 2],
  ],
  ['Gather from the end', { op: 'Gather', inputs: [counting([3])], constants: [int64s(-1, 0)] }, [2], [2, 0]],
  [
    'Resize, linear',
    {
      op: 'Resize',
      attributes: { mode: { string: 'linear' } },
      inputs: [tensor([2], [0, 4])],
      constants: [undefined, tensor([1], [2])],
    },
    [4],
    [0, 1, 3, 4],
  ],
  [
    'ScatterElements, the last of equal indices',
    { op: 'ScatterElements', inputs: [counting([3])], constants: [int64s(1, -2), tensor([2], [8, 9])] },
    [3],
    [0, 9, 2],
  ],
  [
    'Cast towards zero',
    { op: 'Cast', attributes: { to: { int: 6 } }, inputs: [tensor([3], [-1.5, 0.5, 2])] },
    [3],
    [-1, 0, 2],
  ],
  ['Relu', { op: 'Relu', inputs: [tensor([3], [-1, 0, 2])] }, [3], [0, 0, 2]],
  [
    'LeakyRelu',
    { op: 'LeakyRelu', attributes: { alpha: { float: 0.5 } }, inputs: [tensor([2], [-3, 3])] },
    [2],
    [-1.5, 3],
  ],
  [
    'Clip by attributes',
    {
      op: 'Clip',
      opset: 10,
      attributes: { min: { float: -1 }, max: { float: 1 } },
      inputs: [tensor([3], [-2, 0.5, 2])],
    },
    [3],
    [-1, 0.5, 1],
  ],
  [
    'Clip by inputs, without a lower bound',
    { op: 'Clip', inputs: [tensor([2], [-9, 9])], constants: [undefined, scalar(6)] },
    [2],
    [-9, 6],
  ],
  ['Sigmoid', { op: 'Sigmoid', inputs: [tensor([2], [0, Math.log(3)])] }, [2], [0.5, 0.75]],
  ['Tanh', { op: 'Tanh', inputs: [tensor([1], [Math.atanh(0.5)])] }, [1], [0.5]],
  [
    'Gemm with everything',
    {
      op: 'Gemm',
      attributes: { alpha: { float: 2 }, beta: { float: 0.5 }, transA: { int: 1 }, transB: { int: 1 } },
      inputs: [tensor([2, 1], [1, 2])],
      constants: [tensor([3, 2], [1, 0, 0, 1, 1, 1]), tensor([3], [2, 4, 6])],
    },
    [1, 3],
    [3, 6, 9],
  ],
  [
    'MatMul of a stack by a matrix',
    { op: 'MatMul', inputs: [counting([2, 1, 2]), tensor([2, 2], [1, 2, 3, 4])] },
    [2, 1, 2],
    [3, 4, 11, 16],
  ],
  ['MatMul of vectors', { op: 'MatMul', inputs: [tensor([2], [1, 2]), tensor([2], [3, 4])] }, [], [11]],
  [
    'Conv with padding, stride and bias',
    {
      op: 'Conv',
      attributes: { pads: { ints: [1, 1, 1, 1] }, strides: { ints: [2, 2] } },
      inputs: [image],
      constants: [tensor([1, 1, 3, 3], Array(9).fill(1)), tensor([1], [100])],
    },
    [1, 1, 2, 2],
    [112, 116, 124, 128],
  ],
  [
    'Conv in groups, one axis, dilated',
    {
      op: 'Conv',
      attributes: { group: { int: 2 }, dilations: { ints: [2] } },
      inputs: [tensor([1, 2, 3], [1, 2, 3, 4, 5, 6])],
      constants: [tensor([2, 1, 2], [1, 10, 1, -1])],
    },
    [1, 2, 1],
    [31, -2],
  ],
  [
    'Conv with SAME_UPPER',
    {
      op: 'Conv',
      attributes: { auto_pad: { string: 'SAME_UPPER' } },
      inputs: [tensor([1, 1, 3], [1, 2, 3])],
      constants: [tensor([1, 1, 2], [1, 10])],
    },
    [1, 1, 3],
    [21, 32, 3],
  ],
  [
    'MaxPool, ceil_mode',
    {
      op: 'MaxPool',
      attributes: { kernel_shape: { ints: [2, 2] }, strides: { ints: [2, 2] }, ceil_mode: { int: 1 } },
      inputs: [image],
    },
    [1, 1, 2, 2],
    [5, 6, 8, 9],
  ],
  [
    'MaxPool, ceil_mode, without a window that starts in the padding',
    {
      op: 'MaxPool',
      attributes: {
        kernel_shape: { ints: [1] },
        strides: { ints: [2] },
        pads: { ints: [0, 0] },
        ceil_mode: { int: 1 },
      },
      inputs: [tensor([1, 1, 2], [1, 2])],
    },
    [1, 1, 1],
    [1],
  ],
  [
    'MaxPool of negative values ignores padding',
    {
      op: 'MaxPool',
      attributes: { kernel_shape: { ints: [2] }, pads: { ints: [1, 0] } },
      inputs: [tensor([1, 1, 2], [-5, -3])],
    },
    [1, 1, 2],
    [-5, -3],
  ],
  [
    'AveragePool without padding in the count',
    {
      op: 'AveragePool',
      attributes: { kernel_shape: { ints: [2] }, pads: { ints: [1, 1] } },
      inputs: [tensor([1, 1, 2], [2, 4])],
    },
    [1, 1, 3],
    [2, 3, 4],
  ],
  [
    'AveragePool with padding in the count',
    {
      op: 'AveragePool',
      attributes: { kernel_shape: { ints: [2] }, pads: { ints: [1, 1] }, count_include_pad: { int: 1 } },
      inputs: [tensor([1, 1, 2], [2, 4])],
    },
    [1, 1, 3],
    [1, 3, 2],
  ],
  ['GlobalAveragePool', { op: 'GlobalAveragePool', inputs: [counting([1, 2, 2, 2])] }, [1, 2, 1, 1], [1.5, 5.5]],
  ['GlobalMaxPool', { op: 'GlobalMaxPool', inputs: [counting([1, 2, 2])] }, [1, 2, 1], [1, 3]],
  [
    'BatchNormalization',
    {
      op: 'BatchNormalization',
      attributes: { epsilon: { float: 0.75 } },
      inputs: [tensor([1, 2, 2], [1, 3, 5, 7])],
      constants: [tensor([2], [1, 2]), tensor([2], [0, 10]), tensor([2], [1, 5]), tensor([2], [3.25, 0.25])],
    },
    [1, 2, 2],
    [0, 1, 10, 14],
  ],
  [
    'Flatten',
    { op: 'Flatten', attributes: { axis: { int: -1 } }, inputs: [counting([1, 2, 2])] },
    [2, 2],
    [0, 1, 2, 3],
  ],
  [
    'Reshape with 0 and -1',
    { op: 'Reshape', inputs: [counting([2, 3, 2])], constants: [int64s(0, -1)] },
    [2, 6],
    [...Array(12).keys()],
  ],
  ['Transpose', { op: 'Transpose', inputs: [counting([2, 3])] }, [3, 2], [0, 3, 1, 4, 2, 5]],
  [
    'Transpose of three axes',
    { op: 'Transpose', attributes: { perm: { ints: [1, 0, 2] } }, inputs: [counting([2, 2, 2])] },
    [2, 2, 2],
    [0, 1, 4, 5, 2, 3, 6, 7],
  ],
  [
    'Squeeze by attribute',
    { op: 'Squeeze', opset: 11, attributes: { axes: { ints: [0] } }, inputs: [counting([1, 2, 1])] },
    [2, 1],
    [0, 1],
  ],
  ['Squeeze of all', { op: 'Squeeze', inputs: [counting([1, 2, 1])] }, [2], [0, 1]],
  ['Unsqueeze by input', { op: 'Unsqueeze', inputs: [counting([2])], constants: [int64s(-1, 0)] }, [1, 2, 1], [0, 1]],
  [
    'Concat',
    { op: 'Concat', attributes: { axis: { int: 1 } }, inputs: [counting([2, 1]), tensor([2, 2], [5, 6, 7, 8])] },
    [2, 3],
    [0, 5, 6, 1, 7, 8],
  ],
  [
    'Pad by attributes',
    { op: 'Pad', opset: 10, attributes: { pads: { ints: [1, -1] }, value: { float: 9 } }, inputs: [counting([3])] },
    [3],
    [9, 0, 1],
  ],
  [
    'Pad reflect',
    { op: 'Pad', attributes: { mode: { string: 'reflect' } }, inputs: [counting([3])], constants: [int64s(2, 1)] },
    [6],
    [2, 1, 0, 1, 2, 1],
  ],
  [
    'Pad edge along one axis',
    {
      op: 'Pad',
      opset: 18,
      attributes: { mode: { string: 'edge' } },
      inputs: [counting([2, 2])],
      constants: [int64s(1, 0), undefined, int64s(-1)],
    },
    [2, 3],
    [0, 0, 1, 2, 2, 3],
  ],
  [
    'Slice backwards to the start',
    {
      op: 'Slice',
      inputs: [counting([4])],
      constants: [int64s(-1), int64s(-(2 ** 63)), int64s(0), int64s(-2)],
    },
    [2],
    [3, 1],
  ],
  [
    'Slice by attributes to the end',
    {
      op: 'Slice',
      opset: 9,
      attributes: { starts: { ints: [1] }, ends: { ints: [Number.MAX_SAFE_INTEGER] }, axes: { ints: [1] } },
      inputs: [counting([2, 3])],
    },
    [2, 2],
    [1, 2, 4, 5],
  ],
  ['Identity', { op: 'Identity', inputs: [counting([2])] }, [2], [0, 1]],
  ['Constant', { op: 'Constant', attributes: { value_ints: { ints: [4, 5] } }, inputs: [] }, [2], [4, 5]],
  ['Dropout', { op: 'Dropout', inputs: [counting([2])], constants: [scalar(0.9)] }, [2], [0, 1]],
  [
    'Cast of a constant to integers truncates',
    { op: 'Cast', attributes: { to: { int: 7 } }, inputs: [], constants: [tensor([2], [-1.5, 1.5])] },
    [2],
    [-1, 1],
  ],
  [
    'Cast to half precision rounds',
    { op: 'Cast', attributes: { to: { int: 10 } }, inputs: [tensor([2], [2049, 70000])] },
    [2],
    [2048, Number.POSITIVE_INFINITY],
  ],
  [
    'Softmax along an axis',
    { op: 'Softmax', attributes: { axis: { int: 0 } }, inputs: [tensor([2, 1], [0, Math.log(3)])] },
    [2, 1],
    [0.25, 0.75],
  ],
  [
    'Softmax over all axes from 1 before opset 13',
    { op: 'Softmax', opset: 12, inputs: [tensor([1, 2, 2], [0, 0, 0, Math.log(5)])] },
    [1, 2, 2],
    [0.125, 0.125, 0.125, 0.625],
  ],
  ['Softmax of large values', { op: 'Softmax', inputs: [tensor([2], [1e6, 1e6])] }, [2], [0.5, 0.5]],
  ['LogSoftmax', { op: 'LogSoftmax', inputs: [tensor([2], [0, 0])] }, [2], [-Math.LN2, -Math.LN2]],
  ['ArgMax takes the first', { op: 'ArgMax', inputs: [tensor([3, 1], [1, 2, 2])] }, [1, 1], [1]],
  [
    'ArgMax takes the last where asked',
    {
      op: 'ArgMax',
      attributes: { select_last_index: { int: 1 }, keepdims: { int: 0 } },
      inputs: [tensor([3], [1, 2, 2])],
    },
    [],
    [2],
  ],
]

describe('operators', () => {
  test.each(cases)('%s', (_, node, shape, values) => {
    const got = runNode(node)
    expect(got.shape).toEqual(shape)
    expect(got.data.length).toBe(values.length)
    // constants of the models are float32
    values.forEach((v, i) => {
      if (Number.isFinite(v)) expect(got.data[i]).toBeCloseTo(v, 6)
      else expect(got.data[i]).toBe(v)
    })
  })
})

test('Conv agrees with its definition', () => {
  const random = seeded(5)
  for (let round = 0; round < 50; round++) {
    const [batch, group] = [random.integer(1, 2), random.integer(1, 3)]
    const [perGroup, filters] = [random.integer(1, 3), group * random.integer(1, 2)]
    const [h, w, kh, kw] = [random.integer(3, 6), random.integer(3, 6), random.integer(1, 3), random.integer(1, 3)]
    const [strides, pads] = [
      [random.integer(1, 2), random.integer(1, 3)],
      [0, 1, 2, 0],
    ]
    const data = normal(random, [batch, group * perGroup, h, w])
    const weights = normal(random, [filters, perGroup, kh, kw])
    const bias = normal(random, [filters])
    const got = runNode({
      op: 'Conv',
      attributes: { group: { int: group }, strides: { ints: strides }, pads: { ints: pads } },
      inputs: [data],
      constants: [weights, bias],
    })
    const [oh, ow] = got.shape.slice(2) as [number, number]
    expect([oh, ow]).toEqual([Math.floor((h + 2 - kh) / strides[0]!) + 1, Math.floor((w + 1 - kw) / strides[1]!) + 1])
    got.data.forEach((v, i) => {
      const [x, y] = [i % ow, Math.floor(i / ow) % oh]
      const [m, n] = [Math.floor(i / (ow * oh)) % filters, Math.floor(i / (ow * oh * filters))]
      let sum = bias.data[m]!
      for (let c = 0; c < perGroup; c++)
        for (let a = 0; a < kh; a++)
          for (let b = 0; b < kw; b++) {
            const [row, column] = [y * strides[0]! + a, x * strides[1]! + b - 1]
            if (row >= h || column < 0 || column >= w) continue
            const channel = Math.floor(m / (filters / group)) * perGroup + c
            const element = data.data[((n * group * perGroup + channel) * h + row) * w + column]!
            sum += weights.data[((m * perGroup + c) * kh + a) * kw + b]! * element
          }
      expect(v).toBeCloseTo(sum, 9)
    })
  }
})

const x = counting([1, 2])

/** What is refused, and the whole message. */
const refusals: readonly [node: SingleNode, message: string][] = [
  [
    { op: 'Relu', attributes: { beta: { int: 1 } }, inputs: [x] },
    'model/unsupported: Relu "Relu_0": beta = 1 is not supported (supported: no attributes)',
  ],
  [
    { op: 'LeakyRelu', attributes: { alpha: { string: 'a' } }, inputs: [x] },
    'model/invalid-node: LeakyRelu "LeakyRelu_0": attribute "alpha" must be a number',
  ],
  [{ op: 'Add', inputs: [x] }, 'model/invalid-node: Add "Add_0": it has inputs (x0), but takes 2'],
  [
    { op: 'Add', inputs: [x, counting([3])] },
    'model/invalid-node: Add "Add_0": shapes [1, 2] and [3] do not broadcast',
  ],
  [
    { op: 'Add', inputs: [x, tensor([1], [1], 'int64')] },
    'model/invalid-node: Add "Add_0": input 1 is int64 but input 0 is float32',
  ],
  [{ op: 'Gemm', inputs: [x, x] }, 'model/invalid-node: Gemm "Gemm_0": matrices [1, 2] and [1, 2] do not fit'],
  [
    { op: 'Gemm', inputs: [tensor([1, 1], [1], 'int32'), tensor([1, 1], [1], 'int32')] },
    'model/unsupported: Gemm "Gemm_0": type of input 0 = "int32" is not supported (supported: float16, bfloat16, float32, float64)',
  ],
  [
    { op: 'Reshape', inputs: [x, tensor([1], [2], 'int64')] },
    'model/unsupported: Reshape "Reshape_0": input "shape" = "x1" is not supported (supported: constant values, not ones computed by the model)',
  ],
  [
    { op: 'Reshape', inputs: [x], constants: [int64s(3)] },
    `model/invalid-node: Reshape "Reshape_0": [1, 2] can't take the shape [3]`,
  ],
  [
    { op: 'Reshape', inputs: [x], constants: [int64s(-1, -1)] },
    `model/invalid-node: Reshape "Reshape_0": [1, 2] can't take the shape [-1, -1]`,
  ],
  [
    { op: 'Transpose', attributes: { perm: { ints: [0, 0] } }, inputs: [x] },
    'model/invalid-node: Transpose "Transpose_0": axes [0, 0] repeat',
  ],
  [
    { op: 'Conv', attributes: { group: { int: 2 } }, inputs: [image], constants: [counting([1, 1, 1, 1])] },
    'model/invalid-node: Conv "Conv_0": weights [1, 1, 1, 1] in 2 groups do not fit 1 channels',
  ],
  [
    { op: 'Conv', inputs: [image], constants: [counting([1, 1, 4, 4])] },
    'model/invalid-node: Conv "Conv_0": a window of 4 does not fit into 3 elements with padding 0 and 0 (axis 2)',
  ],
  [
    {
      op: 'MaxPool',
      attributes: { kernel_shape: { ints: [2] }, pads: { ints: [2, 0] } },
      inputs: [counting([1, 1, 2])],
    },
    'model/unsupported: MaxPool "MaxPool_0": pads = [2, 0] is not supported (supported: padding that leaves no window without elements)',
  ],
  [{ op: 'MaxPool', inputs: [image] }, 'model/invalid-node: MaxPool "MaxPool_0": attribute "kernel_shape" is missing'],
  [
    { op: 'BatchNormalization', opset: 14, attributes: { training_mode: { int: 1 } }, inputs: Array(5).fill(x) },
    'model/unsupported: BatchNormalization "BatchNormalization_0": training_mode = 1 is not supported (supported: 0)',
  ],
  [
    { op: 'Gather', inputs: [x], constants: [int64s(1)] },
    'model/invalid-node: Gather "Gather_0": index 1 is outside an axis of 1',
  ],
  [
    { op: 'GatherElements', inputs: [x], constants: [int64s(0)] },
    'model/invalid-node: GatherElements "GatherElements_0": indices [1] do not fit [1, 2]',
  ],
  [
    { op: 'Range', inputs: [], constants: [scalar(0), scalar(1), scalar(0)] },
    'model/invalid-node: Range "Range_0": 0 to 1 in steps of 0 has no end',
  ],
  [
    { op: 'Expand', inputs: [x], constants: [int64s(3, 3)] },
    'model/invalid-node: Expand "Expand_0": [1, 2] does not broadcast to [3, 3]',
  ],
  [
    { op: 'Split', inputs: [x], constants: [int64s(1, 1)] },
    'model/invalid-node: Split "Split_0": parts [1, 1] do not make up 1 elements',
  ],
  [
    { op: 'Resize', inputs: [x], constants: [] },
    'model/invalid-node: Resize "Resize_0": either scales or sizes must be given',
  ],
  [
    { op: 'Cast', attributes: { to: { int: 3 } }, inputs: [], constants: [tensor([1], [200])] },
    'model/invalid-node: Cast "Cast_0": 200 is outside the range of int8',
  ],
  [
    { op: 'ArgMax', attributes: { axis: { int: 2 } }, inputs: [x] },
    'model/invalid-node: ArgMax "ArgMax_0": axis 2 is outside a tensor of 2 axes',
  ],
  [
    { op: 'Slice', inputs: [x], constants: [int64s(0), int64s(1), int64s(0), int64s(0)] },
    'model/invalid-node: Slice "Slice_0": starts [0], ends [1] and steps do not fit',
  ],
  [
    { op: 'Squeeze', opset: 11, inputs: [x], constants: [int64s(0)] },
    'model/invalid-node: Squeeze "Squeeze_0": opset 11 takes at most 1 inputs, not 2',
  ],
  [
    { op: 'Pad', attributes: { mode: { string: 'sideways' } }, inputs: [x], constants: [int64s(0, 0, 0, 0)] },
    'model/unsupported: Pad "Pad_0": mode = "sideways" is not supported (supported: constant, reflect, edge, wrap)',
  ],
  [
    { op: 'Pad', inputs: [x], constants: [int64s(0, 0, 2 ** 27, 2 ** 27)] },
    'model/unsupported: Pad "Pad_0": output shape = [134217729, 134217730] is not supported (supported: at most 134217728 elements)',
  ],
  [
    { op: 'Dropout', inputs: [x], constants: [scalar(0.5), tensor([], [1], 'bool')] },
    'model/unsupported: Dropout "Dropout_0": training_mode = true is not supported (supported: false, or ratio 0)',
  ],
  [
    { op: 'Constant', attributes: {}, inputs: [] },
    'model/invalid-node: Constant "Constant_0": exactly one value is needed, not 0',
  ],
]

describe('refusals', () => {
  test.each(refusals.map(([node, message]) => ({ node, message })))('$message', ({ node, message }) => {
    expect(refusal(() => runNode(node))).toBe(message)
  })

  test('integers that doubles do not hold', () => {
    const big = tensor([1], [2 ** 52], 'int64')
    expect(refusal(() => runNode({ op: 'Mul', inputs: [big, big] }))).toMatch(/integers within ±2\^53/)
  })
})
