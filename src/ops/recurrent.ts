/**
 * What RNN, GRU and LSTM have in common: geometry, attributes, activation functions and the float reference's loop.
 * @module
 */
import type { Node } from '../graph/graph.ts'
import { floatTypes, formatShape, type Shape, sameShape, sizeOf, type Tensor, type TensorType } from '../tensor.ts'
import { type AttributeKind, attributesOf, flag, float, floats, int, oneOf, optional } from './attributes.ts'
import { constantInts, invalid, like, typeAt, typeLikeFirst, typeOf, unsupported } from './inputs.ts'
import type { InferContext } from './op.ts'

/** A function that ONNX lets a recurrent network apply, with its two parameters where it has them. */
export type Activation = { readonly name: ActivationName; readonly alpha: number; readonly beta: number }

type ActivationName = keyof typeof functions

const functions = {
  Affine: (x: number, a: number, b: number): number => a * x + b,
  Relu: (x: number): number => Math.max(x, 0),
  LeakyRelu: (x: number, a: number): number => (x >= 0 ? x : a * x),
  ThresholdedRelu: (x: number, a: number): number => (x > a ? x : 0),
  Tanh: (x: number): number => Math.tanh(x),
  ScaledTanh: (x: number, a: number, b: number): number => a * Math.tanh(b * x),
  Sigmoid: (x: number): number => 1 / (1 + Math.exp(-x)),
  HardSigmoid: (x: number, a: number, b: number): number => Math.min(Math.max(a * x + b, 0), 1),
  Elu: (x: number, a: number): number => (x >= 0 ? x : a * Math.expm1(x)),
  Softsign: (x: number): number => x / (1 + Math.abs(x)),
  Softplus: (x: number): number => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))),
} as const

/** Parameters that a function takes, with their values where a model gives none; ScaledTanh has none such. */
const parameters: { readonly [K in ActivationName]?: { readonly alpha?: number; readonly beta?: number } } = {
  Affine: { alpha: 1, beta: 0 },
  LeakyRelu: { alpha: 0.01 },
  ThresholdedRelu: { alpha: 1 },
  ScaledTanh: { alpha: Number.NaN, beta: Number.NaN },
  HardSigmoid: { alpha: 0.2, beta: 0.5 },
  Elu: { alpha: 1 },
}

/** The function at x. */
export const activate = ({ name, alpha, beta }: Activation, x: number): number => functions[name](x, alpha, beta)

/** Sizes and settings of a recurrent node. */
export type Recurrence = {
  /** Matrices stacked in W and R: 1 for RNN, z r h for GRU, i o f c for LSTM. */
  readonly gates: number
  readonly steps: number
  readonly batch: number
  readonly inputSize: number
  readonly hidden: number
  /** Whether each direction goes from the last step to the first. */
  readonly reversed: readonly boolean[]
  /** Batch before steps (X, Y) and before directions (states). */
  readonly batchFirst: boolean
  /** Arguments of the gates' functions are clipped to ±this; undefined where they are not. */
  readonly clip: number | undefined
  /** Functions of each direction: f for RNN, f g for GRU, f g h for LSTM. */
  readonly activations: readonly (readonly Activation[])[]
  /** GRU: the reset gate multiplies H·Rᵀ + Rb instead of H. */
  readonly linearBeforeReset: boolean
  /** LSTM: the forget gate is 1 - input gate. */
  readonly inputForget: boolean
}

/** Roles of the inputs, by position. */
export const inputsOf = {
  RNN: ['X', 'W', 'R', 'B', 'sequence_lens', 'initial_h'],
  GRU: ['X', 'W', 'R', 'B', 'sequence_lens', 'initial_h'],
  LSTM: ['X', 'W', 'R', 'B', 'sequence_lens', 'initial_h', 'initial_c', 'P'],
} as const

const gatesOf = { RNN: 1, GRU: 3, LSTM: 4 } as const
const defaultsOf = { RNN: ['Tanh'], GRU: ['Sigmoid', 'Tanh'], LSTM: ['Sigmoid', 'Tanh', 'Tanh'] } as const

export type RecurrentType = keyof typeof inputsOf

/** A list of words; undefined where absent. */
const words = (): AttributeKind<readonly string[] | undefined> => ({
  expects: 'a list of words',
  read: (v) => (Array.isArray(v) && v.every((x) => typeof x === 'string') ? (v as readonly string[]) : undefined),
  otherwise: () => undefined,
})

const attributesOfNode = (node: Node) =>
  attributesOf(node, {
    activations: words(),
    activation_alpha: floats(),
    activation_beta: floats(),
    clip: optional(float(0)),
    direction: oneOf(['forward', 'reverse', 'bidirectional'], 'forward'),
    hidden_size: optional(int(0)),
    layout: flag(false),
    linear_before_reset: flag(false),
    input_forget: flag(false),
  })

/** Attributes that only some of the operators, or opsets, have. */
function checkAttributes({ node }: InferContext): void {
  const foreign = [
    ...(node.op === 'GRU' ? [] : ['linear_before_reset']),
    ...(node.op === 'LSTM' ? [] : ['input_forget']),
    ...(node.opset >= 14 ? [] : ['layout']),
  ].find((name) => Object.hasOwn(node.attributes, name))
  if (foreign !== undefined)
    invalid({ node, types: [], constants: [] }, `${node.op} of opset ${node.opset} has no attribute "${foreign}"`)
}

/** Sizes and settings of a node; checks every input. */
export function recurrenceOf(context: InferContext, type: RecurrentType): Recurrence {
  checkAttributes(context)
  const given = attributesOfNode(context.node)
  const x = typeOf(context, 0, floatTypes).shape
  const r = typeAt(context, 2).shape
  if (x.length !== 3) invalid(context, `X ${formatShape(x)} must have three axes`)
  const directions = given.direction === 'bidirectional' ? 2 : 1
  const [steps, batch] = given.layout ? [x[1]!, x[0]!] : [x[0]!, x[1]!]
  const gates = gatesOf[type]
  const hidden = given.hidden_size ?? r[2] ?? 0
  if (hidden < 1 || steps < 1 || batch < 1)
    unsupported(context, 'sizes', [steps, batch, hidden], 'at least one step, one sequence and one hidden unit')
  const state = given.layout ? [batch, directions, hidden] : [directions, batch, hidden]
  const expected: Readonly<Record<string, Shape>> = {
    W: [directions, gates * hidden, x[2]!],
    R: [directions, gates * hidden, hidden],
    B: [directions, 2 * gates * hidden],
    initial_h: state,
    initial_c: state,
    P: [directions, 3 * hidden],
  }
  inputsOf[type].forEach((role, i) => {
    const shape = expected[role]
    if (shape === undefined || context.types[i] === undefined) return
    const found = typeLikeFirst(context, i).shape
    if (!sameShape(found, shape)) invalid(context, `${role} is ${formatShape(found)}, not ${formatShape(shape)}`)
  })
  const lengths = constantInts(context, 4, 'sequence_lens')
  if (lengths !== undefined) {
    if (lengths.length !== batch)
      invalid(context, `there are ${lengths.length} sequence lengths for ${batch} sequences`)
    if (lengths.some((n) => n !== steps)) unsupported(context, 'sequence_lens', lengths, `sequences of ${steps} steps`)
  }
  const { clip } = given
  if (clip !== undefined && !(clip > 0)) unsupported(context, 'clip', clip, 'thresholds above 0')
  return {
    ...{ gates, steps, batch, inputSize: x[2]!, hidden, clip },
    reversed: directions === 2 ? [false, true] : [given.direction === 'reverse'],
    batchFirst: given.layout,
    activations: activationsOf(context, given, directions, defaultsOf[type]),
    linearBeforeReset: given.linear_before_reset,
    inputForget: given.input_forget,
  }
}

/** The functions of each direction. Parameters are consumed in order by those functions that have them. */
function activationsOf(
  context: InferContext,
  given: ReturnType<typeof attributesOfNode>,
  directions: number,
  defaults: readonly string[],
): Activation[][] {
  const count = defaults.length
  const listed = given.activations ?? Array.from({ length: directions }, () => defaults).flat()
  if (listed.length !== count * directions)
    invalid(context, `there are ${listed.length} activations, not ${count} for each direction`)
  const names = Object.keys(functions) as ActivationName[]
  const remaining = { alpha: [...(given.activation_alpha ?? [])], beta: [...(given.activation_beta ?? [])] }
  const found = listed.map((word): Activation => {
    const name = names.find((known) => known.toLowerCase() === word.toLowerCase())
    if (name === undefined) return unsupported(context, 'activations', word, names.join(', '))
    const value = (which: 'alpha' | 'beta'): number => {
      const otherwise = parameters[name]?.[which]
      if (otherwise === undefined) return 0
      const v = remaining[which].shift() ?? otherwise
      return Number.isNaN(v) ? invalid(context, `the ${which} of ${name} is missing`) : v
    }
    return { name, alpha: value('alpha'), beta: value('beta') }
  })
  for (const which of ['alpha', 'beta'] as const)
    if (remaining[which].length > 0)
      unsupported(context, `activation_${which}`, given[`activation_${which}`], 'one for each function that takes it')
  return Array.from({ length: directions }, (_, d) => found.slice(d * count, (d + 1) * count))
}

/** Types of Y, Y_h and, for LSTM, Y_c. */
export function inferRecurrent(context: InferContext, type: RecurrentType): TensorType[] {
  const { steps, batch, hidden, reversed, batchFirst } = recurrenceOf(context, type)
  const directions = reversed.length
  const state = batchFirst ? [batch, directions, hidden] : [directions, batch, hidden]
  const all = batchFirst ? [batch, steps, directions, hidden] : [steps, directions, batch, hidden]
  const x = typeAt(context, 0)
  return [all, state, ...(type === 'LSTM' ? [state] : [])].map((shape) => like(x, shape))
}

/** What one step of one sequence sees. */
export type Step = {
  readonly x: Float64Array
  readonly h: Float64Array
  /** Cell state; zeros for RNN and GRU. */
  readonly c: Float64Array
  readonly activations: readonly Activation[]
  readonly recurrence: Recurrence
  /** Row i of gate g: W·x. */
  input(gate: number, i: number): number
  /** Row i of gate g: R·v, where v is h if not given. */
  recurrent(gate: number, i: number, v?: Float64Array): number
  /** Biases of gate g: of W and of R. */
  biases(gate: number, i: number): readonly [number, number]
  /** Peephole weight p (i, o, f) of unit i. */
  peephole(p: number, i: number): number
  /** The argument of a gate's function, clipped where the node asks for it. */
  clipped(v: number): number
}

/** Runs a cell over all directions, sequences and steps. Results are Y, Y_h and the last cell states. */
export function runRecurrent(
  context: InferContext,
  type: RecurrentType,
  inputs: readonly (Tensor | undefined)[],
  cell: (step: Step) => { readonly h: Float64Array; readonly c?: Float64Array },
): Tensor[] {
  const recurrence = recurrenceOf(context, type)
  const { gates, steps, batch, inputSize, hidden, reversed, batchFirst, clip } = recurrence
  const directions = reversed.length
  const [x, w, r, b, , h0, c0, p] = inputs.map((t) => t?.data)
  const types = inferRecurrent(context, type)
  const [y, yh, yc] = [0, 1, 1].map((i) => new Float64Array(sizeOf(types[i]!.shape))) as [
    Float64Array,
    Float64Array,
    Float64Array,
  ]
  const dot = (m: Float64Array, row: number, v: Float64Array): number => {
    let sum = 0
    for (let k = 0; k < v.length; k++) sum += m[row * v.length + k]! * v[k]!
    return sum
  }
  const clipped = (v: number): number => (clip === undefined ? v : Math.min(Math.max(v, -clip), clip))
  for (let d = 0; d < directions; d++)
    for (let n = 0; n < batch; n++) {
      const stateAt = (batchFirst ? n * directions + d : d * batch + n) * hidden
      let h: Float64Array = h0?.slice(stateAt, stateAt + hidden) ?? new Float64Array(hidden)
      let c: Float64Array = c0?.slice(stateAt, stateAt + hidden) ?? new Float64Array(hidden)
      for (let s = 0; s < steps; s++) {
        const t = reversed[d] ? steps - 1 - s : s
        const from = (batchFirst ? n * steps + t : t * batch + n) * inputSize
        const [xt, ht] = [x!.subarray(from, from + inputSize), h]
        const row = (gate: number, i: number): number => (d * gates + gate) * hidden + i
        const next = cell({
          ...{ x: xt, h: ht, c, recurrence, clipped },
          activations: recurrence.activations[d]!,
          input: (gate, i) => dot(w!, row(gate, i), xt),
          recurrent: (gate, i, v = ht) => dot(r!, row(gate, i), v),
          biases: (gate, i) => {
            const at = d * 2 * gates * hidden + gate * hidden + i
            return [b?.[at] ?? 0, b?.[at + gates * hidden] ?? 0]
          },
          peephole: (which, i) => p?.[(d * 3 + which) * hidden + i] ?? 0,
        })
        h = next.h
        c = next.c ?? c
        y.set(h, (batchFirst ? (n * steps + t) * directions + d : (t * directions + d) * batch + n) * hidden)
      }
      yh.set(h, stateAt)
      yc.set(c, stateAt)
    }
  return types.map(({ dtype, shape }, i) => ({ dtype, shape, data: [y, yh, yc][i]! }))
}
