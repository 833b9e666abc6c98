import { encodeModel, type ModelSpec } from '../../src/graph/onnx.ts'
import { type Shape, sizeOf, type Tensor } from '../../src/tensor.ts'
import type { Random } from './random.ts'

/** Tensors with more elements are not worked on further: tests should be fast. */
const maxSize = 128

/** Functions of one tensor that take any value. */
const unary: Readonly<Record<string, Node['attributes']>> = {
  Abs: {},
  Atan: {},
  Ceil: {},
  Cos: {},
  Celu: { alpha: { float: 2 } },
  Elu: {},
  Erf: {},
  Exp: {},
  Floor: {},
  Gelu: { approximate: { string: 'tanh' } },
  HardSigmoid: {},
  HardSwish: {},
  Mish: {},
  Neg: {},
  Round: {},
  Selu: {},
  Shrink: { lambd: { float: 0.3 }, bias: { float: 0.1 } },
  Sign: {},
  Sin: {},
  Softplus: {},
  Softsign: {},
  ThresholdedRelu: { alpha: { float: 0.5 } },
}

const reductions = [
  'ReduceSum',
  'ReduceMean',
  'ReduceMax',
  'ReduceMin',
  'ReduceProd',
  'ReduceL1',
  'ReduceL2',
  'ReduceSumSquare',
  'ReduceLogSumExp',
]

const comparisons = ['Greater', 'GreaterOrEqual', 'Less', 'LessOrEqual', 'Equal']

type Node = ModelSpec['nodes'][number]

/** A small ONNX model and inputs for it. */
export type RandomGraph = {
  readonly onnx: Uint8Array
  readonly ops: readonly string[]
  /** Names of all steps. */
  readonly steps: readonly string[]
  readonly samples: readonly Tensor[]
}

/**
 * A random graph of one input: chains with residual sums, products, concatenations, of every operator that lowers.
 *
 * @param wanted a step that takes part in any case, one of `steps`
 */
export function randomGraph(random: Random, depth = random.integer(1, 6), wanted?: string): RandomGraph {
  const nodes: Node[] = []
  const initializers: Record<string, Tensor> = {}
  const shapeIn: Shape = random.pick([
    [1, 2, 4, 4],
    [1, 1, 5, 5],
    [1, 3, 6],
    [1, 7],
    [2, 4],
  ] as Shape[])
  /** Values of the graph so far. */
  const values: { name: string; shape: Shape; positive: boolean }[] = [{ name: 'x', shape: shapeIn, positive: false }]
  let at = values[0]!

  const constant = (shape: Shape, spread = 1): string => {
    const name = `c${Object.keys(initializers).length}`
    const data = Float64Array.from({ length: sizeOf(shape) }, () => Math.fround(random.normal() * spread))
    initializers[name] = { dtype: 'float32', shape, data }
    return name
  }
  const integers = (values: readonly number[]): string => {
    const name = `i${Object.keys(initializers).length}`
    initializers[name] = { dtype: 'int64', shape: [values.length], data: Float64Array.from(values) }
    return name
  }
  const integerTensor = (shape: Shape, value: () => number): string => {
    const name = `i${Object.keys(initializers).length}`
    const data = Float64Array.from({ length: sizeOf(shape) }, value)
    initializers[name] = { dtype: 'int64', shape, data }
    return name
  }
  const add = (
    op: string,
    inputs: readonly string[],
    shape: Shape,
    attributes: Node['attributes'] = {},
    positive = false,
  ): void => {
    const name = `v${nodes.length}`
    nodes.push({ op, name: `${op}_${nodes.length}`, inputs, outputs: [name], attributes })
    at = { name, shape, positive }
    values.push(at)
  }

  const steps: Record<string, () => void> = {
    Gemm: () => {
      if (at.shape.length !== 2) return
      const [m, k] = at.shape as [number, number]
      const n = random.integer(1, 5)
      const transB = random.integer(0, 1)
      const bias = random.unit() < 0.7 ? [constant(random.pick([[n], [1, n], [m, n]]))] : []
      add('Gemm', [at.name, constant(transB ? [n, k] : [k, n]), ...bias], [m, n], {
        transB: { int: transB },
        alpha: { float: random.pick([1, 0.5]) },
      })
    },
    MatMul: () => {
      const k = at.shape.at(-1)!
      if (at.shape.length < 2) return
      if (random.unit() < 0.7) {
        const n = random.integer(1, 4)
        add('MatMul', [at.name, constant([k, n])], [...at.shape.slice(0, -1), n])
      } else {
        const n = random.integer(1, 3)
        add('MatMul', [constant([n, at.shape.at(-2)!]), at.name], [...at.shape.slice(0, -2), n, k])
      }
    },
    MatMulTensors: () => {
      if (at.shape.length < 2) return
      // x · xᵀ, or a tensor with another one that fits
      const [m, k] = at.shape.slice(-2) as [number, number]
      const from = at
      const fits = values.filter(
        (v) => v.shape.length >= 2 && v.shape.at(-2) === k && v.shape.length <= from.shape.length,
      )
      const other = fits.find((v) => v.shape.slice(0, -2).every((d) => d === 1))
      if (other !== undefined && m * k * other.shape.at(-1)! <= 2 * maxSize)
        return add('MatMul', [from.name, other.name], [...from.shape.slice(0, -1), other.shape.at(-1)!])
      const rank = from.shape.length
      const perm = from.shape.map((_, i) => (i < rank - 2 ? i : 2 * rank - 3 - i))
      add('Transpose', [from.name], [...from.shape.slice(0, -2), k, m], { perm: { ints: perm } }, from.positive)
      add('MatMul', [from.name, at.name], [...from.shape.slice(0, -1), m])
    },
    RNN: () => recurrent('RNN', 1),
    GRU: () => recurrent('GRU', 3),
    LSTM: () => recurrent('LSTM', 4),
    Conv: () => {
      if (at.shape.length < 3) return
      const [, c, ...spatial] = at.shape as [number, number, ...number[]]
      const kernel = spatial.map((d) => random.integer(1, Math.min(d, 3)))
      const pads = spatial.map(() => random.integer(0, 1))
      const strides = spatial.map(() => random.integer(1, 2))
      const dilations = kernel.map((k, i) => (k === 2 && spatial[i]! + 2 * pads[i]! >= 3 ? random.integer(1, 2) : 1))
      const group = random.pick([1, c])
      const out = group * random.integer(1, 2)
      const size = spatial.map(
        (d, i) => Math.floor((d + 2 * pads[i]! - (kernel[i]! - 1) * dilations[i]! - 1) / strides[i]!) + 1,
      )
      const bias = random.unit() < 0.5 ? [constant([out])] : []
      add('Conv', [at.name, constant([out, c / group, ...kernel], 0.5), ...bias], [1, out, ...size], {
        group: { int: group },
        pads: { ints: [...pads, ...pads] },
        strides: { ints: strides },
        dilations: { ints: dilations },
      })
    },
    Relu: () => add('Relu', [at.name], at.shape, {}, true),
    LeakyRelu: () => add('LeakyRelu', [at.name], at.shape, { alpha: { float: random.pick([0.01, 0.2]) } }),
    Clip: () => {
      const scalar = (v: number): string => {
        const name = `s${Object.keys(initializers).length}`
        initializers[name] = { dtype: 'float32', shape: [], data: Float64Array.of(v) }
        return name
      }
      const min = random.pick([-1, 0, 0.25])
      add('Clip', [at.name, scalar(min), scalar(random.pick([1, 6]))], at.shape, {}, min >= 0)
    },
    Sigmoid: () => add('Sigmoid', [at.name], at.shape, {}, true),
    Tanh: () => add('Tanh', [at.name], at.shape),
    Softmax: () => add('Softmax', [at.name], at.shape, { axis: { int: random.integer(0, at.shape.length - 1) } }, true),
    LogSoftmax: () => add('LogSoftmax', [at.name], at.shape, { axis: { int: -1 } }),
    AddTensor: () => {
      const other = random.pick(values.filter((v) => v.shape.join() === at.shape.join()))
      add(random.pick(['Add', 'Sub', 'Mul']), [at.name, other.name], at.shape)
    },
    AddConstant: () => {
      const shape = random.pick([at.shape, [1], at.shape.slice(-1)])
      const op = random.pick(['Add', 'Sub', 'Mul'])
      const inputs = [at.name, constant(shape)]
      add(op, random.unit() < 0.5 ? inputs : inputs.reverse(), at.shape)
    },
    BatchNormalization: () => {
      const c = at.shape[1]!
      const variance = constant([c])
      initializers[variance]!.data.forEach((v, i, data) => {
        data[i] = Math.abs(v) + 0.5
      })
      add('BatchNormalization', [at.name, constant([c]), constant([c]), constant([c]), variance], at.shape)
    },
    MaxPool: () => pool('MaxPool'),
    AveragePool: () => pool('AveragePool'),
    GlobalAveragePool: () => global('GlobalAveragePool'),
    GlobalMaxPool: () => global('GlobalMaxPool'),
    Flatten: () => add('Flatten', [at.name], [at.shape[0]!, sizeOf(at.shape.slice(1))], {}, at.positive),
    Reshape: () => add('Reshape', [at.name, integers([1, -1])], [1, sizeOf(at.shape)], {}, at.positive),
    Transpose: () => {
      const perm = at.shape.map((_, i) => i).reverse()
      add('Transpose', [at.name], [...at.shape].reverse(), { perm: { ints: perm } }, at.positive)
    },
    Unsqueeze: () =>
      at.shape.length < 4 && add('Unsqueeze', [at.name, integers([0])], [1, ...at.shape], {}, at.positive),
    Squeeze: () =>
      at.shape[0] === 1 &&
      at.shape.length > 1 &&
      add('Squeeze', [at.name, integers([0])], at.shape.slice(1), {}, at.positive),
    Concat: () => {
      const others = values.filter(
        (v) => v.shape.length === at.shape.length && v.shape.slice(1).join() === at.shape.slice(1).join(),
      )
      const other = random.unit() < 0.3 ? { name: constant(at.shape), shape: at.shape } : random.pick(others)
      add('Concat', [at.name, other.name], [at.shape[0]! + other.shape[0]!, ...at.shape.slice(1)], { axis: { int: 0 } })
    },
    Pad: () => {
      const pads = at.shape.map((_, i) => (i === at.shape.length - 1 ? random.integer(0, 2) : 0))
      const zeros = at.shape.map(() => 0)
      add(
        'Pad',
        [at.name, integers([...pads, ...zeros])],
        at.shape.map((d, i) => d + pads[i]!),
      )
    },
    Slice: () => {
      const axis = at.shape.length - 1
      const end = random.integer(1, at.shape[axis]!)
      add(
        'Slice',
        [at.name, integers([0]), integers([end]), integers([axis])],
        at.shape.with(axis, end),
        {},
        at.positive,
      )
    },
    Identity: () => add('Identity', [at.name], at.shape),
    Expand: () => add('Expand', [at.name, integers([2, ...at.shape])], [2, ...at.shape], {}, at.positive),
    Tile: () =>
      add(
        'Tile',
        [at.name, integers(at.shape.map((_, i) => (i === 0 ? 2 : 1)))],
        at.shape.map((d, i) => (i === 0 ? 2 * d : d)),
        {},
        at.positive,
      ),
    Split: () => {
      const axis = at.shape.length - 1
      const size = at.shape[axis]!
      if (size < 2) return
      const first = random.integer(1, size - 1)
      const from = at
      const name = `v${nodes.length}_rest`
      const parts = integers([first, size - first])
      nodes.push({
        op: 'Split',
        name: `Split_${nodes.length}`,
        inputs: [from.name, parts],
        outputs: [`v${nodes.length}`, name],
        attributes: { axis: { int: axis } },
      })
      values.push({ name: `v${nodes.length - 1}`, shape: from.shape.with(axis, first), positive: from.positive })
      at = { name, shape: from.shape.with(axis, size - first), positive: from.positive }
      values.push(at)
    },
    Gather: () => {
      const [size, n] = [at.shape.at(-1)!, random.integer(1, 3)]
      const indices = integers(Array.from({ length: n }, () => random.integer(-size, size - 1)))
      add('Gather', [at.name, indices], at.shape.with(-1, n), { axis: { int: -1 } }, at.positive)
    },
    GatherComputed: () => {
      const from = at
      if (from.shape.length !== 2) return
      truth('ArgMax', [from.name], from.shape.slice(0, -1), { axis: { int: -1 }, keepdims: { int: 0 } })
      const data = random.unit() < 0.5 ? constant(from.shape) : from.name
      add('Gather', [data, at.name], [from.shape[0]!, from.shape[0]!], { axis: { int: 1 } })
    },
    GatherElements: () => {
      const name = integerTensor(at.shape, () => random.integer(-at.shape[0]!, at.shape[0]! - 1))
      add('GatherElements', [at.name, name], at.shape, {}, at.positive)
    },
    GatherND: () => {
      const name = integerTensor([2, 1], () => random.integer(0, at.shape[0]! - 1))
      add('GatherND', [at.name, name], [2, ...at.shape.slice(1)], {}, at.positive)
    },
    ScatterElements: () => {
      const name = integerTensor(at.shape, () => random.integer(0, at.shape[0]! - 1))
      const other = random.pick(values.filter((v) => v.shape.join() === at.shape.join()))
      const updates = random.unit() < 0.5 ? constant(at.shape) : other.name
      add('ScatterElements', [at.name, name, updates], at.shape)
    },
    DepthToSpace: () => {
      const [n, c, h, w] = at.shape as [number, number, number, number]
      if (at.shape.length !== 4 || c % 4 !== 0) return
      const attributes = { blocksize: { int: 2 }, mode: { string: random.pick(['DCR', 'CRD']) } }
      add('DepthToSpace', [at.name], [n, c / 4, 2 * h, 2 * w], attributes, at.positive)
    },
    SpaceToDepth: () => {
      const [n, c, h, w] = at.shape as [number, number, number, number]
      if (at.shape.length !== 4 || h % 2 !== 0 || w % 2 !== 0) return
      add('SpaceToDepth', [at.name], [n, c * 4, h / 2, w / 2], { blocksize: { int: 2 } }, at.positive)
    },
    Trilu: () =>
      at.shape.length >= 2 && add('Trilu', [at.name], at.shape, { upper: { int: random.integer(0, 1) } }, at.positive),
    Resize: () => {
      const mode = random.pick(['nearest', 'linear', 'cubic'])
      const name = `s${Object.keys(initializers).length}`
      const last = at.shape.length - 1
      const data = Float64Array.from(at.shape, (_, i) => (i === last ? 2 : 1))
      initializers[name] = { dtype: 'float32', shape: [data.length], data }
      add('Resize', [at.name, '', name], at.shape.with(last, 2 * at.shape[last]!), { mode: { string: mode } })
    },
    ...Object.fromEntries(
      Object.entries(unary).map(([op, attributes]) => [op, () => add(op, [at.name], at.shape, attributes)]),
    ),
    ...Object.fromEntries(
      ['Log', 'Sqrt', 'Reciprocal'].map((op) => [
        op,
        () => {
          awayFromZero()
          add(op, [at.name], at.shape)
        },
      ]),
    ),
    Div: () => {
      const from = at
      if (random.unit() < 0.3) return add('Div', [from.name, constant([1], 1)], from.shape)
      awayFromZero()
      if (random.unit() < 0.5) add('Neg', [at.name], at.shape)
      add('Div', [random.unit() < 0.3 ? constant([1]) : from.name, at.name], at.shape)
    },
    Pow: () => {
      const e = random.pick([1, 2, 3, 0.5])
      if (e === 0.5) awayFromZero()
      const name = `s${Object.keys(initializers).length}`
      initializers[name] = { dtype: 'float32', shape: [], data: Float64Array.of(e) }
      add('Pow', [at.name, name], at.shape)
    },
    ...Object.fromEntries(
      reductions.map((op) => [
        op,
        () => {
          const axis = random.integer(0, at.shape.length - 1)
          const keepdims = random.integer(0, 1)
          if (at.shape.length === 1 && keepdims === 0) return
          add(op, [at.name, integers([axis])], keepdims ? at.shape.with(axis, 1) : at.shape.toSpliced(axis, 1), {
            keepdims: { int: keepdims },
          })
        },
      ]),
    ),
    ...Object.fromEntries(
      ['Sum', 'Mean', 'Max', 'Min'].map((op) => [
        op,
        () => {
          const other = random.pick(values.filter((v) => v.shape.join() === at.shape.join()))
          add(op, [at.name, other.name, ...(random.unit() < 0.5 ? [constant(at.shape.slice(-1))] : [])], at.shape)
        },
      ]),
    ),
    ...Object.fromEntries(
      comparisons.map((op) => [
        op,
        () => {
          const { shape } = at
          compare(op)
          add('Cast', [at.name], shape, { to: { int: 1 } })
        },
      ]),
    ),
    ...Object.fromEntries(
      ['And', 'Or', 'Xor'].map((op) => [
        op,
        () => {
          const from = at
          compare('Greater')
          const first = at
          at = from
          compare('LessOrEqual')
          truth(op, [first.name, at.name], from.shape)
          truth('Not', [at.name], from.shape)
          add('Where', [at.name, from.name, constant([1])], from.shape)
        },
      ]),
    ),
    Where: () => {
      const from = at
      const other = random.pick(values.filter((v) => v.shape.join() === from.shape.join()))
      compare('Less')
      add('Where', [at.name, from.name, other.name], from.shape)
    },
    CumSum: () => {
      const axis = integers([random.integer(0, at.shape.length - 1)])
      const attributes = { exclusive: { int: random.integer(0, 1) }, reverse: { int: random.integer(0, 1) } }
      add('CumSum', [at.name, axis], at.shape, attributes)
    },
    Hardmax: () => add('Hardmax', [at.name], at.shape),
    OneHot: () => {
      const { shape } = at
      truth(random.pick(['ArgMax', 'ArgMin']), [at.name], shape.slice(0, -1), {
        axis: { int: -1 },
        keepdims: { int: 0 },
      })
      add('OneHot', [at.name, integers([shape.at(-1)!]), constant([2])], shape)
    },
    LayerNormalization: () => {
      const n = at.shape.at(-1)!
      const bias = random.unit() < 0.5 ? [constant([n])] : []
      add('LayerNormalization', [at.name, constant([n]), ...bias], at.shape, { epsilon: { float: 0.01 } })
    },
    InstanceNormalization: () => {
      if (at.shape.length < 3) return
      const c = at.shape[1]!
      add('InstanceNormalization', [at.name, constant([c]), constant([c])], at.shape, { epsilon: { float: 0.01 } })
    },
    GroupNormalization: () => {
      if (at.shape.length < 3) return
      const c = at.shape[1]!
      add('GroupNormalization', [at.name, constant([c]), constant([c])], at.shape, {
        epsilon: { float: 0.01 },
        num_groups: { int: random.pick([1, c]) },
      })
    },
    MeanVarianceNormalization: () =>
      at.shape.at(-1)! > 2 &&
      at.shape.length < 4 &&
      add('MeanVarianceNormalization', [at.name], at.shape, { axes: { ints: [at.shape.length - 1] } }),
    LRN: () => at.shape.length >= 3 && add('LRN', [at.name], at.shape, { size: { int: 3 }, alpha: { float: 0.5 } }),
    LpPool: () => pool('LpPool', { p: { int: random.integer(1, 2) } }),
    ConvTranspose: () => {
      if (at.shape.length < 3) return
      const [, c, ...spatial] = at.shape as [number, number, ...number[]]
      const group = random.pick([1, c])
      const filters = random.integer(1, 2)
      const size = spatial.map((d) => 2 * (d - 1) + 3 - 2)
      const bias = random.unit() < 0.5 ? [constant([filters * group])] : []
      add(
        'ConvTranspose',
        [at.name, constant([c, filters, ...spatial.map(() => 3)]), ...bias],
        [1, filters * group, ...size],
        {
          group: { int: group },
          strides: { ints: spatial.map(() => 2) },
          pads: { ints: [...spatial, ...spatial].map(() => 1) },
        },
      )
    },
    Einsum: () => {
      if (at.shape.length !== 2) return
      const [m, k] = at.shape as [number, number]
      if (random.unit() < 0.5) add('Einsum', [at.name, at.name], [m, m], { equation: { string: 'ik,jk->ij' } })
      else add('Einsum', [constant([k, 3]), at.name], [3, m], { equation: { string: 'kj,ik->ji' } })
    },
    GemmTensors: () => {
      if (at.shape.length !== 2 || Math.max(...at.shape) > 8) return
      const flip = random.integer(0, 1)
      const size = at.shape[flip]!
      const summand = random.unit() < 0.5 ? [constant([size, 1])] : []
      add('Gemm', [at.name, at.name, ...summand], [size, size], {
        alpha: { float: 0.5 },
        transA: { int: flip },
        transB: { int: 1 - flip },
      })
    },
    TopK: () => {
      const k = random.integer(1, at.shape.at(-1)!)
      const attributes = { largest: { int: random.integer(0, 1) } }
      add('TopK', [at.name, integers([k])], at.shape.with(-1, k), attributes, at.positive)
    },
    SoftmaxMaskConstant: () => {
      const name = `s${Object.keys(initializers).length}`
      const shape = at.shape.slice(-1)
      const data = Float64Array.from({ length: shape[0]! }, (_, i) => (i > 0 && random.unit() < 0.4 ? -1e9 : 0))
      initializers[name] = { dtype: 'float32', shape, data }
      add('Add', [at.name, name], at.shape)
      add('Softmax', [at.name], at.shape, { axis: { int: -1 } }, true)
    },
    ReduceLogSum: () => {
      awayFromZero()
      add('ReduceLogSum', [at.name, integers([0])], at.shape.with(0, 1))
    },
    PowConstants: () => {
      awayFromZero()
      const name = `s${Object.keys(initializers).length}`
      const shape = at.shape.slice(-1)
      const data = Float64Array.from({ length: shape[0]! }, (_, i) => [0.5, 2, -1][i % 3]!)
      initializers[name] = { dtype: 'float32', shape, data }
      add('Pow', [at.name, name], at.shape)
    },
    PRelu: () => add('PRelu', [at.name, constant([at.shape.at(-1)!])], at.shape),
    CastLike: () => add('CastLike', [at.name, constant([1])], at.shape, {}, at.positive),
  }
  const recurrent = (op: string, gates: number): void => {
    if (at.shape.length !== 3 || at.shape[0]! > 4) return
    const [length, batch, size] = at.shape as [number, number, number]
    const hidden = random.integer(1, 3)
    const direction = random.pick(['forward', 'reverse', 'bidirectional'])
    const directions = direction === 'bidirectional' ? 2 : 1
    const optional = (shape: Shape): string => (random.unit() < 0.5 ? constant(shape) : '')
    const state = [directions, batch, hidden]
    const inputs = [
      ...[at.name, constant([directions, gates * hidden, size]), constant([directions, gates * hidden, hidden])],
      ...[optional([directions, 2 * gates * hidden]), '', optional(state)],
      ...(op === 'LSTM' ? [optional(state), optional([directions, 3 * hidden])] : []),
    ]
    add(op, inputs, [length, directions, batch, hidden], {
      hidden_size: { int: hidden },
      direction: { string: direction },
      ...(op === 'GRU' ? { linear_before_reset: { int: random.integer(0, 1) } } : {}),
    })
  }
  const pool = (op: string, further: Node['attributes'] = {}): void => {
    if (at.shape.length < 3) return
    const spatial = at.shape.slice(2)
    if (spatial.some((d) => d < 2)) return
    const strides = spatial.map(() => random.integer(1, 2))
    const size = spatial.map((d, i) => Math.floor((d - 2) / strides[i]!) + 1)
    add(op, [at.name], [...at.shape.slice(0, 2), ...size], {
      kernel_shape: { ints: spatial.map(() => 2) },
      strides: { ints: strides },
      ...further,
    })
  }
  const global = (op: string): void => {
    if (at.shape.length >= 3)
      add(
        op,
        [at.name],
        at.shape.map((d, i) => (i < 2 ? d : 1)),
      )
  }

  /** A comparison of the present tensor with another or with a constant; the result is no tensor for other steps. */
  const compare = (op: string): void => {
    const from = at
    const other = random.pick(values.filter((v) => v.shape.join() === from.shape.join()))
    truth(op, [from.name, random.unit() < 0.5 ? constant([1]) : other.name], from.shape)
  }
  /** A tensor of booleans or indices, which other steps do not take. */
  const truth = (op: string, inputs: readonly string[], shape: Shape, attributes: Node['attributes'] = {}): void => {
    add(op, inputs, shape, attributes)
    values.pop()
  }
  /** Values in (1/2, 3/2). */
  const awayFromZero = (): void => {
    const name = `s${Object.keys(initializers).length}`
    initializers[name] = { dtype: 'float32', shape: [], data: Float64Array.of(0.5) }
    add('Sigmoid', [at.name], at.shape)
    add('Add', [at.name, name], at.shape)
  }
  const names = Object.keys(steps)
  while (nodes.length < depth && sizeOf(at.shape) <= maxSize) steps[random.pick(names)]!()
  if (wanted !== undefined) {
    const before = nodes.length
    // the step may need another shape than there is: another graph brings it about
    steps[wanted]!()
    if (nodes.length === before) return randomGraph(random, random.integer(0, 2), wanted)
  }
  const last = at.name
  if (random.unit() < 0.15) add('ArgMax', [last], at.shape.with(-1, 1), { axis: { int: -1 } })
  const isIndex = at.name !== last
  const onnx = encodeModel({
    name: 'random',
    opset: 21,
    inputs: [{ name: 'x', shape: shapeIn }],
    outputs: [{ name: at.name, ...(isIndex ? { dtype: 'int64' as const } : {}) }],
    nodes,
    initializers,
  })
  const positive = random.unit() < 0.4
  const samples = Array.from({ length: 4 }, (): Tensor => {
    const data = Float64Array.from({ length: sizeOf(shapeIn) }, () =>
      positive ? Math.abs(random.normal()) : random.normal(),
    )
    return { dtype: 'float32', shape: shapeIn, data }
  })
  return { onnx, ops: nodes.map((n) => n.op), steps: names, samples }
}
