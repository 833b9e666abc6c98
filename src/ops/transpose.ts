import { stridedMap, stridesOf } from '../tensor.ts'
import { attributesOf, ints } from './attributes.ts'
import { movement } from './doc.ts'
import { axesOf, invalid, like, typeAt } from './inputs.ts'
import { lowerMove } from './lower/moves.ts'
import { gather } from './movement.ts'
import type { InferContext, Moves, Op } from './op.ts'

/** For each axis of the result the axis of the input; reversed where not given. */
function permutation(context: InferContext): number[] {
  const rank = typeAt(context, 0).shape.length
  const { perm } = attributesOf(context.node, { perm: ints() })
  const found = axesOf(context, perm ?? [...Array(rank).keys()].reverse(), rank)
  if (found.length !== rank) invalid(context, `perm has ${found.length} axes, the input ${rank}`)
  return found
}

const moves = (context: InferContext): Moves => {
  const { shape } = typeAt(context, 0)
  const [perm, strides] = [permutation(context), stridesOf(shape)]
  const to = perm.map((axis) => shape[axis]!)
  return {
    map: stridedMap(
      to,
      perm.map((axis) => strides[axis]!),
    ),
    fill: 0,
  }
}

/** Axes in another order. https://onnx.ai/onnx/operators/onnx__Transpose.html */
export const transpose: Op = {
  type: 'Transpose',
  domain: '',
  opsets: [1, 25],
  arity: [1, 1],
  doc: movement({ inputs: [[2, 3]] }),
  infer: (context) => {
    const x = typeAt(context, 0)
    return [
      like(
        x,
        permutation(context).map((axis) => x.shape[axis]!),
      ),
    ]
  },
  moves,
  compute: (context, [x]) => [gather(transpose.infer(context)[0]!, moves(context), [x!])],
  scaling: { tied: true, wideInput: 'keeps' },
  lower: (context, [x]) => [lowerMove(context, [x!], transpose.moves!(context), transpose.infer(context)[0]!.shape)],
}
