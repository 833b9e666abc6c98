import type { Graph, Node } from '../graph/graph.ts'
import { contextOf } from '../graph/infer.ts'
import { floatWindow } from '../model/floatOrder.ts'
import type { Bounds } from '../model/layer.ts'
import { findOp } from '../ops/index.ts'
import type { Scheme, Target } from '../ops/lowering.ts'
import type { InferContext, Op, Scaling } from '../ops/op.ts'
import { integerRange, isFloat, sizeOf } from '../tensor.ts'
import type { Ranges } from './calibrate.ts'
import { orderedTensors } from './order.ts'

/** What every tensor that is not constant is requantised to, by name. */
export type Plan = ReadonlyMap<string, Target>

/** A node with its operator and its tensors that are not constant. */
type Step = { readonly node: Node; readonly op: Op; readonly scaling: Scaling; readonly inputs: readonly string[] }

/**
 * Chooses the scale and the window of every tensor.
 *
 * Tensors that tied operators join share one scale, the largest that one of them needs. A tensor needs its own range only
 * if something reads it requantised: what a ReLU absorbs from an accumulator, or what is an output with all its bits,
 * counts only where nothing else does.
 */
export function planScales(graph: Graph, ranges: Ranges, scheme: Scheme): Plan {
  const steps: Step[] = graph.nodes.map((node) => {
    const op = findOp(node.domain, node.op, node.opset)
    const inputs = node.inputs.filter((name) => name !== '' && !graph.constants.has(name))
    return { node, op, scaling: op.scaling ?? {}, inputs: [...new Set(inputs)] }
  })
  const outputs = new Set(graph.outputs)
  const wide = wideTensors(steps, outputs)
  const nonNegative = nonNegativeTensors(graph, steps, ranges)
  // the bits that unpack a product of open weights serve its rounding too
  const summed = scheme.openWeights ? new Map<string, string>() : summedTensors(graph, steps)
  const group = tiedGroups(graph, steps, summed, scheme)
  const limit = saturationLimits(steps, outputs, scheme)

  const readNarrow = new Set<string>()
  for (const { scaling, inputs } of steps)
    if (!scaling.wantsWide && scaling.wideInput === undefined)
      for (const input of inputs) if (!summed.has(input)) readNarrow.add(input)
  for (const { node, scaling } of steps)
    if (scaling.wideInput === 'absorbs' && !wide.has(node.outputs[0]!)) readNarrow.add(node.outputs[0]!)
  const isWhole = (name: string): boolean => !isFloat(graph.types.get(name)?.dtype ?? 'float32')
  for (const { name } of graph.inputs) readNarrow.add(name)

  /** Real value of one step that the tensor's own range asks for. */
  const ownScale = (name: string): number => {
    const range = ranges.get(name)
    const most = Math.min(
      Math.max(Math.abs(range?.min ?? 0), Math.abs(range?.max ?? 0)),
      limit.get(name) ?? Number.POSITIVE_INFINITY,
    )
    return most / (nonNegative.has(name) ? 2 ** scheme.bits - 1 : 2 ** (scheme.bits - 1) - 1)
  }
  const fixed = new Map<string, number>()
  for (const { node, scaling } of steps)
    node.outputs.forEach((name, output) => {
      const scale = scaling.fixedScale?.(scheme.bits, contextOf(node, graph), output)
      if (scale !== undefined && name !== '') fixed.set(name, scale)
    })
  const members = new Map<string, string[]>()
  for (const [name, root] of group) members.set(root, [...(members.get(root) ?? []), name])
  const plan = new Map<string, Target>()
  for (const names of members.values()) {
    const own = names.filter((name) => !summed.has(name))
    const deciding = own.filter((name) => readNarrow.has(name))
    const given = names.flatMap((name) => (isWhole(name) ? 1 : (fixed.get(name) ?? [])))
    const largest = Math.max(...(given.length > 0 ? given : (deciding.length > 0 ? deciding : own).map(ownScale)))
    // where all was 0, as good a range as any: up to 1
    const ownStep = largest > 0 ? largest : 1 / (2 ** scheme.bits - 1)
    const more = given.length > 0 ? 1 : 2 ** extraBits(graph, steps, names, ownStep, scheme)
    const scale = ownStep / more
    for (const name of names) {
      if (isWhole(name)) {
        plan.set(name, { scale, ...wholeWindow(graph, name, ranges, scheme), wide: wide.has(name) })
        continue
      }
      const [lo, hi] = nonNegative.has(name)
        ? [0, 2 ** scheme.bits * more - 1]
        : [-(2 ** (scheme.bits - 1)) * more, 2 ** (scheme.bits - 1) * more - 1]
      plan.set(name, { scale, lo, hi, wide: wide.has(name), ...(summed.has(name) ? { summed: true as const } : {}) })
    }
  }
  for (const name of orderedTensors(graph))
    plan.set(name, { scale: 1, ...floatWindow, wide: false, encoding: 'float32' })
  return plan
}

/** Most bits of an input of floats. */
const MAX_INPUT_BITS = 24

/**
 * Bits that tensors of one scale get beyond the usual ones, as their readers ask for: only where they are inputs of the model
 * and what is made of these in the same scale.
 */
function extraBits(
  graph: Graph,
  steps: readonly Step[],
  names: readonly string[],
  step: number,
  scheme: Scheme,
): number {
  const group = new Set(names)
  const given = new Set(graph.inputs.map(({ name }) => name))
  const follows = ({ op, scaling }: Step): boolean =>
    op.moves !== undefined || (scaling.tied === true && scaling.inputStep !== undefined)
  const made = new Set(steps.filter(follows).flatMap(({ node }) => node.outputs))
  if (!names.every((name) => given.has(name) || made.has(name))) return 0
  const wanted = steps
    .filter(({ inputs }) => inputs.some((name) => group.has(name)))
    .map(({ scaling }) => scaling.inputStep?.(step) ?? step)
  const bits = Math.ceil(Math.log2(step / Math.min(step, ...wanted)))
  return Math.min(bits, Math.max(0, MAX_INPUT_BITS - scheme.bits))
}

/**
 * The integers that a tensor of an integer type or of booleans may take: for an input the power of two around its calibrated
 * range, otherwise all that stay exact; never more than its type holds.
 */
function wholeWindow(graph: Graph, name: string, ranges: Ranges, scheme: Scheme): Bounds {
  const [least, most] = integerRange(graph.types.get(name)!.dtype)!
  if (!graph.inputs.some((input) => input.name === name))
    return { lo: Math.max(least, -(2 ** 40)), hi: Math.min(most, 2 ** 40) }
  const { min, max } = ranges.get(name) ?? { min: 0, max: 0 }
  let n = scheme.bits
  while (n < 40 && (max >= 2 ** n || min < -(2 ** (n - 1)) || (min < 0 && max >= 2 ** (n - 1)))) n++
  const [lo, hi] = min >= 0 ? [0, 2 ** n - 1] : [-(2 ** (n - 1)), 2 ** (n - 1) - 1]
  return { lo: Math.max(lo, least), hi: Math.min(hi, most) }
}

const readers = (steps: readonly Step[], name: string): Step[] => steps.filter((s) => s.inputs.includes(name))

/** Tensors that are used with all their fraction bits. */
function wideTensors(steps: readonly Step[], outputs: ReadonlySet<string>): Set<string> {
  const wide = new Set(outputs)
  for (const { node, scaling, inputs } of [...steps].reverse()) {
    const passes = scaling.wideInput !== undefined && node.outputs.some((name) => wide.has(name))
    if (scaling.wantsWide || passes) for (const input of inputs) wide.add(input)
  }
  return wide
}

function nonNegativeTensors(graph: Graph, steps: readonly Step[], ranges: Ranges): Set<string> {
  const found = new Set(graph.inputs.map((x) => x.name).filter((name) => (ranges.get(name)?.min ?? -1) >= 0))
  for (const { node, scaling } of steps) {
    const context: InferContext = {
      node,
      types: node.inputs.map((name) => graph.types.get(name)),
      constants: node.inputs.map((name) => graph.constants.get(name)),
    }
    const inputs = node.inputs.map(
      (name) => found.has(name) || (graph.constants.get(name)?.data.every((v) => v >= 0) ?? false),
    )
    const data = inputs.filter((_, i) => node.inputs[i] !== '' && !graph.constants.has(node.inputs[i]!))
    const result =
      scaling.nonNegative?.(context, inputs) ?? (scaling.tied === true && data.length > 0 && data.every(Boolean))
    if (result) for (const output of node.outputs) found.add(output)
  }
  return found
}

/** How many elements of a sum may read one element of a summand before requantising the summand first takes fewer rows. */
const MAX_BROADCAST = 2

/**
 * Sums that go into the one sum that reads them, with the name of that sum: they are never clamped, so that they can take its
 * scale, and rounding them first would cost rows and precision.
 */
function summedTensors(graph: Graph, steps: readonly Step[]): Map<string, string> {
  const count = new Map<string, number>()
  for (const name of [...steps.flatMap(({ inputs }) => inputs), ...graph.outputs])
    count.set(name, (count.get(name) ?? 0) + 1)
  const made = new Set(
    steps.flatMap(({ node, scaling }) =>
      scaling.accumulates && scaling.fixedScale === undefined && node.role === undefined
        ? node.outputs.slice(0, 1)
        : [],
    ),
  )
  const size = (name: string): number => sizeOf(graph.types.get(name)!.shape)
  const found = new Map<string, string>()
  for (const { node, scaling, inputs } of steps) {
    const [output] = node.outputs
    if (!scaling.addsWide || !output || node.role !== undefined || !isFloat(graph.types.get(output)!.dtype)) continue
    for (const input of inputs)
      if (made.has(input) && count.get(input) === 1 && size(output) <= MAX_BROADCAST * size(input))
        found.set(input, output)
  }
  return found
}

/** Representative of each tensor's group of equal scales. */
function tiedGroups(
  graph: Graph,
  steps: readonly Step[],
  summed: ReadonlyMap<string, string>,
  scheme: Scheme,
): Map<string, string> {
  const parent = new Map<string, string>()
  const root = (name: string): string => {
    let at = name
    while (parent.get(at) !== at) at = parent.get(at)!
    return at
  }
  // whole numbers and floats have nothing in common: a condition, a cast
  const whole = (name: string): boolean => !isFloat(graph.types.get(name)?.dtype ?? 'float32')
  const alike = (a: string, b: string): boolean => whole(a) === whole(b)
  for (const { name } of graph.inputs) parent.set(name, name)
  for (const { node } of steps) for (const output of node.outputs) if (output !== '') parent.set(output, output)
  const byRole = new Map<string, string>()
  for (const { node } of steps) {
    const [output] = node.outputs
    if (node.role === undefined || !output) continue
    const first = byRole.get(node.role)
    if (first === undefined) byRole.set(node.role, output)
    else parent.set(root(output), root(first))
  }
  const fixed = new Map<string, number>()
  for (const { node, scaling } of steps)
    node.outputs.forEach((name, output) => {
      const scale = scaling.fixedScale?.(scheme.bits, contextOf(node, graph), output)
      if (scale !== undefined && name !== '') fixed.set(name, scale)
    })
  for (const { node, scaling, inputs } of steps) {
    if (!scaling.tied) continue
    // a fixed scale does not spread to tensors that meet it: the operator brings it to theirs
    const agree = new Set(inputs.map((name) => fixed.get(root(name)))).size <= 1
    for (const output of node.outputs)
      for (const input of inputs) {
        const [from, to] = [root(input), root(output)]
        if (output === '' || !alike(input, output) || (!agree && fixed.has(from))) continue
        const scale = fixed.get(from) ?? fixed.get(to)
        parent.set(from, to)
        if (scale !== undefined) fixed.set(to, scale)
      }
  }
  for (const [input, output] of summed) parent.set(root(input), root(output))
  return new Map([...parent.keys()].map((name) => [name, root(name)]))
}

/** Magnitudes beyond which a tensor's values make no difference to any of its readers. */
function saturationLimits(steps: readonly Step[], outputs: ReadonlySet<string>, scheme: Scheme): Map<string, number> {
  const limits = new Map<string, number>()
  const made = new Set(steps.flatMap(({ node }) => node.outputs))
  for (const name of new Set(steps.flatMap((s) => s.inputs))) {
    // inputs of the model are refused beyond their range, not clamped
    if (!made.has(name)) continue
    const next = readers(steps, name).map((s) => s.scaling.saturatesAt?.(scheme.bits) ?? Number.POSITIVE_INFINITY)
    const limit = Math.max(...next)
    if (!outputs.has(name) && Number.isFinite(limit)) limits.set(name, limit)
  }
  return limits
}
