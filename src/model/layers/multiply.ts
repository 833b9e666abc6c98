import { type LayerBase, type LayerKind, require } from '../layer.ts'

/** y = a · b, elementwise, for two inputs of the same size. */
export type Multiply = LayerBase & { readonly kind: 'multiply' }

export const multiply: LayerKind<Multiply> = {
  run: (A, _, [a, b]) => Array.from(a!, (v, j) => A.mul(v, b![j]!)),
  bounds(_, [a, b]) {
    const ends = [a!.lo * b!.lo, a!.lo * b!.hi, a!.hi * b!.lo, a!.hi * b!.hi]
    return { lo: Math.min(...ends), hi: Math.max(...ends), peak: Math.max(...ends.map(Math.abs)) }
  },
  validate({ shape }, [a, b]) {
    require(a === b && a === shape.reduce((n, d) => n * d, 1), 'both inputs must have the size of the result')
  },
}
