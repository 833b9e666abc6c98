import { formatShape } from '../tensor.ts'
import { attributesOf, ints } from './attributes.ts'
import { movement, wholes } from './doc.ts'
import { atMostInputs, axesOf, constantInts, invalid, like, typeAt } from './inputs.ts'
import { lowerMove } from './lower/moves.ts'
import { inOrder } from './movement.ts'
import type { Op } from './op.ts'

/** Without the given axes of size 1 (an attribute before opset 13, then an input), or without all. https://onnx.ai/onnx/operators/onnx__Squeeze.html */
export const squeeze: Op = {
  type: 'Squeeze',
  domain: '',
  opsets: [1, 25],
  arity: [1, 2],
  doc: movement({ inputs: [[1, 3]], constants: [wholes(0)] }),
  infer: (context) => {
    const x = typeAt(context, 0)
    if (context.node.opset < 13) atMostInputs(context, 1)
    const given = attributesOf(context.node, context.node.opset < 13 ? { axes: ints() } : {})
    const axes = 'axes' in given ? given.axes : constantInts(context, 1, 'axes')
    if (axes === undefined)
      return [
        like(
          x,
          x.shape.filter((d) => d !== 1),
        ),
      ]
    const gone = axesOf(context, axes, x.shape.length)
    if (gone.some((axis) => x.shape[axis] !== 1))
      invalid(context, `axes ${formatShape(axes)} of ${formatShape(x.shape)} are not all of size 1`)
    return [
      like(
        x,
        x.shape.filter((_, axis) => !gone.includes(axis)),
      ),
    ]
  },
  moves: (context) => inOrder(typeAt(context, 0).shape),
  compute: (context, [x]) => [{ ...squeeze.infer(context)[0]!, data: x!.data }],
  scaling: { tied: true, wideInput: 'keeps' },
  lower: (context, [x]) => [lowerMove(context, [x!], squeeze.moves!(context), squeeze.infer(context)[0]!.shape)],
}
