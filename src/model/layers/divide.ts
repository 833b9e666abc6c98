import { type LayerBase, type LayerKind, magnitudeOf, require } from '../layer.ts'

/** y = ⌊n / d⌋, elementwise, for n ≥ 0 and d ≥ 1 of the same size. */
export type Divide = LayerBase & { readonly kind: 'divide' }

export const divide: LayerKind<Divide> = {
  run: (A, _, [n, d]) => Array.from(n!, (v, j) => A.divide(v, d![j]!)),
  bounds(_, [n, d]) {
    if (n!.lo < 0 || d!.lo < 1) throw new RangeError('divide: the dividend must be ≥ 0 and the divisor ≥ 1')
    return {
      lo: Math.floor(n!.lo / d!.hi),
      hi: Math.floor(n!.hi / d!.lo),
      peak: Math.max(magnitudeOf(n!), magnitudeOf(d!)),
    }
  },
  validate({ shape }, [n, d]) {
    require(n === d && n === shape.reduce((k, s) => k * s, 1), 'both inputs must have the size of the result')
  },
}
