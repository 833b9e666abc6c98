import type { Circuit } from '../../circuits/circuit.ts'

/** Terms of a row that do not belong to the wire being set, and that wire's own coefficients; all mod p. */
type Due = {
  readonly known: readonly [Terms, Terms, Terms]
  readonly own: readonly [number, number, number]
}
type Terms = readonly (readonly [wire: number, coefficient: number])[]

/** Nodes of the search after which a test is taken to be badly posed. */
const MAX_NODES = 50_000_000

/**
 * All witnesses with these inputs of a circuit over a small prime, whatever its program says; at most `most` of them.
 * Values lie in [0, p).
 *
 * Wires are set one after the other, each row is used as soon as one wire is open: where the row is linear in it with a
 * non-zero coefficient there is one value to try, else up to p. The order of wires is fixed by the rows' structure, so
 * as to set determined wires early.
 */
export function everyWitness(circuit: Circuit, inputs: readonly number[], most = Number.POSITIVE_INFINITY): number[][] {
  const p = Number(circuit.prime)
  if (p > 1 << 20) throw new RangeError('everyWitness: meant for small primes')
  const { order, due, closed } = planOf(circuit)
  const mod = (x: number): number => ((x % p) + p) % p
  const values = new Int32Array(circuit.wires)
  values[0] = 1
  inputs.forEach((x, i) => {
    values[1 + circuit.publicOutputs + i] = mod(x)
  })
  const sum = (terms: Terms): number => {
    let s = 0
    for (const [wire, coefficient] of terms) s += coefficient * values[wire]!
    return s % p
  }
  const found: number[][] = []
  let nodes = 0
  const search = (depth: number): void => {
    if (depth === order.length) {
      found.push([...values])
      return
    }
    if (++nodes > MAX_NODES) throw new Error('everyWitness: too many to enumerate')
    const polynomials: [number, number, number][] = []
    let only: number | undefined
    for (const { known, own } of due[depth]!) {
      const [a, b, c] = [sum(known[0]), sum(known[1]), sum(known[2])]
      const [q2, q1, q0] = [(own[0] * own[1]) % p, mod(a * own[1] + b * own[0] - own[2]), mod(a * b - c)]
      if (q2 === 0 && q1 === 0) {
        if (q0 !== 0) return
      } else {
        if (q2 === 0) only ??= mod(-q0 * inverse(q1, p))
        polynomials.push([q2, q1, q0])
      }
    }
    const wire = order[depth]!
    for (let v = only ?? 0; v <= (only ?? p - 1) && found.length < most; v++) {
      if (!polynomials.every(([q2, q1, q0]) => (((q2 * v + q1) % p) * v + q0) % p === 0)) continue
      values[wire] = v
      search(depth + 1)
    }
  }
  if (closed.every(([a, b, c]) => (sum(a) * sum(b) - sum(c)) % p === 0)) search(0)
  return found
}

const inverses = new Map<number, Int32Array>()
const inverse = (x: number, p: number): number => {
  let table = inverses.get(p)
  if (table === undefined) {
    table = new Int32Array(p)
    table[1] = 1
    for (let i = 2; i < p; i++) table[i] = p - ((Math.floor(p / i) * table[p % i]!) % p)
    inverses.set(p, table)
  }
  return table[x]!
}

type Plan = {
  readonly order: readonly number[]
  readonly due: readonly (readonly Due[])[]
  /** Rows without any open wire. */
  readonly closed: readonly (readonly [Terms, Terms, Terms])[]
}
const plans = new WeakMap<Circuit, Plan>()

/** In which order to set the wires, and which rows have their last wire set where. */
function planOf(circuit: Circuit): Plan {
  const known = plans.get(circuit)
  if (known !== undefined) return known
  const p = Number(circuit.prime)
  const termsOf = (lc: number): Terms => {
    const terms: (readonly [number, number])[] = []
    for (let i = circuit.lcStart[lc]!; i < circuit.lcStart[lc + 1]!; i++) {
      const k = Number(circuit.coefficients[circuit.lcCoefficient[i]!]!)
      terms.push([circuit.lcWire[i]!, ((k % p) + p) % p])
    }
    return terms
  }
  const rows = Array.from({ length: circuit.rows }, (_, r) => {
    const side = (k: number): Terms => termsOf(circuit.rowLC[3 * r + k]!)
    const sides: readonly [Terms, Terms, Terms] = [side(0), side(1), side(2)]
    return { sides, open: new Set(sides.flat().map(([wire]) => wire)) }
  })
  const rowsOf: (typeof rows)[] = Array.from({ length: circuit.wires }, () => [])
  for (const row of rows) for (const wire of row.open) rowsOf[wire]!.push(row)
  const set = new Uint8Array(circuit.wires)
  const close = (wire: number): void => {
    set[wire] = 1
    for (const row of rowsOf[wire]!) row.open.delete(wire)
  }
  const inputs = circuit.publicInputs + circuit.privateInputs
  close(0)
  for (let i = 0; i < inputs; i++) close(1 + circuit.publicOutputs + i)
  const closed = rows.filter((row) => row.open.size === 0).map((row) => row.sides)

  const order: number[] = []
  const due: Due[][] = []
  const unary = rowsOf.map((rows, wire) =>
    rows.some(({ sides }) => sides.every((side) => side.every(([w]) => w === wire || w === 0))),
  )
  /** The lower the sooner: determined by a row, bounded by a row of its own, in a row with few others, the rest. */
  const rank = (wire: number): number => {
    const last = rowsOf[wire]!.filter((row) => row.open.size === 1)
    const determined = last.some(({ sides: [a, b] }) => [a, b].every((side) => side.every(([w]) => w !== wire)))
    if (determined) return 0
    if (last.length > 0 && !unary[wire]) return 2
    const fewest = rowsOf[wire]!.reduce((m, row) => (row.open.size > 1 ? Math.min(m, row.open.size) : m), 1000)
    return (unary[wire] ? 10 : 10_000) + fewest
  }
  while (order.length < circuit.wires - 1 - inputs) {
    let [best, bestRank] = [-1, Number.POSITIVE_INFINITY]
    for (let wire = 1; wire < circuit.wires && bestRank > 0; wire++) {
      if (set[wire] === 1) continue
      const r = rank(wire)
      if (r < bestRank) [best, bestRank] = [wire, r]
    }
    order.push(best)
    due.push(
      rowsOf[best]!.filter((row) => row.open.size === 1).map(({ sides }) => ({
        known: sides.map((side) => side.filter(([w]) => w !== best)) as unknown as Due['known'],
        own: sides.map((side) => side.find(([w]) => w === best)?.[1] ?? 0) as unknown as Due['own'],
      })),
    )
    close(best)
  }
  const plan = { order, due, closed }
  plans.set(circuit, plan)
  return plan
}

/** The circuit without one row; its program is the same. */
export function withoutRow(circuit: Circuit, row: number): Circuit {
  const keep = <T extends Uint32Array>(array: T, width: number): Uint32Array =>
    array.filter((_, i) => Math.floor(i / width) !== row)
  return { ...circuit, rows: circuit.rows - 1, rowLC: keep(circuit.rowLC, 3), rowScope: keep(circuit.rowScope, 1) }
}
