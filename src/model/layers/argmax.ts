import { type LayerBase, type LayerKind, magnitudeOf } from '../layer.ts'
import { validateWindows, type Windows, windowsOf } from './windows.ts'

/** Index of the first largest element within each window. */
export type ArgMax = LayerBase & Windows & { readonly kind: 'argmax' }

export const argmax: LayerKind<ArgMax> = {
  run: (A, layer, [x]) => Array.from(windowsOf(layer, x!), (window) => A.argmax(window)),
  bounds({ starts }, [x]) {
    let most = 0
    for (let j = 1; j < starts.length; j++) most = Math.max(most, starts[j]! - starts[j - 1]! - 1)
    return { lo: 0, hi: most, peak: Math.max(2 * magnitudeOf(x!) + 1, most) }
  },
  validate: (layer, [size]) => validateWindows(layer, size!),
}
