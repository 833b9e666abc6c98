import { floatTypes, formatShape, sizeOf, type Tensor, type TensorType } from '../tensor.ts'
import { attributesOf } from './attributes.ts'
import { invalid, typeOf } from './inputs.ts'
import type { InferContext } from './op.ts'

/** [n, c, …] to [n, c, 1, …, 1]. */
export function inferGlobalPool(context: InferContext): TensorType[] {
  attributesOf(context.node, {})
  const { dtype, shape } = typeOf(context, 0, floatTypes)
  if (shape.length < 3 || sizeOf(shape.slice(2)) === 0)
    invalid(context, `the input must be [n, channels, …] with elements, not ${formatShape(shape)}`)
  return [{ dtype, shape: shape.map((d, i) => (i < 2 ? d : 1)) }]
}

/** f of each channel's plane. */
export function computeGlobalPool(x: Tensor, f: (plane: Float64Array) => number): Tensor {
  const shape = x.shape.map((d, i) => (i < 2 ? d : 1))
  const plane = sizeOf(x.shape.slice(2))
  const data = Float64Array.from({ length: sizeOf(shape) }, (_, i) => f(x.data.subarray(i * plane, (i + 1) * plane)))
  return { dtype: x.dtype, shape, data }
}
