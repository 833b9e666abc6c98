import { expect, test } from 'vitest'
import { audit } from '../../../circuits/audit/audit.ts'
import type { Builder } from '../../../circuits/builder.ts'
import type { Circuit } from '../../../circuits/circuit.ts'
import { CircuitError } from '../../../circuits/error.ts'
import { createField } from '../../../circuits/field.ts'
import { argmax } from '../../../circuits/gadgets/argmax.ts'
import { rangeCheck } from '../../../circuits/gadgets/bits.ts'
import { divide } from '../../../circuits/gadgets/divide.ts'
import { locate } from '../../../circuits/gadgets/locate.ts'
import { maximum } from '../../../circuits/gadgets/max.ts'
import { requantise } from '../../../circuits/gadgets/requantise.ts'
import { remainderBits, rescale } from '../../../circuits/gadgets/rescale.ts'
import { isZero } from '../../../circuits/gadgets/zero.ts'
import type { LC } from '../../../circuits/lc.ts'
import { rowHolds, runProgram, wireValue } from '../../../circuits/solve.ts'
import { everyWitness } from '../../support/everyWitness.ts'
import { type Random, seeded } from '../../support/random.ts'
import { randomRows } from './randomRows.ts'
import { sloppyCircuit } from './sloppy.ts'
import { circuitWith, type Input, openOf } from './support.ts'

/** Small gadgets with the number of values of each input. */
const gadgets: readonly ((cs: Builder, input: Input) => LC)[] = [
  (cs, input) => requantise(cs, input(-4, 4), 1, -2n, 1n),
  (cs, input) => requantise(cs, input(-9, 9), 1, -1n, 0n),
  (cs, input) => maximum(cs, input(0, 3), input(-1, 2)),
  (cs, input) => isZero(cs, input(-2, 2)),
  (cs, input) => divide(cs, input(0, 9), cs.constant(3)),
  (cs, input) => divide(cs, input(0, 6), input(1, 3)),
  (cs, input) => argmax(cs, [input(0, 2), input(-1, 2), input(0, 3)]),
  (cs, input) => rangeCheck(cs, input(-20, 20), -1n, 4n),
  (cs, input) => cs.add(cs.ONE, ...locate(cs, input(0, 6), [1, 4, 5], 0n, 6n, 'interval')),
  (cs, input) => locate(cs, input(-2, 5), [1], -2n, 5n, 'interval')[0]!,
  (cs, input) => cs.bit(remainderBits(cs, input(-3, 9), 6), 0),
  (cs, input) => rescale(cs, input(-6, 6), { p: 1, r: 1, q: 3, even: false }, -1n, 1n),
  (cs, input) => rescale(cs, input(-6, 6), { p: 2, r: 2, q: 4, even: true }, -1n, 2n),
  (cs, input) => {
    // two packed digits
    const sum = cs.combine([
      [1, input(0, 3)],
      [4, input(0, 3)],
    ])
    const digits = [0, 1].map((i) => cs.bits(cs.scale(i, sum), 2))
    cs.assertEqual(cs.add(cs.fromBits(digits[0]!), cs.scale(4, cs.fromBits(digits[1]!))), sum)
    return cs.mul(cs.fromBits(digits[0]!), cs.fromBits(digits[1]!))
  },
]

/** A gadget over the n-th of the smallest fields that the builder accepts it in. */
function small(gadget: (typeof gadgets)[number], n: number): Circuit {
  for (const p of [7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 61, 67, 71, 79, 97, 101, 127, 131, 193, 257]) {
    try {
      const circuit = circuitWith(gadget, createField(BigInt(p)))
      if (n-- === 0) return circuit
    } catch (error) {
      if (!(error instanceof CircuitError)) throw error
    }
  }
  throw new Error('no small field fits')
}

/** The circuit with some rows left out, added or said with another combination, or with another coefficient. */
function mutate(circuit: Circuit, random: Random): Circuit {
  const rowLC = Array.from(circuit.rowLC)
  const anyLC = (): number => random.integer(0, circuit.lcStart.length - 2)
  for (let k = random.integer(0, 2); k > 0; k--) {
    const row = random.integer(0, rowLC.length / 3 - 1)
    const kind = random.unit()
    if (kind < 0.5) rowLC.splice(3 * row, 3)
    else if (kind < 0.9) rowLC[3 * row + random.integer(0, 2)] = anyLC()
    else rowLC.push(anyLC(), anyLC(), anyLC())
  }
  const coefficients = [...circuit.coefficients]
  if (random.unit() < 0.2)
    coefficients[random.integer(0, coefficients.length - 1)] = createField(circuit.prime).signed(
      BigInt(random.integer(0, Number(circuit.prime) - 1)),
    )
  const rows = rowLC.length / 3
  return { ...circuit, coefficients, rows, rowLC: Uint32Array.from(rowLC), rowScope: new Uint32Array(rows) }
}

const SEED = Number(process.env.VERITENSOR_AUDIT_SEED ?? 20)
const TRIALS = Number(process.env.VERITENSOR_AUDIT_TRIALS ?? 280)
/** Witnesses of one input that are compared. */
const COMPARED = 12
/** Inputs of a circuit that are tried. */
const TRIED = 8

/** Compares what propagation says of each wire with every witness of some inputs; counts what was said. */
function confront(circuit: Circuit, random: Random, seen: { proven: number; open: number }): void {
  const F = createField(circuit.prime)
  const p = Number(circuit.prime)
  const { open, ranges } = openOf(circuit)
  const first = 1 + circuit.publicOutputs
  const inputs = circuit.privateInputs
  for (let sample = 0; sample < TRIED; sample++) {
    const x = Array.from({ length: inputs }, (_, i) =>
      random.unit() < 0.8
        ? random.integer(circuit.inputRanges[2 * i]!, circuit.inputRanges[2 * i + 1]!)
        : random.integer(0, p - 1),
    )
    const all = everyWitness(circuit, x, COMPARED)
    for (let w = first + inputs; w < circuit.wires; w++) {
      const values = new Set(all.map((values) => values[w]!))
      if (open[w] === 0 && values.size > 1) expect.fail(`wire ${w} takes ${[...values]} for ${x} over F_${p}`)
      if (values.size === 1 && open[w] === 0) seen.proven++
      if (values.size > 1) seen.open++
      const range = ranges.of(w)
      for (const v of range === undefined ? [] : values) {
        const signed = F.signed(BigInt(v))
        if (signed < range!.lo || signed > range!.hi) expect.fail(`wire ${w} is ${v} over F_${p}, not in its range`)
      }
    }
  }
}

test(`${TRIALS} mutated gadgets over small fields: what is called determined or bounded is so in every witness (seed ${SEED})`, () => {
  const random = seeded(SEED)
  const seen = { proven: 0, open: 0 }
  for (let k = 0; k < TRIALS; k++)
    confront(mutate(small(gadgets[k % gadgets.length]!, random.integer(0, 2)), random), random, seen)
  expect(seen.proven).toBeGreaterThan(TRIALS)
  expect(seen.open).toBeGreaterThan(TRIALS)
})

test(`${10 * TRIALS} careless gadgets likewise`, () => {
  const random = seeded(SEED)
  const seen = { proven: 0, open: 0 }
  for (let k = 0; k < 10 * TRIALS; k++) confront(sloppyCircuit(random, k), random, seen)
  expect(seen.proven).toBeGreaterThan(TRIALS)
  expect(seen.open).toBeGreaterThan(TRIALS)
})

test(`${30 * TRIALS} circuits of random rows likewise`, () => {
  const random = seeded(SEED)
  const seen = { proven: 0, open: 0 }
  for (let k = 0; k < 30 * TRIALS; k++) confront(randomRows(random), random, seen)
  expect(seen.proven).toBeGreaterThan(TRIALS)
  expect(seen.open).toBeGreaterThan(TRIALS)
})

test('second witnesses of mutated gadgets satisfy every row', () => {
  const random = seeded(SEED + 1)
  let found = 0
  for (let k = 0; k < 150; k++) {
    const circuit = mutate(small(gadgets[k % gadgets.length]!, 1), random)
    const F = createField(circuit.prime)
    for (const { wire, secondWitness } of audit(circuit).undetermined) {
      if (secondWitness === undefined) continue
      found++
      const { inputs, changes } = secondWitness
      expect(changes.some((c) => c.wire === wire && c.from !== c.to)).toBe(true)
      const isInput = (w: number): boolean => w > circuit.publicOutputs && w <= circuit.publicOutputs + inputs.length
      expect(changes.some((c) => isInput(c.wire) || c.wire === 0)).toBe(false)
      const witness = runProgram(circuit, inputs.map(Number))
      const changed = Array.from({ length: circuit.wires }, (_, w) => wireValue(F, witness, w))
      for (const { wire, from, to } of changes) {
        expect(changed[wire]).toBe(from)
        changed[wire] = to
      }
      for (let r = 0; r < circuit.rows; r++) expect(rowHolds(F, circuit, r, changed)).toBe(true)
    }
  }
  expect(found).toBeGreaterThan(30)
})
