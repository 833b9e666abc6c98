import { type DType, dtypeOf, integerRange, isFloat, roundToFloat, type Tensor, type TensorType } from '../tensor.ts'
import { attributesOf, flag, int, oneOf, required } from './attributes.ts'
import { invalid, typeAt, unsupported } from './inputs.ts'
import { emitIsNonZero, emitTruncate, exactly, lowerRescale } from './lower/compare.ts'
import { lowerMove } from './lower/moves.ts'
import type { LowerContext, QTensor } from './lowering.ts'
import { inOrder } from './movement.ts'
import type { InferContext, Op } from './op.ts'

/** The element type that the node asks for. */
function target(context: InferContext): DType {
  // saturate and round_mode concern only 8-bit floats, which are not supported
  const { to } = attributesOf(context.node, {
    to: required(int(0)),
    saturate: flag(true),
    round_mode: oneOf(['up', 'down', 'nearest'], 'up'),
  })
  return (
    dtypeOf(to) ?? unsupported(context, 'to', to, 'float16, bfloat16, float, double, integers of 8 to 64 bits, bool')
  )
}

/** The tensor as another type: floats towards zero, as ONNX says; nothing that leaves the type's range. */
export function castTo(context: InferContext, x: Tensor, dtype: DType): Tensor {
  const range = integerRange(dtype)
  if (range === undefined) return { ...x, dtype, data: x.data.map((v) => roundToFloat(dtype, v)) }
  if (dtype === 'bool') return { ...x, dtype, data: x.data.map((v) => (v === 0 ? 0 : 1)) }
  const data = x.data.map((v) => Math.trunc(v) + 0)
  const bad = data.findIndex((v) => !(v >= range[0] && v <= range[1]))
  if (bad >= 0) invalid(context, `${x.data[bad]} is outside the range of ${dtype}`)
  return { ...x, dtype, data }
}

/** Type of the input as another type. Computed floats become integers that a signed or unsigned type of 8 bits or more holds. */
export const checkCast = (context: InferContext, dtype: DType): TensorType => ({
  dtype,
  shape: typeAt(context, 0).shape,
})

/**
 * The integers of a cast: rounding to a narrower float is left out, since integers are coarser; floats become integers towards
 * zero and booleans by comparison with 0; integers and booleans keep their values.
 */
export function lowerCast(context: LowerContext, x: QTensor, to: DType): QTensor {
  const from = typeAt(context, 0).dtype
  const { shape } = x
  if (isFloat(from) === isFloat(to) && to !== 'bool') {
    const [a, b] = [integerRange(from), integerRange(to)]
    if (a !== undefined && b !== undefined && (a[0] < b[0] || a[1] > b[1])) {
      const { lo, hi } = context.boundsOf(x.value)
      if (lo < b[0] || hi > b[1])
        return unsupported(context, 'to', `${to} from ${from}`, 'integer types that hold every value of the model')
    }
    return lowerMove(context, [x], inOrder(shape), shape)
  }
  if (from === 'bool' && to === 'bool') return lowerMove(context, [x], inOrder(shape), shape)
  if (isFloat(to)) return lowerRescale(context, x)
  const value = to === 'bool' ? emitIsNonZero(context, exactly(context, x).value, shape) : emitTruncate(context, x)
  return { name: '', value, shape, scale: 1, shift: 0 }
}

/**
 * Another element type; what leaves the type's range is refused.
 * https://onnx.ai/onnx/operators/onnx__Cast.html
 */
export const cast: Op = {
  type: 'Cast',
  domain: '',
  opsets: [6, 25],
  arity: [1, 1],
  doc: {
    integers:
      'to floats Σ round(s / sy · 2^S)·q; to booleans [q ≠ 0]; to integers v towards zero, v as for Floor; between floats, and to wider integers, as they are',
    rows: 'to integers two clamps of v and v + 2 an element; to booleans two clamps; else 0',
    error: 'as Floor to integers, that of rounding a weight to other floats',
    refuses:
      'element types of fewer than 8 bits, floats of 8 bits, strings; integer types that do not hold every value of the model',
    example: { inputs: [[2, 3]], attributes: { to: 6 } },
  },
  infer: (context) => [checkCast(context, target(context))],
  compute: (context, [x]) => [castTo(context, x!, target(context))],
  scaling: { tied: true, wideInput: 'keeps' },
  lower: (context, [x]) => [lowerCast(context, x!, target(context))],
}
