/**
 * A matrix product Y = X·W of two tensors of wires: X [rows, inner] holds elements of one tensor and zeros, W [inner, columns]
 * elements of the other.
 */
export type ProductMap = {
  readonly rows: number
  readonly inner: number
  readonly columns: number
  /** Position of X[i, t] in its tensor; -1 for a zero. */
  x(i: number, t: number): number
  /** Position of W[t, j] in its tensor. */
  w(t: number, j: number): number
  /** Position in the bias of what is added to column j. */
  bias(j: number): number
}

type Size = Pick<ProductMap, 'rows' | 'inner' | 'columns'>

/** Rows and columns of Y that share rows of the circuit. */
export type Block = { readonly rows: number; readonly columns: number }

/**
 * What a blocking costs besides the bits of Y, each element of which has `width`: a row for each inner index and one for the sum
 * in every block, one for each word of W, and the bits of slots that stay empty between the columns of a last block.
 */
export function productRows({ rows, inner, columns }: Size, block: Block, width: number): number {
  const [down, across] = [Math.ceil(rows / block.rows), Math.ceil(columns / block.columns)]
  const empty = (down * block.rows - rows) * (columns - across)
  return down * across * (inner + 1) + across * inner + empty * width
}

/** The blocking of fewest rows with at most so many slots; of equals the one with the smallest words. */
export function chooseBlock(size: Size, slots: number, width: number): Block {
  let best: Block = { rows: 1, columns: 1 }
  let least = Number.POSITIVE_INFINITY
  for (let rows = 1; rows <= Math.min(slots, size.rows); rows++) {
    const most = Math.min(Math.floor(slots / rows), size.columns)
    // as many blocks as there must be, all about as large
    const block = { rows, columns: Math.ceil(size.columns / Math.ceil(size.columns / most)) }
    const cost = productRows(size, block, width)
    const smaller = block.rows * block.columns < best.rows * best.columns
    if (cost < least || (cost === least && smaller)) [best, least] = [block, cost]
  }
  return best
}
