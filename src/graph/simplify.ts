/**
 * Passes that make a graph smaller without changing what it computes, each a function from graph to graph. Inputs, names of
 * outputs and node names stay; weights that are combined are held as doubles and not rounded again.
 * @module
 */
import { batchNormalizationTerms } from '../ops/batchNormalization.ts'
import { gemmAttributes } from '../ops/gemm.ts'
import { findOp } from '../ops/index.ts'
import { broadcastMap, type Shape, sameShape, sizeOf, type Tensor } from '../tensor.ts'
import { expandAttention } from './attention.ts'
import type { Graph, Node } from './graph.ts'
import { contextOf, createFolder } from './infer.ts'
import { fuseMasks } from './masks.ts'
import { type Draft, rewrite } from './rewrite.ts'
import { unrollRecurrent } from './unroll.ts'

/** All passes, in an order in which one makes work for the next. */
export function simplify(graph: Graph): Graph {
  const passes = [
    foldConstants,
    unrollRecurrent,
    expandAttention,
    dropNoOps,
    fuseMasks,
    fuseBatchNormalization,
    fuseAffine,
    foldConstants,
    removeDead,
  ]
  return passes.reduce((g, pass) => pass(g), graph)
}

/** Computes nodes whose inputs are all constant. */
export function foldConstants(graph: Graph): Graph {
  const constants = new Map(graph.constants)
  const fold = createFolder()
  const nodes = graph.nodes.filter((node) => {
    const op = findOp(node.domain, node.op, node.opset, node.name)
    const outputs = node.outputs.map((name) => graph.types.get(name)).filter((type) => type !== undefined)
    const results = fold(op, contextOf(node, { types: graph.types, constants }), outputs)
    results?.forEach((tensor, i) => {
      if (node.outputs[i]) constants.set(node.outputs[i], tensor)
    })
    return results === undefined
  })
  return { ...graph, nodes, constants }
}

/** Drops nodes that give their input as it is: Identity, Dropout, and Cast, Reshape, Transpose, Pad, … where they do. */
export function dropNoOps(graph: Graph): Graph {
  const fixed = new Set(graph.inputs.map(({ name }) => name))
  const outputs = new Set(graph.outputs)
  const used = new Set([...graph.outputs, ...graph.nodes.flatMap((node) => node.inputs)])
  /** New names of values; an output of the graph passes its name to the value that it repeats. */
  const renamed = new Map<string, string>()
  const current = (name: string): string => {
    let at = name
    while (renamed.has(at)) at = renamed.get(at)!
    return at
  }
  const nodes = graph.nodes.filter((node) => {
    if (!isNoOp(graph, node) || node.outputs.slice(1).some((name) => used.has(name))) return true
    const [from, to] = [current(node.inputs[0]!), node.outputs[0]!]
    if (!outputs.has(to)) renamed.set(to, from)
    else if (!outputs.has(from) && !fixed.has(from) && !graph.constants.has(from)) renamed.set(from, to)
    else return true
    return false
  })
  return {
    ...graph,
    nodes: nodes.map((node) => ({
      ...node,
      inputs: node.inputs.map(current),
      outputs: node.outputs.map(current),
    })),
  }
}

/** Largest value whose index map is looked at; larger ones are no network that can be proved. */
const maxMoved = 2 ** 22

function isNoOp(graph: Graph, node: Node): boolean {
  const [x, y] = [graph.types.get(node.inputs[0] ?? ''), graph.types.get(node.outputs[0] ?? '')]
  if (x === undefined || y === undefined || x.dtype !== y.dtype || !sameShape(x.shape, y.shape)) return false
  const op = findOp(node.domain, node.op, node.opset, node.name)
  if (op.type === 'Cast') return true // to the same type
  if (sizeOf(y.shape) > maxMoved) return false
  const moves = op.moves?.(contextOf(node, graph))
  return moves?.map.every((from, i) => from === i) ?? false
}

/**
 * Puts BatchNormalization into the Conv, Gemm or MatMul before it where its parameters and that node's weights are constant
 * and nothing else uses the value between; otherwise, with constant parameters, writes it as Mul and Add.
 */
export const fuseBatchNormalization = (graph: Graph): Graph =>
  rewrite(graph, (node, draft) => {
    if (node.op !== 'BatchNormalization' || node.domain !== '') return undefined
    const parameters = node.inputs.slice(1, 5).map((name) => draft.constants.get(name))
    if (parameters.includes(undefined)) return undefined
    const { factor, offset } = batchNormalizationTerms(
      contextOf(node, draft),
      parameters as [Tensor, Tensor, Tensor, Tensor],
    )
    const x = node.inputs[0]!
    const fused = intoLinear(draft, x, node.outputs[0]!, { factor, offset })
    if (fused !== undefined) return fused
    const { dtype, shape } = draft.types.get(x)!
    const perChannel = (data: Float64Array, role: string): string =>
      draft.addConstant(`${node.name}.${role}`, { dtype, shape: shape.slice(1).map((d, i) => (i === 0 ? d : 1)), data })
    const scaled = draft.addValue(`${node.name}.scaled`, { dtype, shape })
    const base = { domain: '', opset: graph.opset, attributes: {} }
    return [
      {
        ...base,
        name: draft.nodeName(node.name, 'Mul'),
        op: 'Mul',
        inputs: [x, perChannel(factor, 'factor')],
        outputs: [scaled],
      },
      {
        ...base,
        name: node.name,
        op: 'Add',
        inputs: [scaled, perChannel(offset, 'offset')],
        outputs: [node.outputs[0]!],
      },
    ]
  })

/**
 * Puts an Add, Sub or Mul with a constant per channel (per column for matrices) into the Conv, Gemm or MatMul before it: as
 * its bias or in its weights. MatMul becomes Gemm.
 */
export const fuseAffine = (graph: Graph): Graph =>
  rewrite(graph, (node, draft) => {
    if (node.domain !== '' || !['Add', 'Sub', 'Mul'].includes(node.op)) return undefined
    const [first, second] = node.inputs as [string, string]
    const constantAt = draft.constants.has(second) ? 1 : 0
    const [x, k] = constantAt === 1 ? [first, second] : [second, first]
    const constant = draft.constants.get(k)
    const type = draft.types.get(x)
    if (constant === undefined || type === undefined) return undefined
    const perChannel = channelValues(constant, draft.types.get(node.outputs[0]!)!.shape)
    if (perChannel === undefined || !sameShape(type.shape, draft.types.get(node.outputs[0]!)!.shape)) return undefined
    const one = perChannel.map(() => 1)
    const zero = perChannel.map(() => 0)
    const negative = perChannel.map((v) => -v)
    const affine: Affine =
      node.op === 'Mul'
        ? { factor: perChannel, offset: zero }
        : node.op === 'Add'
          ? { factor: one, offset: perChannel }
          : constantAt === 1
            ? { factor: one, offset: negative }
            : { factor: one.map(() => -1), offset: perChannel }
    return intoLinear(draft, x, node.outputs[0]!, affine)
  })

/** Removes nodes and constants that no output depends on, and the types of values that are gone. */
export function removeDead(graph: Graph): Graph {
  const live = new Set(graph.outputs)
  const nodes: Node[] = []
  for (const node of [...graph.nodes].reverse()) {
    if (!node.outputs.some((name) => live.has(name))) continue
    // operators with several outputs compute only those that are used
    nodes.push({ ...node, outputs: node.outputs.map((name) => (live.has(name) ? name : '')) })
    for (const input of node.inputs) live.add(input)
  }
  nodes.reverse()
  const kept = new Set([...live, ...graph.inputs.map(({ name }) => name), ...nodes.flatMap((node) => node.outputs)])
  return {
    ...graph,
    nodes,
    constants: new Map([...graph.constants].filter(([name]) => live.has(name))),
    types: new Map([...graph.types].filter(([name]) => kept.has(name))),
  }
}

/** y = factor[c] · x + offset[c], with c the channel of an image or the column of a matrix: axis 1. */
type Affine = { readonly factor: Float64Array; readonly offset: Float64Array }

/** The values along axis 1 of a constant that is broadcast to a shape, if it does not vary along other axes. */
function channelValues(constant: Tensor, shape: Shape): Float64Array | undefined {
  if (shape.length < 2) return undefined
  const aligned = [...new Array<number>(Math.max(0, shape.length - constant.shape.length)).fill(1), ...constant.shape]
  if (aligned.length !== shape.length || aligned.some((d, i) => d !== 1 && (i !== 1 || d !== shape[1])))
    return undefined
  return Float64Array.from({ length: shape[1]! }, (_, c) => constant.data[aligned[1] === 1 ? 0 : c]!)
}

/** The linear node that makes `x`, with an affine map applied to its result; undefined where it can't take it. */
function intoLinear(draft: Draft, x: string, y: string, affine: Affine): Node[] | undefined {
  const linear = draft.soleProducer(x)
  if (linear === undefined || linear.domain !== '') return undefined
  const [a, w, b] = linear.inputs
  const weights = draft.constants.get(w!)
  const bias = b ? draft.constants.get(b) : undefined
  if (weights === undefined || (b && bias === undefined)) return undefined
  const parts =
    linear.op === 'Conv'
      ? fusedConv(weights, bias, affine)
      : linear.op === 'Gemm' || linear.op === 'MatMul'
        ? fusedProduct(draft, linear, weights, bias, affine)
        : undefined
  if (parts === undefined) return undefined
  draft.remove(linear)
  const inputs = [
    a!,
    parts.weights === undefined ? w! : draft.addConstant(`${linear.name}.weight`, parts.weights),
    draft.addConstant(`${linear.name}.bias`, parts.bias),
  ]
  return [{ ...linear, ...parts.node, inputs, outputs: [y] }]
}

/** The parts of a fused node; weights are undefined where they stay as they are. */
type Parts = { readonly weights: Tensor | undefined; readonly bias: Tensor; readonly node: Partial<Node> }

function fusedConv(weights: Tensor, bias: Tensor | undefined, { factor, offset }: Affine): Parts {
  const filter = weights.data.length / factor.length
  const scaled = factor.some((v) => v !== 1)
  return {
    weights: scaled ? { ...weights, data: weights.data.map((v, i) => v * factor[Math.floor(i / filter)]!) } : undefined,
    bias: {
      dtype: weights.dtype,
      shape: [factor.length],
      data: offset.map((v, c) => v + (bias?.data[c] ?? 0) * factor[c]!),
    },
    node: {},
  }
}

function fusedProduct(
  draft: Draft,
  linear: Node,
  weights: Tensor,
  bias: Tensor | undefined,
  { factor, offset }: Affine,
): Parts | undefined {
  // a stack of products, or one with a vector, is no Gemm
  if (weights.shape.length !== 2 || draft.types.get(linear.inputs[0]!)!.shape.length !== 2) return undefined
  const given =
    linear.op === 'Gemm'
      ? gemmAttributes(contextOf(linear, draft))
      : { alpha: 1, beta: 1, transA: false, transB: false }
  const [m, n] = draft.types.get(linear.outputs[0]!)!.shape as [number, number]
  const scaled = given.alpha !== 1 || factor.some((v) => v !== 1)
  const column = (i: number): number => (given.transB ? Math.floor(i / weights.shape[1]!) : i % n)
  const rows = bias?.shape.length === 2 && bias.shape[0] !== 1 ? m : 1
  const places = bias === undefined ? undefined : broadcastMap(bias.shape, [rows, n])
  return {
    weights: scaled
      ? { ...weights, data: weights.data.map((v, i) => v * given.alpha * factor[column(i)]!) }
      : undefined,
    bias: {
      dtype: weights.dtype,
      shape: rows === 1 ? [n] : [rows, n],
      data: Float64Array.from({ length: rows * n }, (_, i) => {
        const summand = places === undefined ? 0 : given.beta * bias!.data[places[i]!]!
        return offset[i % n]! + summand * factor[i % n]!
      }),
    },
    node: { op: 'Gemm', attributes: { transA: Number(given.transA), transB: Number(given.transB) } },
  }
}
