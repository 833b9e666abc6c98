import { broadcastMap, broadcastShapes, floatTypes, formatShape, type Shape, sameShape, sizeOf } from '../tensor.ts'
import { attributesOf, float, int, oneOf } from './attributes.ts'
import { constantOf } from './doc.ts'
import { axisOf, invalid, typeAt, typeOf } from './inputs.ts'
import { computeNormalisation, lowerNormalisation, type Normalisation } from './normalisation.ts'
import type { InferContext, Op } from './op.ts'

/** Elements from an axis on are one group; factors and summands are broadcast to a group. */
export function trailingGroups(context: InferContext, centred: boolean): Normalisation & { readonly outer: Shape } {
  const given = attributesOf(context.node, { axis: int(-1), epsilon: float(1e-5), stash_type: oneOf([1], 1) })
  const { shape } = typeOf(context, 0, floatTypes)
  const axis = axisOf(context, given.axis, shape.length)
  const inner = shape.slice(axis)
  const size = sizeOf(inner)
  const positions = (i: number): Int32Array => {
    const type = context.types[i]
    if (type === undefined) return new Int32Array()
    const sum = broadcastShapes(type.shape, inner)
    if (sum === undefined || !sameShape(sum, inner))
      invalid(context, `input ${i} ${formatShape(type.shape)} does not broadcast to ${formatShape(inner)}`)
    return broadcastMap(type.shape, inner)
  }
  if (size === 0) invalid(context, `${formatShape(inner)} has no elements`)
  const [scales, biases] = [positions(1), positions(2)]
  return {
    groups: () =>
      Array.from({ length: sizeOf(shape) / size }, (_, g) => Array.from({ length: size }, (_v, i) => g * size + i)),
    epsilon: given.epsilon,
    centred,
    scaleAt: (at) => scales[at % size]!,
    biasAt: (at) => biases[at % size]!,
    outer: shape.map((d, i) => (i < axis ? d : 1)),
  }
}

/**
 * (x - mean) / √(variance + epsilon) over the axes from `axis` on, times scale plus bias. Further outputs are the means and
 * 1 / √(variance + epsilon). https://onnx.ai/onnx/operators/onnx__LayerNormalization.html
 */
export const layerNormalization: Op = {
  type: 'LayerNormalization',
  domain: '',
  opsets: [17, 25],
  arity: [2, 3],
  doc: {
    integers:
      'd = k·q - Σ q (q for RMS), V = Σ d², both exact; i = ⌊min(V, L) / 2^j + 1/2⌋ of 16 bits, L what twice the largest calibrated variance gives; r = table of 1 / √(variance + epsilon) at i, in steps of 1/1,024 of a typical one; d·r exactly, times round(w · 2^S), plus round(b · 2^S)',
    rows: '2·N products, a requantisation and a table of 16 bits for each group',
    error:
      '1/2,048 of the result for a typical variance (the step of r), and the step of i; variances beyond L count as L',
    refuses: 'scales and biases that the model computes',
    example: { inputs: [[2, 4]], constants: [constantOf([4], [1, 1, 2, 2])] },
  },
  infer: (context) => {
    const { outer } = trailingGroups(context, true)
    const x = typeAt(context, 0)
    return [x, { dtype: 'float32', shape: outer }, { dtype: 'float32', shape: outer }]
  },
  compute: (context, [x, scale, bias]) => {
    const normalisation = trailingGroups(context, true)
    const { data, means, factors } = computeNormalisation(x!, normalisation, scale, bias)
    const statistics = (of: Float64Array) => ({ dtype: 'float32' as const, shape: normalisation.outer, data: of })
    return [{ ...x!, data }, statistics(means), statistics(factors)]
  },
  lower: (context, [x]) => lowerNormalisation(context, x!, trailingGroups(context, true)),
}
