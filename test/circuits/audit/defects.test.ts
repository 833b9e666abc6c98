import { describe, expect, test } from 'vitest'
import { type Audit, audit, type Undetermined } from '../../../circuits/audit/audit.ts'
import type { Builder } from '../../../circuits/builder.ts'
import type { Circuit } from '../../../circuits/circuit.ts'
import { Fr } from '../../../circuits/field.ts'
import { argmax } from '../../../circuits/gadgets/argmax.ts'
import { toBits } from '../../../circuits/gadgets/bits.ts'
import { isZero } from '../../../circuits/gadgets/zero.ts'
import type { LC } from '../../../circuits/lc.ts'
import { rowHolds, runProgram, wireValue } from '../../../circuits/solve.ts'
import { withoutRow } from '../../support/everyWitness.ts'
import { slots } from './slots.ts'
import { circuitWith, type Input } from './support.ts'

/** The wires that are named as causes. */
const causes = (result: Audit): Undetermined[] => result.undetermined.filter((u) => u.follows === undefined)

/** Checks that the second witness is one: same inputs, every row holds, another value of that wire. */
function checkSecond(circuit: Circuit, { wire, secondWitness }: Undetermined): void {
  const { inputs, changes } = secondWitness!
  const witness = runProgram(circuit, inputs)
  const values = Array.from({ length: circuit.wires }, (_, w) => wireValue(Fr, witness, w))
  const holds = (): boolean =>
    Array.from({ length: circuit.rows }, (_, r) => r).every((r) => rowHolds(Fr, circuit, r, values))
  expect(holds()).toBe(true)
  for (const change of changes) {
    expect(change.wire).toBeGreaterThanOrEqual(1)
    expect(change.wire > circuit.publicOutputs && change.wire <= circuit.publicOutputs + inputs.length).toBe(false)
    expect(values[change.wire]).toBe(change.from)
    expect(change.to).not.toBe(change.from)
    values[change.wire] = change.to
  }
  expect(changes.map((c) => c.wire)).toContain(wire)
  expect(holds()).toBe(true)
}

/** Audits a circuit that has one cause, in `scope`, with a second witness; returns what is said of it. */
function oneCause(circuit: Circuit, scope = 'node/gadget'): Undetermined {
  const result = audit(circuit)
  expect(result.determined || result.clean).toBe(false)
  const [cause, ...more] = causes(result)
  expect(more).toEqual([])
  expect(cause!.scopes).toContain(scope)
  checkSecond(circuit, cause!)
  return cause!
}

describe('division without', () => {
  const division =
    (bounds: { quotient?: boolean; remainder?: boolean; rest?: boolean }, divisor: 'constant' | 'wire') =>
    (cs: Builder, input: Input): LC => {
      const n = input(0, 300)
      const d = divisor === 'wire' ? input(1, 7) : cs.constant(7)
      const [q] = cs.hint('quotient', [n, d], 1, { honest: { lo: 0n, hi: 300n } }) as [LC]
      if (bounds.quotient !== false) toBits(cs, q, 9)
      const r = cs.sub(n, cs.mul(q, d))
      if (bounds.remainder !== false) toBits(cs, r, 3)
      if (bounds.rest !== false) toBits(cs, cs.sub(cs.sub(d, cs.ONE), r), 3)
      return q
    }
  for (const divisor of ['constant', 'wire'] as const) {
    test(`nothing, by a ${divisor}: is determined`, () => {
      expect(audit(circuitWith(division({}, divisor))).determined).toBe(true)
    })
    test(`the remainder's lower bound, by a ${divisor}`, () => {
      const { wire } = oneCause(circuitWith(division({ remainder: false }, divisor)))
      expect(wire).toBe(divisor === 'wire' ? 4 : 3) // the quotient
    })
    test(`the remainder's upper bound, by a ${divisor}`, () => {
      const { wire } = oneCause(circuitWith(division({ rest: false }, divisor)))
      expect(wire).toBe(divisor === 'wire' ? 4 : 3)
    })
    test(`the quotient's bits, by a ${divisor}`, () => {
      const { reason } = oneCause(circuitWith(division({ quotient: false }, divisor)))
      expect(reason).toMatch(/any field element|may be 0/)
    })
  }
  test('any range row', () => {
    const circuit = circuitWith(division({ quotient: false, remainder: false, rest: false }, 'constant'))
    // then the quotient is free
    expect(oneCause(circuit, 'out')).toMatchObject({ wire: 3, moves: true })
  })
})

test('254 bits of a field element: x and x + p', () => {
  const circuit = circuitWith((cs) => {
    const x = cs.input('private', null)
    const bits = cs.bits(x, 254)
    const terms = Array.from({ length: 254 }, (_, i) => [1n << BigInt(i), { ...cs.bit(bits, i), range: null }] as const)
    cs.assertEqual(cs.combine(terms), x)
    return cs.bit(bits, 253)
  })
  const { secondWitness } = oneCause(circuit)
  // the other pattern is that of x + p
  const spelled = secondWitness!.changes
    .filter(({ wire }) => wire >= 3)
    .reduce((sum, { wire, from, to }) => sum + (to - from) * (1n << BigInt(wire - 3)), 0n)
  expect(spelled === Fr.p || spelled === -Fr.p).toBe(true)
})

describe('selectors', () => {
  test('a free boolean', () => {
    const { wire, reason } = oneCause(
      circuitWith((cs, input) => {
        const x = input(-5, 5)
        return cs.mul(cs.bit(cs.bits(x, 1), 0), x)
      }),
    )
    expect(wire).toBe(3)
    expect(reason).toContain('may be 0')
  })
  test('a boolean that no other row uses', () => {
    const { reason } = oneCause(
      circuitWith((cs, input) => {
        const x = input(-5, 5)
        cs.bits(x, 1)
        return x
      }),
    )
    expect(reason).toBe('it is 0 or 1, and no other row tells which')
  })
  test('argmax with ties to nobody', () => {
    // without Σ_(j>i) e_j either of two equal values may be selected
    const circuit = circuitWith((cs, input) => {
      const xs = [0, 1, 2].map(() => input(0, 2))
      const [m] = cs.hint('maximum', xs, 1, { honest: { lo: 0n, hi: 2n } }) as [LC]
      const e = cs.hint('firstMaximum', xs, 3, { honest: { lo: 0n, hi: 1n } })
      for (const x of e) cs.assertMul(x, x, x)
      cs.assertEqual(cs.add(...e.map((x) => ({ ...x, range: null }))), cs.ONE)
      xs.forEach((x, i) => {
        cs.assertMul(e[i]!, cs.fromBits(toBits(cs, cs.sub(m, x), 2)), cs.constant(0))
      })
      return cs.combine(e.map((x, i) => [i, { ...x, range: null }] as const))
    })
    const result = audit(circuit)
    const found = causes(result).filter((c) => c.secondWitness !== undefined)
    expect(found.length).toBeGreaterThan(0)
    for (const cause of found) checkSecond(circuit, cause)
  })
})

describe('slots of a private product', () => {
  for (const bounding of ['bits', 'requantise', 'sum'] as const) {
    test(`bounded by ${bounding} are determined`, () => {
      expect(audit(circuitWith((cs, input) => slots(cs, input, bounding)))).toMatchObject({ clean: true })
    })
    for (const careless of [0, 3, 5])
      test(`of which number ${careless} is not bounded by ${bounding} borrow from each other`, () => {
        const circuit = circuitWith((cs, input) => slots(cs, input, bounding, careless))
        const result = audit(circuit)
        const found = causes(result).filter((c) => c.secondWitness !== undefined)
        expect(found.length).toBeGreaterThan(0)
        for (const cause of found) checkSecond(circuit, cause)
        expect(found[0]!.reason).toContain('may be any field element')
      })
  }
})

test('slots narrower than the bits of their numbers', () => {
  const circuit = circuitWith((cs, input) => slots(cs, input, 'requantise', -1, 1n << 20n))
  const result = audit(circuit)
  const [cause] = causes(result)
  expect(cause!.reason).toContain('several values of its 6 open wires may give the same sum')
  checkSecond(circuit, cause!)
})

describe('dropped rows', () => {
  const bits = circuitWith((cs, input) => {
    const x = input(0, 255)
    return cs.bit(toBits(cs, x, 8), 7)
  })
  for (let i = 0; i < 8; i++)
    test(`booleanity of bit ${i}`, () => {
      const { wire } = oneCause(withoutRow(bits, i))
      expect(wire).toBe(3 + i)
    })
  test('the sum of the bits', () => {
    const result = audit(withoutRow(bits, 8))
    expect(causes(result).map((c) => c.wire)).toEqual([3, 4, 5, 6, 7, 8, 9, 10])
    for (const cause of causes(result)) checkSecond(withoutRow(bits, 8), cause)
  })
  const zero = circuitWith((cs, input) => isZero(cs, input(-5, 5)))
  test('x·v = 1 - z', () => {
    // where x = 0, either of v and z may be anything
    const found = causes(audit(withoutRow(zero, 0)))
    expect(found.map((c) => c.wire)).toEqual([3, 4])
    for (const cause of found) checkSecond(withoutRow(zero, 0), cause)
  })
  test('x·z = 0', () => expect(oneCause(withoutRow(zero, 1)).scopes).toContain('node/gadget'))
  test('v·z = 0', () => {
    const { wire, moves } = oneCause(withoutRow(zero, 2))
    expect({ wire, moves }).toEqual({ wire: 3, moves: true })
  })
  test('any row of argmax but the booleanity of two selectors', () => {
    const circuit = circuitWith((cs, input) => argmax(cs, [input(0, 6), input(0, 6), input(-3, 3)]))
    for (let row = 0; row < circuit.rows - 1; row++) {
      const looser = withoutRow(circuit, row)
      const result = audit(looser, { searched: row > 7 ? 2 : 0 })
      expect({ row, determined: result.determined }).toEqual({ row, determined: false })
      for (const cause of causes(result)) if (cause.secondWitness !== undefined) checkSecond(looser, cause)
    }
  })
  test('an output that no row binds', () => {
    const loose = withoutRow(bits, bits.rows - 1)
    const result = audit(loose)
    expect(result.undetermined).toMatchObject([{ wire: 1, kind: 'output', scopes: [], reason: 'it occurs in no row' }])
    expect(result.counts.freeWires).toBe(1)
    checkSecond(loose, result.undetermined[0]!)
  })
})

describe('in a net', () => {
  /** Layers of relus, of which one is careless. */
  const net = (careless: number): Circuit =>
    circuitWith((cs, input) => {
      let values = Array.from({ length: 6 }, () => input(-100, 100))
      for (let layer = 0; layer < 12; layer++)
        values = cs.scope(`layer ${layer}`, () =>
          values.map((x, i) => {
            const sum = cs.add(x, cs.scale(-1, values[(i + 1) % 6]!))
            const bits = toBits(cs, cs.add({ ...sum, range: null }, cs.constant(2 ** 20)), 21)
            const positive = cs.bit(
              layer === careless && i === 3 ? cs.bits(sum, 1) : bits,
              layer === careless && i === 3 ? 0 : 20,
            )
            return cs.mulAdd(positive, { ...sum, range: null }, cs.constant(0), { lo: 0n, hi: 2n ** 20n })
          }),
        )
      return values[0]!
    })
  test('that is careful everything is determined', () => {
    expect(audit(net(-1)).determined).toBe(true)
  })
  for (const layer of [0, 5, 11])
    test(`the layer that is not is named: ${layer}`, () => {
      const result = audit(net(layer))
      const [cause] = causes(result)
      expect(cause!.scopes).toEqual([`node/gadget/layer ${layer}`])
      checkSecond(net(layer), cause!)
      const scope = result.scopes.find((s) => s.scope === `node/gadget/layer ${layer}`)!
      expect(scope.undetermined).toBeGreaterThan(0)
      for (const s of result.scopes.slice(0, layer)) expect(s.undetermined).toBe(0)
    })
})
