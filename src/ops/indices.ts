import { invalid } from './inputs.ts'
import type { InferContext } from './op.ts'

/** Indices into an axis of `size` elements, negative ones counted from its end. Throws InvalidNodeError for others. */
export function indicesWithin(context: InferContext, indices: ArrayLike<number>, size: number): Int32Array {
  return Int32Array.from(indices, (i) => {
    if (!Number.isInteger(i) || i < -size || i >= size) invalid(context, `index ${i} is outside an axis of ${size}`)
    return i < 0 ? i + size : i
  })
}
