import { sizeOf, type Tensor, type TensorType } from '../../tensor.ts'
import { attributesOf } from '../attributes.ts'
import { movement, wholes } from '../doc.ts'
import { constantAt, invalid, typeAt } from '../inputs.ts'
import { lowerMove } from '../lower/moves.ts'
import { gather } from '../movement.ts'
import type { InferContext, Moves, Op } from '../op.ts'

/** The positions along the last axis that are taken. */
function positionsOf(context: InferContext): number[] {
  attributesOf(context.node, {})
  const { shape } = typeAt(context, 0)
  const positions = [...constantAt(context, 1, 'Y')!.data]
  const size = shape.at(-1) ?? invalid(context, 'the input is a scalar')
  for (const at of positions)
    if (!Number.isInteger(at) || at < 0 || at >= size) invalid(context, `there is no feature ${at} of ${size}`)
  return positions
}

const typeOfResult = (context: InferContext): TensorType => {
  const { dtype, shape } = typeAt(context, 0)
  const outer = shape.length === 1 ? [1] : shape.slice(0, -1)
  return { dtype, shape: [...outer, positionsOf(context).length] }
}

const moves = (context: InferContext): Moves => {
  const positions = positionsOf(context)
  const { shape } = typeAt(context, 0)
  const size = shape.at(-1)!
  const outer = sizeOf(shape) / size
  return {
    map: Int32Array.from({ length: outer * positions.length }, (_, i) => {
      const row = Math.floor(i / positions.length)
      return row * size + positions[i % positions.length]!
    }),
    fill: 0,
  }
}

/** Features at constant positions. https://onnx.ai/onnx/operators/onnx_aionnxml_ArrayFeatureExtractor.html */
export const arrayFeatureExtractor: Op = {
  type: 'ArrayFeatureExtractor',
  domain: 'ai.onnx.ml',
  opsets: [1, 5],
  arity: [2, 2],
  doc: movement({ inputs: [[2, 3]], constants: [wholes(2, 0)] }),
  infer: (context) => [typeOfResult(context)],
  moves,
  compute: (context, [x]) => [gather(typeOfResult(context), moves(context), [x as Tensor])],
  scaling: { tied: true, wideInput: 'keeps' },
  lower: (context, [x]) => [lowerMove(context, [x!], moves(context), typeOfResult(context).shape)],
}
