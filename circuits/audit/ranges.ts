/**
 * Intervals of wires, derived from rows alone. The builder's own ranges are not looked at.
 *
 * A range [lo, hi] lies within (-p/2, p/2] and says: in every witness the wire's signed representative is an integer in it.
 * Wires without one may be any field element.
 * @module
 */
import type { LCId, Wire } from '../circuit.ts'
import type { Range } from '../lc.ts'
import { type Choice, choicesOf } from './choices.ts'
import { hullOf, meet, negate, plus, product, quotients, times } from './intervals.ts'
import { closeWire, createQueue, openWires, pushUsers } from './open.ts'
import { ownRoots, zeroTestRoots } from './roots.ts'
import { addTerm, addTo, coefficientOf, isConstant, lineOf, type Rows, rowsOfWire, type Sum, singleOf } from './rows.ts'

export type Ranges = {
  /** 1 for wires that a row of their own or a zero test makes 0 or 1. */
  readonly boolean: Uint8Array
  has(wire: Wire): boolean
  /** Undefined for a wire that may be any field element. */
  of(wire: Wire): Range | undefined
  /** hi - lo. */
  width(wire: Wire): bigint
  /** Booleans that exclude each other. */
  readonly choices: readonly Choice[]
  /** Interval of a combination over the integers, or undefined where one of its wires has none. `skip` is left out. */
  interval(lc: LCId, skip?: Wire): Range | undefined
}

/** Terms of a row up to which it is scaled to find the range of a wire with a coefficient other than ±1. */
const MAX_SCALED = 1024
/** Wires whose values are followed from one that is 1, and rows of each. */
const MAX_IMPLIED = 64
const MAX_ROWS = 32
/** Linear rows of a boolean that are tried to say a sum in other words. */
const MAX_REPHRASED = 8
/** Values of a factor up to which each is divided by. */
const MAX_DIVISORS = 128

/**
 * Derives ranges until nothing new follows: of rows x·(x - t) = 0 the two roots, then of each row with one wire left that has
 * none, if its coefficient is ±1 or the row can be scaled so. A row whose wires all have ranges narrows those with
 * coefficient ±1 once, and fixes all of them where only an end of its interval is 0. Near-linear in the terms.
 */
export function deriveRanges(rows: Rows): Ranges {
  const { F, start, wire, coefficient, values, numbers, sides, linear, other, factor } = rows
  const lo = new Float64Array(rows.wires)
  const hi = new Float64Array(rows.wires)
  // 0 without a range, 1 in doubles, 2 in `large`
  const kind = new Uint8Array(rows.wires)
  const large = new Map<Wire, Range>()
  const boolean = new Uint8Array(rows.wires)
  ;[kind[0], lo[0], hi[0]] = [1, 1, 1]

  const fits = (range: Range): boolean => 2n * range.lo > -F.p && 2n * range.hi <= F.p
  const store = (w: Wire, range: Range): void => {
    const [low, high] = [Number(range.lo), Number(range.hi)]
    const small = Number.isSafeInteger(low) && Number.isSafeInteger(high)
    kind[w] = small ? 1 : 2
    if (small) [lo[w], hi[w]] = [low, high]
    if (small) large.delete(w)
    else large.set(w, range)
  }
  const of = (w: Wire): Range | undefined =>
    kind[w] === 0 ? undefined : kind[w] === 1 ? { lo: BigInt(lo[w]!), hi: BigInt(hi[w]!) } : large.get(w)!

  /** Choice of each boolean, counted from 1; 0 for none. */
  const choiceOf = new Uint32Array(rows.wires)
  let choices: readonly Choice[] = []

  /** What the members of a choice contribute to a sum: one of their coefficients, or none. */
  const contribution = (choice: number, coefficients: readonly bigint[]): Range => {
    const { selectors, some } = choices[choice - 1]!
    const all = some && coefficients.length === selectors.length ? coefficients : [0n, ...coefficients]
    return { lo: all.reduce((m, k) => (k < m ? k : m)), hi: all.reduce((m, k) => (k > m ? k : m)) }
  }

  /** Interval of a sum whose wires have ranges, of which one may be left out. */
  const sumRange = (sum: Iterable<readonly [Wire, bigint]>, skip = -1): Range | undefined => {
    let total: Range = { lo: 0n, hi: 0n }
    const chosen = new Map<number, bigint[]>()
    for (const [w, k] of sum) {
      if (w === skip) continue
      const choice = choiceOf[w]!
      const range = of(w)
      if (range === undefined) return undefined
      if (choice === 0) total = plus(total, times(k, range))
      else if (chosen.has(choice)) chosen.get(choice)!.push(k)
      else chosen.set(choice, [k])
    }
    for (const [choice, coefficients] of chosen) total = plus(total, contribution(choice, coefficients))
    return total
  }

  /** Interval of a combination; `alone` takes wires for independent of each other. */
  const intervalOf = (lc: LCId, skip: Wire, alone: boolean): Range | undefined => {
    // exact as long as the sum of magnitudes is
    let [low, high, peak] = [0, 0, 0]
    for (let i = start[lc]!; i < start[lc + 1]!; i++) {
      const w = wire[i]!
      if (w === skip) continue
      if (kind[w] === 0) return undefined
      const k = numbers[coefficient[i]!]!
      const exact = kind[w] === 1 && (alone || choiceOf[w] === 0)
      const [l, h] = exact ? [lo[w]!, hi[w]!] : [Number.NaN, Number.NaN]
      low += k < 0 ? k * h : k * l
      high += k < 0 ? k * l : k * h
      peak += Math.abs(k) * Math.max(Math.abs(l), Math.abs(h))
    }
    if (peak <= Number.MAX_SAFE_INTEGER) return { lo: BigInt(low), hi: BigInt(high) }
    const terms = Array.from(
      { length: start[lc + 1]! - start[lc]! },
      (_, i) => [wire[start[lc]! + i]!, values[coefficient[start[lc]! + i]!]!] as const,
    )
    if (!alone) return sumRange(terms, skip)
    return terms.reduce<Range>((sum, [w, k]) => (w === skip ? sum : plus(sum, times(k, of(w)!))), { lo: 0n, hi: 0n })
  }
  const interval = (lc: LCId, skip = -1): Range | undefined => intervalOf(lc, skip, false)

  for (let r = 0; r < rows.count; r++) {
    const roots = linear[r] === 1 ? undefined : (ownRoots(rows, r) ?? zeroTestRoots(rows, r))
    if (roots === undefined) continue
    const { wire: w, lo: low, hi: high } = roots
    if (low === 0n && high === 1n) boolean[w] = 1
    const known = of(w)
    store(w, known === undefined ? roots : meet(known, roots))
  }

  choices = choicesOf(rows, boolean)
  choices.forEach(({ selectors }, i) => {
    for (const w of selectors) if (choiceOf[w] === 0) choiceOf[w] = i + 1
  })

  const open = openWires(rows, (w) => kind[w] !== 0)
  const queue = createQueue(rows.count)
  for (let r = 0; r < rows.count; r++) queue.push(r)
  const narrowed = new Uint8Array(rows.count)
  const learn = (w: Wire, range: Range): void => {
    if (!fits(range) || w === 0) return
    if (kind[w] !== 0) {
      store(w, meet(of(w)!, range))
      return
    }
    store(w, range)
    closeWire(rows, open, w, (lc) => {
      if (open.count[lc]! <= 1) pushUsers(rows, queue, lc)
    })
  }

  /** Range of the only open wire of a linear row. */
  const solveLine = (r: number, w: Wire): void => {
    const line = lineOf(rows, r)
    const k = line.get(w)
    if (k === undefined || (k !== 1n && k !== -1n && line.size > MAX_SCALED)) return
    const scale = k === 1n || k === -1n ? -k : -F.inv(k)
    line.delete(w)
    for (const [v, c] of line) line.set(v, F.signed(scale * c))
    learn(w, sumRange(line)!)
  }

  /**
   * Narrows wires of `lc`, given that lc + rest = 0: those with coefficient ±1, others where this must hold over the integers.
   */
  const narrow = (lc: LCId, rest: Range): void => {
    const sum = interval(lc)
    if (sum === undefined) return
    const total = plus(sum, rest)
    const exact = -total.lo < F.p && total.hi < F.p
    const [low, high] = [Number(total.lo), Number(total.hi)]
    const slack = Math.max(-low, high) > Number.MAX_SAFE_INTEGER ? Math.max(-low, high) * 2 ** -50 : 0
    for (let i = start[lc]!; i < start[lc + 1]!; i++) {
      const w = wire[i]!
      const k = numbers[coefficient[i]!]!
      if (w === 0 || boolean[w] === 1 || Number.isNaN(k) || (k !== 1 && k !== -1 && !exact)) continue
      // roughly: k·w lies in [own - high, own - low]
      const [least, most] = k < 0 ? [k * hi[w]!, k * lo[w]!] : [k * lo[w]!, k * hi[w]!]
      if (kind[w] === 1 && most - high <= least + slack && least - low >= most - slack) continue
      const own = times(BigInt(k), of(w)!)
      learn(w, quotients({ lo: own.hi - total.hi, hi: own.lo - total.lo }, BigInt(k)))
    }
  }

  /** Values that follow from a boolean being 1. */
  const ifOne = (w: Wire): Map<Wire, bigint> => {
    const implied = new Map<Wire, bigint>([[w, 1n]])
    const due = [w]
    const force = (lc: LCId, least: boolean): void => {
      for (let i = start[lc]!; i < start[lc + 1]!; i++) {
        const v = wire[i]!
        if (v === 0 || implied.has(v)) continue
        const range = of(v)!
        const value = values[coefficient[i]!]! > 0n === least ? range.lo : range.hi
        implied.set(v, value)
        if (value === 1n && range.lo === 0n) due.push(v)
      }
    }
    for (let next = 0; next < due.length && next < MAX_IMPLIED; next++) {
      const v = due[next]!
      for (const r of rowsOfWire(rows, v, MAX_ROWS)) {
        if (linear[r] === 1) continue
        const [a, b, c] = [sides[3 * r]!, sides[3 * r + 1]!, sides[3 * r + 2]!]
        if (c === rows.empty && (singleOf(rows, a) === v) !== (singleOf(rows, b) === v)) {
          // x·v = 0
          const x = singleOf(rows, a) === v ? b : a
          const range = intervalOf(x, -1, true)
          if (range?.lo === 0n && range.hi < F.p) force(x, true)
          else if (range?.hi === 0n && -range.lo < F.p) force(x, false)
        } else if (singleOf(rows, c) === v && numbers[coefficient[start[c]!]!] === 1) {
          // x·y = v
          const [x, y] = [intervalOf(a, -1, true), intervalOf(b, -1, true)]
          if (x?.lo !== 0n || x.hi !== 1n || y?.lo !== 0n || y.hi !== 1n) continue
          force(a, false)
          force(b, false)
        }
      }
    }
    return implied
  }

  /** The sum in other words: a linear row of `w` taken off so that another wire cancels, if few terms are left. */
  const rephrased = (sum: Sum, w: Wire): Sum | undefined => {
    for (const r of rowsOfWire(rows, w, MAX_REPHRASED)) {
      if (linear[r] === 0 || open.count[other[r]!]! + open.count[sides[3 * r + 2]!]! > 0) continue
      const line = lineOf(rows, r)
      const [pivot, k] = [...sum].find(([v]) => v !== w && v !== 0 && line.has(v)) ?? []
      if (pivot === undefined || line.size > MAX_SCALED) continue
      const scale = -k! * F.inv(line.get(pivot)!)
      const changed = new Map(sum)
      for (const [v, c] of line) addTerm(F, changed, v, scale * c)
      if (changed.size < sum.size) return changed
    }
    return undefined
  }

  /** Interval of x·y + rest for an x that is 0 or 1: of either case, where much may cancel. */
  const switched = (x: LCId, range: Range, y: LCId, rest: Sum): Range | undefined => {
    if (range.lo < 0n || range.hi > 1n || isConstant(rows, x)) return undefined
    const single = singleOf(rows, x)
    const own = single !== undefined && numbers[coefficient[start[x]!]!] === 1 ? single : undefined
    const [off, on] = [new Map(rest), addTo(rows, new Map(rest), 1n, y)]
    const forms = [on]
    if (own !== undefined) {
      const other = rephrased(on, own)
      if (other !== undefined) forms.push(other)
      off.delete(own)
      const implied = ifOne(own)
      for (const form of forms)
        for (const [w, value] of implied) {
          const k = form.get(w)
          if (k === undefined) continue
          form.delete(w)
          addTerm(F, form, 0, k * value)
        }
    }
    // different integers perhaps, but as signed representatives one and the same
    const [first, ...more] = forms.map((form) => sumRange(form)!).filter(fits)
    return first && hullOf([sumRange(off)!, more.reduce(meet, first)].flatMap(({ lo, hi }) => [lo, hi]))
  }

  /** Interval of 0 and k/x for the few x ≠ 0 in a range, if all of them divide k. */
  const quotientsOf = (k: bigint, { lo, hi }: Range): Range | undefined => {
    const all: bigint[] = [0n]
    for (let x = lo; x <= hi; x++) {
      if (x === 0n) continue
      if (k % x !== 0n) return undefined
      all.push(k / x)
    }
    return hullOf(all)
  }

  /**
   * Range of the v of a row x·v = k + m·z for a boolean z and few values of x: that of (k + m·z)/x where k + m·z ≠ 0 (then x is
   * not 0 mod p either); where it is 0 a row v·z = 0 must say that v is 0.
   */
  const solveInverse = (r: number, x: LCId, lc: LCId): void => {
    const v = singleOf(rows, lc)
    const range = interval(x)
    if (v === undefined || numbers[coefficient[start[lc]!]!] !== 1 || range === undefined) return
    if (range.hi - range.lo >= BigInt(MAX_DIVISORS)) return
    const line = addTo(rows, new Map(), 1n, sides[3 * r + 2]!)
    const k = line.get(0) ?? 0n
    line.delete(0)
    const [[z, m] = [0, 0n], ...more] = line
    if (more.length > 0 || (z !== 0 && boolean[z] === 0)) return
    const excluded = (): boolean =>
      rowsOfWire(rows, v, MAX_ROWS).some((q) => {
        const [a, b] = [singleOf(rows, sides[3 * q]!), singleOf(rows, sides[3 * q + 1]!)]
        return sides[3 * q + 2] === rows.empty && linear[q] === 0 && ((a === v && b === z) || (a === z && b === v))
      })
    const cases = z === 0 ? [k] : [k, F.signed(k + m)]
    if (cases[0] === 0n || (cases[1] === 0n && !excluded())) return
    const found = cases.flatMap((c) => (c === 0n ? [] : [quotientsOf(c, range)]))
    if (found.every((q) => q !== undefined)) learn(v, hullOf(found.flatMap(({ lo, hi }) => [lo, hi])))
  }

  /** Sets the wires of a combination to the ends that make it least or greatest. */
  const fix = (lc: LCId, least: boolean): void => {
    for (let i = start[lc]!; i < start[lc + 1]!; i++) {
      const w = wire[i]!
      const range = of(w)!
      const end = values[coefficient[i]!]! > 0n === least ? range.lo : range.hi
      if (w !== 0) store(w, { lo: end, hi: end })
    }
  }

  for (let r = queue.pop(); r !== undefined; r = queue.pop()) {
    const [a, b, c] = [sides[3 * r]!, sides[3 * r + 1]!, sides[3 * r + 2]!]
    if (linear[r] === 1) {
      const o = other[r]!
      const left = open.count[o]! + open.count[c]!
      if (left > 2 || (left === 2 && (open.count[o] !== 1 || open.last[o] !== open.last[c]))) continue
      if (left > 0) {
        solveLine(r, open.count[o]! > 0 ? open.last[o]! : open.last[c]!)
      } else if (narrowed[r] === 0) {
        narrowed[r] = 1
        const k = values[factor[r]!]!
        const [left_, right] = [interval(o), interval(c)]
        if (left_ === undefined || right === undefined) continue
        const total = plus(times(k, intervalOf(o, -1, true)!), negate(intervalOf(c, -1, true)!))
        if (total.lo === 0n ? total.hi < F.p : total.hi === 0n && -total.lo < F.p) {
          fix(o, k > 0n === (total.lo === 0n))
          fix(c, total.lo !== 0n)
          continue
        }
        narrow(c, times(-k, left_))
        if (k === 1n || k === -1n) narrow(o, times(-k, right))
      }
    } else if (open.count[a] === 0 && open.count[b] === 0 && open.count[c]! <= 1 && narrowed[r] === 0) {
      narrowed[r] = 1
      const [x, y] = [interval(a), interval(b)]
      if (x === undefined || y === undefined) continue
      const w = open.count[c]! > 0 ? open.last[c]! : 0
      if (w !== 0) {
        const k = coefficientOf(rows, c, w)
        const rest = addTo(rows, new Map(), -1n, c)
        rest.delete(w)
        if (k !== 1n && k !== -1n) continue
        // a·b + rest = k·w, as different integers perhaps: only those that are signed representatives are one and the same
        for (const value of [switched(a, x, b, rest), switched(b, y, a, rest), plus(product(x, y), sumRange(rest)!)])
          if (value !== undefined) learn(w, times(k, value))
      } else narrow(c, negate(product(x, y)))
    } else if (open.count[c] === 0 && open.count[a]! + open.count[b]! === 1) {
      if (open.count[a] === 0) solveInverse(r, a, b)
      else solveInverse(r, b, a)
    }
  }
  return {
    boolean,
    choices,
    has: (w) => kind[w] !== 0,
    of,
    width: (w) => {
      if (boolean[w] === 1 && hi[w] !== lo[w]) return 1n
      const range = of(w)!
      return range.hi - range.lo
    },
    interval,
  }
}
