import { type DType, dtypeOf, floatTypes } from '../tensor.ts'
import { attributesOf, flag, int } from './attributes.ts'
import { constantOf } from './doc.ts'
import { invalid, typeAt, typeLikeFirst, typeOf, unsupported } from './inputs.ts'
import type { InferContext, Op } from './op.ts'
import { checkZeroPoint, granularityOf, quantisedTypes, quantiseTensor } from './quantisation.ts'

/** Where scales apply, and the type that the node asks for. */
export const quantizeAttributes = ({ node }: InferContext) =>
  attributesOf(node, {
    ...(node.opset >= 13 ? { axis: int(1) } : {}),
    ...(node.opset >= 19 ? { saturate: flag(true) } : {}),
    ...(node.opset >= 21 ? { block_size: int(0), output_dtype: int(0) } : {}),
    ...(node.opset >= 23 ? { precision: int(0) } : {}),
  }) as { axis?: number; block_size?: number; output_dtype?: number; precision?: number }

/** Type of the zero point, or that of the attribute, or uint8. */
function resultType(context: InferContext): DType {
  const zero = context.types[2]?.dtype
  const { output_dtype: code = 0, precision = 0 } = quantizeAttributes(context)
  const asked = code === 0 ? undefined : dtypeOf(code)
  if (code !== 0 && asked === undefined) unsupported(context, 'output_dtype', code, quantisedTypes.join(', '))
  if (zero !== undefined && asked !== undefined && zero !== asked)
    invalid(context, `output_dtype ${asked} contradicts the zero point's type ${zero}`)
  const dtype = zero ?? asked ?? 'uint8'
  if (!quantisedTypes.some((t) => t === dtype))
    unsupported(context, 'type of the zero point', dtype, quantisedTypes.join(', '))
  if (precision !== 0 && precision !== 1) unsupported(context, 'precision', precision, 'that of the scale, float32')
  return dtype
}

/**
 * y = saturate(round(x / scale) + zero point), halves to even, per tensor, axis or block.
 * https://onnx.ai/onnx/operators/onnx__QuantizeLinear.html
 */
export const quantizeLinear: Op = {
  type: 'QuantizeLinear',
  domain: '',
  opsets: [10, 25],
  arity: [2, 3],
  doc: {
    integers: 'of a quantised model: round(x / scale), halves to even, saturated; see docs/integer-model.md',
    rows: 'as the cheapest rational with the same steps',
    error: 'none: bit for bit float32',
    refuses: 'scales that the model computes, and activations with a scale an axis',
    example: { inputs: [[2, 3]], constants: [constantOf([], [0.02]), constantOf([], [3], 'uint8')] },
  },
  infer: (context) => {
    const x = typeOf(context, 0, [...floatTypes, 'int32'])
    const scale = typeOf(context, 1, floatTypes)
    if (x.dtype !== 'int32' && context.node.opset < 23) typeLikeFirst(context, 1)
    checkZeroPoint(context, 1)
    const { axis = 1, block_size = 0 } = quantizeAttributes(context)
    granularityOf(context, x.shape, scale.shape, { axis, block_size })
    return [{ dtype: resultType(context), shape: x.shape }]
  },
  compute: (context, [x, scale, zero]) => {
    const { axis = 1, block_size = 0, precision = 0 } = quantizeAttributes(context)
    const of = granularityOf(context, x!.shape, typeAt(context, 1).shape, { axis, block_size })
    const exact = precision === 1 ? { ...scale!, dtype: 'float32' as const } : scale!
    return [quantiseTensor(x!, exact, zero, resultType(context), of)]
  },
}
