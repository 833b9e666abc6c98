/**
 * Elementwise operators over broadcast tensors.
 * @module
 */

import type { TensorType } from '../tensor.ts'
import { broadcastMap, broadcastShapes, formatShape, isFloat, sameShape, type Tensor, wrapInteger } from '../tensor.ts'
import { invalid, numericTypes, typeLikeFirst, typeOf, unsupported } from './inputs.ts'
import type { InferContext } from './op.ts'

/** f of every element, of the same type. */
export const mapTensor = (x: Tensor, f: (v: number) => number): Tensor => ({ ...x, data: x.data.map(f) })

/** Type of an operator of two numeric tensors under numpy's broadcasting. */
export function inferBinary(context: InferContext): TensorType[] {
  const a = typeOf(context, 0, numericTypes)
  const b = typeLikeFirst(context, 1)
  const shape = broadcastShapes(a.shape, b.shape)
  if (shape === undefined)
    invalid(context, `shapes ${formatShape(a.shape)} and ${formatShape(b.shape)} do not broadcast`)
  return [{ dtype: a.dtype, shape }]
}

/** f of every pair of elements of two broadcast tensors; integers wrap, as ONNX's do. */
export function computeBinary(
  context: InferContext,
  [a, b]: readonly (Tensor | undefined)[],
  f: (x: number, y: number) => number,
): Tensor[] {
  if (a === undefined || b === undefined) return invalid(context, 'an input is missing')
  const shape = broadcastShapes(a.shape, b.shape)!
  const data = new Float64Array(shape.reduce((n, d) => n * d, 1))
  const [x, y] = [a.data, b.data]
  if (sameShape(a.shape, shape) && sameShape(b.shape, shape)) {
    for (let i = 0; i < data.length; i++) data[i] = f(x[i]!, y[i]!)
  } else {
    const [ofA, ofB] = [broadcastMap(a.shape, shape), broadcastMap(b.shape, shape)]
    for (let i = 0; i < data.length; i++) data[i] = f(x[ofA[i]!]!, y[ofB[i]!]!)
  }
  if (!isFloat(a.dtype))
    for (let i = 0; i < data.length; i++) {
      const wrapped = wrapInteger(a.dtype, data[i]!)
      // doubles do not hold larger integers exactly, and an inexact integer is not what ONNX says
      if (!Number.isSafeInteger(data[i]!) || !Number.isSafeInteger(wrapped))
        unsupported(context, 'an integer result', data[i]!, 'integers within ±2^53')
      data[i] = wrapped
    }
  return [{ dtype: a.dtype, shape, data }]
}
