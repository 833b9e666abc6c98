import type { Wire } from '../circuit.ts'
import { bitLength, magnitude } from '../lc.ts'
import { refOf } from './counts.ts'
import { type Knowledge, rangeOfSum, unknownOf } from './knowledge.ts'
import { secondRoot } from './roots.ts'
import { lineOf, rowsOfWire } from './rows.ts'

/** Rows that a reason tells of. */
const TOLD = 3

/** Why no lemma shows that a wire is determined: what each of its rows lacks. */
export function explain(known: Knowledge, wire: Wire): string {
  const { rows } = known
  const all = rowsOfWire(rows, wire, 64)
  if (all.length === 0) return 'it occurs in no row'
  const telling = all.filter((r) => rows.linear[r] === 1 || secondRoot(rows, r)?.wire !== wire)
  if (telling.length === 0) return 'it is 0 or 1, and no other row tells which'
  return telling
    .slice(0, TOLD)
    .map((r) => {
      const { scope } = refOf(rows, r)
      return `row ${r}${scope === '' ? '' : ` (${scope})`}: ${ofRow(known, r)}`
    })
    .join('; ')
}

const list = (wires: readonly Wire[]): string =>
  `${wires.length > 1 ? 'wires' : 'wire'} ${wires.slice(0, 4).join(', ')}${wires.length > 4 ? ', …' : ''}`

function ofRow(known: Knowledge, row: number): string {
  const { rows, ranges, count } = known
  if (rows.linear[row] === 0) {
    const [a, b] = [count[rows.sides[3 * row]!]!, count[rows.sides[3 * row + 1]!]!]
    if (a > 0 && b > 0) return 'neither factor is determined'
    return a + b > 0 ? 'the factor that is determined may be 0' : 'several wires of the product’s other side are open'
  }
  const open = unknownOf(known, lineOf(rows, row))
  const unbounded = [...open.keys()].filter((w) => !ranges.has(w))
  if (unbounded.length > 0) return `${open.size} of its wires are open, and ${list(unbounded)} may be any field element`
  const range = rangeOfSum(ranges, open)!
  const width = magnitude({ lo: 0n, hi: range.hi - range.lo })
  if (width >= rows.F.p)
    return `its ${open.size} open wires reach sums of ${bitLength(width)} bits, so two of them may agree mod p`
  return `several values of its ${open.size} open wires may give the same sum`
}
