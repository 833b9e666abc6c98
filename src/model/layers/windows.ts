import type { LayerBase } from '../layer.ts'
import { require } from '../layer.ts'

/** Groups of elements: output j sees positions[starts[j]] … positions[starts[j+1] - 1], at least one. */
export type Windows = { readonly starts: Uint32Array; readonly positions: Uint32Array }

/** The elements of each window. */
export function* windowsOf<T>({ starts, positions }: Windows, x: ArrayLike<T>): Generator<T[]> {
  for (let j = 0; j + 1 < starts.length; j++) {
    const window: T[] = []
    for (let i = starts[j]!; i < starts[j + 1]!; i++) window.push(x[positions[i]!]!)
    yield window
  }
}

/** Throws RangeError unless every window is non-empty and within the input. */
export function validateWindows({ starts, positions, shape }: Windows & LayerBase, size: number): void {
  require(starts.length === shape.reduce((n, d) => n * d, 1) + 1 && starts[0] === 0, 'windows do not fit the shape')
  require(starts.every((s, j) => j === 0 || s > starts[j - 1]!), 'a window is empty')
  require(starts.at(-1) === positions.length &&
    positions.every((p) => Number.isInteger(p) && p >= 0 && p < size), 'a window leaves the input')
}
