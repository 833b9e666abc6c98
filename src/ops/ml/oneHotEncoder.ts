import { sizeOf } from '../../tensor.ts'
import { attributesOf, flag, ints } from '../attributes.ts'
import { wholes } from '../doc.ts'
import { typeOf, unsupported } from '../inputs.ts'
import { lowerTrees } from '../lower/trees.ts'
import type { InferContext, Op } from '../op.ts'
import { mlTypes } from './classes.ts'
import { strings, type TreeNode } from './treeModel.ts'

function categories(context: InferContext): readonly number[] {
  const given = attributesOf(context.node, { cats_int64s: ints(), cats_strings: strings(), zeros: flag(true) })
  if (given.cats_strings?.length)
    unsupported(context, 'cats_strings', given.cats_strings, 'categories that are numbers')
  const list = given.cats_int64s ?? []
  if (list.length === 0 || list.length > 2048) unsupported(context, 'number of categories', list.length, '1 to 2,048')
  return list
}

/**
 * For each element a vector with a one at its category; all zeros for other elements, also where the attribute `zeros` makes
 * these an error. https://onnx.ai/onnx/operators/onnx_aionnxml_OneHotEncoder.html
 */
export const oneHotEncoder: Op = {
  type: 'OneHotEncoder',
  domain: 'ai.onnx.ml',
  opsets: [1, 5],
  arity: [1, 1],
  doc: {
    integers: '[q = category], exactly as float32 compares',
    rows: 'the place of each element among the categories',
    error: 'none',
    refuses: 'categories that are strings',
    example: { inputs: [wholes(1, 2, 3)], attributes: { cats_int64s: [1, 3] } },
  },
  infer: (context) => {
    const { shape } = typeOf(context, 0, mlTypes)
    return [{ dtype: 'float32', shape: [...shape, categories(context).length] }]
  },
  compute: (context, [x]) => {
    const cats = categories(context)
    // onnxruntime turns elements into integers towards zero
    const at = Array.from(x!.data, (v) => cats.lastIndexOf(Math.trunc(v) + 0))
    const data = at.flatMap((one) => cats.map((_, c) => (c === one ? 1 : 0)))
    return [{ ...oneHotEncoder.infer(context)[0]!, data: Float64Array.from(data) }]
  },
  scaling: { wantsWide: true, ordersInput: true, fixedScale: () => 1, nonNegative: () => true },
  lower: (context, [x]) => {
    const cats = categories(context)
    const nodes: TreeNode[] = []
    const place = new Map(cats.map((cat, c) => [cat, c]))
    for (const [cat, c] of place) {
      // those that are cut to the category: from cat to before the next one away from zero
      const at = nodes.length
      const [low, high] = cat === 0 ? [-1, 1] : cat > 0 ? [cat, cat + 1] : [cat - 1, cat]
      const [from, to] = [cat > 0 ? 'GTE' : 'GT', cat < 0 ? 'LEQ' : 'LT'] as const
      nodes.push({ feature: 0, mode: from, values: [low], missing: false, yes: at + 1, no: at + 3 })
      nodes.push({ feature: 0, mode: to, values: [high], missing: false, yes: at + 2, no: at + 3 })
      nodes.push({ weights: [[c, 1]] })
    }
    nodes.push({ weights: [] })
    const each = { ...x!, shape: [sizeOf(x!.shape), 1] }
    const trees = { nodes, roots: [0], features: 1 }
    const { value } = lowerTrees(context, each, trees, cats.length, { base: [], factor: 1, step: 1, shift: 0 })
    return [{ name: '', value, shape: oneHotEncoder.infer(context)[0]!.shape, scale: 1, shift: 0 }]
  },
}
