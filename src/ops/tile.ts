import { formatShape } from '../tensor.ts'
import { attributesOf } from './attributes.ts'
import { movement, wholes } from './doc.ts'
import { constantInts, invalid, like, typeAt } from './inputs.ts'
import { lookupMap } from './movement.ts'
import { mover } from './mover.ts'
import type { InferContext, Op } from './op.ts'

function result(context: InferContext) {
  attributesOf(context.node, {})
  const x = typeAt(context, 0)
  const repeats = constantInts(context, 1, 'repeats')!
  if (repeats.length !== x.shape.length || repeats.some((r) => r < 0))
    invalid(context, `repeats ${formatShape(repeats)} do not fit ${formatShape(x.shape)}`)
  return like(
    x,
    x.shape.map((d, i) => d * repeats[i]!),
  )
}

/** The tensor repeated along each axis. https://onnx.ai/onnx/operators/onnx__Tile.html */
export const tile: Op = {
  type: 'Tile',
  domain: '',
  opsets: [6, 25],
  arity: [2, 2],
  doc: movement({ inputs: [[2, 3]], constants: [wholes(2, 1)] }),
  ...mover(result, (context) => {
    const { shape } = typeAt(context, 0)
    const sources = result(context).shape.map((n, axis) => Int32Array.from({ length: n }, (_, i) => i % shape[axis]!))
    return { map: lookupMap(shape, sources), fill: 0 }
  }),
}
