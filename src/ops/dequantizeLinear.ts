import { type DType, dtypeOf, floatTypes, isFloat } from '../tensor.ts'
import { attributesOf, int } from './attributes.ts'
import { constantOf } from './doc.ts'
import { typeAt, typeLikeFirst, typeOf, unsupported } from './inputs.ts'
import type { InferContext, Op } from './op.ts'
import { checkZeroPoint, dequantiseTensor, granularityOf, quantisedTypes } from './quantisation.ts'

/** Where scales apply, and the type of the result (that of the scale where it is 0). */
export const dequantizeAttributes = ({ node }: InferContext) =>
  attributesOf(node, {
    ...(node.opset >= 13 ? { axis: int(1) } : {}),
    ...(node.opset >= 21 ? { block_size: int(0) } : {}),
    ...(node.opset >= 23 ? { output_dtype: int(0) } : {}),
  }) as { axis?: number; block_size?: number; output_dtype?: number }

/** The float type of the result. */
function resultType(context: InferContext): DType {
  const { output_dtype: code = 0 } = dequantizeAttributes(context)
  const dtype = code === 0 ? typeAt(context, 1).dtype : dtypeOf(code)
  if (dtype === undefined || !isFloat(dtype)) return unsupported(context, 'output_dtype', code, floatTypes.join(', '))
  return dtype
}

/** y = (x - zero point) · scale, per tensor, axis or block. https://onnx.ai/onnx/operators/onnx__DequantizeLinear.html */
export const dequantizeLinear: Op = {
  type: 'DequantizeLinear',
  domain: '',
  opsets: [10, 25],
  arity: [2, 3],
  doc: {
    integers: 'of a quantised model: the integers less the zero point',
    rows: '0',
    error: 'none: bit for bit float32',
    refuses: 'as QuantizeLinear',
    example: {
      inputs: [constantOf([3], [1, 2, 3], 'uint8')],
      constants: [constantOf([], [0.02]), constantOf([], [3], 'uint8')],
    },
  },
  infer: (context) => {
    const x = typeOf(context, 0, [...quantisedTypes, 'int32'])
    const scale = typeOf(context, 1, floatTypes)
    if (context.types[2] !== undefined) typeLikeFirst(context, 2)
    checkZeroPoint(context, 1)
    const { axis = 1, block_size = 0 } = dequantizeAttributes(context)
    granularityOf(context, x.shape, scale.shape, { axis, block_size })
    return [{ dtype: resultType(context), shape: x.shape }]
  },
  compute: (context, [x, scale, zero]) => {
    const { axis = 1, block_size = 0 } = dequantizeAttributes(context)
    const of = granularityOf(context, x!.shape, typeAt(context, 1).shape, { axis, block_size })
    return [dequantiseTensor(x!, { ...scale!, dtype: resultType(context) }, zero, of)]
  },
}
