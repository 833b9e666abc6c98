import { type DType, dtypeOf, integerRange, isFloat, roundToFloat, type Tensor } from '../tensor.ts'
import { attributesOf, flag, int, oneOf, required } from './attributes.ts'
import { invalid, typeAt, unsupported } from './inputs.ts'
import { lowerMove } from './lower/moves.ts'
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

/** Whether every value of one type is one of the other, or is rounded to its nearest float. */
function isHarmless(from: DType, to: DType): boolean {
  if (isFloat(to)) return true
  const [inner, outer] = [integerRange(from), integerRange(to)]
  return to !== 'bool' ? inner !== undefined && inner[0] >= outer![0] && inner[1] <= outer![1] : from === 'bool'
}

/** The constant as another type: floats towards zero, as ONNX says; nothing that leaves the type's range. */
function convert(context: InferContext, x: Tensor, dtype: DType): Tensor {
  const range = integerRange(dtype)
  if (range === undefined) return { ...x, dtype, data: x.data.map((v) => roundToFloat(dtype, v)) }
  if (dtype === 'bool') return { ...x, dtype, data: x.data.map((v) => (v === 0 ? 0 : 1)) }
  const data = x.data.map((v) => Math.trunc(v) + 0)
  const bad = data.findIndex((v) => !(v >= range[0] && v <= range[1]))
  if (bad >= 0) invalid(context, `${x.data[bad]} is outside the range of ${dtype}`)
  return { ...x, dtype, data }
}

/**
 * Another element type, where that changes no value or only rounds floats; constants may also become integers or booleans.
 * https://onnx.ai/onnx/operators/onnx__Cast.html
 */
export const cast: Op = {
  type: 'Cast',
  domain: '',
  opsets: [6, 25],
  arity: [1, 1],
  infer: (context) => {
    const [x, to] = [typeAt(context, 0), target(context)]
    if (context.constants[0] === undefined && !isHarmless(x.dtype, to))
      unsupported(context, 'to', `${to} from ${x.dtype}`, 'floats, wider integers')
    return [{ dtype: to, shape: x.shape }]
  },
  compute: (context, [x]) => [convert(context, x!, target(context))],
  // rounding to a narrower float is left out: integers are coarser
  scaling: { tied: true, wideInput: 'keeps' },
  lower: (context, [x]) => [lowerMove(context, [x!], inOrder(x!.shape), x!.shape)],
}
