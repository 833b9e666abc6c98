import { floatTypes, sizeOf, type Tensor, type TensorType } from '../tensor.ts'
import { attributesOf, float, int } from './attributes.ts'
import { movement } from './doc.ts'
import { atMostInputs, constantScalar, typeOf, unsupported } from './inputs.ts'
import { emitConstant } from './lower/compare.ts'
import { lowerMove } from './lower/moves.ts'
import { inOrder } from './movement.ts'
import type { Op } from './op.ts'

/** y = x, and a mask of ones: inference drops nothing. Training is refused, unless with ratio 0. https://onnx.ai/onnx/operators/onnx__Dropout.html */
export const dropout: Op = {
  type: 'Dropout',
  domain: '',
  opsets: [7, 25],
  arity: [1, 3],
  doc: movement({ inputs: [[2, 3]] }, 'the integers as they are; the mask is 1'),
  infer: (context) => {
    attributesOf(context.node, context.node.opset < 12 ? { ratio: float(0.5) } : { seed: int(0) })
    if (context.node.opset < 12) atMostInputs(context, 1)
    if ((constantScalar(context, 2, 'training_mode') ?? 0) !== 0) {
      const ratio = constantScalar(context, 1, 'ratio') ?? 0.5
      if (ratio !== 0) unsupported(context, 'training_mode', true, 'false, or ratio 0')
    }
    const x = typeOf(context, 0, floatTypes)
    return [x, { dtype: context.node.opset < 10 ? x.dtype : 'bool', shape: x.shape }]
  },
  moves: (context) => inOrder(typeOf(context, 0, floatTypes).shape),
  compute: (context, [x]) => [x!, onesLike(dropout.infer(context)[1]!)],
  scaling: { tied: true, wideInput: 'keeps' },
  lower: (context, [x]) => {
    const [y, mask] = dropout.infer(context) as [TensorType, TensorType]
    const kept = lowerMove(context, [x!], dropout.moves!(context), y.shape)
    if (!context.node.outputs[1]) return [kept]
    const value = emitConstant(context, onesLike(mask), mask.shape, x!.value)
    return [kept, { name: '', value, shape: mask.shape, scale: 1, shift: 0 }]
  },
}

const onesLike = ({ dtype, shape }: TensorType): Tensor => ({
  dtype,
  shape,
  data: new Float64Array(sizeOf(shape)).fill(1),
})
