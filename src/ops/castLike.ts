import { attributesOf, flag, oneOf } from './attributes.ts'
import { castTo, checkCast, lowerCast } from './cast.ts'
import { constantOf } from './doc.ts'
import { typeAt } from './inputs.ts'
import type { InferContext, Op } from './op.ts'

const target = (context: InferContext) => {
  attributesOf(context.node, { saturate: flag(true), round_mode: oneOf(['up', 'down', 'nearest'], 'up') })
  return typeAt(context, 1).dtype
}

/** Cast to the element type of the second input. https://onnx.ai/onnx/operators/onnx__CastLike.html */
export const castLike: Op = {
  type: 'CastLike',
  domain: '',
  opsets: [15, 25],
  typeOnly: [1],
  arity: [2, 2],
  doc: {
    integers: 'as Cast',
    rows: 'as Cast',
    error: 'as Cast',
    refuses: 'as Cast',
    example: { inputs: [[2, 3]], constants: [constantOf([1], [0], 'int32')] },
  },
  infer: (context) => [checkCast(context, target(context))],
  compute: (context, [x]) => [castTo(context, x!, target(context))],
  scaling: { tied: true, wideInput: 'keeps' },
  lower: (context, [x]) => [lowerCast(context, x!, target(context))],
}
