import type { Node } from '../../graph/graph.ts'
import { isFloat } from '../../tensor.ts'
import { lowerTrees } from '../lower/trees.ts'
import type { InferContext, Op } from '../op.ts'
import {
  type Classes,
  classScaling,
  classTypes,
  computeClasses,
  lowerClasses,
  probabilities,
  rowsOf,
  scoreStep,
} from './classes.ts'
import { classifierTrees, exampleTree, sumTrees } from './treeModel.ts'

/** Bits by which leaves are rounded more coarsely where scores become probabilities. */
const LOGIT_BITS_SPARED = 3

const known = new WeakMap<Node, ReturnType<typeof classifierTrees>>()

function treesOf(context: InferContext): ReturnType<typeof classifierTrees> {
  const found = known.get(context.node) ?? classifierTrees(context)
  known.set(context.node, found)
  return found
}

/**
 * Labels and scores as onnxruntime makes them. Of two classes of which only the first has weights, its score s decides: with
 * weights of one sign s > 1/2, else s > 0; of two with weights the second one's, and then the label is 1 or 0 itself.
 */
function classesOf(context: InferContext): Classes {
  const { labels, scored, allPositive, postTransform, base } = treesOf(context)
  const bar = allPositive ? 0.5 : 0
  const pair = [labels[0]!, labels[1]!] as const
  if (labels.length === 2 && !scored.includes(1))
    return {
      label: { kind: 'second', of: 0, bar, labels: pair },
      scores: allPositive ? 'complement' : 'sorted',
      transform: postTransform,
      scored: 1,
      columns: 2,
    }
  if (labels.length === 2) {
    const one = scored.length === 1
    return {
      label: { kind: 'second', of: 1, bar: one ? bar : 0, labels: one ? pair : [0, 1] },
      ...{ scores: 'all', transform: postTransform, scored: 2, columns: 2 },
    }
  }
  const eligible = base.length > 0 ? [...labels.keys()] : scored
  return {
    label: { kind: 'most', eligible, labels: eligible.map((c) => labels[c]!) },
    ...{ scores: 'all', transform: postTransform, scored: labels.length, columns: labels.length },
  }
}

/**
 * Decision trees whose leaves add to the scores of classes; the label, and the scores. A float input that only trees read is
 * compared exactly as in float32. https://onnx.ai/onnx/operators/onnx_aionnxml_TreeEnsembleClassifier.html
 */
export const treeEnsembleClassifier: Op = {
  type: 'TreeEnsembleClassifier',
  domain: 'ai.onnx.ml',
  opsets: [1, 5],
  arity: [1, 1],
  doc: {
    integers:
      'each feature located once among its thresholds, exactly as float32 compares; sums of leaves rounded to 16 bits (13 for probabilities)',
    rows: '2·(w + 1) + t + 1 for a feature of w bits with t thresholds; a product for each place where paths part',
    error: 'half a step of each leaf',
    example: {
      inputs: [[2, 3]],
      attributes: {
        ...exampleTree,
        class_treeids: [0, 0, 0, 0],
        class_nodeids: [1, 1, 2, 2],
        class_ids: [0, 1, 0, 1],
        class_weights: [0.25, 0.75, 0.5, 0.5],
        classlabels_int64s: [0, 1],
      },
      outputs: 2,
    },
  },
  infer: (context) => {
    const { rows } = rowsOf(context, treesOf(context).trees.features)
    return classTypes(rows, classesOf(context))
  },
  compute: (context, [x]) => {
    const { rows, features } = rowsOf(context)
    const { trees, base } = treesOf(context)
    const classes = classesOf(context)
    const round = isFloat(x!.dtype) && x!.dtype !== 'float64' ? Math.fround : (v: number) => v
    const sums = Array.from({ length: rows }, (_, row) => {
      const s = sumTrees(trees, classes.scored, (f) => round(x!.data[row * features + f]!))
      return s.map((v, c) => v + (base[c] ?? 0))
    })
    return computeClasses(classes, sums)
  },
  scaling: { ...classScaling(classesOf), wantsWide: true, ordersInput: true },
  lower: (context, [x]) => {
    const { trees, base, factor } = treesOf(context)
    const classes = classesOf(context)
    const step = scoreStep(context, classes, undefined)
    // a probability does not show more than these of a logit; labels compare sums of them
    const leafBits = context.scheme.weightBits - (probabilities(classes) ? LOGIT_BITS_SPARED : 0)
    const { value, shift, unit } = lowerTrees(context, x!, trees, classes.scored, {
      base,
      factor,
      leafBits,
      ...(step === undefined ? {} : { step }),
    })
    const { rows } = rowsOf(context)
    return lowerClasses(context, classes, {
      name: '',
      value,
      shape: [rows, classes.scored],
      scale: unit * 2 ** shift,
      shift,
    })
  },
}
