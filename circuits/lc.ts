/** Integers that a value provably lies between, both ends included. */
export type Range = { readonly lo: bigint; readonly hi: bigint }

/**
 * A linear combination Σ coefficient · wire; wire 0 is the constant 1. Sums and scalings cost no row.
 *
 * It stands for an integer in `range`, or, where `range` is null, for any field element. Ranges are proven: they follow
 * from constraints and interval arithmetic, never from a caller's promise, and every range lies in (-p/2, p/2], so that the
 * integer is the signed representative of the residue: the two determine each other.
 */
export type LC = {
  /** Ascending. */
  readonly wires: readonly number[]
  /** Indices into the builder's table of coefficients, one per wire. */
  readonly coefficients: readonly number[]
  readonly range: Range | null
}

/** Least n with 0 ≤ x < 2ⁿ for every x in [0, max]. */
export const bitLength = (max: bigint): number => (max <= 0n ? 0 : max.toString(2).length)

/** Larger magnitude of the two ends. */
export const magnitude = ({ lo, hi }: Range): bigint => (-lo > hi ? -lo : hi)

/** Whether every integer of the range is exact as a double. */
export const isSafe = (range: Range | null): range is Range =>
  range !== null && magnitude(range) <= BigInt(Number.MAX_SAFE_INTEGER)
