/** Random circuits with a satisfying input each, and the edge cases of shapes. */
import { createBuilder } from '../../circuits/builder.ts'
import type { Circuit } from '../../circuits/circuit.ts'
import { CircuitError } from '../../circuits/error.ts'
import { Fr } from '../../circuits/field.ts'
import type { LC } from '../../circuits/lc.ts'
import { R } from '../../src/groth16/bn254.ts'
import { integers } from '../groth16/circuits.ts'
import { bigintegers } from './support.ts'

export type Provable = {
  readonly name: string
  readonly circuit: Circuit
  readonly inputs: readonly (number | bigint)[]
}

/**
 * Products of random combinations of what came before; inputs small or any field element, public or private. Where a bounded
 * sum would leave the field's range, which the builder refuses, another seed takes over.
 */
export function randomCircuit(seed: number): Provable {
  for (let attempt = 0; ; attempt++) {
    try {
      return { ...circuitOf(seed + 1e6 * attempt), name: `random ${seed}` }
    } catch (error) {
      if (!(error instanceof CircuitError) || error.code !== 'circuit/overflow' || attempt === 99) throw error
    }
  }
}

function circuitOf(seed: number): Omit<Provable, 'name'> {
  const random = integers(seed)
  const big = bigintegers(seed)
  const cs = createBuilder(Fr)
  const inputs: (number | bigint)[] = []
  const values: LC[] = []
  const publics = random(5)
  const privates = 1 + random(5)
  const wide = random(3) === 0
  for (let i = 0; i < publics + privates; i++) {
    const visibility = i < publics ? 'public' : 'private'
    values.push(cs.input(visibility, wide ? null : { lo: -128n, hi: 127n }))
    inputs.push(wide ? big(254) % R : random(256) - 128)
  }
  const rows = 1 + random(60)
  const coefficient = (): bigint => (random(4) === 0 ? big(254) % R : BigInt(random(9) - 4))
  while (cs.rows() < rows) {
    const combination = (): LC => {
      const terms = Array.from({ length: 1 + random(3) }, () => cs.scale(coefficient(), values[random(values.length)]!))
      return cs.add(cs.constant(BigInt(random(5) - 2)), ...terms)
    }
    values.push(cs.mul(combination(), combination()))
  }
  return { circuit: cs.build(), inputs }
}

/** Rows x·x = y up to a count, all for one input. */
function squares(rows: number, x: number, publics = 1): Provable {
  const cs = createBuilder(Fr)
  const range = { lo: -128n, hi: 127n }
  const given = Array.from({ length: publics }, () => cs.input('public', range))
  let value = given[0] ?? cs.input('private', range)
  while (cs.rows() < rows) value = cs.mul(value, value)
  const inputs = new Array(Math.max(publics, 1)).fill(x)
  return { name: `${rows} squares of ${x}, ${publics} public`, circuit: cs.build(), inputs }
}

/** Only public inputs, and rows that bind them. */
function publicOnly(): Provable {
  const cs = createBuilder(Fr)
  const range = { lo: -128n, hi: 127n }
  const [x, y] = [cs.input('public', range), cs.input('public', range)]
  cs.assertMul(x, x, y)
  return { name: 'no private wires', circuit: cs.build(), inputs: [-5, 25] }
}

/** Many wires hold the same combination: equal points of A and B in the key. */
function repeated(): Provable {
  const cs = createBuilder(Fr)
  const range = { lo: -128n, hi: 127n }
  const xs = Array.from({ length: 12 }, () => cs.input('private', range))
  const sum = cs.add(...xs)
  const difference = cs.sub(xs[0]!, cs.add(...xs.slice(1)))
  for (let i = 0; i < 5; i++) cs.mul(cs.add(sum, cs.constant(BigInt(i))), difference)
  return { name: 'equal and opposite points', circuit: cs.build(), inputs: xs.map((_, i) => 7 * i - 40) }
}

/** Wires that no row uses. */
function unused(): Provable {
  const cs = createBuilder(Fr)
  const range = { lo: -128n, hi: 127n }
  const x = cs.input('public', range)
  for (let i = 0; i < 20; i++) cs.input('private', range)
  cs.assertMul(x, x, cs.mul(x, x))
  return { name: 'wires unused', circuit: cs.build(), inputs: Array.from({ length: 21 }, (_, i) => i - 10) }
}

/** Witnesses that are large in sum though each value is small. */
function largeSums(): Provable {
  const cs = createBuilder(Fr)
  const range = { lo: -(1n << 52n), hi: 1n << 52n }
  const xs = Array.from({ length: 8 }, () => cs.input('private', range))
  cs.mul(cs.add(...xs), cs.add(...xs, cs.constant(1n)))
  return { name: 'sums of 2⁵⁵', circuit: cs.build(), inputs: xs.map(() => 2 ** 52) }
}

export const edgeCircuits = (): Provable[] => [
  publicOnly(),
  squares(1, 3),
  squares(1, 3, 0),
  squares(5, 0),
  squares(9, -1, 0),
  { ...squares(9, -1), name: 'all -1 and 1' },
  squares(14, 1), // 14 rows, a public signal and the constant: a domain of 16 exactly filled
  squares(15, 1), // one more: half of the domain of 32 is empty
  squares(30, 1),
  squares(2, 9, 3),
  repeated(),
  unused(),
  largeSums(),
]
