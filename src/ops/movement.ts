/**
 * Operators that only move data: each gives an index map, used here for floats and by the integer model for integers.
 * @module
 */
import { type Shape, sizeOf, stridesOf, type Tensor, type TensorType } from '../tensor.ts'
import type { Moves } from './op.ts'

/** The data in the same order. */
export const inOrder = (shape: Shape): Moves => ({
  map: Int32Array.from({ length: sizeOf(shape) }, (_, i) => i),
  fill: 0,
})

/** The tensor of a type that a map gathers from the concatenation of tensors. */
export function gather({ dtype, shape }: TensorType, { map, fill }: Moves, inputs: readonly Tensor[]): Tensor {
  const x = inputs.length === 1 ? inputs[0]!.data : concatenate(inputs.map((t) => t.data))
  const data = new Float64Array(map.length)
  for (let i = 0; i < map.length; i++) data[i] = map[i]! < 0 ? fill : x[map[i]!]!
  return { dtype, shape, data }
}

/**
 * Map of a tensor whose index along every axis is looked up: element (i₀, i₁, …) comes from (sources[0][i₀], …), or from
 * nowhere if one of them is negative.
 */
export function lookupMap(from: Shape, sources: readonly Int32Array[]): Int32Array {
  const strides = stridesOf(from)
  let map = Int32Array.of(0)
  sources.forEach((source, axis) => {
    const next = new Int32Array(map.length * source.length)
    let at = 0
    for (const base of map) for (const i of source) next[at++] = base < 0 || i < 0 ? -1 : base + i * strides[axis]!
    map = next
  })
  return map
}

function concatenate(parts: readonly Float64Array[]): Float64Array {
  const result = new Float64Array(parts.reduce((n, p) => n + p.length, 0))
  let at = 0
  for (const part of parts) {
    result.set(part, at)
    at += part.length
  }
  return result
}
