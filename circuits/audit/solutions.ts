import type { Wire } from '../circuit.ts'
import type { Field } from '../field.ts'
import type { Effort } from './elimination.ts'
import type { Ranges } from './ranges.ts'
import type { Affine, LocalRow, Window } from './window.ts'

/** Times that a sum of digits may reach around the field. */
const MAX_WRAPS = 3n
/** Variables of a row between which digits are carried, and such changes that are tried. */
const MAX_CARRIED = 64
const MAX_CARRIES = 256

/** Solutions of a window that differ from a given one somewhere; not all of them, and within a budget. */
export function* solutions(
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
  /** Variables of each row that are not set. */
  const unset = Int32Array.from(window.rows, ({ variables }) => variables.length)

  const set = (variable: number, to: bigint): void => {
    values[variable] = to
    trail.push(variable)
    for (const r of window.rowsOf[variable]!) unset[r]!--
  }
  const undo = (length: number): void => {
    while (trail.length > length) {
      const variable = trail.pop()!
      values[variable] = undefined
      for (const r of window.rowsOf[variable]!) unset[r]!++
    }
  }
  /** Sets a variable and what rows make of it; false where a row can't hold, or the work takes too long. */
  const assign = (variable: number, to: bigint): boolean => {
    set(variable, to)
    const due = [...window.rowsOf[variable]!]
    for (let i = 0; i < due.length; i++) {
      const row = window.rows[due[i]!]!
      budget.left -= row.variables.length
      if (budget.left <= 0) return false
      const found = consequences(F, ranges, window, row, values)
      if (found === 'contradiction') return false
      if (found === undefined || found.length > 1) continue
      for (const [v, x] of found[0]!) {
        set(v, x)
        due.push(...window.rowsOf[v]!)
      }
    }
    return true
  }
  const assignAll = (pairs: Iterable<Seed>): boolean => {
    for (const [v, x] of pairs) if (values[v] === undefined ? !assign(v, x) : values[v] !== x) return false
    return true
  }

  /** The solutions of the first row of several unset variables that has more than one, but few. */
  const fork = (): readonly Assignment[] | undefined => {
    budget.left -= window.rows.length / 16
    for (let r = 0; r < unset.length; r++) {
      const row = window.rows[r]!
      if (unset[r]! < 2 || unset[r] === row.variables.length) continue
      budget.left -= row.variables.length
      const found = consequences(F, ranges, window, row, values)
      if (found !== undefined && found !== 'contradiction' && found.length > 1) return found
    }
    return undefined
  }

  function* complete(): Generator<readonly bigint[]> {
    if (budget.left <= 0) return
    // rows with a few solutions left come first, then variables as they were
    const choices = fork()
    const next = order.find((v) => values[v] === undefined)
    if (next === undefined) {
      yield values as bigint[]
      return
    }
    const tries: Iterable<Seed>[] =
      choices?.map((pairs) => pairs) ??
      [base[next]!, ...others(F, ranges, window.wires[next]!, base[next]!).slice(0, 2)].map((x) => [[next, x]])
    for (const seeds of tries) {
      const mark = trail.length
      if (assignAll(seeds)) yield* complete()
      undo(mark)
      if (budget.left <= 0) return
    }
  }

  if (assignAll(seeds)) yield* complete()
}

type Assignment = ReadonlyMap<number, bigint>

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
  if (hi - lo > MAX_WRAPS * F.p) return undefined
  // the least integer ≡ target that is at least lo
  let sum = lo + F.mod(target - lo)
  const found: Assignment[] = []
  for (; sum <= hi; sum += F.p) {
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
