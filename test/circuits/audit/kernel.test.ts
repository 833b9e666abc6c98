import { describe, expect, test } from 'vitest'
import { eliminate } from '../../../circuits/audit/elimination.ts'
import { kernelAt } from '../../../circuits/audit/kernel.ts'
import { readRows } from '../../../circuits/audit/rows.ts'
import type { Circuit } from '../../../circuits/circuit.ts'
import { createField, Fr } from '../../../circuits/field.ts'
import { rangeCheck } from '../../../circuits/gadgets/bits.ts'
import { looseWires } from '../../support/kernel.ts'
import { seeded } from '../../support/random.ts'
import { randomRows } from './randomRows.ts'
import { auditOf } from './support.ts'

/** The circuit with one more row that holds a wire still. */
function holding(circuit: Circuit, wire: number): Circuit {
  const lcs = circuit.lcStart.length - 1
  return {
    ...circuit,
    rows: circuit.rows + 1,
    lcStart: Uint32Array.of(...circuit.lcStart, circuit.lcWire.length + 1, circuit.lcWire.length + 2),
    lcWire: Uint32Array.of(...circuit.lcWire, wire, 0),
    lcCoefficient: Uint32Array.of(...circuit.lcCoefficient, circuit.coefficients.length, circuit.coefficients.length),
    coefficients: [...circuit.coefficients, 1n],
    rowLC: Uint32Array.of(...circuit.rowLC, lcs, lcs + 1, lcs + 1),
  }
}

const SEED = 5

test(`wires move that one more row would hold still (seed ${SEED})`, () => {
  const random = seeded(SEED)
  const seen = { moving: 0, still: 0 }
  for (let k = 0; k < 400; k++) {
    const circuit = randomRows(random)
    const values = Array.from({ length: circuit.wires }, (_, w) =>
      w === 0 ? 1n : BigInt(random.integer(0, Number(circuit.prime) - 1)),
    )
    const { moving, undecided } = kernelAt(readRows(circuit), values)
    const freedom = looseWires(circuit, values).length
    const expected: number[] = []
    for (let w = 1 + circuit.privateInputs; w < circuit.wires; w++)
      if (looseWires(holding(circuit, w), values).length < freedom) expected.push(w)
    expect({ k, moving, undecided }).toEqual({ k, moving: expected, undecided: 0 })
    seen.moving += moving.length
    seen.still += circuit.wires - 1 - circuit.privateInputs - moving.length
  }
  expect(seen.moving).toBeGreaterThan(200)
  expect(seen.still).toBeGreaterThan(400)
})

describe('elimination', () => {
  const F = createField(101n)
  const sums = () => [
    new Map([
      [0, 2n],
      [1, 4n],
    ]),
    new Map([
      [1, 1n],
      [2, 100n],
    ]),
    new Map([
      [0, 1n],
      [1, 2n],
    ]),
  ]
  test('reduces fully', () => {
    expect(eliminate(F, sums())).toEqual(
      new Map([
        [
          0,
          new Map([
            [0, 1n],
            [2, 2n],
          ]),
        ],
        [
          1,
          new Map([
            [1, 1n],
            [2, 100n],
          ]),
        ],
      ]),
    )
  })
  test('gives up where it takes too long', () => {
    expect(eliminate(F, sums(), { left: 1 })).toBeUndefined()
  })
})

describe('in an audit', () => {
  test('what nothing holds moves', () => {
    const { kernel, determined } = auditOf((cs, input) => {
      const x = input(1, 9)
      const [y, z] = [0, 1].map(() => cs.hint('inverse', [x], 1, { honest: null })[0]!) as [typeof x, typeof x]
      cs.assertMul(x, cs.add(y, { ...z, range: null }), cs.constant(2))
      return y
    })
    expect(determined).toBe(false)
    // the output follows
    expect(kernel).toMatchObject({ witnesses: 2, unsatisfied: 0, undecided: 0, moving: { count: 3 } })
    expect(kernel.moving.first.map(({ wire }) => wire)).toEqual([1, 3, 4])
  })

  test('what is determined but moves to first order makes a circuit unclean', () => {
    const result = auditOf((cs, input) => {
      const x = input(0, 9)
      const bits = cs.bits(x, 1)
      cs.assertMul(cs.bit(bits, 0), cs.constant(1), cs.constant(0))
      const y = cs.hint('isZero', [cs.ONE], 1, { honest: null })[0]!
      // y = 0 or y = 0
      cs.assertMul(y, y, cs.bit(bits, 0))
      cs.assertMul(cs.sub(cs.ONE, cs.bit(bits, 0)), cs.bit(bits, 0), cs.constant(0))
      return x
    })
    expect(result.kernel.moving.first).toMatchObject([{ wire: 4 }])
    expect(result.clean).toBe(false)
  })

  test('inputs without a witness are counted', () => {
    const { kernel, clean } = auditOf((cs, input) => rangeCheck(cs, input(-20, 20), 50n, 60n))
    expect(kernel).toEqual({ witnesses: 0, unsatisfied: 24, undecided: 0, moving: { count: 0, first: [] } })
    expect(clean).toBe(true)
  })

  test('of a hash nothing moves', () => {
    const { kernel } = auditOf((cs) => cs.mul(cs.input('private', null), cs.constant(Fr.p >> 1n)))
    expect(kernel).toMatchObject({ witnesses: 2, moving: { count: 0 } })
  })
})
