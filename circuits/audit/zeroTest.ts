import type { LCId, Wire } from '../circuit.ts'
import type { Knowledge } from './knowledge.ts'
import { addTo, isConstant, rowsOfWire } from './rows.ts'

/** Rows of a wire that are looked at. */
const MAX_PARTNERS = 64

/** A row x·y = c, seen from its determined factor x. */
type Seen = { readonly x: LCId; readonly y: LCId; readonly c: LCId }

/** The ways in which a row is a product with a determined factor. */
function* seen({ rows, count }: Knowledge, row: number): Generator<Seen> {
  if (rows.linear[row] === 1) return
  const [a, b, c] = [rows.sides[3 * row]!, rows.sides[3 * row + 1]!, rows.sides[3 * row + 2]!]
  if (count[a] === 0) yield { x: a, y: b, c }
  if (count[b] === 0 && a !== b) yield { x: b, y: a, c }
}

const isOnly = ({ count, last }: Knowledge, lc: LCId, wire: Wire): boolean => count[lc] === 1 && last[lc] === wire

/**
 * Zero test: of two rows with the same determined x,
 *   x·(k·z + …) = …   gives z where x ≠ 0,
 *   x·v = k·z + …     gives z where x = 0, whatever v is      (… are determined, k ≠ 0).
 * So z is determined.
 */
export function zeroTest(known: Knowledge, row: number): Wire | undefined {
  const { count, last } = known
  for (const { x, y, c } of seen(known, row)) {
    const first = count[y] === 1 && count[c] === 0
    if (!first && count[c] !== 1) continue
    const z = first ? last[y]! : last[c]!
    for (const partner of rowsOfWire(known.rows, z, MAX_PARTNERS))
      for (const other of seen(known, partner)) {
        if (other.x !== x) continue
        const pinned = first ? isOnly(known, other.c, z) : isOnly(known, other.y, z) && count[other.c] === 0
        if (pinned) return z
      }
  }
  return undefined
}

/**
 * Pinned by either: rows x·v = c and x'·v = c' with everything but v determined give v where x ≠ 0 and where x' ≠ 0. If
 * c = k + m·x' with a constant k ≠ 0, both can't be 0: x = 0 makes c = 0 and x' = -k/m.
 */
export function pinnedByEither(known: Knowledge, row: number): Wire | undefined {
  const { count, last } = known
  for (const one of seen(known, row)) {
    if (count[one.y] !== 1 || count[one.c] !== 0) continue
    const v = last[one.y]!
    for (const partner of rowsOfWire(known.rows, v, MAX_PARTNERS)) {
      if (partner === row) continue
      for (const two of seen(known, partner))
        if (isOnly(known, two.y, v) && count[two.c] === 0)
          if (shifted(known, one.c, two.x) || shifted(known, two.c, one.x)) return v
    }
  }
  return undefined
}

/** Whether c = k + m·x for constants k, m with k ≠ 0. */
function shifted({ rows }: Knowledge, c: LCId, x: LCId): boolean {
  if (isConstant(rows, c)) return c !== rows.empty
  const [left, right] = [addTo(rows, new Map(), 1n, c), addTo(rows, new Map(), 1n, x)]
  const wire = [...right.keys()].find((w) => w !== 0)
  if (wire === undefined || !left.has(wire)) return false
  const rest = addTo(rows, left, -left.get(wire)! * rows.F.inv(right.get(wire)!), x)
  return rest.size === 1 && rest.has(0)
}
