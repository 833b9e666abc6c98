import { shiftRight } from '../../../circuits/gadgets/requantise.ts'
import { type LayerBase, type LayerKind, require } from '../layer.ts'

/**
 * y = clamp(⌊(x + 2^(s-1)) / 2ˢ⌋, lo, hi), elementwise: halves are rounded up (towards +∞), results saturate. With lo = 0 it
 * is a ReLU as well. Element j has the shift of channel ⌊j / inner⌋ mod shifts.length.
 */
export type Requantise = LayerBase & {
  readonly kind: 'requantise'
  readonly shifts: Uint8Array
  readonly inner: number
  readonly lo: number
  readonly hi: number
}

/** Shift of element j. */
export const shiftAt = ({ shifts, inner }: Pick<Requantise, 'shifts' | 'inner'>, j: number): number =>
  shifts[Math.floor(j / inner) % shifts.length]!

export const requantise: LayerKind<Requantise> = {
  run: (A, layer, [x]) => Array.from(x!, (v, j) => A.requantise(v, shiftAt(layer, j), layer.lo, layer.hi)),
  bounds({ shifts, lo, hi }, [x]) {
    const clamp = (v: bigint): number => Math.min(Math.max(Number(v), lo), hi)
    const ends = [...new Set(shifts)].flatMap((s) => [shiftRight(BigInt(x!.lo), s), shiftRight(BigInt(x!.hi), s)])
    const half = shifts.reduce((m, s) => Math.max(m, s === 0 ? 0 : 2 ** (s - 1)), 0)
    return {
      lo: Math.min(...ends.map(clamp)),
      hi: Math.max(...ends.map(clamp)),
      peak: Math.max(Math.abs(x!.lo), Math.abs(x!.hi)) + half,
    }
  },
  validate({ shifts, inner, lo, hi, shape }, [size]) {
    require(shifts.length > 0 && shifts.every((s) => s <= 48), 'shifts must lie in [0, 48]')
    require(Number.isInteger(inner) && inner > 0, 'inner must be a positive integer')
    require(Number.isSafeInteger(lo) && Number.isSafeInteger(hi) && lo <= hi, 'lo and hi must be integers, lo ≤ hi')
    require(shape.reduce((n, d) => n * d, 1) === size, 'the shape does not fit the input')
  },
}
