import { floatTypes } from '../tensor.ts'
import { attributesOf, ints } from './attributes.ts'
import { axesOf, invalid, typeAt, typeOf } from './inputs.ts'
import { computeNormalisation, lowerNormalisation, type Normalisation } from './normalisation.ts'
import type { InferContext, Op } from './op.ts'
import { groupsAlong } from './reduction.ts'

/** Elements along the axes (all but the channels by default) are one group. */
function groups(context: InferContext): Normalisation {
  const { shape } = typeOf(context, 0, floatTypes)
  const { axes } = attributesOf(context.node, { axes: ints() })
  if (shape.includes(0)) invalid(context, 'the input has no elements')
  const along = axesOf(context, axes ?? [0, 2, 3], shape.length)
  const none = (): number => 0
  return {
    groups: () => groupsAlong(shape, along),
    // the definition divides by √variance + 1e-9: the same but for elements that are all equal, where both are 0
    epsilon: 1e-18,
    centred: true,
    scaleAt: none,
    biasAt: none,
  }
}

/** (x - mean) / √variance along axes. https://onnx.ai/onnx/operators/onnx__MeanVarianceNormalization.html */
export const meanVarianceNormalization: Op = {
  type: 'MeanVarianceNormalization',
  domain: '',
  opsets: [9, 25],
  arity: [1, 1],
  doc: {
    integers: 'as LayerNormalization',
    rows: '2·N products, a requantisation and a table of 16 bits for each group',
    error: 'as LayerNormalization',
    example: { inputs: [[1, 2, 2, 2]] },
  },
  infer: (context) => {
    groups(context)
    return [typeAt(context, 0)]
  },
  compute: (context, [x]) => [{ ...x!, data: computeNormalisation(x!, groups(context), undefined, undefined).data }],
  lower: (context, [x]) => lowerNormalisation(context, x!, groups(context)),
}
