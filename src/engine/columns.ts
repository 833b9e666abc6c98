/**
 * Sums over the columns of sparse matrices: for each wire s the point Σ M[j][s]·Pⱼ over the rows j. With the Lagrange
 * polynomials of a ceremony this is phase 2 of a set-up.
 *
 * Coefficients are small as a rule. Each is written in digits of -1, 0, 1, none next to another (non-adjacent form), so that
 * a wire has a list of points for each power of two; the sums of its lists are joined by doubling.
 * @module
 */
import { KeyError } from '../groth16/keys.ts'
import type { R1cs } from '../groth16/r1cs.ts'
import type { WasmMemory, WasmModule } from '../groth16/wasm.ts'
import type { Variant } from './kernels/build.ts'
import { BATCH, DEGREE, FILE_BYTES, FRESH, type Group, LISTS, POINT_BYTES, type Runtime, SHARED } from './runtime.ts'
import { addPairs, doubleFirsts, freePlaces, sumItems, VANISHED, waiting } from './sums.ts'

/** A matrix by columns: of wire s the entries starts[s] … starts[s+1] of `row` and `coefficient`. On shared memory. */
export type Columns = {
  readonly starts: Uint32Array
  readonly row: Uint32Array
  readonly coefficient: Uint32Array
}

/** The digits of each coefficient: 2·bit, plus 1 for a minus. On shared memory. */
export type Digits = { readonly starts: Uint32Array; readonly digits: Uint16Array }

/** What a thread is given: points in memory. */
export type ColumnData = {
  readonly variant: Variant
  readonly module: WasmModule
  readonly memory: WasmMemory
  readonly slots: readonly number[]
}

/** What to sum for each wire: matrices, each with the address of its points. */
export type ColumnTask = {
  readonly group: Group
  readonly digits: Digits
  readonly parts: readonly { readonly matrix: Columns; readonly points: number }[]
  /** Wires `first` up to `end`. */
  readonly first: number
  readonly end: number
}

/** Points as key files hold them, for wires in ascending order; a wire that occurs more than once has a sum in parts. */
export type ColumnSums = { readonly wires: Uint32Array; readonly points: Uint8Array<ArrayBuffer> }

const shared32 = (length: number): Uint32Array => new Uint32Array(new SharedArrayBuffer(4 * length))

/** Columns of the matrices A, B and C; A has an extra row for the constant and each public signal. */
export function columnsOf(circuit: R1cs, one: number): [Columns, Columns, Columns] {
  const { rows, rowLC, lcStart, lcWire, lcCoefficient, wires } = circuit
  const publics = circuit.publicOutputs + circuit.publicInputs
  return ([0, 1, 2] as const).map((matrix): Columns => {
    const starts = shared32(wires + 1)
    const each = (visit: (wire: number, row: number, coefficient: number) => void): void => {
      for (let row = 0; row < rows; row++) {
        const lc = rowLC[3 * row + matrix]!
        for (let t = lcStart[lc]!; t < lcStart[lc + 1]!; t++) visit(lcWire[t]!, row, lcCoefficient[t]!)
      }
      if (matrix === 0) for (let s = 0; s <= publics; s++) visit(s, rows + s, one)
    }
    each((wire) => {
      starts[wire + 1]!++
    })
    for (let s = 0; s < wires; s++) starts[s + 1]! += starts[s]!
    const next = starts.slice()
    const [row, coefficient] = [shared32(starts[wires]!), shared32(starts[wires]!)]
    each((wire, j, k) => {
      const place = next[wire]!++
      row[place] = j
      coefficient[place] = k
    })
    return { starts, row, coefficient }
  }) as [Columns, Columns, Columns]
}

/**
 * Non-adjacent forms of integers: the digits of k are the differences of the bits of 3k and of k, one place up (Prodinger 2000).
 */
export function digitsOf(coefficients: readonly bigint[]): Digits {
  const starts = shared32(coefficients.length + 1)
  let list = new Uint16Array(1024)
  let count = 0
  coefficients.forEach((value, i) => {
    const sign = value < 0n ? 1 : 0
    let once = value < 0n ? -value : value
    let thrice = 3n * once
    for (let first = 0; thrice > 0n; first += 32, once >>= 32n, thrice >>= 32n) {
      const [low, high] = [Number(once & 0xffffffffn), Number(thrice & 0xffffffffn)]
      for (let rest = low ^ high; rest !== 0; rest &= rest - 1) {
        const bit = 31 - Math.clz32(rest & -rest)
        if (count === list.length) {
          const longer = new Uint16Array(2 * count)
          longer.set(list)
          list = longer
        }
        list[count++] = 2 * (first + bit - 1) + ((high >>> bit) & 1 ? sign : 1 - sign)
      }
    }
    starts[i + 1] = count
  })
  const digits = new Uint16Array(new SharedArrayBuffer(2 * count))
  digits.set(list.subarray(0, count))
  return { starts, digits }
}

/** A matrix of which column i is `entries(i)`: rows, and numbers of coefficients. */
export function matrixOf(
  columns: number,
  entries: (column: number) => readonly (readonly [row: number, coefficient: number])[],
): Columns {
  const starts = shared32(columns + 1)
  let [row, coefficient] = [new Uint32Array(2 * columns), new Uint32Array(2 * columns)]
  const longer = (list: Uint32Array): Uint32Array<ArrayBuffer> => {
    const copy = new Uint32Array(2 * list.length)
    copy.set(list)
    return copy
  }
  let count = 0
  for (let i = 0; i < columns; i++) {
    for (const [j, k] of entries(i)) {
      if (count === row.length) [row, coefficient] = [longer(row), longer(coefficient)]
      row[count] = j
      coefficient[count++] = k
    }
    starts[i + 1] = count
  }
  const shared = (list: Uint32Array): Uint32Array => {
    const copy = shared32(count)
    copy.set(list.subarray(0, count))
    return copy
  }
  return { starts, row: shared(row), coefficient: shared(coefficient) }
}

/** A wire's share of a round: lists from `base` on, one for each of `bits` powers of two. */
type Unit = { readonly wire: number; readonly base: number; readonly bits: number }

/** Points of one round for G1; for G2 half as many. */
const POINTERS = 1 << 16

/** Sums of a range of wires. */
export function columnSums(runtime: Runtime, task: ColumnTask): ColumnSums {
  const { group, digits, parts, first, end } = task
  const limits = {
    pointers: POINTERS / DEGREE[group],
    lists: LISTS / DEGREE[group] - 300,
    units: BATCH / DEGREE[group],
  }
  const wires: number[] = []
  const points: Uint8Array[] = []
  const lists = new Uint32Array(limits.pointers + 300)
  const pointers = new Uint32Array(limits.pointers + 300)
  let units: Unit[] = []
  let [count, used] = [0, 0]
  const flush = (): void => {
    if (units.length === 0) return
    wires.push(...units.map(({ wire }) => wire))
    points.push(sumUnits(runtime, group, units, lists.subarray(0, count), pointers, used))
    units = []
    count = used = 0
  }
  for (let wire = first; wire < end; wire++) {
    let unit: { wire: number; base: number; bits: number } | undefined
    for (const { matrix, points: base } of parts) {
      const { starts, row, coefficient } = matrix
      for (let t = starts[wire]!; t < starts[wire + 1]!; t++) {
        const k = coefficient[t]!
        const [from, to] = [digits.starts[k]!, digits.starts[k + 1]!]
        if (from === to) continue
        const bits = (digits.digits[to - 1]! >> 1) + 1
        const wanted = Math.max(bits, unit?.bits ?? 0)
        // a wire that does not fit goes on in the next round; the last unit may still take more lists
        if (
          count + to - from > limits.pointers ||
          (unit?.base ?? used) + wanted > limits.lists ||
          units.length === limits.units
        ) {
          if (unit !== undefined) units.push(unit)
          flush()
          unit = undefined
        }
        unit ??= { wire, base: used, bits: 0 }
        unit.bits = Math.max(bits, unit.bits)
        used = unit.base + unit.bits
        const pointer = base + row[t]! * POINT_BYTES[group]
        for (let d = from; d < to; d++, count++) {
          const digit = digits.digits[d]!
          lists[count] = unit.base + (digit >> 1)
          pointers[count] = pointer + (digit & 1)
        }
      }
    }
    if (unit !== undefined) units.push(unit)
  }
  flush()
  return { wires: Uint32Array.from(wires), points: new Uint8Array(Buffer.concat(points)) }
}

/** One round: sums of all lists, then each unit's Σ 2^bit · sum. */
function sumUnits(
  runtime: Runtime,
  group: Group,
  units: readonly Unit[],
  lists: Uint32Array,
  pointers: Uint32Array,
  used: number,
): Uint8Array<ArrayBuffer> {
  const { kernels, words, slot } = runtime
  const size = POINT_BYTES[group]
  freePlaces(runtime, group, lists.length)
  let next = 0
  sumItems(runtime, group, slot.buckets, used, (items) => {
    if (next === lists.length) return undefined
    const first = next
    next = Math.min(next + FRESH / DEGREE[group], lists.length)
    for (let i = first, at = items / 4; i < next; i++) {
      words[at++] = pointers[i]!
      words[at++] = lists[i]!
    }
    return items + 8 * (next - first)
  })
  const sumOf = (list: number): number => waiting(runtime, slot.buckets, list)

  const place = (u: number): number => slot.kept + u * size
  const sums = new Uint32Array(units.length)
  const pairs = (each: (put: (u: number, other: number) => void) => void): number => {
    let n = 0
    each((u, other) => {
      words[slot.list / 4 + 2 * n] = sums[u]!
      words[slot.list / 4 + 2 * n + 1] = other
      words[slot.outs / 4 + n++] = place(u)
    })
    return n
  }
  const top = Math.max(...units.map(({ bits }) => bits))
  for (let bit = top - 1; bit >= 0; bit--) {
    const doublings = pairs((put) => {
      for (let u = 0; u < units.length; u++) if (sums[u] !== 0) put(u, sums[u]!)
    })
    if (doublings > 0) {
      if (!doubleFirsts(runtime, group, doublings)) throw new KeyError('malformed', 'a point is its own opposite')
      for (let u = 0; u < units.length; u++) if (sums[u] !== 0) sums[u] = place(u)
    }
    const fresh: number[] = []
    const additions = pairs((put) => {
      units.forEach(({ base, bits }, u) => {
        const other = bit < bits ? sumOf(base + bit) : 0
        if (other === 0) return
        if (sums[u] === 0) sums[u] = other
        else {
          put(u, other)
          fresh.push(u)
        }
      })
    })
    if (additions === 0) continue
    const vanished = addPairs(runtime, group, additions)
    for (const u of fresh)
      sums[u] = vanished && words[place(u) / 4] === VANISHED && words[place(u) / 4 + 1] === VANISHED ? 0 : place(u)
  }
  // nothing is under way any more
  words.set(sums, slot.outs / 4)
  const bytes = units.length * FILE_BYTES[group]
  kernels.fqExport!(slot.list, slot.outs, units.length, DEGREE[group], SHARED.toFile)
  return new Uint8Array(runtime.bytes.slice(slot.list, slot.list + bytes))
}
