import { expect, test } from 'vitest'
import { type Builder, createBuilder } from '../../circuits/builder.ts'
import type { Circuit } from '../../circuits/circuit.ts'
import { CircuitError } from '../../circuits/error.ts'
import { createField, type Field, Fr } from '../../circuits/field.ts'
import type { LC } from '../../circuits/lc.ts'
import { firstViolated, runProgram, wireValue } from '../../circuits/solve.ts'
import { everyWitness, withoutRow } from './everyWitness.ts'
import { interpret, outputsOf, stepsOf, violatedRow } from './interpret.ts'
import { looseWires } from './kernel.ts'
import { liesOf, randomBetween } from './lies.ts'
import { type Random, seeded } from './random.ts'

/** Ends of an input's proven range, or null for any field element without one. */
export type InputRange = readonly [lo: bigint | number, hi: bigint | number] | null

/** A gadget at fixed widths and what it should compute, written without it. */
export type GadgetCase = {
  readonly name: string
  readonly inputs: readonly InputRange[]
  readonly build: (cs: Builder, xs: readonly LC[]) => LC | readonly LC[]
  /**
   * The outputs for signed representatives of the inputs; undefined where there must be no witness. Without outputs the
   * gadget only checks.
   */
  readonly expected: (xs: readonly bigint[], F: Field) => bigint | readonly bigint[] | undefined
  /** Number of rows, where it is promised; without the rows that bind outputs. */
  readonly rows?: number
  /** Random inputs for full width, where uniform ones would not reach the interesting cases. */
  readonly sample?: (random: Random) => readonly bigint[]
}

/** The circuit of a gadget: its inputs are private, its results public outputs. */
export function circuitOf({ inputs, build }: GadgetCase, prime: bigint = Fr.p): Circuit {
  const F = createField(prime)
  // outputs are declared before the gadget shows how many there are: a first build counts them
  let outputs = 0
  for (;;) {
    const cs = createBuilder(F)
    const wires = Array.from({ length: outputs }, cs.output)
    const xs = inputs.map((range) => {
      if (range === null) return cs.input('private', null)
      const [lo, hi] = [BigInt(range[0]), BigInt(range[1])]
      return cs.proven(cs.input('private', { lo, hi }), lo, hi)
    })
    const built = build(cs, xs)
    const results = 'wires' in built ? [built] : built
    if (results.length === outputs) {
      for (const [i, wire] of wires.entries()) cs.bindOutput(wire, results[i]!)
      return cs.build()
    }
    outputs = results.length
  }
}

const asList = (y: bigint | readonly bigint[]): readonly bigint[] => (typeof y === 'bigint' ? [y] : y)

/** Every tuple of inputs. */
function everyInput(inputs: readonly InputRange[], p: bigint): number[][] {
  let tuples: number[][] = [[]]
  for (const range of inputs) {
    const [lo, hi] = (range ?? [-(p - 1n) / 2n, p / 2n]).map(Number) as [number, number]
    tuples = tuples.flatMap((t) => Array.from({ length: hi - lo + 1 }, (_, i) => [...t, lo + i]))
  }
  return tuples
}

const PRIMES = Array.from({ length: 4096 }, (_, n) => n).filter((n) => {
  for (let d = 2; d * d <= n; d++) if (n % d === 0) return false
  return n > 2
})

/** The least primes over which the builder accepts a gadget: where its safety margins are thinnest. */
function leastPrimes(gadget: GadgetCase, count: number, above: number): bigint[] {
  const found: bigint[] = []
  for (const p of PRIMES) {
    if (p <= above) continue
    const code = codeOf(() => circuitOf(gadget, BigInt(p)))
    if (code === 'no error') found.push(BigInt(p))
    if (found.length === count) return found
  }
  throw new Error(`no small field fits ${gadget.name}`)
}

/**
 * Over the smallest fields that the builder accepts: every legal input has one witness, which has the expected outputs
 * and is the one that the solver finds; illegal inputs have none; and without any one row some input has another
 * witness. `idle` are rows that may go all the same; the test that lists them says why. `above` asks for larger fields.
 */
export function onSmallFields(
  gadget: GadgetCase,
  { idle = [], fields = 2, above = 2 }: { idle?: readonly number[]; fields?: number; above?: number } = {},
): void {
  const witnessOf = (circuit: Circuit, x: readonly number[]): readonly number[] | undefined => {
    const F = createField(circuit.prime)
    const y = gadget.expected(x.map(BigInt), F)
    const given = x.map((v, i) => (gadget.inputs[i] === null ? F.mod(BigInt(v)) : v))
    const witness = runProgram(circuit, given)
    const values = Array.from({ length: circuit.wires }, (_, w) => wireValue(F, witness, w))
    const violated = violatedRow(circuit, values)
    expect({ x, violated: firstViolated(circuit, witness) }).toEqual({ x, violated })
    expect({ x, satisfied: violated === undefined }).toEqual({ x, satisfied: y !== undefined })
    if (y !== undefined) expect({ x, y: outputsOf(circuit, values) }).toEqual({ x, y: asList(y) })
    return y === undefined ? undefined : values.map(Number)
  }
  test(`${gadget.name}: one witness`, () => {
    for (const prime of leastPrimes(gadget, fields, above)) {
      const circuit = circuitOf(gadget, prime)
      if (gadget.rows !== undefined) expect(circuit.rows - circuit.publicOutputs).toBe(gadget.rows)
      for (const x of everyInput(gadget.inputs, prime)) {
        const honest = witnessOf(circuit, x)
        const all = everyWitness(circuit, x, 2)
        expect({ prime, x, all }).toEqual({ prime, x, all: honest === undefined ? [] : [honest] })
      }
    }
  })
  test(`${gadget.name}: every row is needed`, () => {
    const circuit = circuitOf(gadget, leastPrimes(gadget, 1, above)[0]!)
    const inputs = everyInput(gadget.inputs, circuit.prime).map((x) => ({ x, honest: witnessOf(circuit, x) }))
    const needless: number[] = []
    for (let row = 0; row < circuit.rows; row++) {
      const looser = withoutRow(circuit, row)
      const needed = inputs.some(({ x, honest }) => everyWitness(looser, x, 2).length > (honest === undefined ? 0 : 1))
      if (!needed) needless.push(row)
    }
    expect(needless).toEqual(idle)
  })
}

/** How far `atFullWidth` goes. */
export type Effort = { readonly samples?: number; readonly liars?: number; readonly lies?: number }

/**
 * Over BN254's field at realistic widths: on edges and random inputs the solver finds the expected outputs, equals its
 * slow twin on every wire, and the rows leave no wire room to move; and for some of the inputs no lie is believed.
 */
export function atFullWidth(gadget: GadgetCase, seed: number, effort: Effort = {}): void {
  const { samples = 60, liars = 6, lies: mostLies = 300 } = effort
  const inputsOf = (): bigint[][] => {
    const random = seeded(seed)
    const edges = gadget.inputs.map((range) => {
      if (range === null) return [0n, 1n, Fr.p - 1n, Fr.p >> 1n, (Fr.p >> 1n) + 1n]
      const [lo, hi] = [BigInt(range[0]), BigInt(range[1])]
      return [lo, hi, lo + 1n, hi - 1n, 0n, 1n, -1n].filter((v) => v >= lo && v <= hi)
    })
    return Array.from({ length: samples }, (_, k) => {
      if (gadget.sample !== undefined && k % 2 === 1) return gadget.sample(random).map((v) => v)
      return gadget.inputs.map((range, i) => {
        if (k < edges[i]!.length) return edges[i]![k]!
        if (random.unit() < 0.3) return random.pick(edges[i]!)
        const [lo, hi] = range === null ? [0n, Fr.p - 1n] : [BigInt(range[0]), BigInt(range[1])]
        // many magnitudes, not only the largest
        const x = randomBetween(random, lo, hi)
        return random.unit() < 0.5 ? x : lo <= 0n && hi >= 0n ? x >> BigInt(random.integer(1, 20)) : x
      })
    })
  }
  const expectedOf = (x: readonly bigint[]): readonly bigint[] | undefined => {
    const y = gadget.expected(
      x.map((v, i) => (gadget.inputs[i] === null ? Fr.signed(v) : v)),
      Fr,
    )
    return y === undefined ? undefined : asList(y)
  }
  test(`${gadget.name}: equals integers, and no wire is loose`, () => {
    const circuit = circuitOf(gadget)
    if (gadget.rows !== undefined) expect(circuit.rows - circuit.publicOutputs).toBe(gadget.rows)
    inputsOf().forEach((x, k) => {
      const witness = runProgram(circuit, x)
      const values = interpret(circuit, x)
      const wires = Array.from({ length: circuit.wires }, (_, w) => wireValue(Fr, witness, w))
      const y = expectedOf(x)
      // an unsatisfiable input only has to be seen as such
      if (y === undefined) {
        expect(firstViolated(circuit, witness)).toBeDefined()
        expect(violatedRow(circuit, values)).toBeDefined()
        return
      }
      expect(wires).toEqual(values)
      expect({ x, y: outputsOf(circuit, values) }).toEqual({ x, y })
      expect(violatedRow(circuit, values)).toBeUndefined()
      expect(firstViolated(circuit, witness)).toBeUndefined()
      if (k < 12) expect(looseWires(circuit, values)).toEqual([])
    })
  })
  test(`${gadget.name}: no lie is believed`, () => {
    const circuit = circuitOf(gadget)
    const steps = stepsOf(circuit)
    const random = seeded(seed + 1)
    let told = 0
    for (const x of inputsOf().slice(0, liars)) {
      const values = interpret(circuit, x)
      const legal = expectedOf(x) !== undefined
      const all = liesOf(circuit, steps, values, random)
      const chosen = all.length <= mostLies ? all : Array.from({ length: mostLies }, () => random.pick(all))
      for (const lies of chosen) {
        const lied = interpret(circuit, x, lies, { steps, values })
        // a lie that later lies undo is none
        if (legal && lied.every((v, wire) => v === values[wire])) continue
        expect({ x, lies, believed: violatedRow(circuit, lied) === undefined }).toEqual({ x, lies, believed: false })
        told++
      }
    }
    if (circuit.rows > circuit.publicOutputs) expect(told).toBeGreaterThan(0)
  })
}

/** Runs `body` and returns the code of the CircuitError that it must throw. */
export function codeOf(body: () => unknown): string {
  try {
    body()
  } catch (error) {
    if (error instanceof CircuitError) return error.code
    throw error
  }
  return 'no error'
}
