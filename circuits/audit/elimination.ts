import type { Field } from '../field.ts'

/** Work that may still be done, in terms that are visited. */
export type Effort = { left: number }

/** Σ coefficient · variable, coefficients in [1, p). */
export type Linear = Map<number, bigint>

/** Adds k times a sum to another. Returns the terms visited. */
function addScaled(F: Field, sum: Linear, k: bigint, other: ReadonlyMap<number, bigint>): number {
  for (const [v, q] of other) {
    const total = F.mod((sum.get(v) ?? 0n) + k * q)
    if (total === 0n) sum.delete(v)
    else sum.set(v, total)
  }
  return other.size
}

/**
 * Solves sums for variables, full reduction mod p: of each pivot a sum in which it has the coefficient 1 and no other pivot
 * occurs. Undefined where that takes more than the budget.
 */
export function eliminate(
  F: Field,
  sums: Iterable<Linear>,
  budget: Effort = { left: Number.POSITIVE_INFINITY },
): Map<number, Linear> | undefined {
  const solved = new Map<number, Linear>()
  /** Pivots in whose sums a variable occurs, or did once. */
  const holders = new Map<number, Set<number>>()
  const hold = (sum: Linear, pivot: number): void => {
    for (const v of sum.keys()) {
      const held = holders.get(v)
      if (held === undefined) holders.set(v, new Set([pivot]))
      else held.add(pivot)
    }
  }
  for (const sum of sums) {
    for (const v of [...sum.keys()]) {
      const by = solved.get(v)
      const k = sum.get(v)
      if (by !== undefined && k !== undefined) budget.left -= addScaled(F, sum, -k, by)
    }
    const pivot = sum.keys().next().value
    if (pivot === undefined) continue
    const scale = F.inv(sum.get(pivot)!)
    for (const [v, k] of sum) sum.set(v, F.mul(k, scale))
    for (const holder of holders.get(pivot) ?? []) {
      const other = solved.get(holder)!
      const k = other.get(pivot)
      if (k === undefined) continue
      budget.left -= addScaled(F, other, -k, sum)
      hold(sum, holder)
    }
    solved.set(pivot, sum)
    hold(sum, pivot)
    if (budget.left < 0) return undefined
  }
  return solved
}
