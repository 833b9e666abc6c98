import type { Arithmetic } from '../../circuits/arithmetic.ts'
import type { Shape } from '../tensor.ts'

/** Integers that every element of a value lies between, both ends included; below 2⁵³ in magnitude. */
export type Bounds = { readonly lo: number; readonly hi: number }

/** Index of a value in a model: its inputs first, then one per layer. */
export type ValueId = number

/** What every layer has. */
export type LayerBase = {
  /** Name of the ONNX node that it came from. */
  readonly name: string
  readonly inputs: readonly ValueId[]
  /** Shape of the one value it makes. */
  readonly shape: Shape
}

/** The meaning of one kind of layer. One file per kind. */
export type LayerKind<L extends LayerBase> = {
  /** Elements of the result, written once for integers and constraints. */
  run<T>(A: Arithmetic<T>, layer: L, inputs: readonly ArrayLike<T>[]): ArrayLike<T>
  /** Bounds of the result, and the largest magnitude that an intermediate sum takes. */
  bounds(layer: L, inputs: readonly (Bounds & { readonly size: number })[]): Bounds & { readonly peak: number }
  /** Throws RangeError when the layer's data do not fit its inputs' sizes. */
  validate(layer: L, sizes: readonly number[]): void
}

export const magnitudeOf = ({ lo, hi }: Bounds): number => Math.max(Math.abs(lo), Math.abs(hi))

/** Throws RangeError with what went wrong, for `validate`. */
export function require(condition: boolean, what: string): asserts condition {
  if (!condition) throw new RangeError(what)
}
