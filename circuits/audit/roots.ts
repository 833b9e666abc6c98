import type { LCId, Wire } from '../circuit.ts'
import type { Range } from '../lc.ts'
import { hullOf } from './intervals.ts'
import { addTo, type Rows, singleOf } from './rows.ts'

/** Users of a combination that are looked at. */
const MAX_USERS = 64

/** For a row that says x·(x - t) = 0 up to a factor and holds no other wire: x, and t ≠ 0 signed. */
export function secondRoot(rows: Rows, row: number): { readonly wire: Wire; readonly value: bigint } | undefined {
  const { F, start, wire, coefficient, values, sides } = rows
  let x = 0
  const sideOf = (lc: LCId): readonly [constant: bigint, slope: bigint] | undefined => {
    let [constant, slope] = [0n, 0n]
    for (let i = start[lc]!; i < start[lc + 1]!; i++) {
      if (wire[i] === 0) constant = values[coefficient[i]!]!
      else if (x === 0 || x === wire[i]) {
        x = wire[i]!
        slope = values[coefficient[i]!]!
      } else return undefined
    }
    return [constant, slope]
  }
  for (let side = 0; side < 3; side++) {
    const lc = sides[3 * row + side]!
    if (start[lc + 1]! - start[lc]! > 2) return undefined
  }
  const a = sideOf(sides[3 * row]!)
  const b = a && sideOf(sides[3 * row + 1]!)
  const c = b && sideOf(sides[3 * row + 2]!)
  if (a === undefined || b === undefined || c === undefined || x === 0) return undefined
  const square = F.mod(a[1] * b[1])
  const slope = F.mod(a[1] * b[0] + a[0] * b[1] - c[1])
  if (square === 0n || slope === 0n || F.mod(a[0] * b[0] - c[0]) !== 0n) return undefined
  // by far the commonest row: b·b = b
  return { wire: x, value: square + slope === F.p ? 1n : F.signed(-slope * F.inv(square)) }
}

/** The interval that such a row leaves its wire. */
export function ownRoots(rows: Rows, row: number): (Range & { readonly wire: Wire }) | undefined {
  const root = secondRoot(rows, row)
  return root && { wire: root.wire, ...hullOf([0n, root.value]) }
}

/**
 * Zero test: a row x·z = 0 leaves only z = 0 where x ≠ 0, and another one x·v = k + m·z leaves only z = -k/m where x = 0,
 * whatever v is. So z is one of the two.
 */
export function zeroTestRoots(rows: Rows, row: number): (Range & { readonly wire: Wire }) | undefined {
  const { F, sides, linear, empty, usersStart, users } = rows
  if (sides[3 * row + 2] !== empty) return undefined
  for (const [x, y] of [
    [sides[3 * row]!, sides[3 * row + 1]!],
    [sides[3 * row + 1]!, sides[3 * row]!],
  ] as const) {
    const z = singleOf(rows, y)
    if (z === undefined) continue
    const end = Math.min(usersStart[x + 1]!, usersStart[x]! + MAX_USERS)
    for (let u = usersStart[x]!; u < end; u++) {
      const r = users[u]!
      if (linear[r] === 1 || (sides[3 * r] !== x && sides[3 * r + 1] !== x)) continue
      const c = sides[3 * r + 2]!
      if (rows.start[c + 1]! - rows.start[c]! > 2) continue
      const line = addTo(rows, new Map(), 1n, c)
      const [k, m] = [line.get(0) ?? 0n, line.get(z)]
      if (m !== undefined && line.size === (k === 0n ? 1 : 2))
        return { wire: z, ...hullOf([0n, F.signed(-k * F.inv(m))]) }
    }
  }
  return undefined
}
