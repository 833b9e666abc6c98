import { isFloat } from '../../tensor.ts'
import type { Example } from '../doc.ts'
import { lowerTrees } from '../lower/trees.ts'
import type { InferContext, Op } from '../op.ts'
import { rowsOf } from './classes.ts'
import { type EnsembleAttributes, sumTrees } from './treeModel.ts'

/** Operators whose output [rows, targets] is a sum or an average over decision trees, plus base values. */
export function treeSums(
  type: string,
  opsets: Op['opsets'],
  read: (context: InferContext) => EnsembleAttributes & { readonly targets: number },
  attributes: Example['attributes'],
): Op {
  const known = new WeakMap<object, ReturnType<typeof read>>()
  const treesOf = (context: InferContext): ReturnType<typeof read> => {
    const found = known.get(context.node) ?? read(context)
    known.set(context.node, found)
    return found
  }
  const op: Op = {
    type,
    domain: 'ai.onnx.ml',
    opsets,
    arity: [1, 1],
    doc: {
      integers:
        'each feature located once among its thresholds, exactly as float32 compares; sums of leaves of 16 bits',
      rows: '2·(w + 1) + t + 1 for a feature of w bits with t thresholds; a product for each place where paths part',
      error: 'half a step of each leaf',
      example: { inputs: [[2, 3]], ...(attributes === undefined ? {} : { attributes }) },
    },
    infer: (context) => {
      const { trees, targets } = treesOf(context)
      const { rows } = rowsOf(context, trees.features)
      const double = type === 'TreeEnsemble' && context.types[0]?.dtype === 'float64'
      return [{ dtype: double ? 'float64' : 'float32', shape: [rows, targets] }]
    },
    compute: (context, [x]) => {
      const { rows, features } = rowsOf(context)
      const { trees, base, factor, targets } = treesOf(context)
      const round = isFloat(x!.dtype) && x!.dtype !== 'float64' ? Math.fround : (v: number) => v
      const sums = Array.from({ length: rows }, (_, row) => [
        ...sumTrees(trees, targets, (f) => round(x!.data[row * features + f]!)).map(
          (v, k) => v * factor + (base[k] ?? 0),
        ),
      ])
      return [{ ...op.infer(context)[0]!, data: Float64Array.from(sums.flat()) }]
    },
    scaling: { wantsWide: true, ordersInput: true },
    lower: (context, [x]) => {
      const { trees, base, factor, targets } = treesOf(context)
      const { scale } = context.target()
      const { value, shift } = lowerTrees(context, x!, trees, targets, { base, factor, step: scale })
      return [{ name: '', value, shape: op.infer(context)[0]!.shape, scale, shift }]
    },
  }
  return op
}
