import { describe, expect, test } from 'vitest'
import { createBuilder } from '../../../circuits/builder.ts'
import { Fr } from '../../../circuits/field.ts'
import { type Forest, forest, forestRanges, isLeaf, leafOf } from '../../../circuits/gadgets/forest.ts'
import { locate } from '../../../circuits/gadgets/locate.ts'
import { atFullWidth, codeOf, type GadgetCase, onSmallFields } from '../../support/gadgetSuite.ts'
import { type Random, seeded } from '../../support/random.ts'

/** A branch by the bits that flip its condition, or a leaf's weights. */
type Tree = { readonly flips: readonly number[]; readonly inside: Tree; readonly outside: Tree } | readonly number[]

/** Trees as the gadget takes them, parents before children. */
function forestOf(groupStarts: readonly number[], trees: readonly Tree[], bias: readonly number[]): Forest {
  const [flipStarts, flips, inside, outside, weights, roots] = [[0], [], [], [], [], []] as number[][] as [
    number[],
    number[],
    number[],
    number[],
    number[],
    number[],
  ]
  const add = (tree: Tree): number => {
    const at = inside.length
    const branch = 'flips' in tree ? tree : undefined
    inside.push(0)
    outside.push(0)
    flips.push(...(branch?.flips ?? []))
    flipStarts.push(flips.length)
    weights.push(...('flips' in tree ? bias.map(() => 0) : tree))
    if (branch !== undefined) {
      inside[at] = add(branch.inside)
      outside[at] = add(branch.outside)
    }
    return at
  }
  for (const tree of trees) roots.push(add(tree))
  return {
    groupStarts: Uint32Array.from(groupStarts),
    roots: Uint32Array.from(roots),
    flipStarts: Uint32Array.from(flipStarts),
    flips: Uint32Array.from(flips),
    inside: Uint32Array.from(inside),
    outside: Uint32Array.from(outside),
    outputs: bias.length,
    weights: Float64Array.from(weights),
    bias: Float64Array.from(bias),
  }
}

const branch = (flips: number | readonly number[], inside: Tree, outside: Tree): Tree => ({
  flips: typeof flips === 'number' ? [flips] : flips,
  inside,
  outside,
})

/** Thresholds 1, 2, … of each group's value; the bits of group g are those of value g. */
const gadget = (name: string, f: Forest, rows: number, widths: readonly number[]): GadgetCase => {
  const counts = widths.map((_, g) => f.groupStarts[g + 1]! - f.groupStarts[g]!)
  return {
    name,
    inputs: widths.map((w) => [0, w] as const),
    build: (cs, xs) => {
      const bits = xs.flatMap((x, g) =>
        // a value in [0, 1] is its own code
        widths[g] === 1
          ? [x]
          : locate(
              cs,
              x,
              Array.from({ length: counts[g]! }, (_, i) => i + 1),
              0n,
              BigInt(widths[g]!),
              'interval',
            ),
      )
      const before = cs.rows()
      const sums = forest(cs, f, bits)
      expect(cs.rows() - before).toBe(rows)
      expect(sums.map(({ range }) => range)).toEqual(
        forestRanges(f).map(({ lo, hi }) => ({ lo: BigInt(lo), hi: BigInt(hi) })),
      )
      return sums
    },
    expected: (xs) => {
      const set = (bit: number): boolean => {
        const g = f.groupStarts.findIndex((s, i) => s <= bit && bit < f.groupStarts[i + 1]!)
        return xs[g]! >= BigInt(bit - f.groupStarts[g]! + 1)
      }
      const sums = Array.from(f.bias)
      for (const root of f.roots)
        for (let o = 0; o < f.outputs; o++) sums[o]! += f.weights[leafOf(f, root, set) * f.outputs + o]!
      return sums.map(BigInt)
    },
  }
}

function randomTree(random: Random, starts: readonly number[], outputs: number, depth: number): Tree {
  if (depth === 0 || random.unit() < 0.2) return Array.from({ length: outputs }, () => random.integer(-9, 9))
  const group = random.integer(0, starts.length - 2)
  const bits = Array.from({ length: starts[group + 1]! - starts[group]! }, (_, i) => starts[group]! + i)
  const flips = random.unit() < 0.2 ? bits.filter(() => random.unit() < 0.5) : [random.pick(bits)]
  const [inside, outside] = [0, 1].map(() => randomTree(random, starts, outputs, depth - 1)) as [Tree, Tree]
  return branch(flips.length === 0 ? [bits[0]!] : flips, inside, outside)
}

describe('forest', () => {
  const two = [0, 1, 2]
  // two values: one product by value
  onSmallFields(gadget('by value', forestOf(two, [branch(0, branch(1, [3], [1]), [0])], [0]), 1, [1, 1]))
  onSmallFields(
    gadget(
      'by path',
      forestOf(two, [branch(0, branch(1, [1, 0], [0, 1]), branch(1, [0, 2], [1, 1]))], [1, 0]),
      2,
      [1, 1],
    ),
  )
  // one value: linear, also where a condition is an interval; intervals of one number leave no bits, so that either end of
  // an interval gives the other
  onSmallFields(
    gadget(
      'of one value',
      forestOf([0, 3], [branch(1, branch(2, [5], [2]), branch([0, 1, 2], [1], [4]))], [-1]),
      0,
      [3],
    ),
    { idle: [4, 5] },
  )
  const random = seeded(77)
  for (let k = 0; k < 6; k++) {
    const starts = [0, 2, 3, 7]
    const outputs = k % 2 === 0 ? 1 : 3
    const f = forestOf(
      starts,
      Array.from({ length: 3 }, () => randomTree(random, starts, outputs, 4)),
      Array.from({ length: outputs }, () => random.integer(-5, 5)),
    )
    const cs = createBuilder(Fr)
    const bits = Array.from({ length: 7 }, () => cs.proven(cs.input('private', { lo: 0n, hi: 1n }), 0n, 1n))
    forest(cs, f, bits)
    atFullWidth(gadget(`random trees ${k}`, f, cs.rows(), [40, 30, 90]), 100 + k, { samples: 60, liars: 4, lies: 200 })
  }

  test('takes no more rows than one per branch that is no leaf', () => {
    for (let k = 0; k < 40; k++) {
      const f = forestOf([0, 2, 4], [randomTree(random, [0, 2, 4], 4, 5)], [0, 0, 0, 0])
      const cs = createBuilder(Fr)
      forest(
        cs,
        f,
        Array.from({ length: 4 }, () => cs.proven(cs.input('private', { lo: 0n, hi: 1n }), 0n, 1n)),
      )
      expect(cs.rows()).toBeLessThanOrEqual(Array.from(f.inside).filter((_, n) => !isLeaf(f, n)).length)
    }
  })

  test('of leaves only is constant', () => {
    const cs = createBuilder(Fr)
    const bits = [0, 1].map(() => cs.proven(cs.input('private', { lo: 0n, hi: 1n }), 0n, 1n))
    expect(forest(cs, forestOf(two, [[4], [-1]], [1]), bits).map((y) => cs.constantValue(y))).toEqual([4n])
  })

  test('goes by value where branches are shared', () => {
    const f = forestOf(two, [branch(0, branch(1, [3], [1]), [0])], [0])
    const shared = { ...f, outside: f.outside.with(0, f.inside[0]!) }
    const cs = createBuilder(Fr)
    const bits = [0, 1].map(() => cs.proven(cs.input('private', { lo: 0n, hi: 1n }), 0n, 1n))
    const [sum] = forest(cs, shared, bits)
    expect(sum!.range).toEqual({ lo: 1n, hi: 3n })
  })

  test('refuses bits that are not proven, or too few', () => {
    const f = forestOf(two, [branch(0, [1], [0])], [0])
    const cs = createBuilder(Fr)
    const bit = cs.proven(cs.input('private', null), 0n, 1n)
    expect(codeOf(() => forest(cs, f, [bit]))).toBe('circuit/overflow')
    expect(codeOf(() => forest(cs, f, [bit, cs.proven(bit, 0n, 2n)]))).toBe('circuit/overflow')
    expect(codeOf(() => forest(cs, f, [bit, cs.input('private', null)]))).toBe('circuit/overflow')
  })
})
