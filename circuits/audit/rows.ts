import type { Circuit, LCId, Wire } from '../circuit.ts'
import { createField, type Field } from '../field.ts'

/**
 * The rows of a circuit as the audit reads them: nothing but the equations. Combinations with the same terms have one id,
 * terms with coefficient 0 are gone, and "occurs in" can be walked both ways.
 */
export type Rows = {
  readonly circuit: Circuit
  readonly F: Field
  readonly count: number
  readonly wires: number
  readonly combinations: number
  /** Terms of combination k lie in [start[k], start[k+1]); wires ascend. */
  readonly start: Uint32Array
  readonly wire: Uint32Array
  /** Index into `values` of each term. */
  readonly coefficient: Uint32Array
  /** Signed representatives. */
  readonly values: readonly bigint[]
  /** The same as doubles; NaN beyond 2⁵³. */
  readonly numbers: Float64Array
  /** Combinations a, b, c of row r at 3r, 3r+1, 3r+2. */
  readonly sides: Uint32Array
  /** 1 for rows with a constant factor k: they read k·⟨other,w⟩ = ⟨c,w⟩. */
  readonly linear: Uint8Array
  /** The other factor of linear rows; the empty combination where k = 0. */
  readonly other: Uint32Array
  /** Index into `values` of the k of linear rows. */
  readonly factor: Uint32Array
  /** Combination k occurs in the rows users[usersStart[k]] and on, as a factor or c; the constant of a linear row does not. */
  readonly usersStart: Uint32Array
  readonly users: Uint32Array
  /** Wire w occurs in the combinations homes[homesStart[w]] and on, of those with users. None for wire 0. */
  readonly homesStart: Uint32Array
  readonly homes: Uint32Array
  /** The combination without terms. */
  readonly empty: LCId
}

/** Reads the rows of a circuit. Linear in its terms. */
export function readRows(circuit: Circuit): Rows {
  const F = createField(circuit.prime)
  const values = [...circuit.coefficients, 0n]
  const zero = values.length - 1
  const numbers = Float64Array.from(values, (k) => (Number.isSafeInteger(Number(k)) ? Number(k) : Number.NaN))
  const { start, wire, coefficient } = withoutZeros(circuit, values)
  const canonical = mergeEqual(start, wire, coefficient)
  const empty = canonical.length - 1
  const count = circuit.rows
  const sides = Uint32Array.from(circuit.rowLC, (lc) => (start[lc] === start[lc + 1] ? empty : canonical[lc]!))
  const linear = new Uint8Array(count)
  const other = new Uint32Array(count)
  const factor = new Uint32Array(count)
  /** Index of the value of a combination without wires, or -1. */
  const constantOf = (lc: LCId): number => {
    const [from, to] = [start[lc]!, start[lc + 1]!]
    if (from === to) return zero
    return to - from === 1 && wire[from] === 0 ? coefficient[from]! : -1
  }
  for (let r = 0; r < count; r++) {
    const [a, b] = [sides[3 * r]!, sides[3 * r + 1]!]
    const [ka, kb] = [constantOf(a), constantOf(b)]
    if (ka < 0 && kb < 0) continue
    linear[r] = 1
    // of two constants the second goes on as the other factor
    factor[r] = kb >= 0 && ka < 0 ? kb : ka
    other[r] = values[factor[r]!] === 0n ? empty : kb >= 0 && ka < 0 ? a : b
  }
  const used = (r: number): readonly LCId[] =>
    linear[r] === 1 ? [other[r]!, sides[3 * r + 2]!] : [sides[3 * r]!, sides[3 * r + 1]!, sides[3 * r + 2]!]
  const usersStart = new Uint32Array(empty + 2)
  for (let r = 0; r < count; r++) for (const lc of used(r)) usersStart[lc + 1]!++
  for (let lc = 0; lc <= empty; lc++) usersStart[lc + 1]! += usersStart[lc]!
  const users = new Uint32Array(usersStart[empty + 1]!)
  const nextUser = usersStart.slice()
  for (let r = 0; r < count; r++) for (const lc of used(r)) users[nextUser[lc]!++] = r

  const homesStart = new Uint32Array(circuit.wires + 1)
  const eachTerm = (visit: (wire: Wire, lc: LCId) => void): void => {
    for (let lc = 0; lc < empty; lc++)
      if (usersStart[lc] !== usersStart[lc + 1])
        for (let i = start[lc]!; i < start[lc + 1]!; i++) if (wire[i] !== 0) visit(wire[i]!, lc)
  }
  eachTerm((w) => {
    homesStart[w + 1]!++
  })
  for (let w = 0; w < circuit.wires; w++) homesStart[w + 1]! += homesStart[w]!
  const homes = new Uint32Array(homesStart[circuit.wires]!)
  const nextHome = homesStart.slice()
  eachTerm((w, lc) => {
    homes[nextHome[w]!++] = lc
  })
  return {
    ...{ circuit, F, count, wires: circuit.wires, combinations: empty + 1, start, wire, coefficient, values, numbers },
    ...{ sides, linear, other, factor, usersStart, users, homesStart, homes, empty },
  }
}

type Terms = { readonly start: Uint32Array; readonly wire: Uint32Array; readonly coefficient: Uint32Array }

/** The circuit's combinations without terms of coefficient 0, and one without any term behind them. */
function withoutZeros({ lcStart, lcWire, lcCoefficient }: Circuit, values: readonly bigint[]): Terms {
  const start = new Uint32Array(lcStart.length + 1)
  start.set(lcStart)
  start[lcStart.length] = lcStart.at(-1)!
  const isZero = Uint8Array.from(values, (k) => (k === 0n ? 1 : 0))
  if (!lcCoefficient.some((k) => isZero[k] === 1)) return { start, wire: lcWire, coefficient: lcCoefficient }
  const kept = lcCoefficient.map((k) => 1 - isZero[k]!)
  let before = 0
  for (let lc = 0, i = 0; lc < start.length; lc++) {
    for (; i < (lcStart[lc] ?? lcWire.length); i++) before += kept[i]!
    start[lc] = before
  }
  return {
    start,
    wire: lcWire.filter((_, i) => kept[i] === 1),
    coefficient: lcCoefficient.filter((_, i) => kept[i] === 1),
  }
}

/** For each combination the first one with the same terms. */
function mergeEqual(start: Uint32Array, wire: Uint32Array, coefficient: Uint32Array): Uint32Array {
  const count = start.length - 1
  const first = new Uint32Array(count)
  let size = 16
  while (size < 2 * count) size *= 2
  const table = new Int32Array(size).fill(-1)
  for (let lc = 0; lc < count; lc++) {
    const [from, to] = [start[lc]!, start[lc + 1]!]
    let hash = to - from
    for (let i = from; i < to; i++) {
      hash = Math.imul(hash ^ wire[i]!, 0x9e3779b1)
      hash = Math.imul((hash ^ (hash >>> 15)) + coefficient[i]!, 0x85ebca6b)
    }
    const equal = (known: LCId): boolean => {
      const at = start[known]!
      if (start[known + 1]! - at !== to - from) return false
      for (let i = 0; i < to - from; i++)
        if (wire[at + i] !== wire[from + i] || coefficient[at + i] !== coefficient[from + i]) return false
      return true
    }
    let slot = (hash ^ (hash >>> 13)) & (size - 1)
    while (table[slot]! >= 0 && !equal(table[slot]!)) slot = (slot + 1) & (size - 1)
    if (table[slot]! < 0) table[slot] = lc
    first[lc] = table[slot]!
  }
  return first
}

/** Coefficient of a wire in a combination; 0 where it does not occur. */
export function coefficientOf({ start, wire, coefficient, values }: Rows, lc: LCId, w: Wire): bigint {
  let [low, high] = [start[lc]!, start[lc + 1]!]
  while (low < high) {
    const middle = (low + high) >>> 1
    if (wire[middle]! < w) low = middle + 1
    else high = middle
  }
  return low < start[lc + 1]! && wire[low] === w ? values[coefficient[low]!]! : 0n
}

/** Whether every wire of a combination is the constant. */
export const isConstant = ({ start, wire }: Rows, lc: LCId): boolean =>
  start[lc] === start[lc + 1] || (start[lc]! + 1 === start[lc + 1] && wire[start[lc]!] === 0)

/** The wire of a combination of one term that is not the constant. */
export const singleOf = ({ start, wire }: Rows, lc: LCId): Wire | undefined =>
  start[lc]! + 1 === start[lc + 1] && wire[start[lc]!] !== 0 ? wire[start[lc]!]! : undefined

/** Σ coefficient · wire, as a map from wires to coefficients that are signed and not 0. */
export type Sum = Map<Wire, bigint>

/** Adds k times a combination to a sum. */
export function addTo({ F, start, wire, coefficient, values }: Rows, sum: Sum, k: bigint, lc: LCId): Sum {
  for (let i = start[lc]!; i < start[lc + 1]!; i++) addTerm(F, sum, wire[i]!, k * values[coefficient[i]!]!)
  return sum
}

/** Adds k · wire to a sum. */
export function addTerm(F: Field, sum: Sum, wire: Wire, k: bigint): void {
  const total = F.signed((sum.get(wire) ?? 0n) + k)
  if (total === 0n) sum.delete(wire)
  else sum.set(wire, total)
}

/** k·other - c of a linear row: the sum that it sets to 0. */
export const lineOf = (rows: Rows, row: number): Sum =>
  addTo(rows, addTo(rows, new Map(), rows.values[rows.factor[row]!]!, rows.other[row]!), -1n, rows.sides[3 * row + 2]!)

/** Rows that a wire occurs in, each once. With a limit: so many at most, and of each combination a quarter of it at most. */
export function rowsOfWire(
  { homesStart, homes, usersStart, users }: Rows,
  wire: Wire,
  limit = Number.POSITIVE_INFINITY,
): number[] {
  const found = new Set<number>()
  for (let h = homesStart[wire]!; h < homesStart[wire + 1]! && found.size < limit; h++) {
    const lc = homes[h]!
    const end = Math.min(usersStart[lc + 1]!, usersStart[lc]! + limit / 4)
    for (let u = usersStart[lc]!; u < end; u++) found.add(users[u]!)
  }
  return [...found]
}

/** Distinct wires of a row, without the constant. */
export function wiresOfRow({ start, wire, sides, linear, other }: Rows, row: number): Wire[] {
  const found = new Set<Wire>()
  const add = (lc: LCId): void => {
    for (let i = start[lc]!; i < start[lc + 1]!; i++) if (wire[i] !== 0) found.add(wire[i]!)
  }
  if (linear[row] === 1) add(other[row]!)
  else {
    add(sides[3 * row]!)
    add(sides[3 * row + 1]!)
  }
  add(sides[3 * row + 2]!)
  return [...found]
}
