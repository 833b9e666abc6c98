import { sizeOf } from '../tensor.ts'
import { attributesOf, int } from './attributes.ts'
import { movement } from './doc.ts'
import { axisOf, like, typeAt } from './inputs.ts'
import { lowerMove } from './lower/moves.ts'
import { inOrder } from './movement.ts'
import type { Op } from './op.ts'

/** To a matrix: the axes before `axis` become rows, the others columns. https://onnx.ai/onnx/operators/onnx__Flatten.html */
export const flatten: Op = {
  type: 'Flatten',
  domain: '',
  opsets: [1, 25],
  arity: [1, 1],
  doc: movement({ inputs: [[2, 3]] }),
  infer: (context) => {
    const x = typeAt(context, 0)
    const rank = x.shape.length
    const { axis } = attributesOf(context.node, { axis: int(1) })
    const split = axis === rank ? rank : axisOf(context, axis, rank)
    return [like(x, [sizeOf(x.shape.slice(0, split)), sizeOf(x.shape.slice(split))])]
  },
  moves: (context) => inOrder(typeAt(context, 0).shape),
  compute: (context, [x]) => [{ ...flatten.infer(context)[0]!, data: x!.data }],
  scaling: { tied: true, wideInput: 'keeps' },
  lower: (context, [x]) => [lowerMove(context, [x!], flatten.moves!(context), flatten.infer(context)[0]!.shape)],
}
