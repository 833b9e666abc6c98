import type { Arithmetic } from '../../../circuits/arithmetic.ts'
import { type LayerBase, type LayerKind, require } from '../layer.ts'
import { concatenate } from './linear.ts'

/** y[j] = x[map[j]] over the concatenation of the inputs, or `fill` where map[j] is -1: all data movement. No rows. */
export type Gather = LayerBase & { readonly kind: 'gather'; readonly map: Int32Array; readonly fill: number }

export const gather: LayerKind<Gather> = {
  run<T>(A: Arithmetic<T>, { map, fill }: Gather, inputs: readonly ArrayLike<T>[]): ArrayLike<T> {
    const x = concatenate(inputs)
    const filler = A.constant(fill)
    return Array.from(map, (at) => (at < 0 ? filler : x[at]!))
  },
  bounds({ map, fill }, inputs) {
    const filled = map.includes(-1) ? [fill] : []
    const lo = Math.min(...filled, ...inputs.map((b) => b.lo))
    const hi = Math.max(...filled, ...inputs.map((b) => b.hi))
    return { lo, hi, peak: Math.max(Math.abs(lo), Math.abs(hi)) }
  },
  validate({ map, fill, shape }, sizes) {
    const elements = sizes.reduce((n, s) => n + s, 0)
    require(Number.isSafeInteger(fill), 'the fill value must be an integer')
    require(map.length === shape.reduce((n, d) => n * d, 1), 'the map does not fit the shape')
    require(map.every((at) => Number.isInteger(at) && at >= -1 && at < elements), 'the map points outside the inputs')
  },
}
