/**
 * What docs/operators.md says of an operator beyond what the operator says of itself: its opsets, and what it asks nodes for.
 * @module
 */
import type { Attribute } from '../graph/graph.ts'
import type { Shape, Tensor } from '../tensor.ts'

export type OpDoc = {
  /** The integers of the result; letters as at the top of docs/operators.md. */
  readonly integers: string
  /** Rows of the circuit for n elements of the result. */
  readonly rows: string
  /** Largest error, for the values that the inputs' integers stand for. */
  readonly error: string
  /** What the operator refuses besides attributes that it does not know. */
  readonly refuses?: string
  /** A small use, whose rows are measured. */
  readonly example: Example
}

export type Example = {
  /** Computed inputs: a shape (of floats), or values. */
  readonly inputs: readonly (Shape | Tensor)[]
  /** Constant inputs that follow; undefined leaves one out. */
  readonly constants?: readonly (Tensor | undefined)[]
  /** Where the node takes them in another order: positions in the list of both. */
  readonly order?: readonly number[]
  readonly attributes?: Readonly<Record<string, Attribute>>
  /** Floats in (1/2, 3/2) instead of (-1, 1). */
  readonly positive?: true
  /** Number of outputs; 1 unless given. */
  readonly outputs?: number
}

/** A constant of an example. */
export const constantOf = (shape: Shape, values: readonly number[], dtype: Tensor['dtype'] = 'float32'): Tensor => ({
  dtype,
  shape,
  data: Float64Array.from(values),
})

/** A list of whole numbers. */
export const wholes = (...values: number[]): Tensor => constantOf([values.length], values, 'int64')

/** Rounding of weights, as every sum of products with constants has it. */
export const WEIGHT_ERROR =
  'that of rounding the weights: less than a quarter of what rounding the result is (standard deviations)'

/** Movement of elements. */
export const movement = (example: Example, integers = 'the integers as they are'): OpDoc => ({
  integers,
  rows: '0',
  error: 'none',
  example,
})

/** A function of one tensor from a table. */
export const tabulation = (example: Example): OpDoc => ({
  integers:
    'f(s·q) / sy from a table over the integers of the input; where f has no value 0, at poles four times the range',
  rows: 'n tables of the input; above 12 bits two tables of at most 4,096 lines and their index, more at poles and kinks',
  error: '1/2 step, above 12 bits 1 step; checked for every integer of the input at compile time',
  example,
})

/** Known at import. */
export const known = (example: Example): OpDoc => ({
  integers: 'known at import',
  rows: '0',
  error: 'none',
  example,
})
