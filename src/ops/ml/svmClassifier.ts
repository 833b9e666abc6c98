import { attributesOf, floats, ints, oneOf, required } from '../attributes.ts'
import { invalid, unsupported } from '../inputs.ts'
import type { InferContext, Op } from '../op.ts'
import { type Classes, classScaling, classTypes, computeClasses, lowerClasses, rowsOf, scoreStep } from './classes.ts'
import { computeKernels, type Kernels, kernelFunction, kernelTypes, lowerMachines } from './kernels.ts'
import { strings } from './treeModel.ts'

/** Machines as columns of weights over kernels, and what becomes of their sums. */
type Classifier = {
  readonly kernels: Kernels
  readonly weight: (vector: number, column: number) => number
  readonly rho: (column: number) => number
  /** Slope and summand of the score that becomes a probability. */
  readonly probability: readonly [a: number, b: number] | undefined
  readonly classes: Classes
}

/**
 * The node as onnxruntime reads it. With `vectors_per_class` it is a machine for each pair of classes i < j, whose sum above 0 is a
 * vote for i; else one linear score for each class.
 */
function classifier(context: InferContext): Classifier {
  const given = attributesOf(context.node, {
    classlabels_ints: ints(),
    classlabels_strings: strings(),
    coefficients: required(floats()),
    kernel_params: floats(),
    kernel_type: oneOf(kernelTypes, 'LINEAR'),
    post_transform: oneOf(['NONE', 'SOFTMAX', 'LOGISTIC'] as const, 'NONE'),
    prob_a: floats(),
    prob_b: floats(),
    rho: required(floats()),
    support_vectors: floats(),
    vectors_per_class: ints(),
  })
  const { rows, features } = rowsOf(context)
  const { coefficients, post_transform: transform, rho } = given
  const labels = given.classlabels_strings?.length
    ? [...given.classlabels_strings.keys()]
    : (given.classlabels_ints ?? [])
  const n = labels.length
  if (n < 2) unsupported(context, 'class labels', labels, 'at least two')
  const perClass = given.vectors_per_class ?? []
  const count = perClass.reduce((sum, v) => sum + v, 0)
  const [slopes, offsets] = [given.prob_a ?? [], given.prob_b ?? []]
  if (count === 0) {
    if (coefficients.length < n * features || rho.length < 1)
      invalid(context, `${coefficients.length} coefficients for ${n} classes of ${features} features`)
    const positive = coefficients.every((v) => v >= 0)
    const pair = [labels[0]!, labels[1]!] as const
    const label: Classes['label'] =
      n === 2 && slopes.length === 0
        ? { kind: 'either', bar: positive ? 0.5 : 0, reaches: positive, labels: pair }
        : { kind: 'most', eligible: labels.map((_, c) => c), labels }
    return {
      kernels: { rows, features, type: 'LINEAR', count: n, vectors: coefficients, f: (t) => t },
      weight: (i, c) => Number(i === c),
      rho: () => rho[0]!,
      probability: undefined,
      classes: { label, scores: 'all', transform, scored: n, columns: n },
    }
  }
  const pairs = (n * (n - 1)) / 2
  const vectors = given.support_vectors ?? []
  const fits =
    perClass.length === n &&
    perClass.every((v) => v >= 0) &&
    vectors.length === count * features &&
    coefficients.length >= (n - 1) * count &&
    rho.length >= pairs &&
    slopes.length === offsets.length &&
    (slopes.length === 0 || slopes.length >= pairs)
  if (!fits)
    invalid(context, `${count} support vectors of ${features} features, their coefficients, rho and prob do not fit`)
  if (slopes.length > 0 && (n > 2 || transform !== 'NONE'))
    unsupported(context, 'prob_a', slopes.length, 'none for more than two classes or with a post_transform')
  const ends = perClass.map((_, c) => perClass.slice(0, c + 1).reduce((sum, v) => sum + v, 0))
  const owner = Array.from({ length: count }, (_, i) => ends.findIndex((end) => i < end))
  const versus = labels.flatMap((_, i) => labels.slice(i + 1).map((_l, k) => [i, i + 1 + k] as const))
  const label: Classes['label'] =
    n === 2 ? { kind: 'second', of: 0, bar: 0, labels: [labels[1]!, labels[0]!] } : { kind: 'votes', versus, labels }
  const single =
    slopes.length > 0 || transform === 'LOGISTIC'
      ? ({ scores: 'sorted', transform: 'LOGISTIC' } as const)
      : ({ scores: transform === 'NONE' ? 'opposite' : 'complement', transform: 'NONE' } as const)
  return {
    kernels: {
      ...{ rows, features, count, vectors, type: given.kernel_type },
      f: kernelFunction(given.kernel_type, given.kernel_params),
    },
    weight: (i, p) => {
      const [first, second] = versus[p]!
      if (owner[i] === first) return coefficients[count * (second - 1) + i]!
      return owner[i] === second ? coefficients[count * first + i]! : 0
    },
    rho: (p) => rho[p]!,
    probability: slopes.length > 0 ? [slopes[0]!, offsets[0]!] : undefined,
    classes: {
      label,
      ...(n === 2 ? { ...single, columns: 2 } : { scores: 'all', transform, columns: pairs }),
      scored: pairs,
    },
  }
}

/**
 * Sums of kernels for each pair of classes (or linear scores of each class), transformed, and the class with most votes (or the
 * greatest score). https://onnx.ai/onnx/operators/onnx_aionnxml_SVMClassifier.html
 */
export const svmClassifier: Op = {
  type: 'SVMClassifier',
  domain: 'ai.onnx.ml',
  opsets: [1, 5],
  arity: [1, 1],
  doc: {
    integers:
      'sums as SVMRegressor; labels by votes, as onnxruntime counts them; LOGISTIC and probabilities of two classes as LinearClassifier',
    rows: 'as SVMRegressor; a clamp for each pair of classes, as ArgMax for labels',
    error: 'as SVMRegressor; onnxruntime ends its iteration for probabilities within 0.005 of them',
    refuses: 'probabilities of more than two classes',
    example: {
      inputs: [[2, 3]],
      attributes: {
        vectors_per_class: [1, 1],
        coefficients: [1, -0.5],
        rho: [0.25],
        classlabels_ints: [0, 1],
        support_vectors: [1, 0, 0, 0, 1, 0],
        kernel_type: 'RBF',
        kernel_params: [0.5, 0, 0],
      },
      outputs: 2,
    },
  },
  infer: (context) => {
    const { kernels, classes } = classifier(context)
    return classTypes(kernels.rows, classes)
  },
  compute: (context, [x]) => {
    const { kernels, weight, rho, probability, classes } = classifier(context)
    const { rows, count } = kernels
    const values = computeKernels(x!.data, kernels)
    const sums = Array.from({ length: rows }, (_, row) =>
      Float64Array.from({ length: classes.scored }, (_c, c) => {
        let sum = rho(c)
        for (let i = 0; i < count; i++) sum += weight(i, c) * values[row * count + i]!
        return sum
      }),
    )
    const [labels, scores] = computeClasses(classes, sums)
    if (probability === undefined) return [labels!, scores!]
    const [a, b] = probability
    const arguments_ = sums.map((s) => s.map((v) => a * v + b))
    return [labels!, computeClasses(classes, arguments_)[1]!]
  },
  scaling: classScaling((context) => classifier(context).classes),
  lower: (context, [x]) => {
    const { kernels, weight, rho, probability, classes } = classifier(context)
    // labels compare scores, so these keep all bits and share one shift
    let largest = 0
    for (let i = 0; i < kernels.count; i++)
      for (let c = 0; c < classes.scored; c++) largest = Math.max(largest, Math.abs(weight(i, c)))
    // labels alone: what a step of a kernel's value makes of a score
    const scale = scoreStep(context, classes, (largest || 1) / 2 ** context.scheme.bits)
    const target = { lo: 0, hi: 0, scale, wide: true }
    const sums = (a: number, b: number) =>
      lowerMachines(
        { ...context, target: () => target },
        x!,
        kernels,
        classes.scored,
        (i, c) => a * weight(i, c),
        (c) => a * rho(c) + b,
      )
    const raw = sums(1, 0)
    return lowerClasses(context, classes, raw, probability && sums(...probability))
  },
}
