/**
 * Quantised models as they are: a graph of QuantizeLinear and DequantizeLinear around operators becomes integer layers that give
 * the same integers as float32 arithmetic with ONNX's rounding, for every input. Nothing is calibrated.
 *
 * Integers of a tensor are held less their zero point. What stands between a DequantizeLinear and a QuantizeLinear is kept as
 * an exact description of its real values, and turned into layers once the QuantizeLinear says what it is rounded to.
 * @module
 */
import { numbers } from '../../circuits/arithmetic.ts'
import { bestSplit, lookupRows } from '../../circuits/gadgets/lookup.ts'
import type { Ratio } from '../../circuits/gadgets/rescale.ts'
import { VeritensorError } from '../errors.ts'
import type { Graph, Node } from '../graph/graph.ts'
import { contextOf } from '../graph/infer.ts'
import type { Bounds, ValueId } from '../model/layer.ts'
import type { Layer } from '../model/layers/index.ts'
import type { Linear } from '../model/layers/linear.ts'
import { analyse, type IntegerModel, type Port, type ValueInfo } from '../model/model.ts'
import { averagePoolWindows } from '../ops/averagePool.ts'
import { convMapGeometry } from '../ops/conv.ts'
import { dequantizeAttributes } from '../ops/dequantizeLinear.ts'
import { gemmAttributes } from '../ops/gemm.ts'
import { findOp } from '../ops/index.ts'
import { toWindows } from '../ops/lower/softmax.ts'
import { type LayerSpec, sparseMap } from '../ops/lowering.ts'
import { matMulGeometry } from '../ops/matMul.ts'
import { maxPoolWindows } from '../ops/maxPool.ts'
import { groupsOf } from '../ops/normalise.ts'
import type { InferContext, Moves, Op } from '../ops/op.ts'
import { inputNames, partContext, partsOf, quantisedOperators } from '../ops/qlinear.ts'
import { type Granularity, granularityOf, requantiseFactor, roundToEven } from '../ops/quantisation.ts'
import { quantizeAttributes } from '../ops/quantizeLinear.ts'
import { wholePlane, windowCounts, windowPositions } from '../ops/windows.ts'
import { broadcastMap, integerRange, isFloat, type Shape, sizeOf, type Tensor, type TensorType } from '../tensor.ts'
import { ratioFor, type Staircase, staircaseOf, tiedRatioFor } from './staircase.ts'

/** A quantised model uses something that has no exact integer form. */
export class ExactError extends VeritensorError {}

/** Products of integers, whose result is no quantised tensor yet. */
const integerProducts = new Set(['ConvInteger', 'MatMulInteger'])
/** Operators that only occur in quantised models. */
const quantisedOps = new Set(['QuantizeLinear', ...quantisedOperators.map(({ type }) => type)])

/**
 * Whether a graph computes with quantised activations, so that it has integers of its own. A graph that takes scales from its data
 * (DynamicQuantizeLinear) has none, nor one that multiplies two tensors of integers: these are calibrated.
 */
export const isQuantised = ({ nodes, constants }: Graph): boolean => {
  const dynamic = nodes.some(({ op }) => op === 'DynamicQuantizeLinear')
  return nodes.some(({ op, inputs }) => {
    if (op === 'DequantizeLinear') return !constants.has(inputs[0]!)
    if (!integerProducts.has(op)) return quantisedOps.has(op)
    return !dynamic && [1, 2, 3].every((i) => !inputs[i] || constants.has(inputs[i]))
  })
}

/** What a QuantizeLinear rounds to: real = scale · q for q in [lo, hi], zero point taken off. */
type Rounding = Bounds & { readonly scale: number }

/** An integer tensor: the model's integers plus `zero`. */
type Integers = { readonly kind: 'integers'; readonly value: ValueId; readonly shape: Shape; readonly zero: number }

/** A constant of the graph, or the real values of a quantised constant. */
type Constant = { readonly kind: 'constant'; readonly shape: Shape; readonly quantised?: QuantisedConstant }

/** Integers less their zero points, and the scale of each. */
type QuantisedConstant = {
  readonly type: TensorType['dtype']
  readonly data: Float64Array
  readonly scales: Float64Array
  readonly scaleOf: (element: number) => number
}

/** Real values of an input that is not yet rounded: element j is element map[j] of it. */
type RealInput = { readonly kind: 'input'; readonly port: number; readonly shape: Shape; readonly map?: Int32Array }

/** Real values as a function of integers that the model has. */
type Real = {
  readonly kind: 'real'
  readonly shape: Shape
  /** The values rounded. */
  readonly round: (to: Rounding, node: Node) => ValueId
  /** Where the values are f(x) of one integer each: monotone and exact float32 per channel. */
  readonly steps?: Steps
}

type Steps = {
  readonly value: ValueId
  /** Channel of each element. */
  readonly channel: (element: number) => number
  readonly channels: number
  readonly of: (x: number, channel: number) => number
  /** The quotient that is rounded, where the runtime takes other steps than of(x) / scale. */
  readonly quotient?: (x: number, channel: number, scale: number) => number
  /** Slope of `of`, about; undefined where it is no line. */
  readonly slope?: (channel: number) => number
  /** Real value of one integer, where values are scale · x for all elements: what linear layers work on. */
  readonly scale?: number
  readonly monotone: boolean
}

type Abstract = Integers | Constant | RealInput | Real

const f32 = Math.fround

/**
 * The integer model of a quantised graph, equal to float32 arithmetic and ONNX's rounding on every input.
 *
 * Inputs that are quantised at once take [lo - zero, hi - zero] and are rounded as QuantizeLinear does; integer inputs take the
 * range of their type. Throws ExactError `model/not-quantisable` naming node and reason.
 */
export function quantiseExactly(graph: Graph): IntegerModel {
  const layers: Layer[] = []
  const ports: (Port & Bounds)[] = graph.inputs.map(({ name, shape, dtype }, value) => {
    const [lo, hi] = integerRange(dtype) ?? [0, 0]
    return { name, shape, scale: 1, value, lo, hi }
  })
  const settled = graph.inputs.map(({ dtype }) => !isFloat(dtype))
  const infos: ValueInfo[] = analyse({ name: '', inputs: ports, layers: [], outputs: [] })
  const known = new Map<string, Abstract>()
  graph.inputs.forEach(({ name, shape, dtype }, i) => {
    const bounds = integerRange(dtype)
    if (bounds !== undefined && bounds[1] > 2 ** 32)
      throw new ExactError('model/not-quantisable', `input "${name}": ${dtype} is too wide`)
    known.set(name, isFloat(dtype) ? { kind: 'input', port: i, shape } : { kind: 'integers', value: i, shape, zero: 0 })
  })

  const emit = (node: Node, spec: LayerSpec): ValueId => {
    const layer = { ...spec, name: node.name } as Layer
    try {
      const stub: IntegerModel = {
        name: '',
        inputs: layer.inputs.map((id, value) => ({
          ...infos[id]!,
          name: '',
          shape: [infos[id]!.size],
          scale: 1,
          value,
        })),
        layers: [{ ...layer, inputs: layer.inputs.map((_, i) => i) }],
        outputs: [],
      }
      infos.push(analyse(stub).at(-1)!)
    } catch (cause) {
      throw refusal(node, cause instanceof Error ? cause.message : String(cause))
    }
    layers.push(layer)
    return infos.length - 1
  }

  const setInput = ({ port, map, shape }: RealInput, to: Rounding, node: Node): ValueId => {
    const { name, shape: whole } = graph.inputs[port]!
    const { scale, lo, hi } = ports[port]!
    if (!settled[port]) {
      ports[port] = { name, shape: whole, value: port, ...to, rounding: 'even' }
      infos[port] = { ...infos[port]!, lo: to.lo, hi: to.hi, peak: Math.max(-to.lo, to.hi) }
      settled[port] = true
    } else if (scale !== to.scale || lo !== to.lo || hi !== to.hi)
      throw refusal(node, `input "${name}" is quantised in two ways`)
    return map === undefined ? port : emit(node, { kind: 'gather', inputs: [port], shape, map, fill: 0 })
  }

  const use = (name: string, node: Node): Abstract => {
    const constant = graph.constants.get(name)
    if (constant !== undefined) return { kind: 'constant', shape: constant.shape }
    return known.get(name) ?? failWith(node, `its input "${name}" is not known`)
  }

  for (const node of graph.nodes) {
    const op = findOp(node.domain, node.op, node.opset)
    const context = contextOf(node, graph)
    const inputs = node.inputs.map((name) => (name === '' ? undefined : use(name, node)))
    const apply = (inner: InferContext, by: Op, outputType: TensorType, given: readonly (Abstract | undefined)[]) =>
      (rules[`${by.domain}:${by.type}`] ?? generalRule)(
        {
          ...inner,
          op: by,
          outputType,
          emit: (spec) => emit(node, spec),
          bounds: (value) => infos[value]!,
          setInput: (input, to) => setInput(input, to, node),
        },
        given,
      )
    const outputType = graph.types.get(node.outputs[0]!)!
    const parts = partsOf(op, context)
    if (parts === undefined) {
      known.set(node.outputs[0]!, apply(context, op, outputType, inputs))
      continue
    }
    const names = inputNames(context)
    const types = new Map(names.map((name, i) => [name, context.types[i]!]))
    const values = new Map(context.constants.flatMap((t, i) => (t === undefined ? [] : [[names[i]!, t] as const])))
    const abstract = new Map(names.map((name, i) => [name, inputs[i]!]))
    for (const part of parts) {
      const inner = partContext(context, part, types, values)
      const type = part.op.infer(inner)[0]!
      const given = part.inputs.map((name): Abstract | undefined => {
        const constant = part.constants?.[name]
        return constant === undefined ? abstract.get(name) : { kind: 'constant', shape: constant.shape }
      })
      types.set(part.output, type)
      abstract.set(part.output, apply(inner, part.op, type, given))
    }
    known.set(node.outputs[0]!, abstract.get(parts.at(-1)!.output)!)
  }
  const several = graph.nodes.find(({ outputs }) => outputs.slice(1).some((name) => name !== ''))
  if (several !== undefined) throw refusal(several, 'it has more than one output')
  const last = graph.nodes.at(-1)
  const outputs = graph.outputs.map((name): Port => {
    const x = known.get(name)
    const node = graph.nodes.find(({ outputs: made }) => made.includes(name)) ?? last
    if (x === undefined || node === undefined || x.kind === 'constant')
      throw new ExactError('model/constant-output', `output "${name}" does not depend on any input`)
    if (x.kind === 'integers') return { name, shape: x.shape, scale: 1, value: raw({ emit: (s) => emit(node, s) }, x) }
    const steps = x.kind === 'real' ? x.steps : undefined
    if (steps?.scale === undefined)
      throw refusal(node, `output "${name}" is float and neither integers nor a dequantised tensor`)
    return { name, shape: x.shape, scale: steps.scale, value: steps.value }
  })
  const unused = ports.find((_, i) => !settled[i])
  if (unused !== undefined)
    throw new ExactError('model/not-quantisable', `input "${unused.name}" is float and nothing quantises it`, {
      fix: 'remove the input, or quantise it',
    })
  return { name: graph.name, inputs: ports, layers, outputs }
}

/** What a rule sees of its node and of the model under construction. */
type Place = InferContext & {
  readonly op: Op
  readonly outputType: TensorType
  emit(layer: LayerSpec): ValueId
  bounds(value: ValueId): Bounds
  setInput(input: RealInput, to: Rounding): ValueId
}

type Rule = (place: Place, inputs: readonly (Abstract | undefined)[]) => Abstract

const refusal = (node: Node, why: string): ExactError =>
  new ExactError('model/not-quantisable', `${node.op} "${node.name}": ${why}`, {
    details: { node: node.name, op: node.op },
    fix: 'export the model with a QuantizeLinear after this operator, or without quantisation',
  })

const failWith = (node: Node, why: string): never => {
  throw refusal(node, why)
}

/** Each element plus a constant. */
function shifted(place: Pick<Place, 'emit'>, value: ValueId, shape: Shape, by: number): ValueId {
  if (by === 0) return value
  const rows = Array.from({ length: sizeOf(shape) }, (_, j) => ({ positions: [j], weights: [1], bias: by }))
  return place.emit({ kind: 'linear', inputs: [value], shape, map: sparseMap(rows, 0) })
}

/** The integers as the file has them. */
const raw = (place: Pick<Place, 'emit'>, { value, shape, zero }: Integers): ValueId =>
  shifted(place, value, shape, zero)

/** Scales and zero points of a tensor, and which of them each element has. */
type Grid = { readonly scales: Float64Array; readonly zeros: Float64Array; readonly of: Granularity }

/** The grid that a QuantizeLinear or DequantizeLinear has for a tensor of the given shape. */
function gridOf(
  place: Place,
  shape: Shape,
  { axis = 1, block_size = 0 }: { readonly axis?: number; readonly block_size?: number },
): Grid {
  const { node, constants, types } = place
  const [, scale, zero] = constants
  if (scale === undefined || (zero === undefined && types[2] !== undefined))
    return failWith(node, 'its scale or zero point is computed by the model')
  if (scale.dtype !== 'float32') return failWith(node, `its scale is ${scale.dtype}; only float32 is exact here`)
  const odd = scale.data.find((v) => !(v > 0) || !Number.isFinite(v))
  if (odd !== undefined) return failWith(node, `one of its scales is ${odd}`)
  const zeros = zero?.data ?? new Float64Array(scale.data.length)
  const alike = [scale.data, zeros].every((list) => list.every((v) => v === list[0]))
  if (alike) return { scales: scale.data.slice(0, 1), zeros: zeros.slice(0, 1), of: () => 0 }
  return { scales: scale.data, zeros, of: granularityOf(place, shape, scale.shape, { axis, block_size }) }
}

const memo = <T extends Rounding>(round: (to: T, node: Node) => ValueId): ((to: T, node: Node) => ValueId) => {
  const made = new Map<string, ValueId>()
  return (to, node) => {
    const key = [to.scale, to.lo, to.hi].join()
    const value = made.get(key) ?? round(to, node)
    made.set(key, value)
    return value
  }
}

const rounded = (v: number, { lo, hi }: Bounds): number => Math.min(Math.max(roundToEven(v), lo), hi)

/** A tensor of known steps. */
function stepped(place: Place, shape: Shape, steps: Steps): Real {
  return { kind: 'real', shape, steps, round: memo((to, node) => roundSteps(place, shape, steps, to, node)) }
}

/** Longest range that is looked through element by element. */
const MAX_TABLE = 4096

/** Rounds f(x): by nothing where the integers stay, by a ratio per channel, or by a table, whichever takes fewest rows. */
function roundSteps(place: Place, shape: Shape, steps: Steps, to: Rounding, node: Node): ValueId {
  const { lo, hi } = place.bounds(steps.value)
  const quotient = steps.quotient ?? ((x, c, scale) => f32(steps.of(x, c) / scale))
  const f = (x: number, c: number): number => rounded(quotient(x, c, to.scale), to)
  const size = sizeOf(shape)
  const emit = (spec: LayerSpec): ValueId => place.emit(spec)
  if (hi - lo < MAX_TABLE && steps.channels === 1) {
    const table = Float64Array.from({ length: hi - lo + 1 }, (_, i) => f(lo + i, 0))
    if (table.every((y, i) => y === lo + i)) return steps.value
    if (table.every((y, i) => y === Math.min(Math.max(lo + i, to.lo), to.hi)))
      return emit({
        kind: 'requantise',
        inputs: [steps.value],
        shape,
        shifts: Uint8Array.of(0),
        inner: size,
        ...only(to),
      })
    const [least, most] = [table.reduce((m, v) => Math.min(m, v)), table.reduce((m, v) => Math.max(m, v))]
    if (table.every((y, i) => y === Math.min(Math.max(lo + i, least), most)))
      return emit({
        ...{ kind: 'requantise', inputs: [steps.value], shape, shifts: Uint8Array.of(0), inner: size },
        ...{ lo: least, hi: most },
      })
    const bits = Math.max(1, Math.ceil(Math.log2(table.length)))
    const tableRows = bits + 1 + lookupRows(bits, bestSplit(bits))
    const ratio = steps.monotone ? ratioOfSteps(steps, f, [lo, hi], to, 0) : undefined
    const ratioRows =
      ratio === undefined ? Infinity : Math.log2((hi - lo + 1) * ratio.p) + 8 + 3 * (ratio.except?.length ?? 0)
    if (tableRows <= ratioRows) return emit({ kind: 'lookup', inputs: [steps.value], shape, table, first: lo })
  }
  if (!steps.monotone)
    return failWith(node, `it is rounded from ${hi - lo + 1} possible values; at most ${MAX_TABLE} fit`)
  const ratios = Array.from({ length: steps.channels }, (_, c) => ratioOfSteps(steps, (x) => f(x, c), [lo, hi], to, c))
  const misfits = ratios.flatMap((ratio, c) => (ratio === undefined ? [c] : []))
  if (misfits.length > 0 && steps.channels > 1)
    return roundGroups(
      ...([place, shape, steps, (j: number) => misfits.indexOf(steps.channel(j))] as const),
      (_, part, size) => roundSteps(place, [size], part, to, node),
    )
  if (misfits.length > 0) {
    const stairs = staircaseOf((x) => f(x, 0), [lo, hi], [to.lo, to.hi])
    return roundTies(place, shape, steps, stairs, to) ?? roundByPlace(place, shape, steps, stairs, node)
  }
  const fitting = ratios as Ratio[]
  const inner = channelRun(steps, size)
  const order = Array.from({ length: Math.ceil(size / inner) }, (_, i) => steps.channel(i * inner))
  const cyclic = order.every((c, i) => c === i % steps.channels)
  const of = cyclic ? fitting.map((_, c) => c) : order
  const field = (pick: (c: number) => number): Float64Array => Float64Array.from(of, pick)
  return emit({
    kind: 'rescale',
    inputs: [steps.value],
    shape,
    p: field((c) => fitting[c]!.p),
    r: field((c) => fitting[c]!.r),
    q: field((c) => fitting[c]!.q),
    even: Uint8Array.from(of, (c) => (fitting[c]!.even ? 1 : 0)),
    except: of.flatMap((c, channel) => (fitting[c]!.except ?? []).map((e) => ({ channel, ...e }))),
    inner,
    ...only(to),
  })
}

/** Rounds the elements of each group on their own. `round` is given a group, its steps and how many elements it has. */
function roundGroups(
  place: Place,
  shape: Shape,
  steps: Steps,
  groupOf: (element: number) => number,
  round: (group: number, part: Steps, size: number) => ValueId,
): ValueId {
  const size = sizeOf(shape)
  const groups = new Map<number, number[]>()
  for (let j = 0; j < size; j++) {
    const elements = groups.get(groupOf(j))
    if (elements === undefined) groups.set(groupOf(j), [j])
    else elements.push(j)
  }
  const map = new Int32Array(size)
  const parts: ValueId[] = []
  let offset = 0
  for (const [group, elements] of groups) {
    elements.forEach((j, i) => {
      map[j] = offset + i
    })
    offset += elements.length
    const from = Int32Array.from(elements)
    const value = place.emit({ kind: 'gather', inputs: [steps.value], shape: [elements.length], map: from, fill: 0 })
    const channels = [...new Set(elements.map(steps.channel))]
    const { quotient, slope } = steps
    const part: Steps = {
      value,
      channels: channels.length,
      channel: (i) => channels.indexOf(steps.channel(elements[i]!)),
      of: (x, c) => steps.of(x, channels[c]!),
      monotone: steps.monotone,
      ...(quotient === undefined
        ? {}
        : { quotient: (x: number, c: number, s: number) => quotient(x, channels[c]!, s) }),
      ...(slope === undefined ? {} : { slope: (c: number) => slope(channels[c]!) }),
    }
    parts.push(round(group, part, elements.length))
  }
  return place.emit({ kind: 'gather', inputs: parts, shape, map, fill: 0 })
}

/**
 * A ratio with ties that go either way: y₀ = ⌊(p·x + r)/q⌋ clamped, and y = y₀ - [no remainder]·table[y₀]. The remainder
 * p·x + r - q·y₀ is 0 or more where nothing saturates; where y₀ saturates low the table has 0, where high it is large.
 * Undefined where there is no such ratio.
 */
function roundTies(place: Place, shape: Shape, steps: Steps, stairs: Staircase, to: Rounding): ValueId | undefined {
  const found = tiedRatioFor(stairs, slopeOf(stairs, steps, to, 0))
  if (found === undefined) return undefined
  const { p, q, r } = found.ratio
  const size = sizeOf(shape)
  const rows = (inputs: ValueId[], weights: number[], bias: number): ValueId =>
    place.emit({
      ...{ kind: 'linear', inputs, shape },
      map: sparseMap(
        Array.from({ length: size }, (_, j) => ({ positions: inputs.map((_i, k) => k * size + j), weights, bias })),
        0,
      ),
    })
  const y0 = place.emit({
    ...{ kind: 'rescale', inputs: [steps.value], shape, p: Float64Array.of(p), q: Float64Array.of(q) },
    ...{ r: Float64Array.of(r), even: Uint8Array.of(0), except: [], inner: size, ...only(to) },
  })
  const rest = rows([steps.value, y0], [p, -q], r)
  const some = place.emit({
    ...{ kind: 'requantise', inputs: [rest], shape, shifts: Uint8Array.of(0), inner: size },
    ...{ lo: 0, hi: 1 },
  })
  const none = rows([some], [-1], 1)
  const { lo: least, hi: most } = place.bounds(y0)
  const table = Float64Array.from({ length: most - least + 1 }, (_, i) => found.down[least + i - stairs.first - 1] ?? 0)
  const down = place.emit({ kind: 'lookup', inputs: [y0], shape, table, first: least })
  const lower = place.emit({ kind: 'multiply', inputs: [none, down], shape })
  return rows([y0, lower], [1, -1], 0)
}

/** Most results that are told apart by comparing with the place where each begins. */
const MAX_PLACES = 1024

/** Any staircase: how many of its steps have begun at x, from the place of x among their beginnings. */
function roundByPlace(place: Place, shape: Shape, steps: Steps, stairs: Staircase, node: Node): ValueId {
  const { lo, hi, first, starts } = stairs
  const thresholds = [...new Set(starts)].filter((start) => start > lo)
  if (thresholds.length > MAX_PLACES)
    return failWith(
      node,
      `float32 rounds the ${starts.length + 1} results of its scales so that no ratio of integers does; ` +
        `at most ${MAX_PLACES + 1} are told apart one by one`,
    )
  const size = sizeOf(shape)
  const count = thresholds.length
  const places = place.emit({
    ...{ kind: 'locate', inputs: [steps.value], shape: [size * count], lo, hi },
    starts: Uint32Array.from({ length: size + 1 }, (_, j) => j * count),
    thresholds: Float64Array.from({ length: size * count }, (_, i) => thresholds[i % count]!),
  })
  const weights = thresholds.map((t) => starts.filter((start) => start === t).length)
  const bias = first + starts.filter((start) => start <= lo).length
  const rows = Array.from({ length: size }, (_, j) => ({
    ...{ positions: thresholds.map((_t, k) => j * count + k), weights, bias },
  }))
  return place.emit({ kind: 'linear', inputs: [places], shape, map: sparseMap(rows, 0) })
}

const only = ({ lo, hi }: Bounds): Bounds => ({ lo, hi })

/** Longest run of elements that share a channel, for all runs alike. */
function channelRun({ channel, channels }: Steps, size: number): number {
  if (channels === 1) return size
  let run = 1
  while (run < size && channel(run) === channel(0)) run++
  for (let j = 0; j < size; j++) if (channel(j) !== channel(j - (j % run))) return 1
  return run
}

function ratioOfSteps(
  steps: Steps,
  f: (x: number, c: number) => number,
  [lo, hi]: readonly [number, number],
  to: Rounding,
  c: number,
) {
  const stairs = staircaseOf((x) => f(x, c), [lo, hi], [to.lo, to.hi])
  return ratioFor(stairs, slopeOf(stairs, steps, to, c))
}

/** About how much a channel's integers grow per step. */
function slopeOf({ starts }: Staircase, { slope }: Steps, to: Rounding, c: number): number {
  if (slope !== undefined) return slope(c) / to.scale
  return starts.length > 1 ? (starts.length - 1) / Math.max(starts.at(-1)! - starts[0]!, 1) : 1
}

/** The integers of a dequantised tensor, for linear layers. */
function levels(place: Place, x: Abstract | undefined): { value: ValueId; scale: number; shape: Shape } {
  if (x?.kind === 'real' && x.steps?.scale !== undefined) return { ...x.steps, scale: x.steps.scale, shape: x.shape }
  return failWith(place.node, 'its input is float: a DequantizeLinear must stand before it')
}

function quantisedConstant(place: Place, x: Abstract | undefined, what: string): QuantisedConstant {
  if (x?.kind === 'constant' && x.quantised !== undefined) return x.quantised
  return failWith(place.node, `its ${what} must be quantised constants`)
}

/** Biases of output channels: integers of the accumulator, or real values where their scale is another. */
type Biases = { readonly integers: Float64Array; readonly reals?: Float64Array }

/**
 * The biases of a linear layer. An int32 bias of scale (input scale · weight scale), as runtimes want it, is part of the
 * accumulator; any other is added to its real value, as ONNX says.
 */
function biasesOf(
  place: Place,
  bias: Abstract | undefined,
  at: number,
  scale: number,
  weightScales: Float64Array,
  channels: number,
): Biases {
  const integers = new Float64Array(channels)
  if (bias === undefined) return { integers }
  const float = place.constants[at]
  const quantised = bias.kind === 'constant' ? bias.quantised : undefined
  if (quantised === undefined && float === undefined) return failWith(place.node, 'its bias must be constant')
  const data = quantised?.data ?? float!.data
  if (data.length !== channels && data.length !== 1) return failWith(place.node, 'its bias differs from row to row')
  const one = (c: number): number => (data.length === 1 ? 0 : c)
  const unit = (c: number): number => quantised?.scales[quantised.scaleOf(one(c))] ?? 1
  const wanted = (c: number): number => scale * weightScales[weightScales.length === 1 ? 0 : c]!
  const fits = integers.every((_, c) => data[one(c)] === 0 || Math.abs(unit(c) / wanted(c) - 1) < 2 ** -20)
  if (quantised?.type === 'int32' && fits) return { integers: integers.map((_, c) => data[one(c)]!) }
  return { integers, reals: integers.map((_, c) => f32(data[one(c)]! * unit(c))) }
}

/** A linear map of integers, with weights of one scale per output channel. */
function linearSteps(
  place: Place,
  x: { readonly value: ValueId; readonly scale: number },
  weightScales: Float64Array,
  { integers, reals }: Biases,
  map: Linear['map'],
  channel: (element: number) => number,
): Real {
  const { node, outputType } = place
  const scales = reals !== undefined && weightScales.length === 1 ? integers.map(() => weightScales[0]!) : weightScales
  const sums = scales.map((s) => f32(x.scale * s))
  const value = place.emit({ kind: 'linear', inputs: [x.value], shape: outputType.shape, map })
  const { lo, hi } = place.bounds(value)
  if (lo < -(2 ** 31) || hi >= 2 ** 31) failWith(node, `its accumulator may leave int32: [${lo}, ${hi}]`)
  const factors = new Map<number, Float64Array>()
  const factorsOf = (scale: number): Float64Array => {
    const made = factors.get(scale) ?? scales.map((s) => requantiseFactor(x.scale, s, scale))
    factors.set(scale, made)
    return made
  }
  const shared = {
    value,
    channels: sums.length,
    channel: sums.length === 1 ? () => 0 : channel,
    slope: (c: number) => sums[c]!,
    monotone: true,
  }
  if (reals !== undefined)
    return stepped(place, outputType.shape, { ...shared, of: (v, c) => f32(f32(f32(v) * sums[c]!) + reals[c]!) })
  const uniform = sums.every((s) => s === sums[0])
  return stepped(place, outputType.shape, {
    ...shared,
    of: (v, c) => f32(f32(v) * sums[c]!),
    quotient: (v, c, scale) => f32(f32(v) * factorsOf(scale)[c]!),
    ...(uniform ? { scale: sums[0]! } : {}),
  })
}

/** Scales of the weights' output channels: one for all, or one per index of the axis. */
function channelScales(place: Place, w: QuantisedConstant, channelOf: (element: number) => number, channels: number) {
  if (w.scales.length === 1) return w.scales
  const scales = new Float64Array(channels)
  w.data.forEach((_, i) => {
    const [c, s] = [channelOf(i), w.scales[w.scaleOf(i)]!]
    if (scales[c] !== 0 && scales[c] !== s) failWith(place.node, 'scales of weights differ within an output channel')
    scales[c] = s
  })
  return scales
}

const convRule: Rule = (place, [data, weights, bias]) => {
  const x = levels(place, data)
  const w = quantisedConstant(place, weights, 'weights')
  const { shape } = place.outputType
  const geometry = convMapGeometry(place, shape)
  const perChannel = w.data.length / geometry.outChannels
  const scales = channelScales(place, w, (i) => Math.floor(i / perChannel), geometry.outChannels)
  const plane = sizeOf(shape.slice(2))
  const biases = biasesOf(place, bias, 2, x.scale, scales, geometry.outChannels)
  return linearSteps(
    place,
    x,
    scales,
    biases,
    { type: 'conv', ...geometry, weights: w.data, bias: biases.integers },
    (j) => Math.floor(j / plane) % geometry.outChannels,
  )
}

const gemmRule: Rule = (place, [data, weights, bias]) => {
  const { alpha, beta, transA, transB } = gemmAttributes(place)
  if (alpha !== 1 || (beta !== 1 && bias !== undefined) || transA)
    return failWith(place.node, 'alpha, beta and transA must be 1, 1 and 0')
  const x = levels(place, data)
  const [rows, columns] = place.outputType.shape as [number, number]
  return product(place, x, [rows, x.shape[1]!, columns], quantisedConstant(place, weights, 'weights'), bias, {
    transB,
  })
}

/** Most terms of a map with one list of terms per result. */
const MAX_TERMS = 2 ** 24

const matMulRule: Rule = (place, [a, b]) => {
  const x = levels(place, a)
  const w = quantisedConstant(place, b, 'right matrix')
  const { m, k, n, batch, left, right } = matMulGeometry(place)
  if (right.every((at) => at === 0)) return product(place, x, [m * sizeOf(batch), k, n], w, undefined, {})
  // each matrix on the left has one of its own on the right
  const results = left.length * m * n
  if (results * k > MAX_TERMS) return failWith(place.node, `its stacks make ${results * k} products`)
  const scales = channelScales(place, w, (i) => i % n, n)
  const rows = Array.from({ length: results }, (_, result) => {
    const [stack, i, j] = [Math.floor(result / (m * n)), Math.floor(result / n) % m, result % n]
    const terms = Array.from({ length: k }, (_t, t) => t)
    return {
      positions: terms.map((t) => (left[stack]! * m + i) * k + t),
      weights: terms.map((t) => w.data[(right[stack]! * k + t) * n + j]!),
      bias: 0,
    }
  })
  const biases = biasesOf(place, undefined, 2, x.scale, scales, n)
  return linearSteps(place, x, scales, biases, sparseMap(rows, 0), (j) => j % n)
}

function product(
  place: Place,
  x: { readonly value: ValueId; readonly scale: number },
  [rows, inner, columns]: readonly [number, number, number],
  w: QuantisedConstant,
  bias: Abstract | undefined,
  { transB = false }: { readonly transB?: boolean },
): Real {
  const column = (i: number): number => (transB ? Math.floor(i / inner) : i % columns)
  const scales = channelScales(place, w, column, columns)
  const weights = new Float64Array(inner * columns)
  for (let i = 0; i < inner; i++)
    for (let j = 0; j < columns; j++) weights[i * columns + j] = w.data[transB ? j * inner + i : i * columns + j]!
  const biases = biasesOf(place, bias, 2, x.scale, scales, columns)
  const map = { type: 'matMul' as const, rows, inner, columns, weights, bias: biases.integers }
  return linearSteps(place, x, scales, biases, map, (j) => j % columns)
}

const averageRule =
  (global: boolean): Rule =>
  (place, [data]) => {
    const x = levels(place, data)
    const geometry = global ? wholePlane(x.shape) : averagePoolWindows(place).geometry
    const divisors = global ? windowCounts(geometry, 'counts') : averagePoolWindows(place).divisors()
    const { shape } = place.outputType
    const rows = windowPositions(x.shape, geometry).map((positions) => ({
      positions: positions.sort((a, b) => a - b),
      weights: positions.map(() => 1),
      bias: 0,
    }))
    const value = place.emit({ kind: 'linear', inputs: [x.value], shape, map: sparseMap(rows, 0) })
    const counts = [...new Set(divisors)]
    return stepped(place, shape, {
      value,
      channels: counts.length,
      channel: (j) => counts.indexOf(divisors[j % divisors.length]!),
      of: (v, c) => f32(f32(v * x.scale) / counts[c]!),
      ...(global
        ? { quotient: (v: number, c: number, s: number) => f32(f32(v) * f32(x.scale / f32(s * counts[c]!))) }
        : {}),
      slope: (c) => x.scale / counts[c]!,
      monotone: true,
    })
  }

const maxPoolRule: Rule = (place, [x]) => {
  const { shape } = place.outputType
  const pooled = (from: ValueId, of: Shape): ValueId => {
    const windows = toWindows(windowPositions(of, maxPoolWindows(place)))
    return place.emit({ kind: 'max', inputs: [from], shape, ...windows })
  }
  if (x?.kind === 'integers') return { ...x, value: pooled(x.value, x.shape), shape }
  if (x?.kind !== 'real') return failWith(place.node, 'its input is float')
  if (x.steps?.channels === 1 && x.steps.monotone)
    return stepped(place, shape, { ...x.steps, value: pooled(x.steps.value, x.shape), channel: () => 0 })
  return { kind: 'real', shape, round: memo((to, node) => pooled(x.round(to, node), x.shape)) }
}

/** Elementwise functions that never decrease, whatever their attributes (a LeakyRelu's slope is looked at). */
const monotone = new Set(['Relu', 'Clip', 'Sigmoid', 'Tanh', 'HardSigmoid', 'Softplus', 'Softsign', 'Identity'])
/** Further elementwise functions of one tensor. */
const elementwise = new Set([
  ...monotone,
  ...['LeakyRelu', 'Elu', 'Selu', 'Celu', 'HardSwish', 'Mish', 'Gelu', 'Erf', 'Abs', 'Neg', 'Exp', 'Sqrt', 'Log'],
  ...['Reciprocal', 'Floor', 'Ceil', 'Round', 'Sign', 'ThresholdedRelu'],
])

const elementwiseRule: Rule = (place, [x]) => {
  const { node, op } = place
  if (x?.kind !== 'real') return failWith(node, 'its input is float: a DequantizeLinear must stand before it')
  const apply = (v: number): number => {
    const one: Tensor = { dtype: 'float32', shape: [1], data: Float64Array.of(v) }
    const types = place.types.map((type, i) => (i === 0 ? { dtype: 'float32' as const, shape: [1] } : type))
    return f32(op.compute({ ...place, types }, [one, ...place.constants.slice(1)])[0]!.data[0]!)
  }
  const grows = monotone.has(node.op) || (node.op === 'LeakyRelu' && apply(-1) <= 0)
  if (node.op === 'Relu' || node.op === 'Clip') {
    // rounding is monotone: clipping before it is clipping after it, to the rounded bounds
    const [least, most] = [apply(-3e38), apply(3e38)]
    const clipped = (to: Rounding): Rounding => ({
      ...to,
      lo: rounded(f32(least / to.scale), to),
      hi: rounded(f32(most / to.scale), to),
    })
    if (x.steps?.scale === undefined || place.bounds(x.steps.value).hi - place.bounds(x.steps.value).lo >= MAX_TABLE)
      return { kind: 'real', shape: x.shape, round: (to, at) => x.round(clipped(to), at) }
  }
  if (x.steps === undefined) return failWith(node, 'a QuantizeLinear must stand before it')
  const { slope: _s, scale: _k, quotient: _q, ...steps } = x.steps
  const { of } = x.steps
  return stepped(place, x.shape, { ...steps, of: (v, c) => apply(of(v, c)), monotone: steps.monotone && grows })
}

const dequantiseRule: Rule = (place, [x]) => {
  const { node, constants } = place
  if (x?.kind === 'constant') {
    const data = constants[0]!
    const { scales, zeros, of } = gridOf(place, data.shape, dequantizeAttributes(place))
    const quantised = { type: data.dtype, data: data.data.map((v, i) => v - zeros[of(i)]!), scales, scaleOf: of }
    return { kind: 'constant', shape: data.shape, quantised }
  }
  if (x?.kind !== 'integers') return failWith(node, 'its input holds no integers')
  const { scales, zeros, of } = gridOf(place, x.shape, dequantizeAttributes(place))
  if (scales.length > 1)
    return stepped(place, x.shape, {
      value: x.value,
      channels: scales.length,
      channel: of,
      of: (v, c) => f32(f32(v + x.zero - zeros[c]!) * scales[c]!),
      slope: (c) => scales[c]!,
      monotone: true,
    })
  const scale = scales[0]!
  return stepped(place, x.shape, {
    ...whole,
    value: shifted(place, x.value, x.shape, x.zero - zeros[0]!),
    of: (v) => f32(f32(v) * scale),
    slope: () => scale,
    scale,
  })
}

const quantiseRule: Rule = (place, [x]) => {
  const { node, outputType } = place
  const { shape } = outputType
  const { scales, zeros, of } = gridOf(place, shape, quantizeAttributes(place))
  const [least, most] = integerRange(outputType.dtype)!
  const to = (c: number): Rounding => ({ scale: scales[c]!, lo: least - zeros[c]!, hi: most - zeros[c]! })
  const single = scales.length === 1
  if (x?.kind === 'input') {
    if (!single) return failWith(node, 'it quantises a float input with a scale per axis or block')
    return { kind: 'integers', value: place.setInput(x, to(0)), shape, zero: zeros[0]! }
  }
  const real =
    x?.kind === 'integers'
      ? stepped(place, shape, { ...whole, value: raw(place, x), of: f32, slope: () => 1, scale: 1 })
      : x
  if (real?.kind !== 'real') return failWith(node, 'its input is no real value that the model computes')
  if (single) return { kind: 'integers', value: real.round(to(0), node), shape, zero: zeros[0]! }
  if (real.steps === undefined)
    return failWith(node, 'it has a scale per axis or block, and its input is no function of single integers')
  const value = roundGroups(place, shape, real.steps, of, (c, part, size) =>
    shifted(place, roundSteps(place, [size], part, to(c), node), [size], zeros[c]!),
  )
  return { kind: 'integers', value, shape, zero: 0 }
}

/** Fraction bits of exponentials: about the precision that float32 has. */
const EXP_BITS = 24

/** round(e / T / scale) for e = exp(x - max) and T their sum, from a table of 24 fraction bits. */
const softmaxRule: Rule = (place, [data]) => {
  const x = levels(place, data)
  const lines = groupsOf(place)
  const { shape } = x
  const size = sizeOf(shape)
  const { lo, hi } = place.bounds(x.value)
  if (hi - lo >= MAX_TABLE)
    return failWith(place.node, `its input takes ${hi - lo + 1} values; at most ${MAX_TABLE} fit`)
  const round = (to: Rounding, node: Node): ValueId => {
    const steps = Math.round(1 / to.scale)
    if (Math.abs(steps * to.scale - 1) > 2 ** -20)
      failWith(node, `the scale ${to.scale} of a Softmax is no whole part of 1`)
    const lineOf = new Int32Array(size)
    lines.forEach((line, i) => {
      for (const at of line) lineOf[at] = i
    })
    const rows = (inputs: number[], of: (j: number) => number[], weights: number[]): ValueId =>
      place.emit({
        ...{ kind: 'linear', inputs, shape: [size] },
        map: sparseMap(
          Array.from({ length: size }, (_, j) => ({ positions: of(j), weights, bias: 0 })),
          0,
        ),
      })
    const largest = place.emit({ kind: 'max', inputs: [x.value], shape: [lines.length], ...toWindows(lines) })
    const unbounded = rows([x.value, largest], (j) => [j, size + lineOf[j]!], [-1, 1])
    // the largest is no smaller than any: this clamp changes nothing but lets the range show it
    const depth = place.emit({
      ...{ kind: 'requantise', inputs: [unbounded], shape: [size], shifts: Uint8Array.of(0), inner: size },
      ...{ lo: 0, hi: hi - lo },
    })
    const table = Float64Array.from({ length: hi - lo + 1 }, (_, d) =>
      Math.round(Math.exp(-d * x.scale) * 2 ** EXP_BITS),
    )
    const exps = place.emit({ kind: 'lookup', inputs: [depth], shape: [size], table, first: 0 })
    const totals = place.emit({
      ...{ kind: 'linear', inputs: [exps], shape: [lines.length] },
      map: sparseMap(
        lines.map((line) => ({ positions: [...line].sort((a, b) => a - b), weights: line.map(() => 1), bias: 0 })),
        0,
      ),
    })
    const bounded = place.emit({
      ...{ kind: 'requantise', inputs: [totals], shape: [lines.length], shifts: Uint8Array.of(0), inner: lines.length },
      ...{ lo: 2 ** EXP_BITS, hi: place.bounds(totals).hi },
    })
    const dividend = rows([exps, bounded], (j) => [j, size + lineOf[j]!], [2 * steps, 1])
    const divisor = rows([bounded], (j) => [lineOf[j]!], [2])
    const quotient = place.emit({ kind: 'divide', inputs: [dividend, divisor], shape })
    return place.emit({
      ...{ kind: 'requantise', inputs: [quotient], shape, shifts: Uint8Array.of(0), inner: size },
      ...only(to),
    })
  }
  return { kind: 'real', shape, round: memo(round) }
}

/** Data movement, of integers, inputs and real values alike. */
function moved(place: Place, x: Abstract, { map, fill }: Moves): Abstract {
  const { node, emit, outputType } = place
  const { shape } = outputType
  const identity = map.length === sizeOf(x.shape) && map.every((from, j) => from === j)
  const gather = (value: ValueId, filler: number): ValueId =>
    identity ? value : emit({ kind: 'gather', inputs: [value], shape, map, fill: filler })
  if (x.kind === 'integers') return { ...x, shape, value: gather(x.value, fill - x.zero) }
  if (x.kind === 'constant') return failWith(node, 'it moves constants')
  const pads = map.includes(-1)
  if (x.kind === 'input') {
    if (pads) return failWith(node, 'it pads a float input')
    const { map: before } = x
    return { ...x, shape, map: before === undefined ? map : map.map((from) => before[from]!) }
  }
  const { steps } = x
  if (steps !== undefined) {
    const filler = pads ? fill / (steps.scale ?? Number.NaN) : 0
    if (!Number.isInteger(filler)) return failWith(node, `it pads with ${fill}, which is no multiple of the scale`)
    const channel = steps.channels === 1 ? () => 0 : (j: number) => steps.channel(Math.max(map[j]!, 0))
    return stepped(place, shape, { ...steps, value: gather(steps.value, filler), channel })
  }
  if (pads) return failWith(node, 'a QuantizeLinear must stand before it')
  return { kind: 'real', shape, round: memo((to, at) => gather(x.round(to, at), 0)) }
}

const concatRule: Rule = (place, inputs) => {
  const { shape } = place.outputType
  const { map } = place.op.moves!(place)
  const join = (parts: readonly ValueId[]): ValueId =>
    place.emit({ kind: 'gather', inputs: parts, shape, map, fill: 0 })
  const first = inputs[0]
  if (first?.kind === 'integers') {
    const parts = inputs.map((x) =>
      x?.kind === 'integers' ? x : failWith(place.node, 'it joins integers and constants'),
    )
    const values = parts.map((x) => shifted(place, x.value, x.shape, x.zero - first.zero))
    return { kind: 'integers', value: join(values), shape, zero: first.zero }
  }
  const parts = inputs.map((x) => (x?.kind === 'real' ? x : failWith(place.node, 'it joins constants or float inputs')))
  const scale = parts[0]!.steps?.scale
  if (scale !== undefined && parts.every(({ steps }) => steps?.scale === scale && steps.channels === 1))
    return stepped(place, shape, { ...parts[0]!.steps!, value: join(parts.map(({ steps }) => steps!.value)) })
  return { kind: 'real', shape, round: memo((to, node) => join(parts.map((x) => x.round(to, node)))) }
}

/** Whole floats to the integers that they are, and back. */
const castRule: Rule = (place, [x]) => {
  const { node, outputType } = place
  if (x?.kind === 'real' && x.steps?.scale === 1 && outputType.dtype === 'int32')
    return { kind: 'integers', value: x.steps.value, shape: x.shape, zero: 0 }
  if (x?.kind !== 'integers' || !isFloat(outputType.dtype)) return failWith(node, 'a cast of anything but integers')
  const value = raw(place, x)
  const scale = 1
  return stepped(place, x.shape, { ...whole, value, of: f32, slope: () => scale, scale })
}

/** Steps of a single channel that grow. */
const whole = { channels: 1, channel: () => 0, monotone: true }

/** A constant's real values, broadcast to the result. */
function constantValues(place: Place, x: Abstract & { readonly kind: 'constant' }, at: number): Float64Array {
  const data = x.quantised
    ? x.quantised.data.map((v, i) => f32(v * x.quantised!.scales[x.quantised!.scaleOf(i)]!))
    : place.constants[at]!.data
  return Float64Array.from(broadcastMap(x.shape, place.outputType.shape), (from) => data[from]!)
}

/** Greatest number of pairs of integers that are compared one by one. */
const MAX_PAIRS = 2 ** 17

/** a ± b and a · b of two dequantised tensors, or of any and a constant. */
const pairRule =
  (kind: 'add' | 'sub' | 'mul'): Rule =>
  (place, [a, b]) => {
    const { node } = place
    const { shape } = place.outputType
    const spread = (value: ValueId, from: Shape): ValueId =>
      sizeOf(from) === sizeOf(shape)
        ? value
        : place.emit({ kind: 'gather', inputs: [value], shape, map: broadcastMap(from, shape), fill: 0 })
    const constantAt = a?.kind === 'constant' ? 0 : b?.kind === 'constant' ? 1 : -1
    if (constantAt >= 0) {
      const [x, k] = (constantAt === 1 ? [a, b] : [b, a]) as [Abstract | undefined, Constant]
      if (x?.kind !== 'real' || x.steps === undefined || sizeOf(x.shape) !== sizeOf(shape))
        return failWith(node, 'a QuantizeLinear must stand before it')
      const values = constantValues(place, k, constantAt)
      if (kind === 'mul' ? values.some((v) => v <= 0) : kind === 'sub' && constantAt === 0)
        return failWith(node, 'constants that turn the order around')
      const { steps } = x
      const keys = values
      const distinct = [...new Set(Array.from(keys, (v, j) => `${v},${steps.channel(j)}`))]
      const index = new Map(distinct.map((key, c) => [key, c]))
      const parts = distinct.map((key) => key.split(',').map(Number) as [number, number])
      const act = (v: number, by: number): number =>
        kind === 'mul' ? f32(v * by) : f32(kind === 'sub' ? v - by : v + by)
      const scale =
        kind === 'mul' && distinct.length === 1 && steps.scale !== undefined
          ? f32(steps.scale * parts[0]![0])
          : undefined
      const { slope } = steps
      return stepped(place, shape, {
        value: steps.value,
        channels: distinct.length,
        channel: distinct.length === 1 ? () => 0 : (j) => index.get(`${keys[j]},${steps.channel(j)}`)!,
        of: (v, c) => act(steps.of(v, parts[c]![1]), parts[c]![0]),
        monotone: steps.monotone,
        ...(slope === undefined
          ? {}
          : { slope: (c: number) => slope(parts[c]![1]) * (kind === 'mul' ? parts[c]![0] : 1) }),
        ...(scale === undefined ? {} : { scale }),
      })
    }
    const [x, y] = [levels(place, a), levels(place, b)]
    const values = [spread(x.value, x.shape), spread(y.value, y.shape)] as const
    if (kind === 'mul') {
      const value = place.emit({ kind: 'multiply', inputs: [...values], shape })
      const scale = f32(x.scale * y.scale)
      return stepped(place, shape, {
        ...whole,
        value,
        of: (v) => f32(f32(v) * scale),
        quotient: (v, _c, to) => f32(f32(v) * requantiseFactor(x.scale, y.scale, to)),
        slope: () => scale,
        scale,
      })
    }
    const sign = kind === 'sub' ? -1 : 1
    const [p, q] = [place.bounds(values[0]), place.bounds(values[1])]
    if ((p.hi - p.lo + 1) * (q.hi - q.lo + 1) > MAX_PAIRS) return failWith(node, 'sums of integers of more than 8 bits')
    const round = (to: Rounding, at: Node): ValueId => {
      const found = weightsFor(
        (u, v) => rounded(f32(f32(f32(u * x.scale) + sign * f32(v * y.scale)) / to.scale), to),
        [p, q],
        [x.scale / to.scale, (sign * y.scale) / to.scale],
        to,
      )
      if (found === undefined) return failWith(at, 'no exact weights were found for this sum')
      const size = sizeOf(shape)
      const rows = Array.from({ length: size }, (_, j) => ({
        positions: [j, size + j],
        weights: found.weights,
        bias: 0,
      }))
      const sum = place.emit({ kind: 'linear', inputs: [...values], shape, map: sparseMap(rows, 0) })
      const { p: one, q: by, r, even, except = [] } = found.ratio
      return place.emit({
        ...{ kind: 'rescale', inputs: [sum], shape, p: Float64Array.of(one), q: Float64Array.of(by) },
        ...{ r: Float64Array.of(r), even: Uint8Array.of(even ? 1 : 0), inner: size, ...only(to) },
        except: except.map((e) => ({ channel: 0, ...e })),
      })
    }
    return { kind: 'real', shape, round: memo(round) }
  }

/** Integer weights, and the ratio of their sums. */
type Weighted = { readonly weights: number[]; readonly ratio: Ratio }

/** Most sums whose rounding is named one by one. */
const MAX_NAMED = 32

/**
 * Integer weights A, B and a ratio for which ratio(A·u + B·v) is f for every pair, clamped, each compared. Where float rounding
 * leaves the plane, the sums are named: they must then be those of equal results. The cheapest power of two is taken.
 */
function weightsFor(
  f: (u: number, v: number) => number,
  [p, q]: readonly [Bounds, Bounds],
  slopes: readonly [number, number],
  to: Bounds,
): Weighted | undefined {
  const wanted: number[] = []
  for (let u = p.lo; u <= p.hi; u++) for (let v = q.lo; v <= q.hi; v++) wanted.push(f(u, v))
  let best: Weighted | undefined
  let rows = Number.POSITIVE_INFINITY
  for (let n = 1; n <= 26; n++) {
    const by = 2 ** n
    const [a, b] = slopes.map((s) => Math.round(s * by)) as [number, number]
    for (const even of [false, true]) {
      const ratio: Ratio = { p: 1, q: by, r: by / 2, even }
      const cost = n + (even ? 4 : 0)
      const found = cost >= rows ? undefined : differing(wanted, [p, q], [a, b], ratio, to)
      if (found === undefined || cost + 3 * found.length >= rows) continue
      best = { weights: [a, b], ratio: found.length === 0 ? ratio : { ...ratio, except: found } }
      rows = cost + 3 * found.length
    }
  }
  return best
}

/** Sums at which a ratio differs from what is wanted, undefined where they are too many or of different results. */
function differing(
  wanted: readonly number[],
  [p, q]: readonly [Bounds, Bounds],
  [a, b]: readonly [number, number],
  ratio: Ratio,
  to: Bounds,
): { at: number; by: number }[] | undefined {
  const named = new Map<number, number>()
  for (const pass of ['find', 'check']) {
    let i = 0
    for (let u = p.lo; u <= p.hi; u++)
      for (let v = q.lo; v <= q.hi; v++) {
        const sum = a * u + b * v
        const by = wanted[i++]! - numbers.rescale(sum, ratio, to.lo, to.hi)
        if (pass === 'find' && by !== 0) {
          named.set(sum, by)
          if (named.size > MAX_NAMED) return undefined
        }
        if (pass === 'check' && by !== (named.get(sum) ?? 0)) return undefined
      }
  }
  return [...named].map(([at, by]) => ({ at, by }))
}

const generalRule: Rule = (place, inputs) => {
  const { node, op } = place
  const [x] = inputs
  if (
    x !== undefined &&
    op.moves !== undefined &&
    inputs.slice(1).every((y) => y === undefined || y.kind === 'constant')
  )
    return moved(place, x, op.moves(place))
  if (node.domain === '' && elementwise.has(node.op)) return elementwiseRule(place, inputs)
  return failWith(node, 'it has no exact integer form in a quantised model')
}

const dynamicRule: Rule = ({ node }) =>
  failWith(node, 'its scale differs from input to input, so that no fixed integers stand for its result')

const rules: Readonly<Record<string, Rule>> = {
  ':DynamicQuantizeLinear': dynamicRule,
  ':QuantizeLinear': quantiseRule,
  ':DequantizeLinear': dequantiseRule,
  ':Conv': convRule,
  ':Gemm': gemmRule,
  ':MatMul': matMulRule,
  ':AveragePool': averageRule(false),
  ':GlobalAveragePool': averageRule(true),
  ':MaxPool': maxPoolRule,
  ':Softmax': softmaxRule,
  ':Concat': concatRule,
  ':Cast': castRule,
  ':Add': pairRule('add'),
  ':Sub': pairRule('sub'),
  ':Mul': pairRule('mul'),
}
