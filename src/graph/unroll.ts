/**
 * Recurrent nodes as ordinary ones, a copy per step.
 * @module
 */
import { type Activation, type Recurrence, type RecurrentType, recurrenceOf } from '../ops/recurrent.ts'
import { UnsupportedError } from '../ops/unsupported.ts'
import type { Tensor } from '../tensor.ts'
import type { Graph, Node } from './graph.ts'
import { contextOf } from './infer.ts'
import { type Maker, makerFor } from './maker.ts'
import { type Draft, rewrite } from './rewrite.ts'

/** Most steps of a node, over its directions: each makes some ten nodes. */
const maxSteps = 2048

/** Writes RNN, GRU and LSTM as nodes for each step and direction, named after the node, direction, step and role. */
export const unrollRecurrent = (graph: Graph): Graph =>
  rewrite(graph, (node, draft) =>
    node.domain === '' && Object.hasOwn(cells, node.op) ? unrolled(node, draft, node.op as RecurrentType) : undefined,
  )

/** A direction of a node: its parameters and where its steps take their names from. */
type Lane = {
  readonly at: Maker
  readonly recurrence: Recurrence
  readonly prefix: string
  readonly activations: readonly Activation[]
  /** Wᵀ and Rᵀ of each gate, [inputSize, hidden] and [hidden, hidden]; biases [hidden]; peepholes [hidden, hidden]. */
  readonly w: readonly string[]
  readonly r: readonly string[]
  readonly wb: readonly (string | undefined)[]
  readonly rb: readonly (string | undefined)[]
  readonly p: readonly (string | undefined)[]
  readonly dtype: Tensor['dtype']
}

/** States between steps; undefined for zeros. */
type State = { readonly h: string | undefined; readonly c: string | undefined }

/** One step: from its input and the state before it to the state after it, with names that begin with `role`. */
type Cell = (lane: Lane, role: string, x: string, state: State) => State & { readonly h: string }

function unrolled(node: Node, draft: Draft, type: RecurrentType): Node[] {
  const recurrence = recurrenceOf(contextOf(node, draft), type)
  const { steps, reversed, batchFirst } = recurrence
  if (steps * reversed.length > maxSteps)
    throw new UnsupportedError({
      ...{ node: node.name, op: node.op, attribute: 'steps', got: steps * reversed.length },
      supported: `at most ${maxSteps}, over all directions`,
    })
  const at = makerFor(draft, node)
  const [x, , , , , h0, c0] = node.inputs
  const inputs = Array.from({ length: steps }, (_, t) => squeezed(at, `x.${t}`, x!, batchFirst ? 1 : 0, t))
  /** Hidden states by step and direction. */
  const hidden: string[][] = inputs.map(() => [])
  const last: State[] = reversed.map((back, d) => {
    const lane = laneOf(node, draft, at, recurrence, d)
    const initial = (name: string | undefined, role: string): string | undefined => {
      if (!name || at.valueOf(name)?.data.every((v) => v === 0)) return undefined
      return squeezed(at, `${lane.prefix}.${role}`, name, batchFirst ? 1 : 0, d)
    }
    let state: State = { h: initial(h0, 'initial_h'), c: type === 'LSTM' ? initial(c0, 'initial_c') : undefined }
    for (let s = 0; s < steps; s++) {
      const t = back ? steps - 1 - s : s
      const next = cells[type](lane, `${lane.prefix}.${t}`, inputs[t]!, state)
      hidden[t]!.push(next.h)
      state = next
    }
    return state
  })
  const [y, yh, yc] = node.outputs
  if (y) {
    // [steps, directions, batch, hidden], or [batch, steps, directions, hidden]
    const axes = batchFirst ? [1, 2] : [0, 1]
    const rows = hidden.map((of, t) =>
      joined(
        at,
        `y.${t}`,
        of.map((h, d) => at.make(`y.${t}.${d}`, 'Unsqueeze', [h, at.ints('axes', axes)])),
        axes[1]!,
      ),
    )
    at.output(y, 'Concat', rows, { axis: axes[0]! })
  }
  const states = (name: string | undefined, role: 'h' | 'c'): void => {
    if (!name) return
    const axis = batchFirst ? 1 : 0
    const all = last.map((state, d) => at.make(`${role}.${d}`, 'Unsqueeze', [state[role]!, at.ints('axes', [axis])]))
    at.output(name, 'Concat', all, { axis })
  }
  states(yh, 'h')
  states(yc, 'c')
  return at.nodes
}

/** Element i along an axis, without that axis. */
function squeezed(at: Maker, role: string, name: string, axis: number, i: number): string {
  const part = at.make(`${role}.slice`, 'Slice', [
    name,
    at.ints('index', [i]),
    at.ints('index', [i + 1]),
    at.ints('axes', [axis]),
  ])
  return at.make(role, 'Squeeze', [part, at.ints('axes', [axis])])
}

const joined = (at: Maker, role: string, names: readonly string[], axis: number): string =>
  names.length === 1 ? names[0]! : at.make(role, 'Concat', names, { axis })

function laneOf(node: Node, draft: Draft, at: Maker, recurrence: Recurrence, d: number): Lane {
  const { gates, hidden, activations, reversed } = recurrence
  const prefix = reversed[d] ? 'reverse' : 'forward'
  const [x, w, r, b] = node.inputs
  const peepholes = node.inputs[7]
  /** Rows [first, first + hidden) of this direction's part. */
  const rows = (role: string, name: string, first: number): string => {
    const part = at.make(`${prefix}.${role}.slice`, 'Slice', [
      name,
      at.ints('index', [d, first]),
      at.ints('index', [d + 1, first + hidden]),
      at.ints('axes', [0, 1]),
    ])
    return at.make(`${prefix}.${role}`, 'Squeeze', [part, at.ints('axes', [0])])
  }
  const each = <T>(n: number, f: (i: number) => T): T[] => Array.from({ length: n }, (_, i) => f(i))
  const matrices = (role: string, name: string): string[] =>
    each(gates, (g) =>
      at.make(`${prefix}.${role}${g}.transposed`, 'Transpose', [rows(`${role}${g}`, name, g * hidden)], {
        perm: [1, 0],
      }),
    )
  const biases = (role: string, from: number): (string | undefined)[] =>
    each(gates, (g) => (b ? rows(`${role}${g}`, b, (from + g) * hidden) : undefined))
  return {
    ...{ at, recurrence, prefix, activations: activations[d]!, dtype: draft.types.get(x!)!.dtype },
    w: matrices('W', w!),
    r: matrices('R', r!),
    wb: biases('Wb', 0),
    rb: biases('Rb', gates),
    p: each(3, (g) => (peepholes ? rows(`P${g}`, peepholes, g * hidden) : undefined)),
  }
}

/** A term x · m of a sum of matrix products; a vector m stands for a diagonal. */
type Term = { readonly x: string | undefined; readonly matrix: string }

/**
 * Σ x · m + Σ biases [batch, hidden]: what constants make becomes the bias of one LinearSum, what has a computed m a node of
 * its own.
 */
function linear(lane: Lane, role: string, terms: readonly Term[], biases: readonly (string | undefined)[]): string {
  const { at, recurrence, dtype } = lane
  const { hidden } = recurrence
  let n = 0
  const add = (a: string | undefined, b: string): string =>
    a === undefined ? b : at.make(`${role}.sum${n++}`, 'Add', [a, b])
  let constant: string | undefined
  let computed: string | undefined
  const summed: string[] = []
  for (const bias of biases)
    if (bias !== undefined) {
      if (at.valueOf(bias) === undefined) computed = add(computed, bias)
      else constant = add(constant, bias)
    }
  for (const { x, matrix } of terms) {
    if (x === undefined) continue
    const value = at.valueOf(matrix)
    if (value !== undefined && at.valueOf(x) === undefined) {
      summed.push(x, value.shape.length === 2 ? matrix : diagonal(at, matrix, value))
      continue
    }
    const isVector = at.valueOf(matrix)?.shape.length === 1 || lane.p.includes(matrix)
    const product = at.make(`${role}.product${n++}`, isVector ? 'Mul' : 'MatMul', [x, matrix])
    if (at.valueOf(product) === undefined) computed = add(computed, product)
    else constant = add(constant, product)
  }
  if (summed.length === 0) {
    if (computed === undefined) return constant!
    return constant === undefined ? computed : add(computed, constant)
  }
  const zeros = (): string => at.constant(`${role}.zeros`, { dtype, shape: [hidden], data: new Float64Array(hidden) })
  const bias = constant ?? zeros()
  const sum =
    summed.length === 2 ? at.make(role, 'Gemm', [...summed, bias]) : at.make(role, 'LinearSum', [bias, ...summed])
  return computed === undefined ? sum : add(sum, computed)
}

/** The diagonal matrix of a vector. */
function diagonal(at: Maker, name: string, { data, dtype }: Tensor): string {
  const n = data.length
  const matrix = new Float64Array(n * n)
  data.forEach((v, i) => {
    matrix[i * (n + 1)] = v
  })
  return at.constant(`${name}.diagonal`, { dtype, shape: [n, n], data: matrix })
}

/** Σ ± a ⊙ b; terms with an undefined factor are zero and left out. At least one is not. */
function products(
  at: Maker,
  role: string,
  terms: readonly { readonly sign: 1 | -1; readonly factors: readonly (string | undefined)[] }[],
): string {
  const there = terms.filter(({ factors }) => !factors.includes(undefined))
  const [first] = there
  if (there.length === 1 && first!.sign === 1)
    return first!.factors.length === 1 ? first!.factors[0]! : at.make(role, 'Mul', first!.factors as string[])
  return at.make(
    role,
    'ProductSum',
    there.flatMap(({ factors: [a, b] }) => [a!, b ?? '']),
    { signs: there.map(({ sign }) => sign) },
  )
}

/** A function of a gate's argument, which is clipped first where the node asks for it. */
function gate({ at, recurrence: { clip }, dtype }: Lane, role: string, f: Activation, argument: string): string {
  const scalar = (name: string, v: number): string =>
    at.constant(`${role}.${name}`, { dtype, shape: [], data: Float64Array.of(v) })
  const x =
    clip === undefined
      ? argument
      : at.make(`${role}.clip`, 'Clip', [argument, scalar('least', -clip), scalar('most', clip)])
  return applied(at, role, f, x, scalar)
}

function applied(
  at: Maker,
  role: string,
  { name, alpha, beta }: Activation,
  x: string,
  scalar: (name: string, v: number) => string,
): string {
  switch (name) {
    case 'Affine':
      return at.make(role, 'Add', [at.make(`${role}.scaled`, 'Mul', [x, scalar('alpha', alpha)]), scalar('beta', beta)])
    case 'ScaledTanh': {
      const inner = at.make(`${role}.tanh`, 'Tanh', [at.make(`${role}.scaled`, 'Mul', [x, scalar('beta', beta)])])
      return at.make(role, 'Mul', [inner, scalar('alpha', alpha)])
    }
    case 'HardSigmoid': {
      const scaled = at.make(`${role}.scaled`, 'Mul', [x, scalar('alpha', alpha)])
      const moved = at.make(`${role}.moved`, 'Add', [scaled, scalar('beta', beta)])
      return at.make(role, 'Clip', [moved, scalar('zero', 0), scalar('one', 1)])
    }
    case 'LeakyRelu':
    case 'ThresholdedRelu':
    case 'Elu':
      return at.make(role, name, [x], { alpha })
    default:
      return at.make(role, name, [x])
  }
}

const cells: Readonly<Record<RecurrentType, Cell>> = {
  RNN(lane, role, x, { h }) {
    const { w, r, wb, rb, activations } = lane
    const terms = [
      { x, matrix: w[0]! },
      { x: h, matrix: r[0]! },
    ]
    const sum = linear(lane, `${role}.sum`, terms, [wb[0], rb[0]])
    return { h: gate(lane, `${role}.h`, activations[0]!, sum), c: undefined }
  },

  GRU(lane, role, x, { h }) {
    const { at, w, r, wb, rb, activations, recurrence } = lane
    const [f, g] = activations
    const sum = (i: number, name: string, state: string | undefined): string => {
      const terms = [
        { x, matrix: w[i]! },
        { x: state, matrix: r[i]! },
      ]
      return linear(lane, `${role}.${name}.sum`, terms, [wb[i], rb[i]])
    }
    const z = gate(lane, `${role}.z`, f!, sum(0, 'z', h))
    let argument: string
    if (recurrence.linearBeforeReset) {
      const reset = gate(lane, `${role}.r`, f!, sum(1, 'r', h))
      const input = linear(lane, `${role}.n.input`, [{ x, matrix: w[2]! }], [wb[2]])
      if (h === undefined && rb[2] === undefined) argument = input
      else {
        const state = linear(lane, `${role}.n.state`, [{ x: h, matrix: r[2]! }], [rb[2]])
        // without a state there is only the bias, a vector
        const gated = h === undefined ? [at.make(`${role}.n.gated`, 'Mul', [reset, state])] : [reset, state]
        argument = products(at, `${role}.n.sum`, [
          { sign: 1, factors: [input] },
          { sign: 1, factors: gated },
        ])
      }
    } else {
      const kept = h && at.make(`${role}.kept`, 'Mul', [gate(lane, `${role}.r`, f!, sum(1, 'r', h)), h])
      argument = sum(2, 'n', kept)
    }
    const n = gate(lane, `${role}.n`, g!, argument)
    const next = products(at, `${role}.h`, [
      { sign: 1, factors: [n] },
      { sign: -1, factors: [z, n] },
      { sign: 1, factors: [z, h] },
    ])
    return { h: next, c: undefined }
  },

  LSTM(lane, role, x, { h, c }) {
    const { at, w, r, wb, rb, p, activations, recurrence } = lane
    const [f, g, last] = activations
    const sum = (i: number, name: string, peephole?: string, cell?: string): string => {
      const terms: Term[] = [
        { x, matrix: w[i]! },
        { x: h, matrix: r[i]! },
      ]
      if (peephole !== undefined) terms.push({ x: cell, matrix: peephole })
      return linear(lane, `${role}.${name}.sum`, terms, [wb[i], rb[i]])
    }
    const input = gate(lane, `${role}.i`, f!, sum(0, 'i', p[0], c))
    const candidate = gate(lane, `${role}.n`, g!, sum(3, 'n'))
    const fresh = { sign: 1, factors: [input, candidate] } as const
    const cell = recurrence.inputForget
      ? products(at, `${role}.c`, [{ sign: 1, factors: [c] }, { sign: -1, factors: [input, c] }, fresh])
      : c === undefined
        ? products(at, `${role}.c`, [fresh])
        : products(at, `${role}.c`, [
            { sign: 1, factors: [gate(lane, `${role}.f`, f!, sum(2, 'f', p[2], c)), c] },
            fresh,
          ])
    const output = gate(lane, `${role}.o`, f!, sum(1, 'o', p[1], cell))
    const scalar = (name: string, v: number): string =>
      at.constant(`${role}.${name}`, { dtype: lane.dtype, shape: [], data: Float64Array.of(v) })
    const shown = applied(at, `${role}.shown`, last!, cell, scalar)
    return { h: at.make(`${role}.h`, 'Mul', [output, shown]), c: cell }
  },
}
