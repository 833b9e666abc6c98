import { floatTypes, type Shape, stridedMap, stridesOf, type Tensor } from '../tensor.ts'
import { attributesOf, flag, float, oneOf } from './attributes.ts'
import { WEIGHT_ERROR } from './doc.ts'
import { typeAt, typeLikeFirst, typeOf } from './inputs.ts'
import { lowerMatMul } from './lower/affine.ts'
import { lowerTaken } from './lower/moves.ts'
import { computeMatMul, type MatMulGeometry, matMulGeometry } from './matMul.ts'
import { gather } from './movement.ts'
import type { InferContext, Op } from './op.ts'

type Geometry = MatMulGeometry & { readonly alpha: number; readonly flips: readonly [boolean, boolean] }

/** The shape with the last two axes exchanged, where there are two. */
const flipped = (shape: Shape, flip: boolean): Shape =>
  flip && shape.length > 1 ? [...shape.slice(0, -2), shape.at(-1)!, shape.at(-2)!] : shape

function geometry(context: InferContext): Geometry {
  const { alpha, transA, transB } = attributesOf(context.node, {
    alpha: float(1),
    transA: flag(false),
    transB: flag(false),
    transBatchA: oneOf([0], 0),
    transBatchB: oneOf([0], 0),
  })
  const shapes = [flipped(typeAt(context, 0).shape, transA), flipped(typeAt(context, 1).shape, transB)] as const
  return { ...matMulGeometry(context, shapes), alpha, flips: [transA, transB] }
}

/** Positions in a tensor of the elements of its transpose. */
function transposed(shape: Shape): Int32Array {
  const strides = stridesOf(shape)
  return stridedMap(flipped(shape, true), flipped(strides, true))
}

const transpose = (x: Tensor, flip: boolean): Tensor =>
  flip && x.shape.length > 1
    ? gather({ dtype: x.dtype, shape: flipped(x.shape, true) }, { map: transposed(x.shape), fill: 0 }, [x])
    : x

/**
 * alpha · a' · b' for matrices, batched, that may be transposed. Attention is written with it.
 * https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md#com.microsoft.FusedMatMul
 */
export const fusedMatMul: Op = {
  type: 'FusedMatMul',
  domain: 'com.microsoft',
  opsets: [1, 1],
  arity: [2, 2],
  doc: {
    integers: 'as MatMul',
    rows: '0 where one side is constant; else n·k products',
    error: WEIGHT_ERROR,
    example: {
      inputs: [
        [2, 3],
        [2, 3],
      ],
      attributes: { transB: 1, alpha: 0.5 },
    },
  },
  infer: (context) => {
    const { dtype } = typeOf(context, 0, floatTypes)
    typeLikeFirst(context, 1)
    return [{ dtype, shape: geometry(context).shape }]
  },
  compute: (context, [a, b]) => {
    const { alpha, flips, ...product } = geometry(context)
    return [computeMatMul(transpose(a!, flips[0]), transpose(b!, flips[1]), product, alpha)]
  },
  scaling: { nonNegative: (context, [a, b]) => a === true && b === true && geometry(context).alpha >= 0 },
  lower: (context, inputs) => {
    const { alpha, flips, ...product } = geometry(context)
    const operand = (i: 0 | 1) => {
      const [tensor, constant] = [inputs[i], context.constants[i]]
      const { shape } = typeAt(context, i)
      if (!flips[i] || shape.length < 2) return { tensor, constant }
      const moved = tensor && lowerTaken(context, tensor, [...transposed(shape)], flipped(shape, true))
      return { tensor: moved, constant: constant && transpose(constant, true) }
    }
    return [lowerMatMul(context, [operand(0), operand(1)], product, alpha)]
  },
}
