import { attributesOf, floats, int, ints, oneOf, required } from '../attributes.ts'
import { WEIGHT_ERROR } from '../doc.ts'
import { invalid, unsupported } from '../inputs.ts'
import { lowerGemm } from '../lower/affine.ts'
import type { InferContext, Op } from '../op.ts'
import { type Classes, classScaling, classTypes, computeClasses, lowerClasses, rowsOf, scoreStep } from './classes.ts'
import { strings } from './treeModel.ts'

/** Coefficients [scores, features] (onnxruntime overlooks further ones), an intercept per score, and what becomes of the scores. */
function classifier(context: InferContext) {
  const given = attributesOf(context.node, {
    classlabels_ints: ints(),
    classlabels_strings: strings(),
    coefficients: required(floats()),
    intercepts: required(floats()),
    // whether scores are those of one class against the others makes no difference to them
    multi_class: int(0),
    post_transform: oneOf(['NONE', 'SOFTMAX', 'LOGISTIC'] as const, 'NONE'),
  })
  const { rows, features } = rowsOf(context)
  const { coefficients, intercepts, post_transform: transform } = given
  const scored = intercepts.length
  if (scored < 1 || coefficients.length < scored * features)
    invalid(context, `${coefficients.length} coefficients for ${scored} scores of ${features} features`)
  const labels = given.classlabels_strings?.length
    ? [...given.classlabels_strings.keys()]
    : (given.classlabels_ints ?? [])
  if (scored > 1 && labels.length !== scored) invalid(context, `${labels.length} class labels for ${scored} scores`)
  if (scored === 1 && transform !== 'NONE')
    unsupported(context, 'post_transform', transform, 'NONE where there is one score')
  const pair = labels.length === 2 ? ([labels[0]!, labels[1]!] as const) : ([0, 1] as const)
  const classes: Classes =
    scored === 1
      ? {
          label: { kind: 'second', of: 0, bar: 0, labels: pair },
          scores: labels.length === 2 ? 'complement' : 'all',
          ...{ transform, scored, columns: labels.length === 2 ? 2 : 1 },
        }
      : {
          label: { kind: 'most', eligible: labels.map((_, c) => c), labels },
          ...{ scores: 'all', transform, scored, columns: scored },
        }
  return {
    ...{ rows, features, classes },
    weight: (k: number, c: number) => coefficients[c * features + k]!,
    intercept: (c: number) => intercepts[c]!,
  }
}

/**
 * Scores x · coefficients' + intercepts, transformed, and the label of the greatest one.
 * https://onnx.ai/onnx/operators/onnx_aionnxml_LinearClassifier.html
 */
export const linearClassifier: Op = {
  type: 'LinearClassifier',
  domain: 'ai.onnx.ml',
  opsets: [1, 5],
  arity: [1, 1],
  doc: {
    integers:
      'Σ W·q + B with one S; labels by ArgMax of the sums; SOFTMAX as Softmax, LOGISTIC a table over 1,024 steps in [-8, 8)',
    rows: 'as ArgMax for labels; a table or as Softmax for scores',
    error: WEIGHT_ERROR,
    example: {
      inputs: [[2, 3]],
      attributes: { coefficients: [1, 2, 3, 4, 5, 6], intercepts: [1, 0], classlabels_ints: [0, 1] },
      outputs: 2,
    },
  },
  infer: (context) => {
    const { rows, classes } = classifier(context)
    return classTypes(rows, classes)
  },
  compute: (context, [x]) => {
    const { rows, features, classes, weight, intercept } = classifier(context)
    const sums = Array.from({ length: rows }, (_, row) =>
      Float64Array.from({ length: classes.scored }, (_c, c) => {
        let sum = intercept(c)
        for (let k = 0; k < features; k++) sum += x!.data[row * features + k]! * weight(k, c)
        return sum
      }),
    )
    return computeClasses(classes, sums)
  },
  scaling: classScaling((context) => classifier(context).classes),
  lower: (context, [x]) => {
    const { rows, features, classes, weight, intercept } = classifier(context)
    // labels compare scores, so these keep all bits and share one shift
    let largest = 0
    for (let k = 0; k < features; k++)
      for (let c = 0; c < classes.scored; c++) largest = Math.max(largest, Math.abs(weight(k, c)))
    // labels alone: what a step of x makes of a score
    const scale = scoreStep(context, classes, x!.scale * (largest || 1))
    const target = { lo: 0, hi: 0, scale, wide: true }
    const raw = lowerGemm({ ...context, target: () => target }, x!, [rows, features, classes.scored], {
      weight,
      bias: (_, c) => intercept(c),
    })
    return lowerClasses(context, classes, raw)
  },
}
