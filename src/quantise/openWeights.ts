/**
 * Models whose weights are not part of them: which weights may be, what must be equal in all weight sets, and how the weights
 * of one become integers.
 * @module
 */
import { createHash } from 'node:crypto'
import { VeritensorError } from '../errors.ts'
import type { Attribute, Graph, Node } from '../graph/graph.ts'
import { contextOf } from '../graph/infer.ts'
import type { Weights } from '../model/layers/weights.ts'
import { type IntegerModel, ModelError, weightsOf } from '../model/model.ts'
import { findOp } from '../ops/index.ts'
import type { Stats } from '../ops/lowering.ts'
import type { Parameters } from '../ops/op.ts'
import { UnsupportedError } from '../ops/unsupported.ts'
import { formatShape, isFloat, sizeOf, type Tensor } from '../tensor.ts'
import type { Ranges } from './calibrate.ts'

const SUPPORTED =
  'with weights that are not fixed: weights and biases of Conv, Gemm and MatMul with one matrix on the right, and constants of one element'

/** Operators with constants of several floats that are no weights. */
const withSettings: readonly string[] = ['Resize', 'Upsample', 'OneHot']

const parametersOf = (node: Node, graph: Graph): Parameters | undefined =>
  findOp(node.domain, node.op, node.opset).parameters?.(contextOf(node, graph))

/**
 * Throws UnsupportedError for a node whose weights would stay in the circuit although weights shall be open: other operators
 * with tensors of weights, recurrent layers, models of ai.onnx.ml.
 */
export function refuseFixedParameters(graph: Graph): void {
  const refuse = (node: Node, attribute: string, got: unknown): never => {
    throw new UnsupportedError({ node: node.name, op: node.op, attribute, got, supported: SUPPORTED })
  }
  let open = 0
  for (const node of graph.nodes) {
    if (node.domain === 'ai.onnx.ml') refuse(node, 'domain', node.domain)
    // unrolled: NODE.forward.gate
    if (node.role !== undefined) refuse(node, 'recurrent layer', node.role.replace(/\.(forward|reverse)\..*$/, ''))
    const parameters = parametersOf(node, graph)
    if (parameters !== undefined) open++
    node.inputs.forEach((name, i) => {
      const constant = graph.constants.get(name)
      const fixed = constant !== undefined && isFloat(constant.dtype) && constant.data.length > 1
      if (fixed && parameters === undefined && !withSettings.includes(node.op))
        refuse(node, `constant input ${i}`, formatShape(constant.shape))
    })
  }
  if (open === 0)
    throw new UnsupportedError({
      node: graph.name,
      op: 'model',
      attribute: 'layers with weights',
      got: 0,
      supported: SUPPORTED,
    })
}

/**
 * Everything of a graph that one circuit serves: inputs, nodes with attributes and constants, but of weights only their shapes.
 * Names of nodes and of values between them do not count.
 */
export function architectureOf(graph: Graph): string[] {
  const names = new Map(graph.inputs.map(({ name }) => [name, JSON.stringify(name)]))
  const lines = graph.inputs.map(({ name, dtype, shape }) => `input ${names.get(name)} ${dtype}${formatShape(shape)}`)
  graph.nodes.forEach((node, n) => {
    const open = parametersOf(node, graph) !== undefined
    const inputs = node.inputs.map((name, i) => {
      const constant = graph.constants.get(name)
      if (name === '') return '-'
      if (constant === undefined) return names.get(name)
      return open && i > 0 ? `weights ${formatShape(constant.shape)}` : constantText(constant)
    })
    node.outputs.forEach((name, i) => {
      names.set(name, `%${n}.${i}`)
    })
    const attributes = Object.entries(node.attributes)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, value]) => `${JSON.stringify(name)}: ${attributeText(value)}`)
    const operator = `${node.domain === '' ? '' : `${node.domain}.`}${node.op}/${node.opset}`
    lines.push(`%${n} = ${operator}(${inputs.join(', ')}) {${attributes.join(', ')}} → ${node.outputs.length}`)
  })
  return [...lines, ...graph.outputs.map((name) => `output ${JSON.stringify(name)} ${names.get(name)}`)]
}

/** Elements of a constant that are written out; more are told by their SHA-256. */
const WRITTEN = 16

function constantText({ dtype, shape, data }: Tensor): string {
  // every double has another text; -0 is written as 0
  const text = Array.from(data, String).join(' ')
  const short = data.length <= WRITTEN ? text : createHash('sha256').update(text).digest('hex')
  return `${dtype}${formatShape(shape)} ${short}`
}

function attributeText(value: Attribute): string {
  // JSON has no infinities
  const text = (v: number | string): string => (typeof v === 'string' ? JSON.stringify(v) : String(v))
  if (typeof value !== 'object') return text(value)
  return 'data' in value ? constantText(value) : `[${value.map(text).join(', ')}]`
}

/** Integers of a tensor of weights: w / scale, halves away from zero. Throws ModelError `input/not-finite`, `input/weights-range`. */
export function quantiseWeights({ name, scale, lo, hi }: Weights, reals: Float64Array): Float64Array {
  return reals.map((real, i) => {
    const size = Math.round(Math.abs(real) / scale)
    const integer = real < 0 ? 0 - size : size
    if (!Number.isFinite(real)) throw new ModelError('input/not-finite', `weights "${name}"[${i}] is ${real}`)
    if (integer < lo || integer > hi)
      throw new ModelError(
        'input/weights-range',
        `weights "${name}"[${i}] is ${real}; the circuit takes ${lo * scale} to ${hi * scale}`,
        {
          details: { weights: name, element: i, value: real, lo: lo * scale, hi: hi * scale },
          fix: 'compile with --fit and these weights, so that the scales suit both',
        },
      )
    return integer
  })
}

/**
 * Throws VeritensorError `model/other-architecture`, with the first line that differs, where a graph differs from an
 * architecture in more than its weights.
 */
function checkArchitecture(architecture: readonly string[], graph: Graph): void {
  const given = architectureOf(graph)
  const at = Array.from({ length: Math.max(given.length, architecture.length) }, (_, i) => i).find(
    (i) => given[i] !== architecture[i],
  )
  if (at === undefined) return
  const [found, expected] = [given[at] ?? 'nothing', architecture[at] ?? 'nothing']
  throw new VeritensorError(
    'model/other-architecture',
    `the weights are those of another architecture: ${found} instead of ${expected}`,
    { details: { given: found, expected } },
  )
}

/**
 * The weights of a graph as integers, in the order of the model's weights. Throws VeritensorError `model/other-architecture`,
 * and as `quantiseWeights`.
 */
export function weightsOfGraph(model: IntegerModel, graph: Graph): Float64Array[] {
  checkArchitecture(model.architecture ?? [], graph)
  const reals = graph.nodes.flatMap((node) => {
    const parameters = parametersOf(node, graph)
    if (parameters === undefined) return []
    return parameters.bias === undefined ? [parameters.weights] : [parameters.weights, parameters.bias]
  })
  return weightsOf(model).map((tensor, i) => {
    if (reals[i]?.length !== sizeOf(tensor.shape))
      throw new ModelError('model/malformed', `weights "${tensor.name}" do not fit the architecture`)
    return quantiseWeights(tensor, reals[i]!)
  })
}

/** A graph and how its tensors are distributed. */
export type Calibrated = { readonly graph: Graph; readonly ranges: Ranges }

/**
 * A graph and ranges that make room for several weight sets of one architecture: each weight is the largest of all sets, each
 * range reaches as far as that of any. Names are those of the first. Throws VeritensorError `model/other-architecture`.
 */
export function envelope(first: Calibrated, others: readonly Calibrated[]): Calibrated {
  if (others.length === 0) return first
  const { graph } = first
  const architecture = architectureOf(graph)
  const constants = new Map(graph.constants)
  const ranges = new Map(first.ranges)
  for (const other of others) {
    checkArchitecture(architecture, other.graph)
    for (const { name } of graph.inputs) ranges.set(name, joined(ranges.get(name)!, other.ranges.get(name)!))
    graph.nodes.forEach((node, n) => {
      const theirs = other.graph.nodes[n]!
      node.outputs.forEach((name, i) => {
        const range = other.ranges.get(theirs.outputs[i]!)
        if (range !== undefined) ranges.set(name, joined(ranges.get(name) ?? range, range))
      })
      if (parametersOf(node, graph) === undefined) return
      node.inputs.slice(1).forEach((name, i) => {
        const [own, more] = [constants.get(name), other.graph.constants.get(theirs.inputs[i + 1]!)]
        if (own === undefined || more === undefined) return
        const larger = (v: number, at: number): number => (Math.abs(more.data[at]!) > Math.abs(v) ? more.data[at]! : v)
        constants.set(name, { ...own, data: own.data.map(larger) })
      })
    })
  }
  return { graph: { ...graph, constants }, ranges }
}

const joined = (a: Stats, b: Stats): Stats => ({
  min: Math.min(a.min, b.min),
  max: Math.max(a.max, b.max),
  mean: (a.mean + b.mean) / 2,
  rms: Math.max(a.rms, b.rms),
})
