import { describe, expect, test } from 'vitest'
import { createBuilder } from '../../circuits/builder.ts'
import type { Circuit } from '../../circuits/circuit.ts'
import { CircuitError } from '../../circuits/error.ts'
import { createField, Fr } from '../../circuits/field.ts'
import { argmax } from '../../circuits/gadgets/argmax.ts'
import { rangeCheck, toBits } from '../../circuits/gadgets/bits.ts'
import { divide } from '../../circuits/gadgets/divide.ts'
import { lookup } from '../../circuits/gadgets/lookup.ts'
import { maximum } from '../../circuits/gadgets/max.ts'
import { requantise } from '../../circuits/gadgets/requantise.ts'
import { relu } from '../../circuits/gadgets/sign.ts'
import { isZero } from '../../circuits/gadgets/zero.ts'
import { evaluate, firstViolated, rowHolds, runProgram, solve, wireValue } from '../../circuits/solve.ts'
import { codeOf } from '../support/gadgetSuite.ts'
import { evaluateLC, interpret, violatedRow } from '../support/interpret.ts'
import { randomBetween } from '../support/lies.ts'
import { seeded } from '../support/random.ts'

/** x in [0, 9] and any element z, with z·z as public output. */
function small(): Circuit {
  const cs = createBuilder(Fr)
  const out = cs.output()
  const x = cs.input('public', { lo: 0n, hi: 300n })
  const z = cs.input('private', null)
  cs.scope('input', () => cs.scope('range', () => rangeCheck(cs, x, 0n, 9n)))
  cs.scope('square', () => cs.bindOutput(out, cs.mul(z, z)))
  return cs.build()
}

describe('inputs', () => {
  const circuit = small()
  test('are counted', () => {
    for (const inputs of [[], [1], [1, 2, 3]]) expect(codeOf(() => solve(circuit, inputs))).toBe('input/count')
    expect(() => solve(circuit, [1])).toThrow(
      expect.objectContaining({ code: 'input/count', details: { expected: 2, got: 1 } }),
    )
  })

  test('are integers', () => {
    for (const x of [0.5, Number.NaN, Number.POSITIVE_INFINITY, -0.1]) {
      expect(codeOf(() => solve(circuit, [x, 1]))).toBe('input/not-an-integer')
      expect(codeOf(() => solve(circuit, [1, x]))).toBe('input/not-an-integer')
    }
  })

  test('lie in their range: small ones in what the circuit declares, others in [0, p)', () => {
    for (const x of [-1, 301, 2 ** 53, -1n, 301n, 10n ** 400n])
      expect(codeOf(() => solve(circuit, [x, 1]))).toBe('input/out-of-range')
    for (const z of [-1, -1n, Fr.p, Fr.p + 1n, 10n ** 400n])
      expect(codeOf(() => solve(circuit, [1, z]))).toBe('input/out-of-range')
    expect(() => solve(circuit, [5, -1])).toThrow(
      expect.objectContaining({ details: expect.objectContaining({ input: 1, value: '-1' }) }),
    )
    expect(() => solve(circuit, [301, 1])).toThrow(
      expect.objectContaining({ details: { input: 0, value: '301', lo: 0, hi: 300 } }),
    )
  })

  test('may be numbers, bigints, typed arrays and -0', () => {
    const values = [
      [9, 7],
      [9n, 7n],
      [9, 7n],
    ].map((x) => wireValue(Fr, solve(circuit, x), 1))
    expect(values).toEqual([49n, 49n, 49n])
    expect(wireValue(Fr, solve(circuit, Float64Array.of(-0, 7)), 2)).toBe(0n)
    expect(wireValue(Fr, solve(circuit, BigInt64Array.of(3n, 7n)), 2)).toBe(3n)
    expect(wireValue(Fr, solve(circuit, [0, Fr.p - 1n]), 1)).toBe(1n)
  })
})

describe('violated rows', () => {
  test('are named with their scope', () => {
    const circuit = small()
    expect(codeOf(() => solve(circuit, [10, 1]))).toBe('circuit/unsatisfied')
    try {
      solve(circuit, [10, 1])
      expect.unreachable()
    } catch (error) {
      const { message, details } = error as CircuitError
      // 10 has four bits; 9 - 10 has none
      expect(details).toEqual({ row: 9, scope: 'input/range' })
      expect(message).toBe('row 9 (input/range) does not hold')
    }
  })

  test('have plain errors that cross threads', () => {
    const error = new CircuitError('circuit/unsatisfied', 'row 1', { row: 1, scope: 'a' })
    expect(structuredClone({ code: error.code, message: error.message, details: error.details })).toEqual({
      code: 'circuit/unsatisfied',
      message: 'row 1',
      details: { row: 1, scope: 'a' },
    })
    expect(error.name).toBe('CircuitError')
  })
})

describe('values that the program did not foresee', () => {
  /** Gadgets behind range checks that are narrower than what the solver accepts as input. */
  function chain(seed: number): { circuit: Circuit; accepted: [bigint, bigint]; checked: [bigint, bigint] } {
    const random = seeded(seed)
    const cs = createBuilder(Fr)
    const wide = random.integer(8, 53)
    const accepted: [bigint, bigint] = [-(2n ** BigInt(wide)) + 1n, 2n ** BigInt(wide) - 1n]
    const checked: [bigint, bigint] = [-BigInt(random.integer(0, 40)), BigInt(random.integer(41, 200))]
    const outs = [cs.output(), cs.output(), cs.output(), cs.output(), cs.output()]
    const raw = Array.from({ length: 3 }, () => cs.input('private', { lo: accepted[0], hi: accepted[1] }))
    const xs = raw.map((x) => rangeCheck(cs, x, ...checked))
    const square = cs.mul(xs[0]!, xs[0]!)
    const fourth = cs.mul(square, square)
    cs.bindOutput(outs[0]!, requantise(cs, cs.mulAdd(fourth, xs[1]!, xs[2]!), 9, -128n, 127n))
    const table = Array.from({ length: Number(checked[1] - checked[0]) + 1 }, (_, i) => (i * i) % 61)
    cs.bindOutput(outs[1]!, lookup(cs, xs[1]!, table, checked[0]))
    cs.bindOutput(outs[2]!, divide(cs, relu(cs, fourth), cs.add(relu(cs, xs[2]!), cs.ONE)))
    cs.bindOutput(outs[3]!, cs.add(argmax(cs, xs), isZero(cs, maximum(cs, xs[0]!, xs[1]!))))
    cs.bindOutput(outs[4]!, cs.add(isZero(cs, cs.sub(xs[0]!, xs[1]!)), cs.materialise(cs.add(...xs))))
    return { circuit: cs.build(), accepted, checked }
  }

  test('are refused, however inexact the doubles become', () => {
    const random = seeded(9)
    let refused = 0
    for (let seed = 0; seed < 25; seed++) {
      const { circuit, accepted, checked } = chain(seed)
      for (let k = 0; k < 12; k++) {
        const legal = k < 4
        const x = Array.from({ length: 3 }, () => randomBetween(random, ...checked))
        if (!legal) {
          const i = random.integer(0, 2)
          x[i] = random.pick([randomBetween(random, ...accepted), checked[1] + 1n, checked[0] - 1n, ...accepted])
          if (x[i]! >= checked[0] && x[i]! <= checked[1]) x[i] = accepted[1]
        }
        const row = firstViolated(circuit, runProgram(circuit, x))
        expect({ seed, x, row }).toEqual({ seed, x, row: violatedRow(circuit, interpret(circuit, x)) })
        expect(row === undefined).toBe(legal)
        if (row !== undefined) refused++
      }
    }
    expect(refused).toBe(25 * 8)
  })
})

describe('double and bigint evaluation', () => {
  test('agree on every combination and row of a witness', () => {
    const cs = createBuilder(Fr)
    const out = cs.output()
    const x = cs.proven(cs.input('private', { lo: -(2n ** 50n), hi: 2n ** 50n }), -(2n ** 50n), 2n ** 50n)
    const z = cs.input('private', null)
    const y = requantise(cs, cs.scale(7, x), 20, -128n, 127n)
    cs.bindOutput(out, cs.mulAdd(z, y, cs.scale(2n ** 200n, z)))
    const circuit = cs.build()
    expect(new Set(circuit.lcSafe)).toEqual(new Set([0, 1]))
    expect(new Set(circuit.wideWire)).toEqual(new Set([0, 1]))
    const random = seeded(1)
    for (let k = 0; k < 20; k++) {
      const inputs = [randomBetween(random, -(2n ** 50n), 2n ** 50n), randomBetween(random, 0n, Fr.p - 1n)]
      const witness = solve(circuit, inputs)
      const values = Array.from({ length: circuit.wires }, (_, w) => wireValue(Fr, witness, w))
      for (let lc = 0; lc < circuit.lcSafe.length; lc++)
        expect(evaluate(Fr, circuit, lc, values)).toBe(evaluateLC(circuit, lc, values))
      for (let r = 0; r < circuit.rows; r++) expect(rowHolds(Fr, circuit, r, values)).toBe(true)
      // and a changed wire is seen by both
      const wire = random.integer(2, circuit.wires - 1)
      const changed = values.with(wire, Fr.mod(values[wire]! + 1n))
      const rows = Array.from({ length: circuit.rows }, (_, r) => r)
      expect(rows.find((r) => !rowHolds(Fr, circuit, r, changed))).toBe(violatedRow(circuit, changed))
    }
  })

  test('no safe combination exceeds what doubles hold', () => {
    const limit = BigInt(Number.MAX_SAFE_INTEGER)
    const cs = createBuilder(Fr)
    const x = cs.proven(cs.input('private', { lo: 0n, hi: limit }), 0n, limit)
    const y = cs.proven(cs.input('private', { lo: 0n, hi: limit }), 0n, limit)
    const half = cs.proven(cs.input('private', { lo: -1n, hi: limit / 2n }), -1n, limit / 2n)
    cs.assertEqual(x, x) // exact
    cs.assertEqual(cs.sub(x, y), cs.sub(x, y)) // a difference may pass through too much
    cs.assertEqual(cs.add(half, half), cs.add(half, half)) // exact: one term of coefficient 2
    const { lcSafe, lcStart, lcWire } = cs.build()
    const safeOf = (wires: readonly number[]): number[] =>
      [...lcSafe].filter((_, lc) => [...lcWire.subarray(lcStart[lc], lcStart[lc + 1])].join() === wires.join())
    expect(safeOf([1])).toEqual([1])
    expect(new Set(safeOf([1, 2]))).toEqual(new Set([0]))
    expect(new Set(safeOf([3]))).toEqual(new Set([1]))
  })

  test('small fields are exact too', () => {
    const F = createField(17n)
    const cs = createBuilder(F)
    const out = cs.output()
    const x = cs.proven(cs.input('private', { lo: 0n, hi: 1n }), 0n, 1n)
    // 12·x - 8 lies in [-8, 4], its coefficient in the field is -5
    const y = cs.combine([
      [12, x],
      [-8, cs.ONE],
    ])
    cs.bindOutput(out, y)
    const zero = isZero(cs, y)
    const circuit = cs.build()
    const witnesses = [0, 1].map((v) => solve(circuit, [v]))
    expect(witnesses.map((w) => F.signed(wireValue(F, w, out)))).toEqual([-8n, 4n])
    expect(witnesses.map((w) => wireValue(F, w, zero.wires[0]!))).toEqual([0n, 0n])
  })

  test('bits are those of the residue', () => {
    const cs = createBuilder(createField(17n))
    // 12·2 = 7 mod 17, though its double is -5·2
    toBits(cs, cs.scale(12, cs.input('private', { lo: 0n, hi: 2n })), 3)
    const circuit = cs.build()
    expect([0, 1, 2].map((v) => codeOf(() => solve(circuit, [v])))).toEqual([
      'no error',
      'circuit/unsatisfied',
      'no error',
    ])
  })
})
