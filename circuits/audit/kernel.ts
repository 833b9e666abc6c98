import type { Field } from '../field.ts'
import type { Affine, Window } from './window.ts'

const evaluate = (F: Field, { constant, terms }: Affine, values: readonly bigint[]): bigint =>
  F.mod(terms.reduce((sum, [v, k]) => sum + k * values[v]!, constant))

/**
 * Directions in which the rows of a window let its variables move to first order: a basis of the kernel of their Jacobian, one
 * vector per variable without a pivot, in which that variable is 1. Blind to discrete choices.
 */
export function kernelOf(F: Field, window: Window, values: readonly bigint[]): Map<number, bigint>[] {
  const pivots = new Map<number, Map<number, bigint>>()
  for (const { a, b, c } of window.rows) {
    const [x, y] = [evaluate(F, a, values), evaluate(F, b, values)]
    const row = new Map<number, bigint>()
    const add = (v: number, k: bigint): void => {
      const sum = F.mod((row.get(v) ?? 0n) + k)
      if (sum === 0n) row.delete(v)
      else row.set(v, sum)
    }
    for (const [v, k] of a.terms) add(v, k * y)
    for (const [v, k] of b.terms) add(v, k * x)
    for (const [v, k] of c.terms) add(v, -k)
    for (const v of [...row.keys()]) {
      const by = pivots.get(v)
      const k = row.get(v)
      if (by !== undefined && k !== undefined) for (const [u, q] of by) add(u, -k * q)
    }
    const pivot = row.keys().next().value
    if (pivot === undefined) continue
    const scale = F.inv(row.get(pivot)!)
    for (const [v, k] of row) row.set(v, F.mul(k, scale))
    // pivot rows hold no other pivot
    for (const [, other] of pivots) {
      const k = other.get(pivot)
      if (k === undefined) continue
      for (const [v, q] of row) {
        const sum = F.mod((other.get(v) ?? 0n) - k * q)
        if (sum === 0n) other.delete(v)
        else other.set(v, sum)
      }
    }
    pivots.set(pivot, row)
  }
  const directions: Map<number, bigint>[] = []
  for (let v = 0; v < window.wires.length; v++) {
    if (pivots.has(v)) continue
    const direction = new Map([[v, 1n]])
    for (const [pivot, row] of pivots) if (row.has(v)) direction.set(pivot, F.mod(-row.get(v)!))
    directions.push(direction)
  }
  return directions
}
