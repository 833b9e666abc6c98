/**
 * A second witness with the same inputs, where one can be found: the proof that a wire is not determined.
 * @module
 */
import type { Circuit, Wire } from '../circuit.ts'
import { createField } from '../field.ts'
import { type Hint, hints } from '../hints.ts'
import { ASSIGN, BITS, firstViolated, MUL, MUL_ADD, runProgram, wireValue } from '../solve.ts'
import type { Effort } from './elimination.ts'
import { kernelOf } from './kernel.ts'
import type { Ranges } from './ranges.ts'
import { type Rows, rowsOfWire } from './rows.ts'
import { solutions } from './solutions.ts'
import { windowAround } from './window.ts'

/** Two witnesses with equal inputs: what the program makes of them, and the wires on which the other one differs. */
export type SecondWitness = {
  readonly inputs: readonly bigint[]
  readonly changes: readonly { readonly wire: Wire; readonly from: bigint; readonly to: bigint }[]
}

/** Size of the window that is searched. */
const WINDOW = { wires: 400, rows: 800 }
/** Work that one search may take, and the kernel of its window. */
const SEARCH = 400_000
const KERNEL = 200_000
/** Local solutions that are tried on the whole circuit. */
const MAX_EXTENDED = 12
/** Words of the witness program that are run for one unit of work. */
const PROGRAM_WORDS = 8

/** A satisfying witness of the program, in [0, p); undefined where the inputs have none. */
export function honestWitness(circuit: Circuit, inputs: readonly bigint[]): bigint[] | undefined {
  const F = createField(circuit.prime)
  try {
    const witness = runProgram(circuit, inputs)
    if (firstViolated(circuit, witness) !== undefined) return undefined
    return Array.from({ length: circuit.wires }, (_, w) => wireValue(F, witness, w))
  } catch {
    // refused inputs, or a program that makes no integers of them
    return undefined
  }
}

export type Search = {
  /** What the wire can do to first order, as far as the window tells. */
  readonly moves: boolean
  readonly second: SecondWitness | undefined
}

/** Looks for a witness that differs from a given one on `root`, among wires that are not shown to be determined. */
export function findSecond(
  rows: Rows,
  ranges: Ranges,
  open: Uint8Array,
  witness: readonly bigint[],
  inputs: readonly bigint[],
  root: Wire,
  effort: Effort,
): Search {
  const { F, circuit } = rows
  const window = windowAround(rows, open, witness, root, WINDOW)
  const base = window.wires.map((w) => witness[w]!)
  const kernel = spend(effort, KERNEL, (budget) => kernelOf(F, window, base, budget))
  const moves = kernel.some((direction) => direction.has(0))
  const second = spend(effort, SEARCH, (budget) => {
    let extended = 0
    for (const solution of solutions(F, ranges, window, base, kernel, budget)) {
      if (solution[0] === base[0]) continue
      const lies = new Map(
        window.wires.flatMap((w, v) => (solution[v] === base[v] ? [] : [[w, solution[v]!] as const])),
      )
      if (!window.whole) effort.left -= circuit.program.length / PROGRAM_WORDS
      const changed = window.whole ? lies : resolve(circuit, witness, lies)
      if (satisfies(rows, witness, changed))
        return { inputs, changes: Array.from(changed, ([wire, to]) => ({ wire, from: witness[wire]!, to })) }
      if (++extended === MAX_EXTENDED || effort.left <= 0) return undefined
    }
    return undefined
  })
  return { moves, second }
}

/** Does some of the work that is left. */
function spend<T>(effort: Effort, most: number, work: (budget: Effort) => T): T {
  const granted = Math.max(Math.min(most, effort.left), 0)
  const budget = { left: granted }
  const result = work(budget)
  effort.left -= granted - Math.max(budget.left, 0)
  return result
}

/** Whether changing these wires of a satisfying witness satisfies every row. */
export function satisfies(rows: Rows, witness: readonly bigint[], changed: ReadonlyMap<Wire, bigint>): boolean {
  const { F, circuit } = rows
  const touched = new Set<number>()
  for (const w of changed.keys()) for (const r of rowsOfWire(rows, w)) touched.add(r)
  const side = (lc: number): bigint => evaluateWith(circuit, lc, witness, changed)
  for (const r of touched) {
    const [a, b, c] = [0, 1, 2].map((k) => side(circuit.rowLC[3 * r + k]!)) as [bigint, bigint, bigint]
    if (F.mod(a * b - c) !== 0n) return false
  }
  return true
}

function evaluateWith(
  { lcStart, lcWire, lcCoefficient, coefficients }: Circuit,
  lc: number,
  witness: readonly bigint[],
  changed: ReadonlyMap<Wire, bigint>,
): bigint {
  let sum = 0n
  for (let i = lcStart[lc]!; i < lcStart[lc + 1]!; i++)
    sum += coefficients[lcCoefficient[i]!]! * (changed.get(lcWire[i]!) ?? witness[lcWire[i]!]!)
  return sum
}

/** The witness program run on with some wires set otherwise: every wire that differs then. */
function resolve(circuit: Circuit, witness: readonly bigint[], lies: ReadonlyMap<Wire, bigint>): Map<Wire, bigint> {
  const { program, hintNames, tables, lcStart, lcWire } = circuit
  const F = createField(circuit.prime)
  const changed = new Map(lies)
  const isChanged = new Uint8Array(circuit.wires)
  for (const w of lies.keys()) isChanged[w] = 1
  const dirty = (lc: number): boolean => {
    for (let i = lcStart[lc]!; i < lcStart[lc + 1]!; i++) if (isChanged[lcWire[i]!] === 1) return true
    return false
  }
  const value = (lc: number): bigint => evaluateWith(circuit, lc, witness, changed)
  const set = (w: Wire, v: bigint): void => {
    const residue = F.mod(v)
    if (lies.has(w) || residue === (changed.get(w) ?? witness[w])) return
    changed.set(w, residue)
    isChanged[w] = 1
  }
  for (let pc = 0; pc < program.length; ) {
    const [code, out, x, y, z] = [0, 1, 2, 3, 4].map((i) => program[pc + i]!) as [
      number,
      number,
      number,
      number,
      number,
    ]
    if (code === MUL) {
      if (dirty(x) || dirty(y)) set(out, value(x) * value(y))
      pc += 4
    } else if (code === MUL_ADD) {
      if (dirty(x) || dirty(y) || dirty(z)) set(out, value(x) * value(y) + value(z))
      pc += 5
    } else if (code === ASSIGN) {
      if (dirty(x)) set(out, value(x))
      pc += 3
    } else if (code === BITS) {
      if (dirty(y)) {
        const number = F.signed(value(y))
        for (let i = 0; i < x; i++) set(out + i, (number >> BigInt(i)) & 1n)
      }
      pc += 4
    } else {
      const count = program[pc + 5]!
      const operands = Array.from(program.subarray(pc + 6, pc + 6 + count))
      if (operands.some(dirty)) {
        const hint = (hints as Record<string, Hint>)[hintNames[y]!]!
        const given = operands.map((lc) => F.signed(value(lc)))
        hint(F, given, tables[z]!, x).forEach((v, i) => {
          set(out + i, v)
        })
      }
      pc += 6 + count
    }
  }
  return changed
}
