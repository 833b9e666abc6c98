import type { TensorType } from '../tensor.ts'
import { lowerMove } from './lower/moves.ts'
import { gather } from './movement.ts'
import type { InferContext, Moves, Op } from './op.ts'

/** All of an operator that moves the elements of its first input, from the type of its result and the map. */
export const mover = (
  infer: (context: InferContext) => TensorType,
  moves: (context: InferContext) => Moves,
): Pick<Required<Op>, 'infer' | 'moves' | 'compute' | 'scaling' | 'lower'> => ({
  infer: (context) => [infer(context)],
  moves,
  compute: (context, [x]) => [gather(infer(context), moves(context), [x!])],
  scaling: { tied: true, wideInput: 'keeps' },
  lower: (context, [x]) => [lowerMove(context, [x!], moves(context), infer(context).shape)],
})
