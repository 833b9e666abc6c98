import { floatTypes, formatShape, sizeOf } from '../tensor.ts'
import { attributesOf, float, int, oneOf, required } from './attributes.ts'
import { constantOf } from './doc.ts'
import { invalid, typeAt, typeLikeFirst, typeOf } from './inputs.ts'
import { computeNormalisation, lowerNormalisation, type Normalisation } from './normalisation.ts'
import type { InferContext, Op } from './op.ts'

/** Neighbouring channels fall into groups; factors are per channel (opset 21), before per group. */
function channelGroups(context: InferContext): Normalisation {
  const { epsilon, num_groups: groups } = attributesOf(context.node, {
    epsilon: float(1e-5),
    num_groups: required(int(0)),
    stash_type: oneOf([1], 1),
  })
  const { shape } = typeOf(context, 0, floatTypes)
  const [batch, channels] = shape as [number, number]
  const plane = sizeOf(shape.slice(2))
  if (shape.length < 3 || groups < 1 || channels % groups !== 0 || plane * channels === 0)
    invalid(context, `${formatShape(shape)} does not fall into ${groups} groups of channels`)
  const perChannel = context.node.opset >= 21
  for (const i of [1, 2])
    if (typeLikeFirst(context, i).shape.join() !== String(perChannel ? channels : groups))
      invalid(context, `input ${i} is ${formatShape(typeAt(context, i).shape)}`)
  const size = (channels / groups) * plane
  const parameter = (at: number): number =>
    perChannel ? Math.floor(at / plane) % channels : Math.floor(at / size) % groups
  return {
    groups: () =>
      Array.from({ length: batch * groups }, (_, g) => Array.from({ length: size }, (_v, i) => g * size + i)),
    epsilon,
    centred: true,
    scaleAt: parameter,
    biasAt: parameter,
  }
}

/** (x - mean) / √(variance + epsilon) of groups of channels, times scale plus bias. https://onnx.ai/onnx/operators/onnx__GroupNormalization.html */
export const groupNormalization: Op = {
  type: 'GroupNormalization',
  domain: '',
  opsets: [18, 25],
  arity: [3, 3],
  doc: {
    integers: 'as LayerNormalization',
    rows: '2·N products, a requantisation and a table of 16 bits for each group',
    error: 'as LayerNormalization',
    refuses: 'scales and biases that the model computes',
    example: {
      inputs: [[1, 2, 4]],
      constants: [constantOf([2], [1, 2]), constantOf([2], [0, 1])],
      attributes: { num_groups: 1 },
    },
  },
  infer: (context) => {
    channelGroups(context)
    return [typeAt(context, 0)]
  },
  compute: (context, [x, scale, bias]) => [
    { ...x!, data: computeNormalisation(x!, channelGroups(context), scale, bias).data },
  ],
  lower: (context, [x]) => lowerNormalisation(context, x!, channelGroups(context)),
}
