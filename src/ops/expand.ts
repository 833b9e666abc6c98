import { broadcastMap, broadcastShapes, formatShape } from '../tensor.ts'
import { attributesOf } from './attributes.ts'
import { movement, wholes } from './doc.ts'
import { constantInts, invalid, like, typeAt } from './inputs.ts'
import { mover } from './mover.ts'
import type { InferContext, Op } from './op.ts'

function result(context: InferContext) {
  attributesOf(context.node, {})
  const x = typeAt(context, 0)
  const wanted = constantInts(context, 1, 'shape')!
  const shape = wanted.every((d) => d >= 0) ? broadcastShapes(x.shape, wanted) : undefined
  if (shape === undefined)
    return invalid(context, `${formatShape(x.shape)} does not broadcast to ${formatShape(wanted)}`)
  return like(x, shape)
}

/** Repeated along axes of size 1, as in broadcasting with a tensor of the given shape. https://onnx.ai/onnx/operators/onnx__Expand.html */
export const expand: Op = {
  type: 'Expand',
  domain: '',
  opsets: [8, 25],
  arity: [2, 2],
  doc: movement({ inputs: [[1, 3]], constants: [wholes(2, 3)] }),
  ...mover(result, (context) => ({ map: broadcastMap(typeAt(context, 0).shape, result(context).shape), fill: 0 })),
}
