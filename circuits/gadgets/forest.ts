import type { Builder } from '../builder.ts'
import { CircuitError } from '../error.ts'
import type { LC } from '../lc.ts'

/**
 * Decision trees over monotone codes. Group g owns the bits groupStarts[g] … groupStarts[g+1] - 1, of which none is 1 unless
 * the one before it is: [x ≥ t] for ascending thresholds t of one value x.
 *
 * Node n branches where flips[flipStarts[n]] … is not empty: these are ascending bits of one group, and its condition is
 * whether an odd number of them is 1. Then `inside[n]` follows, otherwise `outside[n]`, both greater than n. A node without flips
 * is a leaf with weights[n·outputs] …
 */
export type Forest = {
  readonly groupStarts: Uint32Array
  readonly roots: Uint32Array
  readonly flipStarts: Uint32Array
  readonly flips: Uint32Array
  readonly inside: Uint32Array
  readonly outside: Uint32Array
  readonly outputs: number
  /** Integers. */
  readonly weights: Float64Array
  /** What each output is besides the weights of the leaves that are reached, one per tree. Integers. */
  readonly bias: Float64Array
}

export const isLeaf = (f: Forest, node: number): boolean => f.flipStarts[node] === f.flipStarts[node + 1]

/** The leaf of a tree that bits lead to; `isSet` tells whether a bit is 1. */
export function leafOf(f: Forest, root: number, isSet: (bit: number) => boolean): number {
  let node = root
  while (!isLeaf(f, node)) {
    let odd = false
    for (let i = f.flipStarts[node]!; i < f.flipStarts[node + 1]!; i++) if (isSet(f.flips[i]!)) odd = !odd
    node = odd ? f.inside[node]! : f.outside[node]!
  }
  return node
}

/** Least and greatest weight of an output among the leaves below each node. */
export function weightRanges(f: Forest, output: number): { readonly lo: Float64Array; readonly hi: Float64Array } {
  const nodes = f.inside.length
  const [lo, hi] = [new Float64Array(nodes), new Float64Array(nodes)]
  for (let n = nodes - 1; n >= 0; n--) {
    const children = isLeaf(f, n) ? [] : [f.inside[n]!, f.outside[n]!]
    const own = f.weights[n * f.outputs + output]!
    lo[n] = children.length === 0 ? own : Math.min(...children.map((c) => lo[c]!))
    hi[n] = children.length === 0 ? own : Math.max(...children.map((c) => hi[c]!))
  }
  return { lo, hi }
}

/** Bounds of each output: of the sum of one leaf of each tree. */
export function forestRanges(f: Forest): { readonly lo: number; readonly hi: number }[] {
  return Array.from({ length: f.outputs }, (_, o) => {
    const { lo, hi } = weightRanges(f, o)
    const sum = (ends: Float64Array): number => f.roots.reduce((s, root) => s + ends[root]!, f.bias[o]!)
    return { lo: sum(lo), hi: sum(hi) }
  })
}

/** The one group that all branches at and below each node look at, -1 for leaves, -2 for several. */
function soleGroups(f: Forest): Int32Array {
  const groupOf = new Int32Array(f.groupStarts.at(-1)!)
  for (let g = 0; g + 1 < f.groupStarts.length; g++) groupOf.fill(g, f.groupStarts[g]!, f.groupStarts[g + 1]!)
  const groups = new Int32Array(f.inside.length).fill(-1)
  for (let n = groups.length - 1; n >= 0; n--) {
    if (isLeaf(f, n)) continue
    const own = groupOf[f.flips[f.flipStarts[n]!]!]!
    const fits = [f.inside[n]!, f.outside[n]!].every((c) => groups[c] === -1 || groups[c] === own)
    groups[n] = fits ? own : -2
  }
  return groups
}

/** Branches of a tree in the order of a walk from its root; a shared node once. */
function branchesOf(f: Forest, root: number): number[] {
  const found = new Set<number>()
  const stack = [root]
  while (stack.length > 0) {
    const n = stack.pop()!
    if (isLeaf(f, n) || found.has(n)) continue
    found.add(n)
    stack.push(f.outside[n]!, f.inside[n]!)
  }
  return [...found].sort((a, b) => a - b)
}

/**
 * Σ over trees of the weights of the leaf that each tree's conditions lead to, plus a bias, for every output.
 *
 * A condition c is a linear combination of bits of one group, 0 or 1 because the code is monotone; what depends on one group
 * only is linear in its bits: f(0) + Σ (f(i+1) - f(i))·bitᵢ for f of the number of ones. For the rest a tree takes the cheaper of
 *   by value:  v(n) = v(outside) + c·(v(inside) - v(outside)) upwards, one row per branch and output that is not linear
 *   by path:   r(inside) = r(n)·c, r(outside) = r(n) - r(inside) downwards from r(root) = 1, one row per branch unless all
 *              conditions up to the root look at one group; an output is Σ weight·r(leaf)
 *
 * Proves: the outputs, each v(n) within the weights of the leaves below n, and Σ weight·r(leaf) within those of the tree, as
 * one r(leaf) is 1 and the others are 0. Requires: bits proven to be 0 or 1 and monotone within each group.
 * Cost: as above; none for trees that look at one group.
 */
export function forest(cs: Builder, f: Forest, bits: readonly LC[]): LC[] {
  if (bits.length !== f.groupStarts.at(-1))
    throw new CircuitError('circuit/overflow', `forest: ${bits.length} bits, ${f.groupStarts.at(-1)} are needed`)
  if (bits.some(({ range }) => range === null || range.lo < 0n || range.hi > 1n))
    throw new CircuitError('circuit/overflow', 'forest: bits must be proven to be 0 or 1')
  const groups = soleGroups(f)
  const ranges = Array.from({ length: f.outputs }, (_, o) => weightRanges(f, o))
  const groupOf = (bit: number): number => {
    let g = 0
    while (f.groupStarts[g + 1]! <= bit) g++
    return g
  }
  /** Linear combination that is f(number of ones) of a group's code. */
  const stepwise = (group: number, value: (ones: number) => number): LC => {
    const [from, to] = [f.groupStarts[group]!, f.groupStarts[group + 1]!]
    const terms: (readonly [number, LC])[] = [[value(0), cs.ONE]]
    for (let i = from; i < to; i++) {
      const rise = value(i - from + 1) - value(i - from)
      if (rise !== 0) terms.push([rise, bits[i]!])
    }
    return cs.combine(terms)
  }
  const condition = (n: number): LC => {
    const flips = f.flips.subarray(f.flipStarts[n]!, f.flipStarts[n + 1]!)
    const sum = cs.combine(Array.from(flips, (bit, i) => [i % 2 === 0 ? 1 : -1, bits[bit]!] as const))
    return cs.proven(sum, 0n, 1n) // an alternating sum of a monotone code
  }
  const weight = (n: number, o: number): number => f.weights[n * f.outputs + o]!
  const sums = Array.from({ length: f.outputs }, (_, o): LC[] => [cs.constant(f.bias[o]!)])

  const byValue = (root: number, o: number): LC => {
    const { lo, hi } = ranges[o]!
    const known = new Map<number, LC>()
    const valueAt = (n: number): LC => {
      const done = known.get(n)
      if (done !== undefined) return done
      let y: LC
      if (lo[n] === hi[n]) y = cs.constant(lo[n]!)
      else if (groups[n]! >= 0) {
        const first = f.groupStarts[groups[n]!]!
        y = stepwise(groups[n]!, (ones) =>
          weight(
            leafOf(f, n, (bit) => bit - first < ones),
            o,
          ),
        )
        y = cs.proven(y, BigInt(lo[n]!), BigInt(hi[n]!))
      } else {
        const [inside, outside] = [valueAt(f.inside[n]!), valueAt(f.outside[n]!)]
        y = cs.mulAdd(condition(n), cs.sub(inside, outside), outside, { lo: BigInt(lo[n]!), hi: BigInt(hi[n]!) })
      }
      known.set(n, y)
      return y
    }
    // children first, so that deep trees need no deep stack
    for (const n of branchesOf(f, root).reverse()) valueAt(n)
    return valueAt(root)
  }

  /** For each branch, the group that all conditions from the root to it look at; -2 for several. */
  const pathGroups = (root: number, branches: readonly number[]): Map<number, number> => {
    const found = new Map<number, number>([[root, groupOf(f.flips[f.flipStarts[root]!]!)]])
    for (const n of branches)
      for (const child of [f.inside[n]!, f.outside[n]!]) {
        if (isLeaf(f, child)) continue
        const own = groupOf(f.flips[f.flipStarts[child]!]!)
        found.set(child, found.get(n) === own && (found.get(child) ?? own) === own ? own : -2)
      }
    return found
  }

  const byPath = (root: number, branches: readonly number[], paths: ReadonlyMap<number, number>): LC[] => {
    const reached = new Map<number, LC>()
    /** Per node, the numbers of ones that lead to it while all conditions look at one group. */
    const places = new Map<number, boolean[]>()
    const arrive = (n: number, r: LC): void => {
      const before = reached.get(n)
      reached.set(n, before === undefined ? r : cs.proven(cs.add(before, r), 0n, 1n))
    }
    arrive(root, cs.ONE)
    const first = paths.get(root)!
    const codes = f.groupStarts[first + 1]! - f.groupStarts[first]! + 1
    places.set(root, new Array<boolean>(codes).fill(true))
    for (const n of branches) {
      const [inside, outside] = [f.inside[n]!, f.outside[n]!]
      if (paths.get(n) === first) {
        const here = places.get(n)!
        const flips = Array.from(
          f.flips.subarray(f.flipStarts[n]!, f.flipStarts[n + 1]!),
          (b) => b - f.groupStarts[first]!,
        )
        for (const [child, parity] of [
          [inside, 1],
          [outside, 0],
        ] as const) {
          const there = here.map((on, ones) => on && flips.filter((bit) => bit < ones).length % 2 === parity)
          const all = there.map((on, i) => on || (places.get(child)?.[i] ?? false))
          places.set(child, all)
          reached.set(
            child,
            cs.proven(
              stepwise(first, (ones) => (all[ones] ? 1 : 0)),
              0n,
              1n,
            ),
          )
        }
        continue
      }
      const r = reached.get(n)!
      const r1 = cs.mulAdd(r, condition(n), cs.constant(0), { lo: 0n, hi: 1n })
      arrive(inside, r1)
      arrive(outside, cs.proven(cs.sub(r, r1), 0n, 1n))
    }
    return Array.from({ length: f.outputs }, (_, o) => {
      const leaves = [...reached].filter(([n]) => isLeaf(f, n) && weight(n, o) !== 0)
      const { lo, hi } = ranges[o]!
      const sum = cs.combine(leaves.map(([n, r]) => [weight(n, o), r] as const))
      return cs.proven(sum, BigInt(lo[root]!), BigInt(hi[root]!))
    })
  }

  for (const root of f.roots) {
    const branches = branchesOf(f, root)
    const varying = ranges.flatMap(({ lo, hi }, o) => (lo[root] === hi[root] ? [] : [o]))
    const paths = branches.length === 0 ? new Map<number, number>() : pathGroups(root, branches)
    // a node that several branches share may be reached over one group and over several: such trees go by value
    const shared = branches.flatMap((n) => [f.inside[n]!, f.outside[n]!])
    const isTree = new Set(shared).size === shared.length
    const valueRows = varying.reduce(
      (rows, o) => rows + branches.filter((n) => groups[n] === -2 && ranges[o]!.lo[n] !== ranges[o]!.hi[n]).length,
      0,
    )
    const pathRows = isTree ? branches.filter((n) => paths.get(n) === -2).length : Number.POSITIVE_INFINITY
    const values =
      varying.length > 0 && pathRows < valueRows
        ? byPath(root, branches, paths)
        : ranges.map((_, o) => byValue(root, o))
    values.forEach((y, o) => {
      sums[o]!.push(y)
    })
  }
  return sums.map((terms) => cs.add(...terms))
}
