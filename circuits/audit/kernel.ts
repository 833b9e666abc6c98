import type { LCId, Wire } from '../circuit.ts'
import type { Field } from '../field.ts'
import { type Effort, eliminate, type Linear } from './elimination.ts'
import { createQueue } from './open.ts'
import type { Rows } from './rows.ts'
import type { Affine, Window } from './window.ts'

const evaluate = (F: Field, { constant, terms }: Affine, values: readonly bigint[]): bigint =>
  F.mod(terms.reduce((sum, [v, k]) => sum + k * values[v]!, constant))

/**
 * Directions in which the rows of a window let its variables move to first order: a basis of the kernel of their Jacobian, one
 * vector per variable without a pivot, in which that variable is 1; nothing where that takes too long. Blind to discrete
 * choices.
 */
export function kernelOf(
  F: Field,
  window: Window,
  values: readonly bigint[],
  budget: Effort,
): ReadonlyMap<number, bigint>[] {
  const tangents = window.rows.map(({ a, b, c }): Linear => {
    const [x, y] = [evaluate(F, a, values), evaluate(F, b, values)]
    const sum: Linear = new Map()
    const add = (terms: Affine['terms'], factor: bigint): void => {
      for (const [v, k] of terms) {
        const total = F.mod((sum.get(v) ?? 0n) + k * factor)
        if (total === 0n) sum.delete(v)
        else sum.set(v, total)
      }
    }
    add(a.terms, y)
    add(b.terms, x)
    add(c.terms, -1n)
    return sum
  })
  const pivots = eliminate(F, tangents, budget)
  if (pivots === undefined) return []
  const directions: Map<number, bigint>[] = []
  for (let v = 0; v < window.wires.length; v++) {
    if (pivots.has(v)) continue
    const direction = new Map([[v, 1n]])
    for (const [pivot, row] of pivots) if (row.has(v)) direction.set(pivot, F.mod(-row.get(v)!))
    directions.push(direction)
  }
  return directions
}

/** Terms that eliminating what propagation leaves may take. */
const BUDGET = 5_000_000

/** The wires that a kernel test was about, by what came of it. */
export type Kernel = {
  /** Wires that the rows let move to first order while the inputs stand still. */
  readonly moving: readonly Wire[]
  /** Wires for which telling would have taken too long. */
  readonly undecided: number
}

/**
 * The kernel test of the whole circuit at one witness: row after row whose Jacobian has one wire left fixes it, and what is
 * left is eliminated. It knows nothing of ranges and lemmas, and so is a check on them: a wire that a change of others could
 * follow smoothly shows here. Blind to discrete choices; at a singular point (x·x = 0) it may flag what is determined.
 */
export function kernelAt(rows: Rows, values: readonly bigint[]): Kernel {
  const { F, circuit, count, wires, linear, other, factor, sides, start, wire } = rows
  const { p } = F
  const firstInput = 1 + circuit.publicOutputs
  const behindInputs = firstInput + circuit.publicInputs + circuit.privateInputs
  const isGiven = (w: Wire): boolean => w === 0 || (w >= firstInput && w < behindInputs)

  const evaluateLC = (lc: LCId): bigint => {
    let sum = 0n
    for (let i = start[lc]!; i < start[lc + 1]!; i++) sum += rows.values[rows.coefficient[i]!]! * values[wire[i]!]!
    return sum % p
  }
  /** Calls back with every wire of a row that is not given and has a derivative other than 0. */
  const tangent = (r: number, visit: (w: Wire, k: bigint) => void): void => {
    const c = sides[3 * r + 2]!
    const [a, b] = linear[r] === 1 ? [other[r]!, rows.empty] : [sides[3 * r]!, sides[3 * r + 1]!]
    const y = linear[r] === 1 ? rows.values[factor[r]!]! : evaluateLC(b)
    const x = linear[r] === 1 ? 0n : evaluateLC(a)
    let [i, j, k] = [start[a]!, start[b]!, start[c]!]
    const [endA, endB, endC] = [start[a + 1]!, start[b + 1]!, start[c + 1]!]
    for (;;) {
      const [u, v, w] = [i < endA ? wire[i]! : wires, j < endB ? wire[j]! : wires, k < endC ? wire[k]! : wires]
      const next = Math.min(u, v, w)
      if (next === wires) return
      let slope = 0n
      if (u === next) slope += rows.values[rows.coefficient[i++]!]! * y
      if (v === next) slope += rows.values[rows.coefficient[j++]!]! * x
      if (w === next) slope -= rows.values[rows.coefficient[k++]!]!
      if (!isGiven(next) && slope % p !== 0n) visit(next, slope)
    }
  }

  const left = new Uint32Array(count)
  const last = new Uint32Array(count)
  const rowsStart = new Uint32Array(wires + 1)
  for (let r = 0; r < count; r++)
    tangent(r, (w) => {
      left[r]!++
      last[r]! ^= w
      rowsStart[w + 1]!++
    })
  for (let w = 0; w < wires; w++) rowsStart[w + 1]! += rowsStart[w]!
  const rowsOf = new Uint32Array(rowsStart[wires]!)
  const next = rowsStart.slice()
  for (let r = 0; r < count; r++)
    tangent(r, (w) => {
      rowsOf[next[w]!++] = r
    })
  const open = new Uint8Array(wires)
  for (let w = 0; w < wires; w++) open[w] = isGiven(w) ? 0 : 1
  const queue = createQueue(count)
  for (let r = 0; r < count; r++) if (left[r] === 1) queue.push(r)
  for (let r = queue.pop(); r !== undefined; r = queue.pop()) {
    const w = last[r]!
    if (left[r] !== 1 || open[w] === 0) continue
    open[w] = 0
    for (let i = rowsStart[w]!; i < rowsStart[w + 1]!; i++) {
      const row = rowsOf[i]!
      left[row]!--
      last[row]! ^= w
      if (left[row] === 1) queue.push(row)
    }
  }
  const remaining: Wire[] = []
  for (let w = 1; w < wires; w++) if (open[w] === 1) remaining.push(w)
  if (remaining.length === 0) return { moving: [], undecided: 0 }
  const tangents = function* (): Generator<Linear> {
    for (let r = 0; r < count; r++) {
      if (left[r] === 0) continue
      const sum: Linear = new Map()
      tangent(r, (w, k) => {
        if (open[w] === 1) sum.set(w, F.mod(k))
      })
      yield sum
    }
  }
  const pivots = eliminate(F, tangents(), { left: BUDGET })
  if (pivots === undefined) return { moving: [], undecided: remaining.length }
  return { moving: remaining.filter((w) => (pivots.get(w)?.size ?? 2) > 1), undecided: 0 }
}
