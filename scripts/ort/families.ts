/**
 * Random models of every quantised operator.
 * @module
 */
import { integerRange, type Shape } from '../../src/tensor.ts'
import type { Random } from '../training/random.ts'
import {
  type Attributes,
  between,
  biases,
  chance,
  type Draft,
  drawScale,
  drawZero,
  type Family,
  type Grid,
  grid,
  grids,
  integers,
  pick,
  type Quantised,
  type Recipe,
} from './draft.ts'

const eight = ['int8', 'uint8'] as const
const all = ['int8', 'uint8', 'int16', 'uint16'] as const
const bitsOf = (dtype: Quantised): number => (dtype.endsWith('8') ? 8 : 16)

/** From what to what integers are rounded; from 16 bits to 16 the compiler has an exact form for few scales only. */
const widths = all.flatMap((from) =>
  all.filter((to) => bitsOf(from) + bitsOf(to) < 32).map((to) => [from, to] as const),
)

/** Types of activations and of the weights beside them. */
const operands = [
  ['uint8', 'uint8'],
  ['uint8', 'int8'],
  ['int8', 'int8'],
] as const

/** Size of the scales of 8-bit activations and weights, and standard deviation of uniform 8-bit integers, about. */
const [ACTIVATION, WEIGHT, SPREAD] = [0.05, 0.02, 74]
/** Spread of a sum of n products of both. */
const spreadOf = (n: number): number => ACTIVATION * WEIGHT * SPREAD * SPREAD * Math.sqrt(n)
/** A grid that values of a spread fit. */
const fitting = (draft: Draft, dtype: Quantised, spread: number): Grid =>
  grid(draft, dtype, spread / (50 * 2 ** (bitsOf(dtype) - 8)))

/** An operand with its grid. */
type Operand = { readonly x: string; readonly grid: Grid }

const operand = (draft: Draft, shape: Shape, dtype: Quantised): Operand => ({
  x: draft.input(shape, dtype),
  grid: grid(draft, dtype, ACTIVATION),
})

const dequantised = ({ node }: Draft, { x, grid: { pair } }: Operand): string => node('DequantizeLinear', [x, ...pair])

/** Constant weights with zero point 0, of one scale or of one per index of the axis, dequantised; and these scales. */
function realWeights(draft: Draft, shape: Shape, axis: number): { readonly y: string; readonly scales: number[] } {
  const { random, constant, node } = draft
  const single = chance(random, 0.5)
  const scales = Array.from({ length: single ? 1 : shape[axis]! }, () => drawScale(random, WEIGHT))
  const form = single ? [] : [scales.length]
  const zeros = constant(form, new Array(scales.length).fill(0), 'int8')
  const given = [integers(draft, shape, 'int8'), constant(form, scales), zeros]
  return { y: node('DequantizeLinear', given, single ? {} : { axis }), scales }
}

/** A bias in steps of input scale · weight scale, dequantised. */
function realBias(draft: Draft, count: number, { scale }: Grid, scales: readonly number[]): string {
  const { constant, node } = draft
  const single = scales.length === 1
  const form = single ? [] : [count]
  const units = scales.map((s) => Math.fround(s * scale))
  const zeros = constant(form, new Array(scales.length).fill(0), 'int32')
  return node('DequantizeLinear', [biases(draft, count), constant(form, units), zeros], single ? {} : { axis: 0 })
}

const rounded = (draft: Draft, y: string, { pair }: Grid): string => draft.node('QuantizeLinear', [y, ...pair])

/** A small convolution. */
function drawConv({ random }: Draft) {
  const group = pick(random, [1, 1, 2])
  const [channels, filters] = [group * between(random, 1, 3), group * between(random, 1, 3)]
  const kernel = [between(random, 1, 3), between(random, 1, 3)]
  const pads = Array.from({ length: 4 }, () => random.below(2))
  const strides = [between(random, 1, 2), between(random, 1, 2)]
  return {
    x: [1, channels, between(random, 3, 7), between(random, 3, 7)],
    w: [filters, channels / group, ...kernel],
    filters,
    taps: (channels / group) * kernel[0]! * kernel[1]!,
    attributes: { group, kernel_shape: kernel, pads, strides },
  }
}

/** A small product of matrices. */
const drawProduct = ({ random }: Draft) => ({
  rows: between(random, 1, 3),
  inner: between(random, 1, 20),
  columns: between(random, 1, 6),
})

/** A quantised operator is either ONNX's operator between DequantizeLinear and QuantizeLinear, or one of com.microsoft. */
const forms = ['between DequantizeLinear and QuantizeLinear', 'of com.microsoft'] as const
type Form = (typeof forms)[number]
const [QDQ] = forms

function quantised(
  draft: Draft,
  form: Form,
  op: string,
  given: readonly Operand[],
  end: Grid,
  attributes: Attributes = {},
): string {
  if (form === 'of com.microsoft')
    return draft.microsoft(
      `QLinear${op}`,
      [...given.flatMap(({ x, grid: { pair } }) => [x, ...pair]), ...end.pair],
      attributes,
    )
  const reals = given.map((each) => dequantised(draft, each))
  return rounded(draft, draft.node(op, reals, attributes), end)
}

/** A family in either form. */
const inForm = (form: Form, op: string, recipe: (form: Form) => Recipe): Family => ({
  name: `${op} ${form}`,
  recipe: recipe(form),
  apart: recipe(QDQ),
})

const pairwise = (form: Form, op: 'Add' | 'Mul'): Family =>
  inForm(form, op, (as) => (draft) => {
    const dtype = pick(draft.random, eight)
    const given = [operand(draft, [2, 40], dtype), operand(draft, [2, 40], dtype)]
    return quantised(draft, as, op, given, fitting(draft, dtype, op === 'Add' ? 5 : 14))
  })

/** An operator of one tensor; `size` is that of its results' scale. */
const unary = (form: Form, op: string, size: number, attributes: (random: Random) => Attributes = () => ({})): Family =>
  inForm(form, op, (as) => (draft) => {
    const dtype = pick(draft.random, eight)
    const x = operand(draft, [1, 2, 5, 6], dtype)
    return quantised(draft, as, op, [x], grid(draft, dtype, size), attributes(draft.random))
  })

const slope = (random: Random): Attributes => ({ alpha: 0.01 + 0.3 * random.uniform() })
const windows = (random: Random): Attributes => ({
  kernel_shape: [between(random, 1, 3), between(random, 1, 3)],
  strides: [between(random, 1, 2), between(random, 1, 2)],
})

/** Probabilities have the grid that runtimes give them: 256 steps of 1/256 from the lowest integer. */
const softmax = (form: Form): Family =>
  inForm(form, 'Softmax', (as) => (draft) => {
    const { random, constant } = draft
    const dtype = pick(random, eight)
    const [zero] = integerRange(dtype)!
    const end: Grid = { scale: 1 / 256, zero, pair: [constant([], [1 / 256]), constant([], [zero], dtype)] }
    const x = operand(draft, [3, between(random, 2, 12)], dtype)
    return quantised(draft, as, 'Softmax', [x], end, as === QDQ ? {} : { axis: -1, opset: 13 })
  })

/** com.microsoft's has the result's grid first. */
const concat = (form: Form): Family =>
  inForm(form, 'Concat', (as) => (draft) => {
    const dtype = pick(draft.random, eight)
    const parts = [operand(draft, [2, 20], dtype), operand(draft, [2, 30], dtype)]
    const end = grid(draft, dtype, ACTIVATION)
    if (as === QDQ) return quantised(draft, as, 'Concat', parts, end, { axis: 1 })
    const inputs = [...end.pair, ...parts.flatMap(({ x, grid: { pair } }) => [x, ...pair])]
    return draft.microsoft('QLinearConcat', inputs, { axis: 1 })
  })

/** All families. */
export const families: readonly Family[] = [
  {
    name: 'QuantizeLinear of a float input',
    opset: 21,
    recipe: (draft) =>
      rounded(draft, draft.input([3, 16], 'float32'), grid(draft, pick(draft.random, all), ACTIVATION)),
  },
  {
    name: 'DequantizeLinear',
    opset: 21,
    recipe: (draft) => dequantised(draft, operand(draft, [3, 16], pick(draft.random, all))),
  },
  {
    name: 'DequantizeLinear of int32',
    recipe: ({ random, input, constant, node }) =>
      node('DequantizeLinear', [input([3, 16], 'int32'), constant([], [drawScale(random, 0.001)])]),
  },
  {
    name: 'DequantizeLinear of int32, QuantizeLinear',
    recipe: (draft) => {
      const { random, input, constant, node } = draft
      const scale = drawScale(random, 0.001)
      const real = node('DequantizeLinear', [input([2, 3], 'int32'), constant([], [scale])])
      // float32 moves the whole numbers beyond 2²⁴, and with them the steps: no ratio has them
      return rounded(draft, real, fitting(draft, pick(random, eight), scale * 2 ** 30))
    },
  },
  {
    name: 'DequantizeLinear and QuantizeLinear of com.microsoft',
    recipe: (draft) => {
      const [from, to] = pick(draft.random, widths)
      const {
        x,
        grid: { pair },
      } = operand(draft, [3, 16], from)
      const end = fitting(draft, to, ACTIVATION * SPREAD * 2 ** (bitsOf(from) - 8))
      return draft.microsoft('QuantizeLinear', [draft.microsoft('DequantizeLinear', [x, ...pair]), ...end.pair])
    },
  },
  {
    name: 'DequantizeLinear per axis, QuantizeLinear per axis',
    opset: 21,
    recipe: (draft) => {
      const { random, node } = draft
      const [from, to] = pick(random, widths)
      const shape = [4, 5]
      const [first, second] = [random.below(2), random.below(2)]
      const size = ACTIVATION * 2 ** (bitsOf(from) - bitsOf(to))
      const scales = grids(draft, from, ACTIVATION, [shape[first]!])
      const real = node('DequantizeLinear', [draft.input(shape, from), ...scales], { axis: first })
      return node('QuantizeLinear', [real, ...grids(draft, to, size, [shape[second]!])], { axis: second })
    },
  },
  {
    name: 'DequantizeLinear by blocks, QuantizeLinear by blocks',
    opset: 21,
    recipe: (draft) => {
      const { random, node } = draft
      const [from, to] = pick(random, widths)
      const [block, axis] = [between(random, 2, 4), random.below(2)]
      const shape = [4, 6]
      const blocks = shape.map((d, i) => (i === axis ? Math.ceil(d / block) : d))
      const attributes = { axis, block_size: block }
      const size = ACTIVATION * 2 ** (bitsOf(from) - bitsOf(to))
      const scales = grids(draft, from, ACTIVATION, blocks)
      const real = node('DequantizeLinear', [draft.input(shape, from), ...scales], attributes)
      return node('QuantizeLinear', [real, ...grids(draft, to, size, blocks)], attributes)
    },
  },
  {
    name: `Conv ${QDQ}`,
    recipe: (draft) => {
      const { random, node } = draft
      const dtype = pick(random, eight)
      const { x, w, filters, taps, attributes } = drawConv(draft)
      const data = operand(draft, x, dtype)
      const { y, scales } = realWeights(draft, w, 0)
      const bias = chance(random, 0.7) ? [realBias(draft, filters, data.grid, scales)] : []
      const sum = node('Conv', [dequantised(draft, data), y, ...bias], attributes)
      return rounded(draft, chance(random, 0.3) ? node('Relu', [sum]) : sum, fitting(draft, dtype, spreadOf(taps)))
    },
  },
  {
    name: `Gemm ${QDQ}`,
    recipe: (draft) => {
      const dtype = pick(draft.random, eight)
      const { rows, inner, columns } = drawProduct(draft)
      const data = operand(draft, [rows, inner], dtype)
      const { y, scales } = realWeights(draft, [columns, inner], 0)
      const bias = realBias(draft, columns, data.grid, scales)
      const sum = draft.node('Gemm', [dequantised(draft, data), y, bias], { transB: 1 })
      return rounded(draft, sum, fitting(draft, dtype, spreadOf(inner)))
    },
  },
  {
    name: `MatMul ${QDQ}`,
    recipe: (draft) => {
      const dtype = pick(draft.random, eight)
      const { rows, inner, columns } = drawProduct(draft)
      const data = operand(draft, [2, rows, inner], dtype)
      const sum = draft.node('MatMul', [dequantised(draft, data), realWeights(draft, [inner, columns], 1).y])
      return rounded(draft, sum, fitting(draft, dtype, spreadOf(inner)))
    },
  },
  {
    name: 'QLinearConv',
    recipe: (draft) => {
      const { random, node } = draft
      const [from, by] = pick(random, operands)
      const { x, w, filters, taps, attributes } = drawConv(draft)
      const data = operand(draft, x, from)
      // onnxruntime wants the same zero point for all channels
      const ws = grids(
        draft,
        by,
        WEIGHT,
        chance(random, 0.5) ? [] : [filters],
        by === 'int8' ? 0 : drawZero(random, by),
      )
      const ends = fitting(draft, from, spreadOf(taps)).pair
      const bias = chance(random, 0.6) ? [biases(draft, filters)] : []
      return node(
        'QLinearConv',
        [data.x, ...data.grid.pair, integers(draft, w, by), ...ws, ...ends, ...bias],
        attributes,
      )
    },
  },
  {
    name: 'QLinearMatMul',
    recipe: (draft) => {
      const [from, by] = pick(draft.random, operands)
      const { rows, inner, columns } = drawProduct(draft)
      const data = operand(draft, [2, rows, inner], from)
      const [stacked, single] = [chance(draft.random, 0.3), chance(draft.random, 0.5)]
      const w = integers(draft, stacked ? [2, inner, columns] : [inner, columns], by)
      const ws = grids(draft, by, WEIGHT, stacked || single ? [] : [columns])
      const ends = fitting(draft, from, spreadOf(inner)).pair
      return draft.node('QLinearMatMul', [data.x, ...data.grid.pair, w, ...ws, ...ends])
    },
  },
  {
    name: 'ConvInteger',
    recipe: (draft) => {
      const { random, constant, node } = draft
      const { x, w, attributes } = drawConv(draft)
      const zeros = [0, 1].map(() => constant([], [drawZero(random, 'uint8')], 'uint8'))
      return node('ConvInteger', [draft.input(x, 'uint8'), integers(draft, w, 'uint8'), ...zeros], attributes)
    },
  },
  {
    name: 'MatMulInteger',
    recipe: (draft) => {
      const { random, constant, node } = draft
      const [from, by] = pick(random, operands)
      const { rows, inner, columns } = drawProduct(draft)
      const zero = constant([], [drawZero(random, from)], from)
      const [stacked, single] = [chance(random, 0.3), chance(random, 0.5)]
      const form = stacked || single ? [] : [columns]
      const zeros = constant(
        form,
        Array.from({ length: form[0] ?? 1 }, () => drawZero(random, by)),
        by,
      )
      const w = integers(draft, stacked ? [2, inner, columns] : [inner, columns], by)
      return node('MatMulInteger', [draft.input([2, rows, inner], from), w, zero, zeros])
    },
  },
  ...forms.flatMap((form) => [
    pairwise(form, 'Add'),
    pairwise(form, 'Mul'),
    unary(form, 'AveragePool', ACTIVATION, windows),
    unary(form, 'GlobalAveragePool', ACTIVATION / 5),
    unary(form, 'Sigmoid', 1 / 256),
    unary(form, 'LeakyRelu', ACTIVATION, slope),
    softmax(form),
    concat(form),
  ]),
  unary(QDQ, 'Relu', ACTIVATION),
  unary(QDQ, 'Tanh', 1 / 128),
  unary(QDQ, 'HardSigmoid', 1 / 256, (random) => ({ alpha: 0.1 + 0.4 * random.uniform(), beta: 0.5 })),
  unary(QDQ, 'MaxPool', ACTIVATION, () => ({ kernel_shape: [2, 3], strides: [1, 2] })),
  unary(QDQ, 'Transpose', ACTIVATION, () => ({ perm: [0, 2, 3, 1] })),
]
