/**
 * Numbers of 32-bit floats in their order: the bits of a float as an integer, negated for negative floats. Two finite floats
 * compare as their numbers do (-0 and 0 are both 0), so a comparison of numbers is the float comparison, exactly.
 * @module
 */
import type { Port } from './model.ts'

const view = new DataView(new ArrayBuffer(4))

/** Window of all numbers: those of finite floats and infinities lie well inside; it has a power of two of places. */
export const floatWindow = { lo: -(2 ** 31), hi: 2 ** 31 - 1 } as const

/** Number of the float nearest to x (ties to even, beyond the greatest float infinity). NaN has none. */
export function floatNumber(x: number): number {
  view.setFloat32(0, Math.abs(x))
  const magnitude = view.getUint32(0)
  return x < 0 ? 0 - magnitude : magnitude
}

/** The float with a number of the window; NaN for numbers beyond those of the infinities. */
export function floatOfNumber(number: number): number {
  view.setUint32(0, Math.abs(number))
  return number < 0 ? -view.getFloat32(0) : view.getFloat32(0)
}

/** Number of the least float ≥ t. */
export const numberFrom = (t: number): number => floatNumber(t) + (Math.fround(t) >= t ? 0 : 1)

/** Number of the least float > t. */
export const numberAbove = (t: number): number => floatNumber(t) + (Math.fround(t) > t ? 0 : 1)

/** Real value that an integer of a port stands for. */
export const realOf = ({ scale, encoding }: Pick<Port, 'scale' | 'encoding'>, integer: number): number =>
  encoding === 'float32' ? floatOfNumber(integer) : integer * scale
