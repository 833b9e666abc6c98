import { forestRanges, type Forest as Trees } from '../../../circuits/gadgets/forest.ts'
import { type LayerBase, type LayerKind, require } from '../layer.ts'

/** Sums of the leaves of decision trees that codes lead to: per row of bits [rows, bits] one row of `trees.outputs` sums. */
export type Forest = LayerBase & { readonly kind: 'forest'; readonly trees: Trees }

export const forest: LayerKind<Forest> = {
  run(A, { trees }, [bits]) {
    const width = trees.groupStarts.at(-1)!
    const all = Array.from(bits!)
    return Array.from({ length: all.length / width }, (_, row) =>
      A.forest(trees, all.slice(row * width, (row + 1) * width)),
    ).flat()
  },
  bounds({ trees }) {
    const ranges = forestRanges(trees)
    const most = trees.roots.length
    const bound = (values: Float64Array): number => values.reduce((m, v) => Math.max(m, Math.abs(v)), 0)
    return {
      lo: Math.min(...ranges.map((r) => r.lo)),
      hi: Math.max(...ranges.map((r) => r.hi)),
      peak: 2 * (bound(trees.bias) + most * bound(trees.weights)),
    }
  },
  validate({ trees, inputs, shape }, [size]) {
    require(inputs.length === 1, 'there must be one input')
    const { groupStarts, roots, flipStarts, flips, inside, outside, outputs, weights, bias } = trees
    const nodes = inside.length
    const bits = groupStarts.at(-1) ?? 0
    require(groupStarts[0] === 0 &&
      groupStarts.every((s, i) => i === 0 || s >= groupStarts[i - 1]!), 'groups are invalid')
    require(bits > 0 && size! % bits === 0, 'the input does not hold whole rows of bits')
    require(Number.isInteger(outputs) && outputs > 0, 'there must be an output')
    require((size! / bits) * outputs === shape.reduce((n, d) => n * d, 1), 'the shape does not fit')
    require(nodes > 0 && outside.length === nodes && flipStarts.length === nodes + 1, 'nodes do not fit')
    require(flipStarts[0] === 0 && flipStarts.every((s, i) => i === 0 || s >= flipStarts[i - 1]!), 'flips are invalid')
    require(flipStarts.at(-1) === flips.length && flips.every((b) => b < bits), 'a flip is no bit')
    require(roots.length > 0 && roots.every((n) => n < nodes), 'a root is no node')
    require(weights.length === nodes * outputs && bias.length === outputs, 'weights do not fit')
    require(weights.every(Number.isSafeInteger) && bias.every(Number.isSafeInteger), 'weights must be integers')
    const groupOf = new Uint32Array(bits)
    for (let g = 0; g + 1 < groupStarts.length; g++) groupOf.fill(g, groupStarts[g]!, groupStarts[g + 1]!)
    for (let n = 0; n < nodes; n++) {
      const [from, to] = [flipStarts[n]!, flipStarts[n + 1]!]
      if (from === to) continue
      require(inside[n]! > n && outside[n]! > n && inside[n]! < nodes && outside[n]! < nodes, 'a child comes first')
      for (let i = from + 1; i < to; i++)
        require(flips[i]! > flips[i - 1]! &&
          groupOf[flips[i]!] === groupOf[flips[i - 1]!], 'the flips of a node must ascend within one group')
    }
  },
}
