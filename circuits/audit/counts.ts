import type { Wire } from '../circuit.ts'
import type { Ranges } from './ranges.ts'
import { lineOf, type Rows } from './rows.ts'

/** A row with the label of the place that made it. */
export type RowRef = { readonly row: number; readonly scope: string }

/** How many, and the first of them. */
export type Listed<T> = { readonly count: number; readonly first: readonly T[] }

/** What a circuit is made of, and what in it serves nothing. */
export type Counts = {
  readonly rows: number
  readonly wires: number
  readonly publicOutputs: number
  readonly publicInputs: number
  readonly privateInputs: number
  /** Rows with a constant factor. */
  readonly linearRows: number
  /** Wires that a row of their own makes 0 or 1. */
  readonly booleanWires: number
  /** Wires that occur in linear rows only. */
  readonly linearWires: number
  /** Wires other than inputs that occur in no row. */
  readonly freeWires: number
  /** Inputs that occur in no row: nothing is claimed about them. */
  readonly unusedPublicInputs: Listed<Wire>
  readonly unusedPrivateInputs: Listed<Wire>
  /** Rows that say what an earlier one says in the same words, factors in either order. */
  readonly duplicateRows: Listed<RowRef & { readonly of: number }>
  /** Rows that hold whatever the wires are. */
  readonly idleRows: Listed<RowRef>
  /** Rows that never hold. */
  readonly contradictions: Listed<RowRef>
}

/** Entries of a list that are named. */
const NAMED = 20

/** Collects a list of which only the beginning is kept. */
export function lister<T>(): { add(item: T): void; list(): Listed<T> } {
  const first: T[] = []
  let count = 0
  return {
    add(item) {
      if (count++ < NAMED) first.push(item)
    },
    list: () => ({ count, first }),
  }
}

export const refOf = ({ circuit }: Rows, row: number): RowRef => ({
  row,
  scope: circuit.scopes[circuit.rowScope[row]!] ?? '',
})

/** Counts wires and rows. Linear in the terms. */
export function countParts(rows: Rows, ranges: Ranges): Counts {
  const { circuit, linear, homesStart, homes, usersStart, users } = rows
  const { publicOutputs, publicInputs, privateInputs } = circuit
  let [booleanWires, linearWires, freeWires] = [0, 0, 0]
  const unusedPublic = lister<Wire>()
  const unusedPrivate = lister<Wire>()
  for (let w = 1; w < rows.wires; w++) {
    booleanWires += ranges.boolean[w]!
    if (homesStart[w] === homesStart[w + 1]) {
      const input = w - 1 - publicOutputs
      if (input >= 0 && input < publicInputs) unusedPublic.add(w)
      else if (input >= publicInputs && input < publicInputs + privateInputs) unusedPrivate.add(w)
      else freeWires++
      continue
    }
    let onlyLinear = true
    for (let h = homesStart[w]!; onlyLinear && h < homesStart[w + 1]!; h++)
      for (let u = usersStart[homes[h]!]!; onlyLinear && u < usersStart[homes[h]! + 1]!; u++)
        onlyLinear = linear[users[u]!] === 1
    if (onlyLinear) linearWires++
  }
  const idle = lister<RowRef>()
  const contradictions = lister<RowRef>()
  for (let r = 0; r < rows.count; r++) {
    // a product of two combinations with wires is never linear
    if (linear[r] === 0 || !mayCancel(rows, r)) continue
    const line = lineOf(rows, r)
    if (line.size === 0) idle.add(refOf(rows, r))
    else if (line.size === 1 && line.has(0)) contradictions.add(refOf(rows, r))
  }
  return {
    ...{ rows: rows.count, wires: rows.wires, publicOutputs, publicInputs, privateInputs },
    linearRows: linear.reduce((n, l) => n + l, 0),
    ...{ booleanWires, linearWires, freeWires },
    unusedPublicInputs: unusedPublic.list(),
    unusedPrivateInputs: unusedPrivate.list(),
    duplicateRows: duplicates(rows),
    idleRows: idle.list(),
    contradictions: contradictions.list(),
  }
}

/** Whether both sides of a linear row have the same wires, the constant aside. */
function mayCancel({ start, wire, other, sides }: Rows, row: number): boolean {
  const begin = (lc: number): number => start[lc]! + (start[lc]! < start[lc + 1]! && wire[start[lc]!] === 0 ? 1 : 0)
  const [o, c] = [other[row]!, sides[3 * row + 2]!]
  const [i, j] = [begin(o), begin(c)]
  const length = start[o + 1]! - i
  if (length !== start[c + 1]! - j) return false
  for (let k = 0; k < length; k++) if (wire[i + k] !== wire[j + k]) return false
  return true
}

function duplicates(rows: Rows): Listed<RowRef & { readonly of: number }> {
  const { count, linear, other, factor, sides, values } = rows
  const found = lister<RowRef & { readonly of: number }>()
  let size = 16
  while (size < 2 * count) size *= 2
  const table = new Int32Array(size).fill(-1)
  /** What a row says, in a fixed order. */
  const key = (r: number): readonly [number, number, number] => {
    const c = sides[3 * r + 2]!
    const [x, y] = linear[r] === 1 ? [other[r]!, factor[r]!] : [sides[3 * r]!, sides[3 * r + 1]!]
    if (linear[r] === 0) return x < y ? [x, y, c] : [y, x, c]
    // o = c is c = o
    return values[y] === 1n && c < x ? [c, y, x] : [x, y, c]
  }
  for (let r = 0; r < count; r++) {
    const [x, y, z] = key(r)
    let slot = Math.imul(x ^ Math.imul(y ^ Math.imul(z, 0x9e3779b1), 0x85ebca6b), 0xc2b2ae35)
    slot = (slot ^ (slot >>> 15)) & (size - 1)
    let same = -1
    while (table[slot]! >= 0) {
      const earlier = table[slot]!
      const [u, v, w] = key(earlier)
      if (linear[earlier] === linear[r] && u === x && v === y && w === z) {
        same = earlier
        break
      }
      slot = (slot + 1) & (size - 1)
    }
    if (same >= 0) found.add({ ...refOf(rows, r), of: same })
    else table[slot] = r
  }
  return found.list()
}
