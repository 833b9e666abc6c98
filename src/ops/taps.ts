/**
 * Linear maps given by a few weighted elements of the input for each element of the result.
 * @module
 */
import { type Shape, stridesOf, type Tensor } from '../tensor.ts'

/** For each element of a result (or of an axis of it) the weights of the elements that it sums, by position. */
export type Taps = readonly ReadonlyMap<number, number>[]

/** The taps of a map that acts along every axis on its own, for the whole tensor in row-major order. */
export function tapsOfAxes(shape: Shape, axes: readonly Taps[]): Taps {
  const strides = stridesOf(shape)
  let taps: Taps = [new Map([[0, 1]])]
  axes.forEach((along, axis) => {
    taps = taps.flatMap((outer) =>
      along.map((inner) => {
        const sum = new Map<number, number>()
        for (const [base, v] of outer) for (const [i, w] of inner) sum.set(base + i * strides[axis]!, v * w)
        return sum
      }),
    )
  })
  return taps
}

/** The map applied to a tensor, one axis after the other. */
export function applyTaps(x: Tensor, axes: readonly Taps[]): Float64Array {
  let { data } = x
  const shape = [...x.shape]
  axes.forEach((along, axis) => {
    const inner = shape.slice(axis + 1).reduce((n, d) => n * d, 1)
    const outer = shape.slice(0, axis).reduce((n, d) => n * d, 1)
    const next = new Float64Array(outer * along.length * inner)
    for (let o = 0; o < outer; o++)
      along.forEach((taps, j) => {
        for (const [i, w] of taps)
          for (let k = 0; k < inner; k++)
            next[(o * along.length + j) * inner + k]! += w * data[(o * shape[axis]! + i) * inner + k]!
      })
    shape[axis] = along.length
    data = next
  })
  return data
}
