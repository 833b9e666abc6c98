/**
 * Which wires are functions of the inputs, proven by propagation over the rows: a wire is closed once a lemma shows that any
 * two witnesses with the same inputs agree on it. What is not proven may still be determined; what is proven is.
 *
 * Lemmas like those of Ecne (eprint 2023/512) and Picus (PLDI 2023), and a few for gadgets of integers. None of them looks at
 * labels, hints or the witness program.
 * @module
 */
import type { LCId, Wire } from '../circuit.ts'
import { digits, digitsOf } from './digits.ts'
import type { Knowledge } from './knowledge.ts'
import { closeWire, createQueue, openWires, pushUsers } from './open.ts'
import { place } from './place.ts'
import { quotient } from './quotient.ts'
import type { Ranges } from './ranges.ts'
import { lineOf, type Rows } from './rows.ts'
import { selection } from './selection.ts'
import { pinnedByEither, zeroTest } from './zeroTest.ts'

/** How wires were shown to be determined; `assumed` and `follows` belong to wires that were not. */
export const LEMMAS = [
  'open',
  'input',
  'constant',
  'linear',
  'product',
  'digits',
  'zeroTest',
  'quotient',
  'selection',
  'assumed',
  'follows',
] as const
export type Lemma = (typeof LEMMAS)[number]
const codeOf = Object.fromEntries(LEMMAS.map((name, i) => [name, i])) as Record<Lemma, number>

export type Determination = {
  readonly known: Knowledge
  /** Index into LEMMAS for every wire. */
  readonly lemma: Uint8Array
  /** Takes a wire for determined and returns what follows from it, for reports. */
  assume(wire: Wire): readonly Wire[]
}

/** Most open wires of a row that is tried again when nothing else moves. */
const MAX_RETRIED = 300
/** Combinations of a wire that are looked at. */
const MAX_HOMES = 64
/** Rounds of such trials. */
const MAX_ROUNDS = 100
const MAX_ROUNDS_ASSUMED = 2

/**
 * A wire is foreign to a combination if another row used it before, apart from its own booleanity. Rows are tried once their
 * other wires are determined. Only the order of trials depends on this.
 */
function foreignWires(
  rows: Rows,
  ranges: Ranges,
  open: Uint8Array,
): { readonly count: Uint32Array; isForeign(w: Wire, lc: LCId): boolean } {
  const { start, wire, sides, linear, other } = rows
  const never = 0xffffffff
  const firstOfWire = new Uint32Array(rows.wires).fill(never)
  const firstOfLC = new Uint32Array(rows.combinations).fill(never)
  for (let r = 0; r < rows.count; r++) {
    const [a, b, c] = [sides[3 * r]!, sides[3 * r + 1]!, sides[3 * r + 2]!]
    for (const lc of linear[r] === 1 ? [other[r]!, c] : [a, b, c]) {
      if (firstOfLC[lc] !== never) continue
      // b·b = b
      if (a === b && start[lc + 1]! - start[lc]! === 1 && ranges.boolean[wire[start[lc]!]!] === 1) continue
      firstOfLC[lc] = r
      for (let i = start[lc]!; i < start[lc + 1]!; i++) if (firstOfWire[wire[i]!] === never) firstOfWire[wire[i]!] = r
    }
  }
  const isForeign = (w: Wire, lc: LCId): boolean => firstOfWire[w]! < firstOfLC[lc]!
  const count = new Uint32Array(rows.combinations)
  for (let lc = 0; lc < rows.combinations; lc++)
    for (let i = start[lc]!; i < start[lc + 1]!; i++) if (open[wire[i]!] === 1 && isForeign(wire[i]!, lc)) count[lc]!++
  return { count, isForeign }
}

/** Propagates from the inputs, public and private, to a fixed point. Near-linear in the circuit's terms. */
export function determine(rows: Rows, ranges: Ranges): Determination {
  const { circuit, linear, other, sides } = rows
  const lemma = new Uint8Array(rows.wires)
  const firstInput = 1 + circuit.publicOutputs
  const behindInputs = firstInput + circuit.publicInputs + circuit.privateInputs
  lemma.fill(codeOf.input, firstInput, behindInputs)
  lemma[0] = codeOf.constant
  const open = openWires(rows, (w) => w >= firstInput && w < behindInputs)
  const { count, last } = open
  const foreign = foreignWires(rows, ranges, open.wires)
  const known: Knowledge = { rows, ranges, open: open.wires, count, last }
  const queue = createQueue(rows.count)
  let learnt: Wire[] = []
  let assuming = false

  const close = (wire: Wire, by: Lemma): void => {
    if (open.wires[wire] === 0) return
    lemma[wire] = codeOf[assuming && by !== 'assumed' ? 'follows' : by]
    if (assuming) learnt.push(wire)
    closeWire(rows, open, wire, (lc) => {
      const left = foreign.isForeign(wire, lc) ? --foreign.count[lc]! : -1
      if (count[lc]! <= 1 || left === 0) pushUsers(rows, queue, lc)
    })
  }
  const closeAll = (wires: readonly Wire[], by: Lemma): boolean => {
    for (const w of wires) close(w, by)
    return wires.length > 0
  }

  const nonZero = (lc: LCId): boolean => {
    const range = ranges.interval(lc)
    return range !== undefined && (range.lo > 0n ? range.hi < rows.F.p : range.hi < 0n && -range.lo < rows.F.p)
  }

  /** k·o = c. */
  const tryLinear = (r: number): void => {
    const [o, c] = [other[r]!, sides[3 * r + 2]!]
    const [no, nc] = [count[o]!, count[c]!]
    if (no + nc === 0) return
    if (no + nc === 1) close(no === 1 ? last[o]! : last[c]!, 'linear')
    else if (no === 0 || nc === 0) closeAll(digits(known, r), 'digits')
    else if (no === 1 && nc === 1 && last[o] === last[c]) {
      if (lineOf(rows, r).has(last[o]!)) close(last[o]!, 'linear')
    } else if (no === 1 || nc === 1) {
      // a quotient by a constant shows itself by digits, one open wire beside the remainder's
      if (closeAll(quotient(known, r), 'quotient')) return
      const w = no === 1 ? last[o]! : last[c]!
      if (ranges.boolean[w] === 1 && closeAll(place(known, { selectors: [w], some: false }), 'selection')) return
      if (isQuotient(r) || settled(o, c)) closeAll(digits(known, r), 'digits')
    } else if (settled(o, c)) closeAll(digits(known, r), 'digits')
  }

  /** Whether the open wires of a row are those that it was made for. */
  const settled = (o: LCId, c: LCId): boolean => foreign.count[o] === 0 && foreign.count[c] === 0

  /** Whether the single open wire of a side has a range and stands alone in another linear row's side too. */
  const isQuotient = (r: number): boolean => {
    for (const side of [other[r]!, sides[3 * r + 2]!]) {
      if (count[side] !== 1 || !ranges.has(last[side]!)) continue
      const w = last[side]!
      const [from, to] = [rows.homesStart[w]!, Math.min(rows.homesStart[w + 1]!, rows.homesStart[w]! + MAX_HOMES)]
      const alone = rows.homes
        .subarray(from, to)
        .reduce((n, lc) => n + (count[lc] === 1 && rows.start[lc + 1]! - rows.start[lc]! > 1 ? 1 : 0), 0)
      if (alone > 1) return true
    }
    return false
  }

  /** a·b = c. */
  const tryProduct = (r: number): void => {
    const [a, b, c] = [sides[3 * r]!, sides[3 * r + 1]!, sides[3 * r + 2]!]
    const [na, nb, nc] = [count[a]!, count[b]!, count[c]!]
    if (na > 0 && nb > 0) return
    if (na === 0 && nb === 0) {
      if (nc === 1) close(last[c]!, 'product')
      else if (nc > 1) closeAll(digitsOf(known, c), 'digits')
      return
    }
    const [x, y] = na === 0 ? [a, b] : [b, a]
    if (nc === 0 && nonZero(x)) {
      if (count[y] === 1) close(last[y]!, 'product')
      else closeAll(digitsOf(known, y), 'digits')
      return
    }
    const z = zeroTest(known, r) ?? pinnedByEither(known, r)
    if (z !== undefined) close(z, 'zeroTest')
  }

  const drain = (): void => {
    for (let r = queue.pop(); r !== undefined; r = queue.pop()) {
      if (linear[r] === 1) tryLinear(r)
      else tryProduct(r)
    }
  }

  /** Choices, each followed by what follows from it: most stand in the order in which they depend on each other. */
  const select = (): boolean => {
    let found = false
    for (const choice of ranges.choices) {
      if (!choice.selectors.some((e) => open.wires[e] === 1)) continue
      const wires = choice.some ? selection(known, choice) : []
      if (!closeAll(wires.length > 0 ? wires : place(known, choice), 'selection')) continue
      found = true
      drain()
    }
    return found
  }

  /** Rows that the queue did not call again although more than one side changed. */
  const retry = (): boolean => {
    let found = false
    for (let r = 0; r < rows.count; r++) {
      if (linear[r] === 0) continue
      const left = count[other[r]!]! + count[sides[3 * r + 2]!]!
      if (left <= 1 || left > MAX_RETRIED || !closeAll(digits(known, r), 'digits')) continue
      found = true
      drain()
    }
    return found
  }

  const settle = (rounds: number): void => {
    drain()
    for (let round = 0; round < rounds; round++) if (!select() && !retry()) return
  }

  for (let w = 1; w < rows.wires; w++) if (ranges.has(w) && ranges.width(w) === 0n) close(w, 'constant')
  for (let r = 0; r < rows.count; r++) queue.push(r)
  settle(MAX_ROUNDS)
  return {
    known,
    lemma,
    assume(wire) {
      assuming = true
      learnt = []
      close(wire, 'assumed')
      settle(MAX_ROUNDS_ASSUMED)
      assuming = false
      return learnt.slice(1)
    },
  }
}
