/**
 * The audit of a circuit: a proof, from its rows alone, that the inputs determine every wire; and where that fails, what is
 * open, why, and if possible a second witness. Nothing here trusts the builder: ranges, booleans and the order of things are
 * read off the rows; labels serve reports only, the witness program serves to find witnesses only.
 * @module
 */
import type { Circuit, Wire } from '../circuit.ts'
import { type Counts, countParts, type Listed, lister, type RowRef, refOf } from './counts.ts'
import { type Determination, determine, LEMMAS, type Lemma } from './determine.ts'
import { explain } from './explain.ts'
import { meet } from './intervals.ts'
import { kernelAt } from './kernel.ts'
import { type RangeReport, reportRanges } from './rangeReport.ts'
import { deriveRanges, type Ranges } from './ranges.ts'
import { type Rows, readRows, rowsOfWire, wiresOfRow } from './rows.ts'
import { findSecond, honestWitness, type SecondWitness } from './secondWitness.ts'

/** A wire that no lemma shows to be determined. */
export type Undetermined = {
  readonly wire: Wire
  readonly kind: 'output' | 'inner'
  /** Labels of the rows that it occurs in; empty where there are none. */
  readonly scopes: readonly string[]
  readonly reason: string
  /** The wire of this list that determines it together with the inputs and the wires before that one. */
  readonly follows?: Wire
  /** Whether it moves to first order at a random witness, given all determined wires; told for wires that were searched. */
  readonly moves?: boolean
  readonly secondWitness?: SecondWitness
}

export type ScopeSummary = {
  readonly scope: string
  readonly rows: number
  /** Wires that occur in rows of this scope first. */
  readonly wires: number
  readonly undetermined: number
}

/** The kernel test at drawn witnesses: what the rows let move to first order while the inputs stand still. */
export type KernelReport = {
  /** Witnesses at which it was made. */
  readonly witnesses: number
  /** Inputs that were drawn from their ranges and have no witness. */
  readonly unsatisfied: number
  /** Wires that move at one of them. */
  readonly moving: Listed<RowRef & { readonly wire: Wire }>
  /** Wires for which telling would have taken too long. */
  readonly undecided: number
}

/** Plain data, apart from bigints. */
export type Audit = {
  /** Every wire is determined by the inputs, public and private. */
  readonly determined: boolean
  /**
   * Determined, no wire moves at a witness, and no row wraps, contradicts itself, or leaves a public input out. Whether it
   * computes what it should is for tests to say.
   */
  readonly clean: boolean
  readonly undeterminedCount: number
  /** The wires on which the others depend first; at most `named` in all. */
  readonly undetermined: readonly Undetermined[]
  /** Wires by what shows that they are determined. */
  readonly lemmas: Readonly<Partial<Record<Lemma, number>>>
  readonly counts: Counts
  readonly ranges: RangeReport
  readonly kernel: KernelReport
  /** In the order of their first rows. */
  readonly scopes: readonly ScopeSummary[]
}

export type AuditOptions = {
  /** Inputs whose witnesses are looked at, public ones first. By default they are drawn from the inputs' ranges. */
  readonly inputs?: readonly (readonly bigint[])[]
  /** Seed of drawn inputs; default 1. */
  readonly seed?: number
  /** Most undetermined wires that are named; default 100. */
  readonly named?: number
  /** For how many of them a second witness is searched; default 8. */
  readonly searched?: number
  readonly onPhase?: (phase: 'read' | 'ranges' | 'determine' | 'count' | 'kernel' | 'search') => void
}

/** Undetermined wires that are told apart from those that follow from them. */
const MAX_ROOTS = 64
/** Witnesses that are drawn: at most so many, fewer for circuits with more wires in all than this. */
const DRAWN = 24
const DRAWN_WIRES = 4_000_000
/** Witnesses at which the kernel test is made. */
const KERNELS = 2
/** Work of all searches together, in terms that are visited. */
const EFFORT = 10_000_000

/**
 * Audits a circuit. Near-linear in its terms: seconds for a million rows. Searching second witnesses is bounded work for each
 * wire, and runs only where something is not determined.
 */
export function audit(circuit: Circuit, options: AuditOptions = {}): Audit {
  const { named = 100, searched = 8, onPhase } = options
  onPhase?.('read')
  const rows = readRows(circuit)
  onPhase?.('ranges')
  const ranges = deriveRanges(rows)
  onPhase?.('determine')
  const determination = determine(rows, ranges)
  const open = determination.known.open.slice()
  const lemmas: Partial<Record<Lemma, number>> = {}
  for (let w = 1; w < rows.wires; w++) {
    const name = LEMMAS[determination.lemma[w]!]!
    lemmas[name] = (lemmas[name] ?? 0) + 1
  }
  const undeterminedCount = open.reduce((n, o) => n + o, 0)
  onPhase?.('count')
  const counts = countParts(rows, ranges)
  const report = reportRanges(rows, ranges)
  const scopes = summarise(rows, open)
  onPhase?.('kernel')
  const witnesses = witnessesOf(circuit, ranges, options)
  const kernel = testKernel(rows, witnesses)
  if (undeterminedCount > 0) onPhase?.('search')
  const undetermined =
    undeterminedCount === 0 ? [] : nameOpen(rows, ranges, determination, open, named, searched, witnesses)
  const determined = undeterminedCount === 0
  const sound = [report.wrapping, counts.contradictions, counts.unusedPublicInputs].every(({ count }) => count === 0)
  return {
    determined,
    clean: determined && sound && kernel.moving.count === 0,
    ...{ undeterminedCount, undetermined, lemmas, counts, ranges: report, kernel, scopes },
  }
}

type Drawn = {
  readonly inputs: readonly bigint[] /** Undefined where there is no witness. */
  readonly values: readonly bigint[] | undefined
}
/** The k-th tuple of inputs with its witness, for k below `count`. */
type Witnesses = { readonly count: number; at(k: number): Drawn }

function testKernel(rows: Rows, witnesses: Witnesses): KernelReport {
  const moving = new Set<Wire>()
  let [tested, unsatisfied, undecided] = [0, 0, 0]
  // the first one is nearest to 0, and so the least typical
  for (let k = 1; k <= witnesses.count && tested < KERNELS; k++) {
    const { values } = witnesses.at(k % witnesses.count)
    if (values === undefined) {
      unsatisfied++
      continue
    }
    tested++
    const kernel = kernelAt(rows, values)
    for (const w of kernel.moving) moving.add(w)
    undecided = Math.max(undecided, kernel.undecided)
  }
  const list = lister<RowRef & { readonly wire: Wire }>()
  for (const wire of moving) {
    const [row] = rowsOfWire(rows, wire, 4)
    list.add({ wire, ...(row === undefined ? { row: -1, scope: '' } : refOf(rows, row)) })
  }
  return { witnesses: tested, unsatisfied, moving: list.list(), undecided }
}

/** Open wires: first those that the others follow from, each with what is wrong and a second witness, then the others. */
function nameOpen(
  rows: Rows,
  ranges: Ranges,
  { known, assume }: Determination,
  open: Uint8Array,
  named: number,
  searched: number,
  witnesses: Witnesses,
): Undetermined[] {
  const roots: Undetermined[] = []
  const followers: Undetermined[] = []
  const most = Math.min(MAX_ROOTS, named)
  const effort = { left: EFFORT }
  const base = (wire: Wire): Pick<Undetermined, 'wire' | 'kind' | 'scopes'> => ({
    wire,
    kind: wire <= rows.circuit.publicOutputs ? 'output' : 'inner',
    scopes: [...new Set(rowsOfWire(rows, wire, 256).map((r) => refOf(rows, r).scope))],
  })
  const follow = (wires: readonly Wire[], root: Wire, reason: string): void => {
    for (const wire of wires) if (followers.length < named) followers.push({ ...base(wire), reason, follows: root })
  }
  const name = (root: Wire): void => {
    const reason = explain(known, root)
    const siblings = siblingsOf(rows, known.open, root)
    let found: { readonly moves: boolean; readonly secondWitness?: SecondWitness } | undefined
    if (roots.length < searched)
      for (let k = 0; k < witnesses.count; k++) {
        const { inputs, values } = witnesses.at(k)
        if (values === undefined) continue
        const { moves, second } = findSecond(rows, ranges, open, values, inputs, root, effort)
        found = { moves: moves || found?.moves === true, ...(second === undefined ? {} : { secondWitness: second }) }
        if (second !== undefined || effort.left <= 0) break
      }
    roots.push({ ...base(root), reason, ...found })
    follow(assume(root), root, `it is determined once wire ${root} is`)
    for (const wire of siblings) {
      if (known.open[wire] === 0) continue
      follow([wire], root, `as wire ${root}, whose row it shares`)
      follow(assume(wire), root, `it is determined once wire ${wire} is`)
    }
  }
  const { publicOutputs } = rows.circuit
  const order = function* (): Generator<Wire> {
    for (let w = publicOutputs + 1; w < rows.wires; w++) yield w
    for (let w = 1; w <= publicOutputs; w++) yield w
  }
  for (const w of order())
    while (known.open[w] === 1 && roots.length < most) name(rootNear(rows, ranges, known.open, w))
  return [...roots, ...followers].slice(0, named)
}

/** Open wires of like range that share a linear row with a wire: bits of one number, say. */
function siblingsOf(rows: Rows, open: Uint8Array, wire: Wire): Wire[] {
  const row = rowsOfWire(rows, wire, 16).find((r) => rows.linear[r] === 1)
  return row === undefined ? [] : wiresOfRow(rows, row).filter((w) => open[w] === 1 && w !== wire)
}

/** An open wire: the given one, or one without a range that shares a linear row with it, and so is the likelier cause. */
function rootNear(rows: Rows, ranges: Ranges, open: Uint8Array, wire: Wire): Wire {
  if (!ranges.has(wire)) return wire
  for (const r of rowsOfWire(rows, wire, 16)) {
    if (rows.linear[r] === 0) continue
    const unbounded = wiresOfRow(rows, r).filter((w) => open[w] === 1 && !ranges.has(w))
    if (unbounded.length > 0) return Math.min(...unbounded)
  }
  return wire
}

function summarise(rows: Rows, open: Uint8Array): ScopeSummary[] {
  const { circuit } = rows
  const seen = new Uint8Array(rows.wires)
  const [rowCount, wireCount, openCount] = [0, 0, 0].map(() => new Float64Array(circuit.scopes.length))
  const order = new Set<number>()
  const { lcStart, lcWire, rowLC, rowScope } = circuit
  for (let r = 0; r < rows.count; r++) {
    const scope = rowScope[r]!
    order.add(scope)
    rowCount![scope]!++
    for (let side = 0; side < 3; side++)
      for (let i = lcStart[rowLC[3 * r + side]!]!; i < lcStart[rowLC[3 * r + side]! + 1]!; i++) {
        const w = lcWire[i]!
        if (seen[w] === 1 || w === 0) continue
        seen[w] = 1
        wireCount![scope]!++
        openCount![scope]! += open[w]!
      }
  }
  return [...order].map((scope) => ({
    scope: circuit.scopes[scope]!,
    rows: rowCount![scope]!,
    wires: wireCount![scope]!,
    undetermined: openCount![scope]!,
  }))
}

/** Witnesses of the given inputs, or of drawn ones, each computed once and when it is asked for. */
function witnessesOf(circuit: Circuit, ranges: Ranges, { inputs, seed = 1 }: AuditOptions): Witnesses {
  const drawn = Math.max(4, Math.min(DRAWN, Math.floor(DRAWN_WIRES / circuit.wires)))
  const tuples = inputs ?? Array.from({ length: drawn }, (_, k) => draw(circuit, ranges, seed, k))
  const made = new Map<number, Drawn>()
  return {
    count: tuples.length,
    at(k) {
      const known = made.get(k)
      if (known !== undefined) return known
      const witness = { inputs: tuples[k]!, values: honestWitness(circuit, tuples[k]!) }
      made.set(k, witness)
      return witness
    },
  }
}

/** The k-th tuple of inputs within the ranges that circuit and rows give: nearest to 0, then drawn, with the ends among them. */
function draw(circuit: Circuit, ranges: Ranges, seed: number, k: number): bigint[] {
  // mulberry32
  let state = (Math.imul(seed, 0x9e3779b1) + k) >>> 0
  const word = (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return (t ^ (t >>> 14)) >>> 0
  }
  const below = (n: bigint): bigint => {
    let x = 0n
    for (let bound = 1n; bound < n << 32n; bound <<= 32n) x = (x << 32n) | BigInt(word())
    return x % n
  }
  return Array.from({ length: circuit.publicInputs + circuit.privateInputs }, (_, i) => {
    const [low, high] = [circuit.inputRanges[2 * i]!, circuit.inputRanges[2 * i + 1]!]
    const claimed = Number.isFinite(low) ? { lo: BigInt(low), hi: BigInt(high) } : undefined
    const proven = ranges.of(1 + circuit.publicOutputs + i)
    const range = claimed === undefined || proven === undefined ? (claimed ?? proven) : meet(claimed, proven)
    if (range === undefined) return k === 0 ? 0n : below(circuit.prime)
    const { lo, hi } = range
    if (k === 0) return lo > 0n ? lo : hi < 0n ? hi : 0n
    if (k === 3) return word() % 2 === 0 ? lo : hi
    return lo + below(hi - lo + 1n)
  })
}
