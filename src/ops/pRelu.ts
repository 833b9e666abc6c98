import { broadcastMap, broadcastShapes, floatTypes, formatShape, sameShape } from '../tensor.ts'
import { attributesOf } from './attributes.ts'
import { constantOf, WEIGHT_ERROR } from './doc.ts'
import { constantAt, invalid, typeLikeFirst, typeOf } from './inputs.ts'
import { lowerLeakyRelu } from './lower/activations.ts'
import type { InferContext, Op } from './op.ts'

/** For each element of the input the position of its slope; broadcasting is towards the input alone. */
function slopeOf(context: InferContext): Int32Array {
  const { shape } = typeOf(context, 0, floatTypes)
  const slope = typeLikeFirst(context, 1)
  const sum = broadcastShapes(shape, slope.shape)
  if (sum === undefined || !sameShape(sum, shape))
    invalid(context, `slopes ${formatShape(slope.shape)} do not broadcast to ${formatShape(shape)}`)
  return broadcastMap(slope.shape, shape)
}

/** y = x for x ≥ 0, else slope · x, elementwise with constant slopes. https://onnx.ai/onnx/operators/onnx__PRelu.html */
export const pRelu: Op = {
  type: 'PRelu',
  domain: '',
  opsets: [7, 25],
  arity: [2, 2],
  doc: {
    integers: 'as LeakyRelu, with a slope an element',
    rows: 'b + 2 an element',
    error: WEIGHT_ERROR,
    refuses: 'slopes that the model computes',
    example: { inputs: [[2, 3]], constants: [constantOf([3], [0.5, 0.25, 0])] },
  },
  infer: (context) => {
    attributesOf(context.node, {})
    slopeOf(context)
    return [typeOf(context, 0, floatTypes)]
  },
  compute: (context, [x, slope]) => {
    const at = slopeOf(context)
    return [{ ...x!, data: x!.data.map((v, i) => (v < 0 ? slope!.data[at[i]!]! * v : v)) }]
  },
  lower: (context, [x]) => {
    const slope = constantAt(context, 1, 'slope')!
    const slopes = Array.from(slopeOf(context), (at) => slope.data[at]!)
    return [lowerLeakyRelu(context, x!, slopes)]
  },
}
