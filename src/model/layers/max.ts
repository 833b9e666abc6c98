import { type LayerBase, type LayerKind, magnitudeOf } from '../layer.ts'
import { validateWindows, type Windows, windowsOf } from './windows.ts'

/** The largest element of each window. */
export type Max = LayerBase & Windows & { readonly kind: 'max' }

export const max: LayerKind<Max> = {
  run: (A, layer, [x]) => Array.from(windowsOf(layer, x!), (window) => A.max(window)),
  bounds: (_, [x]) => ({ lo: x!.lo, hi: x!.hi, peak: 2 * magnitudeOf(x!) }),
  validate: (layer, [size]) => validateWindows(layer, size!),
}
