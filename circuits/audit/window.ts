import type { Wire } from '../circuit.ts'
import { type Rows, rowsOfWire, wiresOfRow } from './rows.ts'

/** Σ coefficient · variable + constant; variables are positions in a window. */
export type Affine = { readonly constant: bigint; readonly terms: readonly (readonly [variable: number, k: bigint])[] }

/** A row a·b = c in the variables of a window. */
export type LocalRow = {
  readonly row: number
  readonly a: Affine
  readonly b: Affine
  readonly c: Affine
  readonly variables: readonly number[]
}

/** Some wires, and the rows that hold no other wire that could differ, at one witness. */
export type Window = {
  readonly wires: readonly Wire[]
  readonly rows: readonly LocalRow[]
  readonly rowsOf: readonly (readonly number[])[]
  /** Whether no row was left out: then a solution of the window is one of the circuit. */
  readonly whole: boolean
}

/**
 * The wires around one that are not shown to be determined, nearest first, and the rows that hold no others. All other wires
 * have their values of the witness.
 */
export function windowAround(
  rows: Rows,
  open: Uint8Array,
  witness: readonly bigint[],
  root: Wire,
  limit: { readonly wires: number; readonly rows: number },
): Window {
  const position = new Map<Wire, number>([[root, 0]])
  const wires: Wire[] = [root]
  const found = new Set<number>()
  let cut = false
  for (let next = 0; next < wires.length; next++)
    for (const r of rowsOfWire(rows, wires[next]!, limit.rows)) {
      if (found.has(r)) continue
      const inside = wiresOfRow(rows, r).filter((w) => open[w] === 1)
      const added = inside.filter((w) => !position.has(w))
      if (found.size >= limit.rows || wires.length + added.length > limit.wires) {
        cut = true
        continue
      }
      found.add(r)
      for (const w of added) position.set(w, wires.push(w) - 1)
    }
  const { start, wire, coefficient, values, sides, linear, other, factor, F } = rows
  const affine = (lc: number, scale = 1n): Affine => {
    let constant = 0n
    const terms: [number, bigint][] = []
    for (let i = start[lc]!; i < start[lc + 1]!; i++) {
      const k = scale * values[coefficient[i]!]!
      const variable = position.get(wire[i]!)
      if (variable === undefined) constant += k * witness[wire[i]!]!
      else terms.push([variable, k])
    }
    return { constant: F.mod(constant), terms }
  }
  const one: Affine = { constant: 1n, terms: [] }
  const local = [...found].map((row): LocalRow => {
    const isLinear = linear[row] === 1
    const a = isLinear ? affine(other[row]!, values[factor[row]!]!) : affine(sides[3 * row]!)
    const b = isLinear ? one : affine(sides[3 * row + 1]!)
    const c = affine(sides[3 * row + 2]!)
    return { row, a, b, c, variables: [...new Set([a, b, c].flatMap(({ terms }) => terms.map(([v]) => v)))] }
  })
  const rowsOf: number[][] = wires.map(() => [])
  local.forEach(({ variables }, r) => {
    for (const v of variables) rowsOf[v]!.push(r)
  })
  return { wires, rows: local, rowsOf, whole: !cut }
}
