import type { Tensor } from '../tensor.ts'
import { attributesOf, float, floats, int, ints, optional, tensor } from './attributes.ts'
import { known } from './doc.ts'
import { invalid } from './inputs.ts'
import type { InferContext, Op } from './op.ts'

/** The tensor that the node's one attribute gives. */
function constantValue(context: InferContext): Tensor {
  const given = attributesOf(context.node, {
    value: tensor(),
    value_float: optional(float(0)),
    value_floats: floats(),
    value_int: optional(int(0)),
    value_ints: ints(),
  })
  const present = Object.values(given).filter((v) => v !== undefined)
  if (present.length !== 1) invalid(context, `exactly one value is needed, not ${present.length}`)
  if (given.value !== undefined) return given.value
  const numbers = given.value_float ?? given.value_int ?? given.value_floats ?? given.value_ints!
  const dtype = given.value_float !== undefined || given.value_floats !== undefined ? 'float32' : 'int64'
  return typeof numbers === 'number'
    ? { dtype, shape: [], data: Float64Array.of(numbers) }
    : { dtype, shape: [numbers.length], data: Float64Array.from(numbers) }
}

/** A tensor of the model. https://onnx.ai/onnx/operators/onnx__Constant.html */
export const constant: Op = {
  type: 'Constant',
  domain: '',
  opsets: [1, 25],
  arity: [0, 0],
  doc: known({ inputs: [], attributes: { value_ints: [1, 2] } }),
  infer: (context) => {
    const { dtype, shape } = constantValue(context)
    return [{ dtype, shape }]
  },
  compute: (context) => [constantValue(context)],
}
