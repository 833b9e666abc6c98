import { formatShape, sizeOf } from '../tensor.ts'
import { attributesOf, int, required } from './attributes.ts'
import { movement } from './doc.ts'
import { axisOf, invalid, like, typeAt, typeLikeFirst } from './inputs.ts'
import { lowerConcat } from './lower/moves.ts'
import { gather } from './movement.ts'
import type { InferContext, Moves, Op } from './op.ts'

const axisOfConcat = (context: InferContext): number =>
  axisOf(context, attributesOf(context.node, { axis: required(int(0)) }).axis, typeAt(context, 0).shape.length)

const moves = (context: InferContext): Moves => {
  const axis = axisOfConcat(context)
  const shapes = context.node.inputs.map((_, i) => typeAt(context, i).shape)
  const outer = sizeOf(shapes[0]!.slice(0, axis))
  const map = new Int32Array(shapes.reduce((n, s) => n + sizeOf(s), 0))
  let at = 0
  for (let o = 0; o < outer; o++) {
    let start = 0
    for (const shape of shapes) {
      const inner = sizeOf(shape.slice(axis))
      for (let i = 0; i < inner; i++) map[at++] = start + o * inner + i
      start += sizeOf(shape)
    }
  }
  return { map, fill: 0 }
}

/** Tensors one after the other along an axis. https://onnx.ai/onnx/operators/onnx__Concat.html */
export const concat: Op = {
  type: 'Concat',
  domain: '',
  opsets: [4, 25],
  arity: [1, Number.POSITIVE_INFINITY],
  doc: movement(
    {
      inputs: [
        [2, 3],
        [1, 3],
      ],
      attributes: { axis: 0 },
    },
    'the integers as they are; tensors of another scale are rescaled and requantised',
  ),
  infer: (context) => {
    const axis = axisOfConcat(context)
    const first = typeAt(context, 0)
    const shapes = context.node.inputs.map((_, i) => typeLikeFirst(context, i).shape)
    for (const shape of shapes)
      if (shape.length !== first.shape.length || shape.some((d, i) => i !== axis && d !== first.shape[i]))
        invalid(context, `${formatShape(first.shape)} and ${formatShape(shape)} can't be joined along axis ${axis}`)
    const total = shapes.reduce((n, s) => n + s[axis]!, 0)
    return [like(first, first.shape.with(axis, total))]
  },
  moves,
  compute: (context, inputs) => [
    gather(
      concat.infer(context)[0]!,
      moves(context),
      inputs.map((x) => x!),
    ),
  ],
  scaling: { tied: true, wideInput: 'keeps' },
  lower: (context, inputs) => [lowerConcat(context, inputs, moves(context), concat.infer(context)[0]!.shape)],
}
