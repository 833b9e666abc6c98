import { floatTypes } from '../tensor.ts'
import { attributesOf, float, int } from './attributes.ts'
import { atMostInputs, constantScalar, typeOf, unsupported } from './inputs.ts'
import { lowerMove } from './lower/moves.ts'
import { inOrder } from './movement.ts'
import type { Op } from './op.ts'

/** y = x: inference drops nothing. Training is refused, unless with ratio 0. https://onnx.ai/onnx/operators/onnx__Dropout.html */
export const dropout: Op = {
  type: 'Dropout',
  domain: '',
  opsets: [7, 25],
  arity: [1, 3],
  infer: (context) => {
    attributesOf(context.node, context.node.opset < 12 ? { ratio: float(0.5) } : { seed: int(0) })
    if (context.node.opset < 12) atMostInputs(context, 1)
    if ((constantScalar(context, 2, 'training_mode') ?? 0) !== 0) {
      const ratio = constantScalar(context, 1, 'ratio') ?? 0.5
      if (ratio !== 0) unsupported(context, 'training_mode', true, 'false, or ratio 0')
    }
    return [typeOf(context, 0, floatTypes)]
  },
  moves: (context) => inOrder(typeOf(context, 0, floatTypes).shape),
  compute: (_, [x]) => [x!],
  scaling: { tied: true, wideInput: 'keeps' },
  lower: (context, [x]) => [lowerMove(context, [x!], dropout.moves!(context), dropout.infer(context)[0]!.shape)],
}
