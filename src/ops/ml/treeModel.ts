import type { Tensor } from '../../tensor.ts'
import { type AttributeKind, attributesOf, floats, int, ints, oneOf, required, tensor } from '../attributes.ts'
import { invalid, unsupported } from '../inputs.ts'
import type { InferContext } from '../op.ts'

/** A list of strings; undefined where absent. */
export const strings = (): AttributeKind<readonly string[] | undefined> => ({
  expects: 'a list of strings',
  read: (v) => (Array.isArray(v) && v.every((s) => typeof s === 'string') ? (v as readonly string[]) : undefined),
  otherwise: () => undefined,
})

const modes = ['LEQ', 'LT', 'GTE', 'GT', 'EQ', 'NEQ', 'MEMBER'] as const

/** How a branch compares its feature with its values: one, but for MEMBER. */
export type Mode = (typeof modes)[number]

/** A node; `yes` and `no` are positions of later nodes. Leaves have weights for some of the targets. */
export type TreeNode =
  | {
      readonly feature: number
      readonly mode: Mode
      readonly values: readonly number[]
      readonly missing: boolean
      readonly yes: number
      readonly no: number
    }
  | { readonly weights: readonly (readonly [target: number, weight: number])[] }

/** Decision trees, parents before children, the sum of whose leaves counts. */
export type TreeModel = {
  readonly nodes: readonly TreeNode[]
  readonly roots: readonly number[]
  /** Number of features that an input must have at least. */
  readonly features: number
}

/** Whether a value takes the branch `yes`, as IEEE comparisons decide. */
export function holds(node: Extract<TreeNode, { feature: number }>, x: number): boolean {
  const t = node.values[0]!
  if (node.missing && Number.isNaN(x)) return true
  switch (node.mode) {
    case 'LEQ':
      return x <= t
    case 'LT':
      return x < t
    case 'GTE':
      return x >= t
    case 'GT':
      return x > t
    case 'EQ':
      return x === t
    case 'NEQ':
      return x !== t
    case 'MEMBER':
      return node.values.some((v) => v === x)
  }
}

/** Sums of the leaves' weights for one row of features. */
export function sumTrees({ nodes, roots }: TreeModel, targets: number, x: (feature: number) => number): Float64Array {
  const sums = new Float64Array(targets)
  for (const root of roots) {
    let node = nodes[root]!
    while ('feature' in node) node = nodes[holds(node, x(node.feature)) ? node.yes : node.no]!
    for (const [target, weight] of node.weights) sums[target]! += weight
  }
  return sums
}

/** Nodes reachable from the roots, parents first. Throws InvalidNodeError for cycles and for nodes that do not exist. */
function arranged(context: InferContext, given: readonly TreeNode[], roots: readonly number[]): TreeModel {
  const state = new Uint8Array(given.length)
  const order: number[] = []
  let features = 0
  for (const root of roots) {
    const stack: [node: number, next: number][] = [[root, 0]]
    if (given[root] === undefined) invalid(context, `there is no node ${root}`)
    if (state[root] === 0) state[root] = 1
    else continue
    while (stack.length > 0) {
      const top = stack.at(-1)!
      const node = given[top[0]]!
      const child = 'feature' in node ? [node.yes, node.no][top[1]++] : undefined
      if (child === undefined) {
        state[top[0]] = 2
        order.push(top[0])
        if ('feature' in node) features = Math.max(features, node.feature + 1)
        stack.pop()
        continue
      }
      if (given[child] === undefined) invalid(context, `there is no node ${child}`)
      if (state[child] === 1) invalid(context, 'a tree has a cycle')
      if (state[child] === 0) {
        state[child] = 1
        stack.push([child, 0])
      }
    }
  }
  order.reverse()
  const place = new Int32Array(given.length)
  order.forEach((node, i) => {
    place[node] = i
  })
  return {
    nodes: order.map((at): TreeNode => {
      const node = given[at]!
      return 'feature' in node ? { ...node, yes: place[node.yes]!, no: place[node.no]! } : node
    }),
    roots: roots.map((root) => place[root]!),
    features,
  }
}

const nodeAttributes = {
  nodes_falsenodeids: required(ints()),
  nodes_featureids: required(ints()),
  nodes_hitrates: floats(),
  nodes_hitrates_as_tensor: tensor(),
  nodes_missing_value_tracks_true: ints(),
  nodes_modes: required(strings()),
  nodes_nodeids: required(ints()),
  nodes_treeids: required(ints()),
  nodes_truenodeids: required(ints()),
  nodes_values: floats(),
  nodes_values_as_tensor: tensor(),
  base_values: floats(),
  base_values_as_tensor: tensor(),
  post_transform: oneOf(['NONE', 'SOFTMAX', 'LOGISTIC'], 'NONE'),
} as const

/** A list that may be given as numbers or, since version 3, as a tensor. */
const either = (list: readonly number[] | undefined, as: Tensor | undefined): readonly number[] =>
  list !== undefined && list.length > 0 ? list : as === undefined ? [] : [...as.data]

/** One tree of one branch, for examples. */
export const exampleTree = {
  nodes_treeids: [0, 0, 0],
  nodes_nodeids: [0, 1, 2],
  nodes_featureids: [1, 0, 0],
  nodes_modes: ['BRANCH_LEQ', 'LEAF', 'LEAF'],
  nodes_values: [0.25, 0, 0],
  nodes_truenodeids: [1, 0, 0],
  nodes_falsenodeids: [2, 0, 0],
}

export type EnsembleAttributes = {
  readonly trees: TreeModel
  readonly base: readonly number[]
  readonly postTransform: 'NONE' | 'SOFTMAX' | 'LOGISTIC'
  /** Sums count for one share of the trees each: 1, or 1 / number of trees for the average. */
  readonly factor: number
}

type NodeLists = {
  readonly [K in keyof typeof nodeAttributes]: (typeof nodeAttributes)[K] extends AttributeKind<infer T> ? T : never
}

type LeafLists = {
  readonly ids: readonly number[]
  readonly nodes: readonly number[]
  readonly trees: readonly number[]
  readonly weights: readonly number[]
}

/** Trees of the lists by which versions 1 to 3 give them; a tree's first node is its root. */
function fromLists(context: InferContext, given: NodeLists, leaves: LeafLists, targets: number): TreeModel {
  const values = either(given.nodes_values, given.nodes_values_as_tensor)
  const { nodes_treeids: trees, nodes_nodeids: ids, nodes_modes: kinds, nodes_featureids: features } = given
  const [yes, no] = [given.nodes_truenodeids, given.nodes_falsenodeids]
  const count = ids.length
  if (count === 0 || [trees, kinds, features, yes, no, values].some((list) => list.length !== count))
    invalid(context, 'the lists of nodes have different lengths')
  const at = new Map<string, number>()
  const roots: number[] = []
  for (let i = 0; i < count; i++) {
    const key = `${trees[i]}:${ids[i]}`
    if (at.has(key)) invalid(context, `node ${ids[i]} of tree ${trees[i]} is given twice`)
    at.set(key, i)
    if (i === 0 || trees[i] !== trees[i - 1]) roots.push(i)
  }
  const find = (tree: number, id: number): number =>
    at.get(`${tree}:${id}`) ?? invalid(context, `tree ${tree} has no node ${id}`)
  if ([leaves.nodes, leaves.trees, leaves.weights].some((list) => list.length !== leaves.ids.length))
    invalid(context, 'the lists of leaves have different lengths')
  const weights = new Map<number, [number, number][]>()
  leaves.ids.forEach((target, i) => {
    if (!Number.isInteger(target) || target < 0 || target >= targets || !Number.isFinite(leaves.weights[i]!))
      invalid(context, `weight ${leaves.weights[i]} of target ${target} is none of ${targets}`)
    const leaf = find(leaves.trees[i]!, leaves.nodes[i]!)
    const known = weights.get(leaf)
    if (known === undefined) weights.set(leaf, [[target, leaves.weights[i]!]])
    else known.push([target, leaves.weights[i]!])
  })
  const missing = given.nodes_missing_value_tracks_true ?? []
  const nodes = kinds.map((kind, i): TreeNode => {
    if (kind === 'LEAF') return { weights: weights.get(i) ?? [] }
    const mode = modes.find((m) => `BRANCH_${m}` === kind && m !== 'MEMBER')
    if (mode === undefined) return unsupported(context, 'nodes_modes', kind, 'LEAF, BRANCH_LEQ, LT, GTE, GT, EQ, NEQ')
    return branch(
      context,
      features[i]!,
      mode,
      [values[i]!],
      missing[i] === 1,
      find(trees[i]!, yes[i]!),
      find(trees[i]!, no[i]!),
    )
  })
  return arranged(context, nodes, roots)
}

function branch(
  context: InferContext,
  feature: number,
  mode: Mode,
  values: readonly number[],
  missing: boolean,
  yes: number,
  no: number,
): TreeNode {
  if (!Number.isInteger(feature) || feature < 0) invalid(context, `${feature} is no feature`)
  if (values.some((v) => Number.isNaN(v))) invalid(context, 'a threshold is not a number')
  return { feature, mode, values, missing, yes, no }
}

/** Attributes of TreeEnsembleRegressor, and the number of its targets. */
export function regressorTrees(context: InferContext): EnsembleAttributes & { readonly targets: number } {
  const given = attributesOf(context.node, {
    ...nodeAttributes,
    aggregate_function: oneOf(['SUM', 'AVERAGE'], 'SUM'),
    n_targets: required(int(1)),
    target_ids: required(ints()),
    target_nodeids: required(ints()),
    target_treeids: required(ints()),
    target_weights: floats(),
    target_weights_as_tensor: tensor(),
  })
  const targets = given.n_targets
  if (targets < 1 || targets > 2 ** 16) invalid(context, `${targets} targets`)
  if (given.post_transform !== 'NONE') unsupported(context, 'post_transform', given.post_transform, 'NONE')
  const leaves = {
    ids: given.target_ids,
    nodes: given.target_nodeids,
    trees: given.target_treeids,
    weights: either(given.target_weights, given.target_weights_as_tensor),
  }
  const trees = fromLists(context, given, leaves, targets)
  const base = either(given.base_values, given.base_values_as_tensor)
  if (base.length !== 0 && base.length !== targets)
    invalid(context, `${base.length} base values for ${targets} targets`)
  const factor = given.aggregate_function === 'AVERAGE' ? 1 / trees.roots.length : 1
  return { trees, base, postTransform: 'NONE', factor, targets }
}

/** Attributes of TreeEnsembleClassifier. */
export function classifierTrees(context: InferContext): EnsembleAttributes & {
  /** Labels of the classes, their positions where they are strings. */
  readonly labels: readonly number[]
  /** Classes that some leaf has a weight for. */
  readonly scored: readonly number[]
  readonly allPositive: boolean
} {
  const given = attributesOf(context.node, {
    ...nodeAttributes,
    class_ids: required(ints()),
    class_nodeids: required(ints()),
    class_treeids: required(ints()),
    class_weights: floats(),
    class_weights_as_tensor: tensor(),
    classlabels_int64s: ints(),
    classlabels_strings: strings(),
  })
  const labels =
    given.classlabels_strings !== undefined && given.classlabels_strings.length > 0
      ? [...given.classlabels_strings.keys()]
      : (given.classlabels_int64s ?? [])
  if (labels.length < 2) unsupported(context, 'number of class labels', labels.length, '2 or more')
  const weights = either(given.class_weights, given.class_weights_as_tensor)
  const leaves = { ids: given.class_ids, nodes: given.class_nodeids, trees: given.class_treeids, weights }
  const trees = fromLists(context, given, leaves, labels.length)
  const scored = [...new Set(given.class_ids)].sort((a, b) => a - b)
  const base = either(given.base_values, given.base_values_as_tensor)
  const single = labels.length === 2 && !scored.includes(1)
  if (single ? base.length > 1 : base.length !== 0 && (labels.length === 2 || base.length !== labels.length))
    unsupported(
      context,
      'base_values',
      base,
      single ? 'at most one' : labels.length === 2 ? 'none for two scores' : 'one per class',
    )
  // a class without a score does not take part, so it must be known in advance which classes have one
  if (scored.length * trees.nodes.length > 2 ** 26)
    unsupported(context, 'class_ids', scored.length, 'fewer classes or nodes')
  if (base.length === 0 && !single)
    for (const c of scored) {
      const scores = trees.nodes.map((node) => !('feature' in node) && node.weights.some(([target]) => target === c))
      for (let n = trees.nodes.length - 1; n >= 0; n--) {
        const node = trees.nodes[n]!
        if ('feature' in node) scores[n] = scores[node.yes]! && scores[node.no]!
      }
      if (!trees.roots.some((root) => scores[root]))
        unsupported(context, 'class_ids', c, 'classes that every input has a score for, or base_values')
    }
  return {
    trees,
    base,
    postTransform: given.post_transform,
    factor: 1,
    labels,
    scored,
    allPositive: weights.every((w) => w >= 0),
  }
}

/** Attributes of TreeEnsemble (version 5), and the number of its targets. */
export function ensembleTrees(context: InferContext): EnsembleAttributes & { readonly targets: number } {
  const given = attributesOf(context.node, {
    aggregate_function: oneOf([0, 1], 1),
    leaf_targetids: required(ints()),
    leaf_weights: required(tensor()),
    membership_values: tensor(),
    n_targets: required(int(1)),
    nodes_falseleafs: required(ints()),
    nodes_falsenodeids: required(ints()),
    nodes_featureids: required(ints()),
    nodes_hitrates: tensor(),
    nodes_missing_value_tracks_true: ints(),
    nodes_modes: required(tensor()),
    nodes_splits: required(tensor()),
    nodes_trueleafs: required(ints()),
    nodes_truenodeids: required(ints()),
    post_transform: oneOf([0], 0),
    tree_roots: required(ints()),
  })
  const targets = given.n_targets
  if (targets < 1 || targets > 2 ** 16) invalid(context, `${targets} targets`)
  const count = given.nodes_featureids.length
  const { nodes_modes: kinds, nodes_splits: splits, leaf_weights: weights, leaf_targetids: ids } = given
  const lists = [given.nodes_falseleafs, given.nodes_falsenodeids, given.nodes_trueleafs, given.nodes_truenodeids]
  if (count === 0 || [...lists, kinds.data, splits.data].some((list) => list.length !== count))
    invalid(context, 'the lists of nodes have different lengths')
  if (weights.data.length !== ids.length) invalid(context, 'the lists of leaves have different lengths')
  const members = membershipSets(given.membership_values)
  const leaves = ids.map((target, i): TreeNode => {
    if (target < 0 || target >= targets || !Number.isFinite(weights.data[i]!))
      invalid(context, `weight ${weights.data[i]} of target ${target} is none of ${targets}`)
    return { weights: [[target, weights.data[i]!]] }
  })
  const child = (id: number, isLeaf: number, which: string): number => {
    const end = isLeaf === 1 ? leaves.length : count
    if (id < 0 || id >= end) invalid(context, `${which} ${id} does not exist`)
    return isLeaf === 1 ? count + id : id
  }
  const branches = given.nodes_featureids.map((feature, i): TreeNode => {
    const mode = modes[kinds.data[i]!] ?? invalid(context, `nodes_modes has ${kinds.data[i]}`)
    const values = mode === 'MEMBER' ? members.shift() : [splits.data[i]!]
    if (values === undefined) return invalid(context, 'membership_values has too few sets')
    const [yes, no] = [
      child(given.nodes_truenodeids[i]!, given.nodes_trueleafs[i]!, 'true node'),
      child(given.nodes_falsenodeids[i]!, given.nodes_falseleafs[i]!, 'false node'),
    ]
    return branch(context, feature, mode, values, given.nodes_missing_value_tracks_true?.[i] === 1, yes, no)
  })
  const trees = arranged(context, [...branches, ...leaves], given.tree_roots)
  if (trees.roots.length === 0) invalid(context, 'there are no trees')
  const factor = given.aggregate_function === 0 ? 1 / trees.roots.length : 1
  return { trees, base: [], postTransform: 'NONE', factor, targets }
}

/** Sets of values, each ended by a NaN. */
function membershipSets(values: Tensor | undefined): number[][] {
  const sets: number[][] = []
  let open: number[] = []
  for (const v of values?.data ?? [])
    if (Number.isNaN(v)) {
      sets.push(open)
      open = []
    } else open.push(v)
  return open.length > 0 ? [...sets, open] : sets
}
