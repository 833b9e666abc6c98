/**
 * Operators on quantised tensors that are a float operator between DequantizeLinear and QuantizeLinear, as ONNX defines them or
 * onnxruntime's com.microsoft does. Each is written as those parts: types, reference and integer form follow from them.
 * @module
 */
import { type Shape, sizeOf, type Tensor, type TensorType } from '../tensor.ts'
import { add } from './add.ts'
import { attributesOf, flag, float, int } from './attributes.ts'
import { averagePool } from './averagePool.ts'
import { cast } from './cast.ts'
import { concat } from './concat.ts'
import { conv } from './conv.ts'
import { dequantizeLinear } from './dequantizeLinear.ts'
import { constantOf, type Example } from './doc.ts'
import { globalAveragePool } from './globalAveragePool.ts'
import { invalid, typeAt, typeOf } from './inputs.ts'
import { leakyRelu } from './leakyRelu.ts'
import { lowerIntegerConv, lowerIntegerMatMul } from './lower/integerProducts.ts'
import { matMul } from './matMul.ts'
import { mul } from './mul.ts'
import type { InferContext, Op } from './op.ts'
import { quantisedTypes } from './quantisation.ts'
import { quantizeLinear } from './quantizeLinear.ts'
import { sigmoid } from './sigmoid.ts'
import { softmax } from './softmax.ts'
import { poolAttributes } from './windows.ts'

/** One part: an operator on values of the node ('#0' is its input 0), earlier parts (by `output`), or constants. */
export type Part = {
  readonly op: Op
  readonly opset: number
  readonly inputs: readonly string[]
  readonly output: string
  readonly attributes: Readonly<Record<string, number>> | InferContext['node']['attributes']
  readonly constants?: Readonly<Record<string, Tensor>>
}

/** The parts of a quantised operator, the last of which makes its output. */
const expansions = new Map<Op, (context: InferContext) => Part[]>()

/** Parts of an operator of this file, undefined for any other. */
export const partsOf = (op: Op, context: InferContext): Part[] | undefined => expansions.get(op)?.(context)

/** What a part sees: types and, where known, values of its inputs, by name. */
export function partContext(
  { node }: InferContext,
  { op, opset, inputs, attributes, constants = {} }: Part,
  types: ReadonlyMap<string, TensorType>,
  values: ReadonlyMap<string, Tensor>,
): InferContext {
  return {
    node: { ...node, op: op.type, domain: op.domain, opset, attributes, inputs },
    types: inputs.map((name) => constants[name] ?? types.get(name)),
    constants: inputs.map((name) => constants[name] ?? values.get(name)),
  }
}

/** Names of a node's inputs in its parts. */
export const inputNames = ({ types }: Pick<InferContext, 'types'>): string[] =>
  types.map((type, i) => (type === undefined ? '' : `#${i}`))

function composite(
  type: string,
  domain: string,
  opsets: Op['opsets'],
  arity: Op['arity'],
  expand: (context: InferContext) => Part[],
  example: Example,
  others: Partial<Pick<Op, 'doc' | 'lower'>> = {},
): Op {
  const named = <T>(list: readonly (T | undefined)[]): Map<string, T> =>
    new Map(list.flatMap((x, i) => (x === undefined ? [] : [[`#${i}`, x]])))
  const op: Op = {
    type,
    domain,
    opsets,
    arity,
    doc: {
      integers:
        'of a quantised model: the float operator between DequantizeLinear and QuantizeLinear; see docs/integer-model.md',
      rows: 'as the cheapest rational, table or sum with the same results',
      error: 'none: bit for bit float32, Softmax within float32',
      refuses: 'scales, zero points and weights that the model computes',
      example,
    },
    infer(context) {
      const types = named(context.types)
      let last: TensorType[] = []
      for (const part of expand(context)) {
        last = part.op.infer(partContext(context, part, types, named(context.constants)))
        types.set(part.output, last[0]!)
      }
      return last
    },
    compute(context, inputs) {
      const types = named(context.types)
      const values = named(inputs)
      let last: Tensor[] = []
      for (const part of expand(context)) {
        const inner = partContext(context, part, types, values)
        last = part.op.compute(inner, inner.constants)
        types.set(part.output, last[0]!)
        values.set(part.output, last[0]!)
      }
      return last
    },
    ...others,
  }
  expansions.set(op, expand)
  return op
}

/** A quantised tensor of an example, and a scale with its zero point. */
const bytes = (shape: Shape, ...values: number[]): Tensor => constantOf(shape, values, 'uint8')
const grid = (scale: number, zero: number): Tensor[] => [constantOf([], [scale]), constantOf([], [zero], 'uint8')]
const pixels: Tensor = bytes([1, 1, 2, 2], 0, 50, 100, 255)

/** Opset of the parts that are Quantize- or DequantizeLinear: the first with an axis. */
const GRID_OPSET = 13

/** DequantizeLinear of input `at`, whose scale and zero point are the next two. */
function dequantised(context: InferContext, at: number, axis = 0, scaleAt = at + 1): Part {
  typeOf(context, at, quantisedTypes)
  const [scale, zero] = [context.types[scaleAt], context.types[scaleAt + 1]]
  // a zero point for all beside scales for each (or the reverse) is more than DequantizeLinear takes
  if (scale !== undefined && zero !== undefined && sizeOf(scale.shape) !== sizeOf(zero.shape))
    invalid(context, `scale [${scale.shape.join(', ')}] and zero point [${zero.shape.join(', ')}] differ in shape`)
  return {
    op: { ...dequantizeLinear, infer: inferLoosely(dequantizeLinear) },
    opset: GRID_OPSET,
    inputs: [`#${at}`, `#${scaleAt}`, ...(zero === undefined ? [] : [`#${scaleAt + 1}`])],
    output: `real${at}`,
    attributes: { axis },
  }
}

/** Scalars and lists of one element are the same here. */
const inferLoosely =
  (op: Op): Op['infer'] =>
  (context) => {
    const types = context.types.map((type, i) =>
      i > 0 && type !== undefined && sizeOf(type.shape) === 1 ? { ...type, shape: [] } : type,
    )
    return op.infer({ ...context, types })
  }

/** QuantizeLinear of the part `real`; scale and zero point are inputs `at` and `at + 1`. */
const quantised = (context: InferContext, real: string, at: number): Part => ({
  op: { ...quantizeLinear, infer: inferLoosely(quantizeLinear) },
  opset: GRID_OPSET,
  inputs: [real, `#${at}`, ...(context.types[at + 1] === undefined ? [] : [`#${at + 1}`])],
  output: 'result',
  attributes: {},
})

const part = (op: Op, opset: number, inputs: string[], output: string, attributes: Part['attributes'] = {}): Part => ({
  op,
  opset,
  inputs,
  output,
  attributes,
})

const one: Tensor = { dtype: 'float32', shape: [], data: Float64Array.of(1) }

/** Input `at` less its zero point, as whole floats. */
const wholes = (context: InferContext, at: number, zeroAt: number, axis: number): Part => {
  typeOf(context, at, quantisedTypes)
  const zero = context.types[zeroAt]
  const count = zero === undefined ? 1 : sizeOf(zero.shape)
  const scale = count === 1 ? one : { ...one, shape: [count], data: new Float64Array(count).fill(1) }
  return {
    ...part({ ...dequantizeLinear, infer: inferLoosely(dequantizeLinear) }, GRID_OPSET, [], `real${at}`, { axis }),
    inputs: [`#${at}`, 'one', ...(zero === undefined ? [] : [`#${zeroAt}`])],
    constants: { one: scale },
  }
}

const rankOf = (context: InferContext, at: number): number => typeAt(context, at).shape.length

/** Bias as int32 of scale (input scale · weight scale). https://onnx.ai/onnx/operators/onnx__QLinearConv.html */
export const qLinearConv = composite(
  'QLinearConv',
  '',
  [10, 25],
  [8, 9],
  (context) => {
    const [xs, ws] = [context.constants[1], context.constants[4]]
    const parts = [dequantised(context, 0), dequantised(context, 3)]
    const { opset, attributes } = context.node
    if (context.types[8] === undefined)
      return [...parts, part(conv, opset, ['real0', 'real3'], 'sum', attributes), quantised(context, 'sum', 6)]
    const bias = typeOf(context, 8, ['int32'])
    // until values are known (types are inferred first), any scales of the right shape do
    const count = sizeOf(typeAt(context, 4).shape)
    const data = Float64Array.from({ length: count }, (_, c) => Math.fround((xs?.data[0] ?? 1) * (ws?.data[c] ?? 1)))
    const scale: Tensor = { dtype: 'float32', shape: count === 1 && bias.shape[0] !== 1 ? [] : [count], data }
    const real: Part = {
      ...part(dequantizeLinear, GRID_OPSET, ['#8', 'biasScale'], 'real8', { axis: 0 }),
      constants: { biasScale: scale },
    }
    return [
      ...parts,
      real,
      part(conv, opset, ['real0', 'real3', 'real8'], 'sum', attributes),
      quantised(context, 'sum', 6),
    ]
  },
  {
    inputs: [pixels],
    constants: [...grid(0.02, 3), bytes([1, 1, 2, 2], 1, 2, 3, 4), ...grid(0.1, 1), ...grid(0.5, 9)],
  },
)

/** https://onnx.ai/onnx/operators/onnx__QLinearMatMul.html */
export const qLinearMatMul = composite(
  'QLinearMatMul',
  '',
  [10, 25],
  [8, 8],
  (context) => [
    dequantised(context, 0, Math.max(rankOf(context, 0) - 2, 0)),
    dequantised(context, 3, rankOf(context, 3) - 1),
    part(matMul, context.node.opset, ['real0', 'real3'], 'sum', context.node.attributes),
    quantised(context, 'sum', 6),
  ],
  {
    inputs: [bytes([1, 2], 7, 200)],
    constants: [...grid(0.02, 3), bytes([2, 2], 1, 2, 3, 4), ...grid(0.1, 1), ...grid(0.5, 9)],
  },
)

const toInt32 = (of: string): Part => part(cast, GRID_OPSET, [of], 'result', { to: 6 })

/** The accumulators of a convolution of integers. https://onnx.ai/onnx/operators/onnx__ConvInteger.html */
export const convInteger = composite(
  'ConvInteger',
  '',
  [10, 25],
  [2, 4],
  (context) => [
    wholes(context, 0, 2, 0),
    wholes(context, 1, 3, 0),
    part(conv, context.node.opset, ['real0', 'real1'], 'sum', context.node.attributes),
    toInt32('sum'),
  ],
  { inputs: [pixels], constants: [bytes([1, 1, 2, 2], 1, 2, 3, 4)] },
  {
    doc: {
      integers: 'Σ (x - zx)·(w - zw) exactly; they do not wrap',
      rows: '0',
      error: 'none',
      refuses: 'weights that the model computes',
      example: { inputs: [pixels], constants: [bytes([1, 1, 2, 2], 1, 2, 3, 4)] },
    },
    lower: (context, inputs) => [lowerIntegerConv(context, inputs, convInteger.infer(context)[0]!.shape)],
  },
)

/** The accumulators of a product of integers. https://onnx.ai/onnx/operators/onnx__MatMulInteger.html */
export const matMulInteger = composite(
  'MatMulInteger',
  '',
  [10, 25],
  [2, 4],
  (context) => [
    wholes(context, 0, 2, Math.max(rankOf(context, 0) - 2, 0)),
    wholes(context, 1, 3, rankOf(context, 1) - 1),
    part(matMul, context.node.opset, ['real0', 'real1'], 'sum', context.node.attributes),
    toInt32('sum'),
  ],
  { inputs: [bytes([1, 2], 7, 200)], constants: [bytes([2, 2], 1, 2, 3, 4)] },
  {
    doc: {
      integers: 'Σ (a - za)·(b - zb) exactly; they do not wrap',
      rows: '0 where one side is constant; else n·k products',
      error: 'none',
      example: { inputs: [bytes([1, 2], 7, 200)], constants: [bytes([2, 2], 1, 2, 3, 4)] },
    },
    lower: (context, inputs) => [lowerIntegerMatMul(context, inputs)],
  },
)

const MICROSOFT = 'com.microsoft'
/** Opset of the float parts of com.microsoft's operators. */
const REAL_OPSET = 13

const pairwise = (type: string, op: Op): Op =>
  composite(
    type,
    MICROSOFT,
    [1, 1],
    [7, 8],
    (context) => [
      dequantised(context, 0),
      dequantised(context, 3),
      part(op, REAL_OPSET, ['real0', 'real3'], 'sum', context.node.attributes),
      quantised(context, 'sum', 6),
    ],
    {
      inputs: [bytes([2], 7, 200)],
      constants: [...grid(0.02, 3), bytes([2], 2, 3), ...grid(0.1, 1), ...grid(0.5, 9)],
    },
  )

const unary = (
  type: string,
  op: Op,
  attributes: (context: InferContext) => Part['attributes'] = ({ node }) => node.attributes,
  opset: (context: InferContext) => number = () => REAL_OPSET,
): Op =>
  composite(
    type,
    MICROSOFT,
    [1, 1],
    [4, 5],
    (context) => [
      dequantised(context, 0),
      part(op, opset(context), ['real0'], 'y', attributes(context)),
      quantised(context, 'y', 3),
    ],
    {
      inputs: [pixels],
      constants: [...grid(0.02, 3), ...grid(0.1, 1)],
      ...(op === averagePool ? { attributes: { kernel_shape: [2, 2] } } : {}),
    },
  )

/** The attributes but `channels_last`, which must be 0. */
const channelsFirst = ({ node }: InferContext): Part['attributes'] => {
  const { channels_last, ...others } = node.attributes
  if (channels_last !== undefined && channels_last !== 0)
    throw invalid({ node, types: [], constants: [] }, 'channels_last = 1 is not supported')
  return others
}

/** https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md#com.microsoft.QLinearAdd */
export const qLinearAdd = pairwise('QLinearAdd', add)
/** https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md#com.microsoft.QLinearMul */
export const qLinearMul = pairwise('QLinearMul', mul)
/** https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md#com.microsoft.QLinearAveragePool */
export const qLinearAveragePool = unary('QLinearAveragePool', averagePool, (context) => {
  const attributes = channelsFirst(context)
  attributesOf({ ...context.node, attributes }, { ...poolAttributes, count_include_pad: flag(false) })
  return attributes
})
/** https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md#com.microsoft.QLinearGlobalAveragePool */
export const qLinearGlobalAveragePool = unary('QLinearGlobalAveragePool', globalAveragePool, channelsFirst)
/** https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md#com.microsoft.QLinearSigmoid */
export const qLinearSigmoid = unary('QLinearSigmoid', sigmoid)
/** https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md#com.microsoft.QLinearLeakyRelu */
export const qLinearLeakyRelu = unary('QLinearLeakyRelu', leakyRelu, ({ node }) => {
  attributesOf(node, { alpha: float(0.01) })
  return node.attributes
})
const softmaxAttributes = ({ node }: InferContext) => attributesOf(node, { axis: int(-1), opset: int(13) })
/**
 * Softmax as the opset that its attribute names has it.
 * https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md#com.microsoft.QLinearSoftmax
 */
export const qLinearSoftmax = unary(
  'QLinearSoftmax',
  softmax,
  (context) => ({ axis: softmaxAttributes(context).axis }),
  (context) => softmaxAttributes(context).opset,
)
/**
 * Scale and zero point of the result come first, then three inputs for each part.
 * https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md#com.microsoft.QLinearConcat
 */
export const qLinearConcat = composite(
  'QLinearConcat',
  MICROSOFT,
  [1, 1],
  [5, 2 + 3 * 1024],
  (context) => {
    if ((context.types.length - 2) % 3 !== 0) invalid(context, 'its inputs are not scale, zero point and triples')
    const starts = Array.from({ length: (context.types.length - 2) / 3 }, (_, i) => 2 + 3 * i)
    return [
      ...starts.map((at) => dequantised(context, at)),
      part(
        concat,
        REAL_OPSET,
        starts.map((at) => `real${at}`),
        'y',
        context.node.attributes,
      ),
      quantised(context, 'y', 0),
    ]
  },
  {
    inputs: [bytes([2], 7, 200), bytes([1], 9)],
    constants: [...grid(0.1, 5), ...grid(0.1, 5), ...grid(0.02, 3)],
    order: [2, 3, 0, 4, 5, 1, 6, 7],
    attributes: { axis: 0 },
  },
)

/** Opset that brought 16-bit integers to QuantizeLinear and DequantizeLinear. */
const SIXTEEN_OPSET = 21

/** An operator of ai.onnx that com.microsoft has too: 16-bit integers came there first. */
const alias = (op: Op): Op =>
  composite(
    op.type,
    MICROSOFT,
    [1, 1],
    op.arity,
    (context) => [part(op, SIXTEEN_OPSET, inputNames(context), 'result', context.node.attributes)],
    op.doc!.example,
  )

/** https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md#com.microsoft.QuantizeLinear */
export const microsoftQuantizeLinear = alias(quantizeLinear)
/** https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md#com.microsoft.DequantizeLinear */
export const microsoftDequantizeLinear = alias(dequantizeLinear)

/** The operators that only quantised models have. */
export const quantisedOperators: readonly Op[] = [
  qLinearConv,
  qLinearMatMul,
  convInteger,
  matMulInteger,
  qLinearAdd,
  qLinearMul,
  qLinearAveragePool,
  qLinearGlobalAveragePool,
  qLinearSigmoid,
  qLinearLeakyRelu,
  qLinearSoftmax,
  qLinearConcat,
]
