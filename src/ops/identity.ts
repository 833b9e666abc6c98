import { attributesOf } from './attributes.ts'
import { movement } from './doc.ts'
import { typeAt } from './inputs.ts'
import { lowerMove } from './lower/moves.ts'
import { inOrder } from './movement.ts'
import type { Op } from './op.ts'

/** y = x. https://onnx.ai/onnx/operators/onnx__Identity.html */
export const identity: Op = {
  type: 'Identity',
  domain: '',
  opsets: [1, 25],
  arity: [1, 1],
  doc: movement({ inputs: [[2, 3]] }),
  infer: (context) => {
    attributesOf(context.node, {})
    return [typeAt(context, 0)]
  },
  moves: (context) => inOrder(typeAt(context, 0).shape),
  compute: (_, [x]) => [x!],
  scaling: { tied: true, wideInput: 'keeps' },
  lower: (context, [x]) => [lowerMove(context, [x!], identity.moves!(context), identity.infer(context)[0]!.shape)],
}
