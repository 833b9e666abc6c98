import { floatTypes, formatShape, sizeOf } from '../tensor.ts'
import { attributesOf, float } from './attributes.ts'
import { constantOf } from './doc.ts'
import { invalid, typeAt, typeLikeFirst, typeOf } from './inputs.ts'
import { computeNormalisation, lowerNormalisation, type Normalisation } from './normalisation.ts'
import type { InferContext, Op } from './op.ts'

/** Each channel's plane is a group. */
function planes(context: InferContext): Normalisation {
  const { epsilon } = attributesOf(context.node, { epsilon: float(1e-5) })
  const { shape } = typeOf(context, 0, floatTypes)
  const plane = sizeOf(shape.slice(2))
  if (shape.length < 3 || plane === 0)
    invalid(context, `the input must be [n, channels, …] with elements, not ${formatShape(shape)}`)
  for (const i of [1, 2])
    if (typeLikeFirst(context, i).shape.join() !== String(shape[1]))
      invalid(context, `input ${i} is ${formatShape(typeAt(context, i).shape)}, the data have ${shape[1]} channels`)
  const channel = (at: number): number => Math.floor(at / plane) % shape[1]!
  return {
    groups: () =>
      Array.from({ length: shape[0]! * shape[1]! }, (_, g) => Array.from({ length: plane }, (_v, i) => g * plane + i)),
    epsilon,
    centred: true,
    scaleAt: channel,
    biasAt: channel,
  }
}

/** (x - mean) / √(variance + epsilon) of each channel, times scale plus bias. https://onnx.ai/onnx/operators/onnx__InstanceNormalization.html */
export const instanceNormalization: Op = {
  type: 'InstanceNormalization',
  domain: '',
  opsets: [6, 25],
  arity: [3, 3],
  doc: {
    integers: 'as LayerNormalization',
    rows: '2·N products, a requantisation and a table of 16 bits for each group',
    error: 'as LayerNormalization',
    refuses: 'scales and biases that the model computes',
    example: { inputs: [[1, 2, 4]], constants: [constantOf([2], [1, 2]), constantOf([2], [0, 1])] },
  },
  infer: (context) => {
    planes(context)
    return [typeAt(context, 0)]
  },
  compute: (context, [x, scale, bias]) => [
    { ...x!, data: computeNormalisation(x!, planes(context), scale, bias).data },
  ],
  lower: (context, [x]) => lowerNormalisation(context, x!, planes(context)),
}
