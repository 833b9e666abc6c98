/**
 * A linear map with constant integer weights: output j is bias(j) + Σ weight · x[position].
 *
 * Positions are distinct within one output and, where the map's geometry allows it, ascending. Weights and biases are
 * integers of magnitude below 2⁵³.
 */
export type LinearMap = {
  readonly outputs: number
  /** Most terms that one output has. */
  readonly maxTerms: number
  /** Writes the terms of output j to the two arrays and returns their number. */
  terms(j: number, positions: Int32Array, weights: Float64Array): number
  bias(j: number): number
  /** All outputs at once for exact doubles; the fast twin of `terms`. */
  apply?(x: Float64Array): Float64Array
}
