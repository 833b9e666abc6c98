import { formatShape, isSaneShape, sizeOf, type Tensor } from '../tensor.ts'
import { attributesOf, tensor } from './attributes.ts'
import { known, wholes } from './doc.ts'
import { constantInts, invalid } from './inputs.ts'
import type { InferContext, Op } from './op.ts'

/** The one element that fills the result, 0 of type float32 where it is not given. */
function filler(context: InferContext): Tensor {
  const { value } = attributesOf(context.node, { value: tensor() })
  if (value !== undefined && value.data.length !== 1)
    invalid(context, `attribute "value" must have one element, not ${formatShape(value.shape)}`)
  return value ?? { dtype: 'float32', shape: [], data: Float64Array.of(0) }
}

/** A tensor of one repeated value; its shape must be constant. https://onnx.ai/onnx/operators/onnx__ConstantOfShape.html */
export const constantOfShape: Op = {
  type: 'ConstantOfShape',
  domain: '',
  opsets: [9, 25],
  arity: [1, 1],
  doc: known({ inputs: [], constants: [wholes(2, 3)] }),
  infer: (context) => {
    const shape = constantInts(context, 0, 'shape')!
    if (!isSaneShape(shape)) invalid(context, `${formatShape(shape)} is no shape`)
    return [{ dtype: filler(context).dtype, shape }]
  },
  compute: (context) => {
    const type = constantOfShape.infer(context)[0]!
    return [{ ...type, data: new Float64Array(sizeOf(type.shape)).fill(filler(context).data[0]!) }]
  },
}
