import { floatWindow, numberAbove, numberFrom } from '../../model/floatOrder.ts'
import { sizeOf } from '../../tensor.ts'
import { unsupported } from '../inputs.ts'
import { type LowerContext, type QTensor, sparseMap } from '../lowering.ts'
import type { TreeModel, TreeNode } from '../ml/treeModel.ts'

/** A double as mantissa · 2^exponent, exactly. */
function dyadic(x: number): readonly [mantissa: bigint, exponent: number] {
  let [mantissa, exponent] = [x, 0]
  while (!Number.isInteger(mantissa)) {
    mantissa *= 2
    exponent--
  }
  return [BigInt(mantissa), exponent]
}

/** Sign of q · unit - t, computed exactly. */
function compareExactly(q: number, unit: number, t: number): number {
  const [[u, eu], [v, ev]] = [dyadic(unit), dyadic(t)]
  const low = Math.min(eu, ev)
  const difference = BigInt(q) * u * 2n ** BigInt(eu - low) - v * 2n ** BigInt(ev - low)
  return difference < 0n ? -1 : difference > 0n ? 1 : 0
}

/** How integers of a tensor compare with real thresholds: the least integers that stand for t or more, and for more than t. */
type Order = { readonly from: (t: number) => number; readonly above: (t: number) => number }

/** Thresholds of integers that stand for multiples of a unit. Infinite ones stay infinite. */
function multiplesOf(unit: number): Order {
  const least = (t: number, sign: number): number => {
    if (!Number.isFinite(t / unit)) return t
    let q = Math.floor(t / unit) - 2
    if (!Number.isSafeInteger(q)) return t < 0 ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY
    while (compareExactly(q, unit, t) < sign) q++
    return q
  }
  return { from: (t) => least(t, 0), above: (t) => least(t, 1) }
}

/** Where the condition of a branch changes as x grows, and whether it holds before the first change. */
function changesOf(
  { mode, values }: Extract<TreeNode, { feature: number }>,
  { from, above }: Order,
): readonly [first: boolean, changes: readonly number[]] {
  const t = values[0]!
  switch (mode) {
    case 'LEQ':
      return [true, [above(t)]]
    case 'LT':
      return [true, [from(t)]]
    case 'GTE':
      return [false, [from(t)]]
    case 'GT':
      return [false, [above(t)]]
    case 'EQ':
    case 'MEMBER':
      return [false, values.flatMap((v) => [from(v), above(v)])]
    case 'NEQ':
      return [true, [from(t), above(t)]]
  }
}

/** Most weights of all nodes and targets. */
const MAX_WEIGHTS = 2 ** 24

/** Sums of trees [rows, targets] as integers; real value = unit · integer. */
export type TreeSums = { readonly value: number; readonly unit: number; readonly shift: number }

/**
 * Sums of decision trees over x [rows, features] (or one row of features).
 *
 * Each feature is located once among its thresholds, in integers in which its comparisons are exact: numbers of floats where
 * the input is one of which only the order matters, else multiples of the tensor's step with all its fraction bits.
 *
 * @param step real value of 2^shift units, the result's step; a power of two that suits the leaves where it is left out
 * @param shift fraction bits; as many as give the largest leaf `leafBits` (those of a weight) where it is left out
 */
export function lowerTrees(
  context: LowerContext,
  input: QTensor,
  model: TreeModel,
  targets: number,
  {
    base,
    factor,
    step,
    shift: given,
    leafBits = context.scheme.weightBits,
  }: {
    readonly base: readonly number[]
    readonly factor: number
    readonly step?: number
    readonly shift?: number
    readonly leafBits?: number
  },
): TreeSums {
  if (model.nodes.length * targets > MAX_WEIGHTS)
    unsupported(
      context,
      'nodes',
      model.nodes.length,
      `at most ${Math.floor(MAX_WEIGHTS / targets)} for ${targets} targets`,
    )
  const ordered = context.encodingOf(input.name) === 'float32'
  const x = typeof input.shift === 'number' ? input : context.narrow(input)
  // doubles are rounded to floats at the input: what they are compared with must be rounded alike to stay equal where it is
  const held = context.types[0]!.dtype === 'float64' ? Math.fround : (t: number) => t
  const order: Order = ordered
    ? { from: (t) => numberFrom(held(t)), above: (t) => numberAbove(held(t)) }
    : multiplesOf(x.scale / 2 ** (x.shift as number))
  const bounds = context.boundsOf(x.value)
  const { lo, hi } = ordered && bounds.lo >= floatWindow.lo && bounds.hi <= floatWindow.hi ? floatWindow : bounds
  const features = x.shape.at(-1)!
  const rows = sizeOf(x.shape) / features

  /** Places of each feature at which some condition changes. */
  const places = Array.from({ length: features }, () => new Set<number>())
  const branches = model.nodes.map((node) => {
    if (!('feature' in node)) return undefined
    let [first, changes] = changesOf(node, order)
    if (changes.filter((at) => at <= lo).length % 2 === 1) first = !first
    // two changes at one place are none
    const once = new Set<number>()
    for (const at of changes) if (at > lo && at <= hi && !once.delete(at)) once.add(at)
    const kept = [...once].sort((a, b) => a - b)
    for (const at of kept) places[node.feature]!.add(at)
    return { kept, inside: first ? node.no : node.yes, outside: first ? node.yes : node.no, feature: node.feature }
  })
  const thresholds = places.map((set) => [...set].sort((a, b) => a - b))
  const groupStarts = new Uint32Array(features + 1)
  thresholds.forEach((list, i) => {
    groupStarts[i + 1] = groupStarts[i]! + list.length
  })
  const bits = groupStarts.at(-1)!
  const bitOf = thresholds.map((list, f) => new Map(list.map((at, i) => [at, groupStarts[f]! + i])))

  let most: number = Number.MIN_VALUE
  for (const b of base) most = Math.max(most, Math.abs(b))
  for (const node of model.nodes)
    if (!('feature' in node)) for (const [, w] of node.weights) most = Math.max(most, Math.abs(w * factor))
  const whole = step ?? 2 ** Math.ceil(Math.log2(most))
  const fractions = Math.floor(leafBits - Math.log2(Math.max(most / whole, 2 ** -10)))
  const shift = given ?? Math.min(Math.max(0, fractions), 30)
  const unit = whole / 2 ** shift
  const toUnits = (real: number): number => {
    const q = Math.round(Math.abs(real) / unit)
    return real < 0 ? 0 - q : q
  }
  const bias = Float64Array.from({ length: targets }, (_, k) => toUnits(base[k] ?? 0))
  const weights = new Float64Array(model.nodes.length * targets)
  model.nodes.forEach((node, n) => {
    if (!('feature' in node)) for (const [k, w] of node.weights) weights[n * targets + k]! += toUnits(w * factor)
  })
  /** A branch whose condition never changes leads where it leads. */
  const follow = (node: number): number => {
    let at = node
    for (let b = branches[at]; b !== undefined && b.kept.length === 0; b = branches[at]) at = b.outside
    return at
  }
  const roots = model.roots.map(follow)
  const shape = [rows, targets]
  if (bits === 0) {
    const sums = bias.map((b, k) => roots.reduce((sum, root) => sum + weights[root * targets + k]!, b))
    const constants = Array.from({ length: rows * targets }, (_, j) => ({
      positions: [],
      weights: [],
      bias: sums[j % targets]!,
    }))
    const value = context.emit({ kind: 'linear', inputs: [x.value], shape, map: sparseMap(constants, 0) })
    return { value, unit, shift }
  }
  const starts = new Uint32Array(rows * features + 1)
  for (let i = 0; i < rows * features; i++) starts[i + 1] = starts[i]! + thresholds[i % features]!.length
  const row = thresholds.flat()
  const codes = context.emit({
    kind: 'locate',
    inputs: [x.value],
    shape: [rows * bits],
    starts,
    thresholds: Float64Array.from({ length: rows * bits }, (_, i) => row[i % bits]!),
    lo,
    hi,
  })
  const flips = branches.map((b) => (b === undefined ? [] : b.kept.map((at) => bitOf[b.feature]!.get(at)!)))
  const flipStarts = new Uint32Array(flips.length + 1)
  flips.forEach((list, n) => {
    flipStarts[n + 1] = flipStarts[n]! + list.length
  })
  const value = context.emit({
    kind: 'forest',
    inputs: [codes],
    shape,
    trees: {
      groupStarts,
      roots: Uint32Array.from(roots),
      flipStarts,
      flips: Uint32Array.from(flips.flat()),
      inside: Uint32Array.from(branches, (b) => (b === undefined ? 0 : follow(b.inside))),
      outside: Uint32Array.from(branches, (b) => (b === undefined ? 0 : follow(b.outside))),
      outputs: targets,
      weights,
      bias,
    },
  })
  return { value, unit, shift }
}
