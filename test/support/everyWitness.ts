import type { Circuit } from '../../circuits/circuit.ts'

/** Terms of a row that do not belong to the wire being set, and that wire's own coefficients; all mod p. */
type Due = {
  readonly known: readonly [Terms, Terms, Terms]
  readonly own: readonly [number, number, number]
}
/** Wires and their coefficients by turns. */
type Terms = Int32Array

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
    for (let i = 0; i < terms.length; i += 2) s += terms[i + 1]! * values[terms[i]!]!
    return s % p
  }
  const found: number[][] = []
  // for each depth the rows' polynomials q2·v² + q1·v + q0 in the wire that is set there
  const polynomials = due.map((rows) => new Int32Array(3 * rows.length))
  let nodes = 0
  const search = (depth: number): void => {
    if (depth === order.length) {
      found.push([...values])
      return
    }
    if (++nodes > MAX_NODES) throw new Error('everyWitness: too many to enumerate')
    const rows = due[depth]!
    const quadratics = polynomials[depth]!
    let end = 0
    let only = -1
    for (let i = 0; i < rows.length; i++) {
      const { known, own } = rows[i]!
      const a = sum(known[0])
      const b = sum(known[1])
      const q2 = (own[0] * own[1]) % p
      const q1 = mod(a * own[1] + b * own[0] - own[2])
      const q0 = mod(a * b - sum(known[2]))
      if (q2 === 0 && q1 === 0) {
        if (q0 !== 0) return
      } else {
        if (q2 === 0 && only < 0) only = mod(-q0 * inverse(q1, p))
        quadratics[end] = q2
        quadratics[end + 1] = q1
        quadratics[end + 2] = q0
        end += 3
      }
    }
    const wire = order[depth]!
    const last = only < 0 ? p - 1 : only
    for (let v = Math.max(only, 0); v <= last && found.length < most; v++) {
      let i = 0
      while (i < end && (((quadratics[i]! * v + quadratics[i + 1]!) % p) * v + quadratics[i + 2]!) % p === 0) i += 3
      if (i < end) continue
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

const wiresOf = (terms: Terms): number[] => Array.from({ length: terms.length / 2 }, (_, i) => terms[2 * i]!)
const coefficientOf = (terms: Terms, wire: number): number => {
  const i = wiresOf(terms).indexOf(wire)
  return i < 0 ? 0 : terms[2 * i + 1]!
}
const without = (terms: Terms, wire: number): Terms => terms.filter((_, i) => terms[i - (i % 2)] !== wire)

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
    const terms: number[] = []
    for (let i = circuit.lcStart[lc]!; i < circuit.lcStart[lc + 1]!; i++) {
      const k = Number(circuit.coefficients[circuit.lcCoefficient[i]!]!)
      terms.push(circuit.lcWire[i]!, ((k % p) + p) % p)
    }
    return Int32Array.from(terms)
  }
  const rows = Array.from({ length: circuit.rows }, (_, r) => {
    const side = (k: number): Terms => termsOf(circuit.rowLC[3 * r + k]!)
    const sides: readonly [Terms, Terms, Terms] = [side(0), side(1), side(2)]
    return { sides, open: new Set(sides.flatMap(wiresOf)) }
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
    rows.some(({ sides }) => sides.every((side) => wiresOf(side).every((w) => w === wire || w === 0))),
  )
  /** The lower the sooner: determined by a row, bounded by a row of its own, in a row with few others, the rest. */
  const rank = (wire: number): number => {
    const last = rowsOf[wire]!.filter((row) => row.open.size === 1)
    const determined = last.some(({ sides: [a, b] }) => [a, b].every((side) => !wiresOf(side).includes(wire)))
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
        known: sides.map((side) => without(side, best)) as unknown as Due['known'],
        own: sides.map((side) => coefficientOf(side, best)) as unknown as Due['own'],
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
