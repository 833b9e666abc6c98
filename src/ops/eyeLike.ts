import { dtypeOf, formatShape, sizeOf } from '../tensor.ts'
import { attributesOf, int, optional } from './attributes.ts'
import { known } from './doc.ts'
import { invalid, typeAt, unsupported } from './inputs.ts'
import type { InferContext, Op } from './op.ts'

const attributes = ({ node }: InferContext) => attributesOf(node, { dtype: optional(int(0)), k: int(0) })

/** Ones on the k-th diagonal of a matrix of the input's shape, zeros elsewhere. https://onnx.ai/onnx/operators/onnx__EyeLike.html */
export const eyeLike: Op = {
  type: 'EyeLike',
  domain: '',
  opsets: [9, 25],
  arity: [1, 1],
  doc: known({ inputs: [[2, 3]] }),
  typeOnly: [0],
  infer: (context) => {
    const x = typeAt(context, 0)
    const { dtype } = attributes(context)
    if (x.shape.length !== 2) invalid(context, `the input must be a matrix, not ${formatShape(x.shape)}`)
    const type = dtype === undefined ? x.dtype : dtypeOf(dtype)
    return [{ dtype: type ?? unsupported(context, 'dtype', dtype, 'floats, integers, bool'), shape: x.shape }]
  },
  compute: (context) => {
    const type = eyeLike.infer(context)[0]!
    const { k } = attributes(context)
    const columns = type.shape[1]!
    const data = new Float64Array(sizeOf(type.shape)).map((_, i) =>
      (i % columns) - Math.floor(i / columns) === k ? 1 : 0,
    )
    return [{ ...type, data }]
  },
}
