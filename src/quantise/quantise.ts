import { VeritensorError } from '../errors.ts'
import type { Graph, Node } from '../graph/graph.ts'
import type { Bounds, ValueId } from '../model/layer.ts'
import type { Layer } from '../model/layers/index.ts'
import { analyse, type IntegerModel, type Port, type ValueInfo } from '../model/model.ts'
import { findOp } from '../ops/index.ts'
import {
  chooseShift,
  type LayerSpec,
  type LowerContext,
  type QTensor,
  type Scheme,
  toInteger,
} from '../ops/lowering.ts'
import type { Tensor } from '../tensor.ts'
import { sizeOf } from '../tensor.ts'
import type { Ranges } from './calibrate.ts'
import { architectureOf, refuseFixedParameters } from './openWeights.ts'
import { planScales } from './plan.ts'

/** Bits of weights beyond those of activations: their roundings stay small beside those of activations. */
const EXTRA_WEIGHT_BITS = 8
const MOST_WEIGHT_BITS = 24

/** The scheme with so many bits of activations, and as many for weights as suit them. */
export const schemeOf = (bits: number, weightBits?: number): Scheme => ({
  bits,
  weightBits: weightBits ?? Math.min(bits + EXTRA_WEIGHT_BITS, MOST_WEIGHT_BITS),
})

export const defaultScheme: Scheme = schemeOf(8)

/** A graph can't be turned into integers. */
export class QuantiseError extends VeritensorError {}

/**
 * Turns a float graph into the integer model that is proved.
 *
 * Activations are symmetric integers of `bits` bits; weights of a layer are rounded so that its accumulators are the
 * result's integers times 2^S, S per channel: every requantisation is a rounding shift.
 *
 * Throws QuantiseError `model/not-quantisable` naming node and op, and UnsupportedError where weights are open and a node has
 * others than linear layers have.
 */
export function quantise(graph: Graph, ranges: Ranges, scheme: Scheme = defaultScheme): IntegerModel {
  if (!Number.isInteger(scheme.bits) || scheme.bits < 2 || scheme.bits > 16)
    throw new QuantiseError('usage/bits', `activations of ${scheme.bits} bits are not supported (2 to 16 are)`)
  if (!Number.isInteger(scheme.weightBits) || scheme.weightBits < 2 || scheme.weightBits > MOST_WEIGHT_BITS)
    throw new QuantiseError(
      'usage/bits',
      `weights of ${scheme.weightBits} bits are not supported (2 to ${MOST_WEIGHT_BITS} are)`,
    )
  if (scheme.openWeights) refuseFixedParameters(graph)
  const plan = planScales(graph, ranges, scheme)
  const layers: Layer[] = []
  const tensors = new Map<string, QTensor>()
  const narrowed = new Map<string, QTensor>()
  const inputs = graph.inputs.map(({ name, shape }, value): Port & Bounds => {
    const { scale, lo, hi, encoding } = plan.get(name)!
    tensors.set(name, { name, value, shape, scale, shift: 0 })
    return { name, shape, scale, value, lo, hi, ...(encoding === undefined ? {} : { encoding }) }
  })
  const base: IntegerModel = { name: graph.name, inputs, layers: [], outputs: [] }
  const infos: ValueInfo[] = analyse(base)

  const emit = (node: Node, spec: LayerSpec, name = node.name): ValueId => {
    const layer = { ...spec, name } as Layer
    try {
      infos.push(infoOf(infos, layer))
    } catch (cause) {
      throw notQuantisable(node, cause instanceof Error ? cause.message : String(cause), cause)
    }
    layers.push(layer)
    return inputs.length + layers.length - 1
  }

  const narrow = (node: Node, x: QTensor): QTensor => {
    if (x.shift === 0) return x
    const known = narrowed.get(x.name)
    if (known !== undefined) return known
    const { lo, hi } = plan.get(x.name)!
    const [shifts, inner] =
      typeof x.shift === 'number' ? [Uint8Array.of(x.shift), sizeOf(x.shape)] : [x.shift.shifts, x.shift.inner]
    const value = emit(node, { kind: 'requantise', inputs: [x.value], shape: x.shape, shifts, inner, lo, hi })
    const result: QTensor = { ...x, value, shift: 0 }
    narrowed.set(x.name, result)
    return result
  }

  for (const node of graph.nodes) {
    const op = findOp(node.domain, node.op, node.opset)
    if (op.lower === undefined) throw notQuantisable(node, 'the operator has no integer form')
    const context: LowerContext = {
      node,
      types: node.inputs.map((name) => graph.types.get(name)),
      constants: node.inputs.map((name) => graph.constants.get(name)),
      scheme,
      emit: (spec) => emit(node, spec),
      emitWeights: (part, tensor) => emit(node, { kind: 'weights', inputs: [], ...tensor }, `${node.name}.${part}`),
      boundsOf: (value) => infos[value]!,
      sizeOf: (value) => infos[value]!.size,
      target: (output = 0) => plan.get(node.outputs[output]!)!,
      encodingOf: (tensor) => plan.get(tensor)?.encoding,
      isSummed: (tensor) => plan.get(tensor)?.summed === true,
      stats: (tensor) => ranges.get(tensor) ?? { min: 0, max: 0, mean: 0, rms: 0 },
      narrow: (x) => narrow(node, x),
      constant: (name) => integerConstant(name, graph.constants.get(name)!, scheme, (spec) => emit(node, spec)),
    }
    const results = op.lower(
      context,
      node.inputs.map((name) => tensors.get(name)),
    )
    results.forEach((result, i) => {
      if (node.outputs[i]) tensors.set(node.outputs[i]!, { ...result, name: node.outputs[i]! })
    })
  }

  const outputs = graph.outputs.map((name): Port => {
    const x = tensors.get(name)
    if (x === undefined)
      throw new QuantiseError('model/constant-output', `output "${name}" does not depend on any input`, {
        fix: 'remove the output from the model',
      })
    const uniform = typeof x.shift === 'number' ? x : narrow(graph.nodes.at(-1)!, x)
    return { name, shape: x.shape, value: uniform.value, scale: uniform.scale / 2 ** (uniform.shift as number) }
  })
  const architecture = scheme.openWeights ? { architecture: architectureOf(graph) } : {}
  return { name: graph.name, inputs, layers, outputs, ...architecture }
}

/** Bounds and size of what a layer makes of values. */
function infoOf(infos: readonly ValueInfo[], layer: Layer): ValueInfo {
  const inputs = layer.inputs.map((id, value) => {
    const { lo, hi, size } = infos[id]!
    return { name: String(id), shape: [size], scale: 1, value, lo, hi }
  })
  const stub = { name: '', inputs, layers: [{ ...layer, inputs: layer.inputs.map((_, i) => i) }], outputs: [] }
  return analyse(stub).at(-1)!
}

/** A constant tensor with a scale of its own, as a layer without terms. */
function integerConstant(name: string, tensor: Tensor, scheme: Scheme, emit: (spec: LayerSpec) => ValueId): QTensor {
  const most = tensor.data.reduce((m, v) => Math.max(m, Math.abs(v)), 0)
  // whole numbers stay exact: a shift per constant, as for weights
  const shift = most === 0 ? 0 : chooseShift(tensor.data, 1, 1, scheme.weightBits)
  const bias = Float64Array.from(tensor.data, (v) => toInteger(v, shift))
  const map = {
    type: 'sparse' as const,
    starts: new Uint32Array(bias.length + 1),
    positions: new Uint32Array(),
    weights: new Float64Array(),
    bias,
  }
  const value = emit({ kind: 'linear', inputs: [0], shape: tensor.shape, map })
  return { name, value, shape: tensor.shape, scale: 2 ** -shift, shift: 0 }
}

const notQuantisable = (node: Node, why: string, cause?: unknown): QuantiseError =>
  new QuantiseError('model/not-quantisable', `${node.op} "${node.name}": ${why}`, {
    details: { node: node.name, op: node.op },
    ...(cause === undefined ? {} : { cause }),
  })
