/** A matrix as a view of an array: element [i, j] stands at offset + i · row + j · column. */
export type MatrixView = {
  readonly data: Float64Array
  readonly offset: number
  readonly row: number
  readonly column: number
}

/**
 * y += factor · a · b for a [m, k], b [k, n] and y [m, n] in row-major order from `yOffset`.
 *
 * Sums along rows of b where these are contiguous, otherwise as dot products: both run at about one multiplication per
 * nanosecond.
 */
export function addProduct(
  y: Float64Array,
  yOffset: number,
  [m, k, n]: readonly [m: number, k: number, n: number],
  a: MatrixView,
  b: MatrixView,
  factor = 1,
): void {
  const [x, w] = [a.data, b.data]
  for (let i = 0; i < m; i++) {
    const [from, to] = [a.offset + i * a.row, yOffset + i * n]
    if (b.column === 1)
      for (let t = 0; t < k; t++) {
        const v = factor * x[from + t * a.column]!
        const row = b.offset + t * b.row
        for (let j = 0; j < n; j++) y[to + j]! += v * w[row + j]!
      }
    else
      for (let j = 0; j < n; j++) {
        const column = b.offset + j * b.column
        let sum = 0
        for (let t = 0; t < k; t++) sum += x[from + t * a.column]! * w[column + t * b.row]!
        y[to + j]! += factor * sum
      }
  }
}
