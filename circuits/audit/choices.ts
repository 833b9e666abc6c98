import type { Wire } from '../circuit.ts'
import { addTo, type Rows } from './rows.ts'

/** Booleans of which a row lets at most one be 1, or exactly one if `some`. */
export type Choice = { readonly selectors: readonly Wire[]; readonly some: boolean; readonly row: number }

/** Every row Σ e = 1, and every row L·L = L with L = Σ e or 1 - Σ e, for two booleans or more. */
export function choicesOf(rows: Rows, boolean: Uint8Array): Choice[] {
  const found: Choice[] = []
  for (let row = 0; row < rows.count; row++) {
    const selectors = rows.linear[row] === 1 ? oneHot(rows, boolean, row) : oneAtMost(rows, boolean, row)
    // so that a sum that is 0 or 1 mod p is that number
    if (selectors !== undefined && BigInt(selectors.length) < rows.F.p)
      found.push({ selectors, some: rows.linear[row] === 1, row })
  }
  return found
}

/** The booleans of a linear row Σ e = 1. */
function oneHot(rows: Rows, boolean: Uint8Array, row: number): Wire[] | undefined {
  const { start, wire, coefficient, values, other, factor, sides, F } = rows
  const o = other[row]!
  const c = sides[3 * row + 2]!
  // the selectors stand on one side, the constant on either
  const wide = start[o + 1]! - start[o]! > start[c + 1]! - start[c]! ? o : c
  const narrow = wide === o ? c : o
  const last = start[wide + 1]! - 1
  if (start[narrow + 1]! - start[narrow]! > 1 || start[wide]! >= last || boolean[wire[last]!] === 0) return undefined
  const from = start[wide]! + (wire[start[wide]!] === 0 ? 1 : 0)
  for (let i = from; i <= last; i++)
    if (coefficient[i] !== coefficient[last] || boolean[wire[i]!] === 0) return undefined
  const line = addTo(rows, addTo(rows, new Map(), values[factor[row]!]!, o), -1n, c)
  const k = line.get(wire[last]!)
  const isOne = k !== undefined && line.get(0) === F.signed(-k) && line.size === last - from + 2
  return isOne && last > from ? Array.from(wire.subarray(from, last + 1)) : undefined
}

/** The booleans of a row L·L = L with L = Σ e or 1 - Σ e. */
function oneAtMost({ start, wire, coefficient, values, sides }: Rows, boolean: Uint8Array, row: number) {
  const lc = sides[3 * row]!
  if (start[lc + 1]! - start[lc]! < 2 || sides[3 * row + 1] !== lc || sides[3 * row + 2] !== lc) return undefined
  const constant = wire[start[lc]!] === 0 ? values[coefficient[start[lc]!]!]! : 0n
  const from = start[lc]! + (constant === 0n ? 0 : 1)
  const k = values[coefficient[from]!]!
  if (!((k === 1n && constant === 0n) || (k === -1n && constant === 1n))) return undefined
  for (let i = from; i < start[lc + 1]!; i++)
    if (values[coefficient[i]!] !== k || boolean[wire[i]!] === 0) return undefined
  return Array.from(wire.subarray(from, start[lc + 1]!))
}
