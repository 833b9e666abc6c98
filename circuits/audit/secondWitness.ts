/**
 * A second witness with the same inputs, where one can be found: the proof that a wire is not determined.
 * @module
 */
import type { Circuit, Wire } from '../circuit.ts'
import { createField, type Field } from '../field.ts'
import { type Hint, hints } from '../hints.ts'
import { ASSIGN, BITS, firstViolated, MUL, MUL_ADD, runProgram, wireValue } from '../solve.ts'
import { kernelOf } from './kernel.ts'
import type { Ranges } from './ranges.ts'
import { type Rows, rowsOfWire } from './rows.ts'
import { type Affine, type LocalRow, type Window, windowAround } from './window.ts'

/** Two witnesses with equal inputs: what the program makes of them, and the wires on which the other one differs. */
export type SecondWitness = {
  readonly inputs: readonly bigint[]
  readonly changes: readonly { readonly wire: Wire; readonly from: bigint; readonly to: bigint }[]
}

/** Size of the window that is searched. */
const WINDOW = { wires: 400, rows: 800 }
/** Work that one search may take, in terms of rows evaluated. */
const SEARCH = 200_000
/** Local solutions that are tried on the whole circuit. */
const MAX_EXTENDED = 12
/** Solutions that one sum of digits may have mod p. */
const MAX_WRAPS = 3
/** Variables of a row between which digits are carried, and such changes that are tried. */
const MAX_CARRIED = 64
const MAX_CARRIES = 256

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

/** Work that searches may still take, in terms of rows evaluated. */
export type Effort = { left: number }

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
  const { F } = rows
  const window = windowAround(rows, open, witness, root, WINDOW)
  const base = window.wires.map((w) => witness[w]!)
  const kernel = kernelOf(F, window, base)
  const moves = kernel.some((direction) => direction.has(0))
  const granted = Math.min(SEARCH, effort.left)
  const budget = { left: granted }
  let second: SecondWitness | undefined
  let extended = 0
  for (const solution of solutions(F, ranges, window, base, kernel, budget)) {
    if (solution[0] === base[0]) continue
    const lies = new Map(window.wires.flatMap((w, v) => (solution[v] === base[v] ? [] : [[w, solution[v]!] as const])))
    const changed = window.whole ? lies : resolve(rows.circuit, witness, lies)
    if (satisfies(rows, witness, changed))
      second = { inputs, changes: Array.from(changed, ([wire, to]) => ({ wire, from: witness[wire]!, to })) }
    if (second !== undefined || ++extended === MAX_EXTENDED) break
  }
  effort.left -= granted - Math.max(budget.left, 0)
  return { moves, second }
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

/** Solutions of a window that differ from a given one somewhere; not all of them, and within a budget. */
function* solutions(
  F: Field,
  ranges: Ranges,
  window: Window,
  base: readonly bigint[],
  kernel: readonly ReadonlyMap<number, bigint>[],
  budget: Effort,
): Generator<readonly bigint[]> {
  const holds = ({ a, b, c }: LocalRow, values: readonly bigint[]): boolean => {
    const side = ({ constant, terms }: Affine): bigint => terms.reduce((sum, [v, k]) => sum + k * values[v]!, constant)
    return F.mod(side(a) * side(b) - side(c)) === 0n
  }
  // along the kernel, in steps that move one of the variables by 1
  for (const direction of kernel) {
    const steps = new Set([1n, ...[...direction.values()].slice(0, 8).map((d) => F.inv(d))])
    for (const step of [...steps].flatMap((s) => [s, -s])) {
      const moved = base.map((x, v) => F.mod(x + step * (direction.get(v) ?? 0n)))
      if (window.rows.every((row) => holds(row, moved))) yield moved
    }
  }
  const isBounded = window.wires.map((w) => ranges.has(w))
  // nearest first
  const near = window.wires.map((_, v) => v)
  for (const seeds of carries(F, ranges, window, base)) {
    if (budget.left <= 0) return
    yield* completions(F, ranges, window, base, near, seeds, budget)
  }
  // unbounded wires are left to the rows, as far as possible
  const order = window.wires.map((_, v) => v).sort((u, v) => Number(isBounded[v]) - Number(isBounded[u]) || u - v)
  const perturbed = [0, ...order.filter((v) => v !== 0)]
  for (const v of perturbed)
    for (const value of others(F, ranges, window.wires[v]!, base[v]!)) {
      if (budget.left <= 0) return
      yield* completions(F, ranges, window, base, order, [[v, value]], budget)
    }
}

type Seed = readonly [variable: number, value: bigint]

/** In linear rows, one digit more or less made up for by a digit of lower weight, all others as they were. */
function* carries(F: Field, ranges: Ranges, window: Window, base: readonly bigint[]): Generator<readonly Seed[]> {
  let found = 0
  for (const { a, b, c } of window.rows) {
    if (b.terms.length > 0 || a.terms.length + c.terms.length > MAX_CARRIED) continue
    const line = new Map<number, bigint>(a.terms.map(([v, k]) => [v, b.constant * k]))
    for (const [v, k] of c.terms) line.set(v, (line.get(v) ?? 0n) - k)
    const digits = [...line].map(([v, k]) => ({ v, k: F.signed(k) })).filter(({ k }) => k !== 0n)
    const moved = (v: number, by: bigint): bigint | undefined => {
      const value = F.signed(base[v]!) + by
      const range = ranges.of(window.wires[v]!)
      return range === undefined || (value >= range.lo && value <= range.hi) ? F.mod(value) : undefined
    }
    for (const high of digits)
      for (const low of digits) {
        if (low.v === high.v || high.k % low.k !== 0n) continue
        for (const step of [1n, -1n]) {
          const [up, down] = [moved(high.v, step), moved(low.v, (-step * high.k) / low.k)]
          if (up === undefined || down === undefined) continue
          if (found++ === MAX_CARRIES) return
          const others = digits.filter(({ v }) => v !== high.v && v !== low.v)
          yield [[high.v, up], [low.v, down], ...others.map(({ v }): Seed => [v, base[v]!])]
        }
      }
  }
}

/** Other values that a wire may well take. */
function others(F: Field, ranges: Ranges, wire: Wire, value: bigint): bigint[] {
  if (ranges.boolean[wire] === 1) return [F.mod(1n - value)]
  const signed = F.signed(value)
  const range = ranges.of(wire)
  const near = [signed + 1n, signed - 1n, signed + 2n, signed - 2n, 0n, 1n]
  const all = range === undefined ? [...near, -signed] : [...near, range.lo, range.hi]
  const fitting = all.filter((x) => x !== signed && (range === undefined || (x >= range.lo && x <= range.hi)))
  return [...new Set(fitting.map(F.mod))]
}

/** Solutions with some variables set to values, the others from rows, else as they were. */
function* completions(
  F: Field,
  ranges: Ranges,
  window: Window,
  base: readonly bigint[],
  order: readonly number[],
  seeds: readonly Seed[],
  budget: Effort,
): Generator<readonly bigint[]> {
  const values: (bigint | undefined)[] = base.map(() => undefined)
  const trail: number[] = []

  /** Sets a variable and what rows make of it; false where a row can't hold. Choices that rows leave are pushed to `forks`. */
  const assign = (variable: number, to: bigint): boolean => {
    values[variable] = to
    trail.push(variable)
    const due = [...window.rowsOf[variable]!]
    for (let i = 0; i < due.length; i++) {
      const row = window.rows[due[i]!]!
      budget.left -= row.variables.length
      const found = consequences(F, ranges, window, row, values)
      if (found === 'contradiction') return false
      if (found === undefined || found.length > 1) continue
      for (const [v, x] of found[0]!) {
        values[v] = x
        trail.push(v)
        due.push(...window.rowsOf[v]!)
      }
    }
    return true
  }
  const undo = (length: number): void => {
    while (trail.length > length) values[trail.pop()!] = undefined
  }

  function* complete(): Generator<readonly bigint[]> {
    if (budget.left <= 0) return
    // rows with a few solutions left come first, then variables as they were
    const fork = forkOf(F, ranges, window, values, budget)
    if (fork !== undefined) {
      for (const pairs of fork) {
        const mark = trail.length
        if ([...pairs].every(([v, x]) => (values[v] === undefined ? assign(v, x) : values[v] === x))) yield* complete()
        undo(mark)
      }
      return
    }
    const next = order.find((v) => values[v] === undefined)
    if (next === undefined) {
      yield values as bigint[]
      return
    }
    for (const x of [base[next]!, ...others(F, ranges, window.wires[next]!, base[next]!).slice(0, 2)]) {
      const mark = trail.length
      if (assign(next, x)) yield* complete()
      undo(mark)
      if (budget.left <= 0) return
    }
  }

  if (seeds.every(([v, x]) => (values[v] === undefined ? assign(v, x) : values[v] === x))) yield* complete()
}

type Assignment = ReadonlyMap<number, bigint>

/** The first row of several unset variables that has more than one solution, but few. */
function forkOf(
  F: Field,
  ranges: Ranges,
  window: Window,
  values: readonly (bigint | undefined)[],
  budget: Effort,
): readonly Assignment[] | undefined {
  for (const row of window.rows) {
    if (row.variables.reduce((n, v) => n + (values[v] === undefined ? 1 : 0), 0) < 2) continue
    budget.left -= row.variables.length
    const found = consequences(F, ranges, window, row, values)
    if (found !== undefined && found !== 'contradiction' && found.length > 1) return found
  }
  return undefined
}

/** What a row leaves for its unset variables: all its solutions if they are few, undefined if it leaves them open. */
function consequences(
  F: Field,
  ranges: Ranges,
  window: Window,
  { a, b, c, variables }: LocalRow,
  values: readonly (bigint | undefined)[],
): readonly Assignment[] | 'contradiction' | undefined {
  const unset = variables.filter((v) => values[v] === undefined)
  const split = ({ constant, terms }: Affine): { readonly known: bigint; readonly rest: Map<number, bigint> } => {
    let known = constant
    const rest = new Map<number, bigint>()
    for (const [v, k] of terms) {
      const x = values[v]
      if (x === undefined) rest.set(v, (rest.get(v) ?? 0n) + k)
      else known += k * x
    }
    return { known: F.mod(known), rest }
  }
  const [x, y, z] = [split(a), split(b), split(c)]
  const constant = F.mod(x.known * y.known - z.known)
  if (unset.length === 0) return constant === 0n ? undefined : 'contradiction'
  const at = (side: typeof x, v: number): bigint => side.rest.get(v) ?? 0n
  const slope = (v: number): bigint => F.mod(at(x, v) * y.known + at(y, v) * x.known - at(z, v))
  if (unset.length === 1) {
    const v = unset[0]!
    const square = F.mod(at(x, v) * at(y, v))
    const k = slope(v)
    if (square === 0n) {
      if (k === 0n) return constant === 0n ? undefined : 'contradiction'
      return [new Map([[v, F.mul(-constant, F.inv(k))]])]
    }
    // only x·(x - t) = 0 is solved
    return constant === 0n ? [new Map([[v, 0n]]), new Map([[v, F.mul(-k, F.inv(square))]])] : undefined
  }
  if (x.rest.size > 0 && y.rest.size > 0) return undefined
  const terms = unset
    .map((v) => ({ v, k: F.signed(slope(v)), range: ranges.of(window.wires[v]!) }))
    .filter((t) => t.k !== 0n)
  if (terms.length === 0) return constant === 0n ? undefined : 'contradiction'
  if (terms.some(({ range }) => range === undefined)) return undefined
  const digits = terms.map(({ v, k, range }) => ({ v, k, lo: range!.lo, hi: range!.hi }))
  // a weight beyond p/2 is negative as a signed representative, and no digit's weight then
  return (
    spellings(F, digits, -constant) ??
    spellings(
      F,
      digits.map((t) => ({ ...t, k: F.mod(t.k) })),
      -constant,
    )
  )
}

/** Digits with which Σ k·x ≡ target, where the digits of each sum are unique; undefined where they may not be. */
function spellings(
  F: Field,
  terms: readonly { readonly v: number; readonly k: bigint; readonly lo: bigint; readonly hi: bigint }[],
  target: bigint,
): readonly Assignment[] | 'contradiction' | undefined {
  const abs = (x: bigint): bigint => (x < 0n ? -x : x)
  const sorted = [...terms].sort((s, t) => (abs(s.k) < abs(t.k) ? -1 : abs(s.k) > abs(t.k) ? 1 : 0))
  // interval of the sum of all smaller terms
  const below: { lo: bigint; hi: bigint }[] = []
  let [lo, hi] = [0n, 0n]
  for (const { k, ...t } of sorted) {
    if (abs(k) <= hi - lo) return undefined
    below.push({ lo, hi })
    lo += k < 0n ? k * t.hi : k * t.lo
    hi += k < 0n ? k * t.lo : k * t.hi
  }
  // the least integer ≡ target that is at least lo
  let sum = lo + F.mod(target - lo)
  const found: Assignment[] = []
  for (; sum <= hi && found.length < MAX_WRAPS; sum += F.p) {
    let rest = sum
    const digits = new Map<number, bigint>()
    for (let i = sorted.length - 1; i >= 0; i--) {
      const { v, k, ...t } = sorted[i]!
      // rest - k·x must lie in what the smaller terms reach: at most one x
      const least = rest - below[i]!.hi
      const most = rest - below[i]!.lo
      const x = k > 0n ? ceilDiv(least, k) : ceilDiv(-most, -k)
      const step = k * x
      if (x < t.lo || x > t.hi || step < least || step > most) break
      digits.set(v, F.mod(x))
      rest -= step
    }
    if (digits.size === sorted.length && rest === 0n) found.push(digits)
  }
  return found.length === 0 ? 'contradiction' : found
}

/** ⌈n/d⌉ for d > 0. */
const ceilDiv = (n: bigint, d: bigint): bigint => (n >= 0n ? (n + d - 1n) / d : -(-n / d))
