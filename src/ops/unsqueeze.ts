import { maxRank } from '../tensor.ts'
import { attributesOf, ints } from './attributes.ts'
import { movement, wholes } from './doc.ts'
import { atMostInputs, axesOf, constantInts, invalid, like, typeAt, unsupported } from './inputs.ts'
import { lowerMove } from './lower/moves.ts'
import { inOrder } from './movement.ts'
import type { Op } from './op.ts'

/** With axes of size 1 at the given places (an attribute before opset 13, then an input). https://onnx.ai/onnx/operators/onnx__Unsqueeze.html */
export const unsqueeze: Op = {
  type: 'Unsqueeze',
  domain: '',
  opsets: [1, 25],
  arity: [1, 2],
  doc: movement({ inputs: [[2, 3]], constants: [wholes(0)] }),
  infer: (context) => {
    const x = typeAt(context, 0)
    if (context.node.opset < 13) atMostInputs(context, 1)
    const given = attributesOf(context.node, context.node.opset < 13 ? { axes: ints() } : {})
    const axes = 'axes' in given ? given.axes : constantInts(context, 1, 'axes')
    if (axes === undefined) return invalid(context, 'axes are missing')
    const rank = x.shape.length + axes.length
    if (rank > maxRank) return unsupported(context, 'axes', rank, `at most ${maxRank} axes`)
    const added = axesOf(context, axes, rank)
    const rest = [...x.shape]
    return [
      like(
        x,
        Array.from({ length: rank }, (_, axis) => (added.includes(axis) ? 1 : rest.shift()!)),
      ),
    ]
  },
  moves: (context) => inOrder(typeAt(context, 0).shape),
  compute: (context, [x]) => [{ ...unsqueeze.infer(context)[0]!, data: x!.data }],
  scaling: { tied: true, wideInput: 'keeps' },
  lower: (context, [x]) => [lowerMove(context, [x!], unsqueeze.moves!(context), unsqueeze.infer(context)[0]!.shape)],
}
