import { broadcastMap, broadcastShapes, floatTypes, formatShape, sameShape, type Tensor } from '../tensor.ts'
import { attributesOf, int } from './attributes.ts'
import { axisOf, invalid, typeAt, typeOf } from './inputs.ts'
import { spread } from './lower/compare.ts'
import { exponentStep, linesAlong, lowerMaskedSoftmax, lowerSoftmaxOfSome, probabilityScale } from './lower/softmax.ts'
import type { InferContext, Op } from './op.ts'

/** Elements of each line along the axis. */
function linesOf(context: InferContext): number[][] {
  const { axis } = attributesOf(context.node, { axis: int(-1) })
  const { shape } = typeOf(context, 0, floatTypes)
  return linesAlong(shape, axisOf(context, axis, shape.length))
}

/**
 * Softmax of x along an axis over the elements whose mask, broadcast, is true; the others give 0, and so does a line without any.
 *
 * Not of ONNX; simplification makes it of masks that are added as very large negative numbers, or chosen by Where.
 */
export const maskedSoftmax: Op = {
  type: 'MaskedSoftmax',
  domain: 'veritensor',
  opsets: [1, 1],
  arity: [2, 2],
  infer: (context) => {
    linesOf(context)
    const [x, mask] = [typeAt(context, 0), typeOf(context, 1, ['bool'])]
    const sum = broadcastShapes(mask.shape, x.shape)
    if (sum === undefined || !sameShape(sum, x.shape))
      invalid(context, `a mask of ${formatShape(mask.shape)} does not broadcast to ${formatShape(x.shape)}`)
    return [x]
  },
  compute: (context, [x, mask]) => {
    const { shape, data: values } = x as Tensor
    const at = broadcastMap(mask!.shape, shape)
    const data = new Float64Array(values.length)
    for (const line of linesOf(context)) {
      const there = line.filter((i) => mask!.data[at[i]!] !== 0)
      const most = there.reduce((m, i) => Math.max(m, values[i]!), Number.NEGATIVE_INFINITY)
      const total = there.reduce((sum, i) => sum + Math.exp(values[i]! - most), 0)
      for (const i of there) data[i] = Math.exp(values[i]! - most) / total
    }
    return [{ ...x!, data }]
  },
  scaling: { wantsWide: true, inputStep: exponentStep, fixedScale: probabilityScale, nonNegative: () => true },
  lower: (context, [given, mask]) => {
    const x = given ?? context.constant(context.node.inputs[0]!)
    const lines = linesOf(context)
    if (mask !== undefined)
      return [lowerMaskedSoftmax(context, x, lines, spread(context, mask.value, mask.shape, x.shape))]
    const { data, shape } = context.constants[1]!
    const at = broadcastMap(shape, x.shape)
    return [lowerSoftmaxOfSome(context, x, lines, (i) => data[at[i]!] !== 0)]
  },
}
