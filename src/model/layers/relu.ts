import { type LayerBase, type LayerKind, magnitudeOf, require } from '../layer.ts'

/** y = max(x, 0), elementwise, without a change of scale. */
export type Relu = LayerBase & { readonly kind: 'relu' }

export const relu: LayerKind<Relu> = {
  run: (A, _, [x]) => Array.from(x!, (v) => A.relu(v)),
  bounds: (_, [x]) => ({ lo: Math.max(x!.lo, 0), hi: Math.max(x!.hi, 0), peak: magnitudeOf(x!) }),
  validate: ({ shape }, [size]) =>
    require(shape.reduce((n, d) => n * d, 1) === size, 'the shape does not fit the input'),
}
