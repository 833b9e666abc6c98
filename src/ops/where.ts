import { broadcastMap, broadcastShapes, formatShape, sizeOf, type TensorType } from '../tensor.ts'
import { attributesOf } from './attributes.ts'
import { constantOf } from './doc.ts'
import { invalid, typeAt, typeOf } from './inputs.ts'
import { lowerChoice } from './lower/choice.ts'
import { constantLike, lowerMove } from './lower/moves.ts'
import { gather } from './movement.ts'
import type { InferContext, Moves, Op } from './op.ts'

function resultOf(context: InferContext): TensorType {
  attributesOf(context.node, {})
  const [condition, a, b] = [typeOf(context, 0, ['bool']), typeAt(context, 1), typeAt(context, 2)]
  if (a.dtype !== b.dtype) invalid(context, `inputs 1 and 2 are ${a.dtype} and ${b.dtype}`)
  const shape = broadcastShapes(broadcastShapes(condition.shape, a.shape) ?? [-1], b.shape)
  if (shape === undefined || shape.includes(-1))
    return invalid(context, `shapes ${[condition, a, b].map((t) => formatShape(t.shape)).join(', ')} do not broadcast`)
  return { dtype: a.dtype, shape }
}

/** With a known condition, the choice is a movement of a and b, one after the other. */
function choices(context: InferContext, condition: ArrayLike<number>): Moves {
  const { shape } = resultOf(context)
  const [c, a, b] = [0, 1, 2].map((i) => broadcastMap(typeAt(context, i).shape, shape)) as [
    Int32Array,
    Int32Array,
    Int32Array,
  ]
  const first = sizeOf(typeAt(context, 1).shape)
  return { map: c.map((at, i) => (condition[at] ? a[i]! : first + b[i]!)), fill: 0 }
}

/** Elements of a where the condition holds, of b elsewhere; broadcast. https://onnx.ai/onnx/operators/onnx__Where.html */
export const where: Op = {
  type: 'Where',
  domain: '',
  opsets: [9, 25],
  arity: [3, 3],
  doc: {
    integers: 'b + c·(a - b) in the scale of the result',
    rows: 'n products',
    error: 'half a step for tensors of another scale',
    example: { inputs: [constantOf([3], [0, 1, 1], 'bool'), [2, 3], [3]] },
  },
  infer: (context) => [resultOf(context)],
  compute: (context, [condition, a, b]) => [gather(resultOf(context), choices(context, condition!.data), [a!, b!])],
  scaling: { tied: true, nonNegative: (_, inputs) => inputs[1] === true && inputs[2] === true },
  lower: (context, [condition, a, b]) => {
    const { shape } = resultOf(context)
    const anchor = (condition ?? a ?? b)!.value
    const [x, y] = [a ?? constantLike(context, 1, anchor), b ?? constantLike(context, 2, anchor)]
    const known = context.constants[0]
    if (known !== undefined) return [lowerMove(context, [x, y], choices(context, known.data), shape)]
    return [lowerChoice(context, condition!, x, y, shape)]
  },
}
