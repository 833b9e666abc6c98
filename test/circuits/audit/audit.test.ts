import { describe, expect, test } from 'vitest'
import { audit } from '../../../circuits/audit/audit.ts'
import { deriveRanges } from '../../../circuits/audit/ranges.ts'
import { readRows } from '../../../circuits/audit/rows.ts'
import { type Builder, createBuilder } from '../../../circuits/builder.ts'
import type { Circuit } from '../../../circuits/circuit.ts'
import { decodeCircuit, encodeCircuit } from '../../../circuits/encode.ts'
import { Fr } from '../../../circuits/field.ts'
import { argmax } from '../../../circuits/gadgets/argmax.ts'
import { rangeCheck, toBits } from '../../../circuits/gadgets/bits.ts'
import { divide } from '../../../circuits/gadgets/divide.ts'
import { poseidon } from '../../../circuits/gadgets/poseidon.ts'
import { requantise } from '../../../circuits/gadgets/requantise.ts'
import * as library from '../../../circuits/index.ts'
import type { LC } from '../../../circuits/lc.ts'
import { seeded } from '../../support/random.ts'
import { auditOf, circuitWith, type Input, openOf } from './support.ts'

describe('counts', () => {
  test('of a circuit with some of everything', () => {
    const cs = createBuilder(Fr)
    const out = cs.output()
    const [used, unused] = [cs.input('public', null), cs.input('public', null)]
    const [a, b] = [cs.input('private', null), cs.input('private', null)]
    expect(unused.wires).toEqual([3])
    cs.scope('first', () => {
      const [bit] = [cs.bit(cs.bits(used, 1), 0)]
      cs.assertEqual(bit, used)
      cs.assertMul(used, a, bit)
      cs.assertMul(a, used, bit)
      cs.assertEqual(bit, used)
      cs.assertEqual(used, bit)
    })
    cs.scope('second', () => {
      cs.assertEqual(used, used)
      cs.assertMul(a, cs.constant(0), cs.constant(0))
      cs.hint('isZero', [b], 1, { honest: null })
    })
    cs.bindOutput(out, used)
    const { counts, determined, clean, undetermined } = audit(cs.build())
    expect(counts).toEqual({
      ...{ rows: 9, wires: 8, publicOutputs: 1, publicInputs: 2, privateInputs: 2 },
      ...{ linearRows: 6, booleanWires: 1, linearWires: 1, freeWires: 1 },
      unusedPublicInputs: { count: 1, first: [3] },
      unusedPrivateInputs: { count: 1, first: [5] },
      duplicateRows: {
        count: 3,
        first: [
          { row: 3, scope: 'first', of: 2 },
          { row: 4, scope: 'first', of: 1 },
          { row: 5, scope: 'first', of: 1 },
        ],
      },
      idleRows: {
        count: 2,
        first: [
          { row: 6, scope: 'second' },
          { row: 7, scope: 'second' },
        ],
      },
      contradictions: { count: 0, first: [] },
    })
    expect({ determined, clean }).toEqual({ determined: false, clean: false })
    expect(undetermined.map(({ wire, reason }) => ({ wire, reason }))).toEqual([
      { wire: 7, reason: 'it occurs in no row' },
    ])
  })

  test('an unused public input alone makes a circuit unclean', () => {
    const cs = createBuilder(Fr)
    const out = cs.output()
    cs.input('public', null)
    cs.bindOutput(out, cs.input('private', null))
    expect(audit(cs.build())).toMatchObject({ determined: true, clean: false })
  })

  test('a row that never holds makes a circuit unclean', () => {
    const result = auditOf((cs, input) => {
      cs.assertEqual(cs.constant(2), cs.constant(3))
      return input(0, 1)
    })
    expect(result.counts.contradictions).toEqual({ count: 1, first: [{ row: 0, scope: 'node/gadget' }] })
    expect(result.clean).toBe(false)
  })

  test('of the parts add up', () => {
    const result = auditOf((cs, input) => {
      const x = input(-100, 100)
      const y = cs.scope('a', () => requantise(cs, x, 2, -8n, 7n))
      const z = cs.scope('b', () => requantise(cs, cs.scale(5, y), 1, -8n, 7n))
      return cs.scope('c', () => argmax(cs, [y, z, x]))
    })
    expect(result.scopes.map((s) => s.scope)).toEqual(['node/gadget/a', 'node/gadget/b', 'node/gadget/c', 'out'])
    expect(result.scopes.reduce((n, s) => n + s.rows, 0)).toBe(result.counts.rows)
    expect(result.scopes.reduce((n, s) => n + s.wires, 0)).toBe(result.counts.wires - 1)
    expect(Object.keys(result.lemmas).sort()).toEqual(['digits', 'input', 'linear', 'product', 'selection'])
  })
})

describe('ranges', () => {
  const rangesOf = (circuit: Circuit) => deriveRanges(readRows(circuit))

  test('of range checks are exact, whatever the builder says', () => {
    for (const [lo, hi] of [
      [0n, 255n],
      [-128n, 127n],
      [-3n, 9n],
      [1n, 1000n],
      [-(1n << 60n), 3n],
      [5n, 5n],
    ] as const) {
      const circuit = circuitWith((cs) => rangeCheck(cs, cs.input('private', null), lo, hi))
      expect(rangesOf(circuit).of(2)).toEqual({ lo, hi })
      expect(rangesOf(circuit).of(1)).toEqual({ lo, hi })
    }
  })

  test('follow through sums and products, and stop at the field', () => {
    const cs = createBuilder(Fr)
    const [x, y, z] = [0, 1, 2].map(() => cs.input('private', null)) as [LC, LC, LC]
    const a = rangeCheck(cs, x, -3n, 4n)
    const b = rangeCheck(cs, y, 0n, 9n)
    const sum = cs.materialise(cs.add(a, cs.scale(-2, b), cs.constant(1)))
    const product = cs.mul(a, b)
    const square = cs.mul(z, z)
    const beyond = cs.mul({ ...product, range: null }, { ...square, range: null })
    let power: LC = { ...product, range: null }
    for (let i = 0; i < 8; i++) power = cs.mul(power, power)
    const ranges = rangesOf(cs.build())
    const of = (lc: typeof sum) => ranges.of(lc.wires[0]!)
    expect(of(sum)).toEqual({ lo: -20n, hi: 5n })
    expect(of(product)).toEqual({ lo: -27n, hi: 36n })
    expect([of(z), of(square), of(beyond), of(power)]).toEqual([undefined, undefined, undefined, undefined])
  })

  test('follow from rows with scaled coefficients', () => {
    const cs = createBuilder(Fr)
    const x = cs.input('private', null)
    const bits = toBits(cs, cs.input('private', null), 3)
    cs.assertEqual(cs.scale(12, cs.fromBits(bits)), cs.scale(4, x))
    expect(rangesOf(cs.build()).of(1)).toEqual({ lo: 0n, hi: 21n })
  })

  test('of two roots: 0 and another', () => {
    const cs = createBuilder(Fr)
    const x = cs.input('private', null)
    cs.assertMul(x, cs.add(x, cs.constant(6)), cs.constant(0))
    expect(rangesOf(cs.build()).of(1)).toEqual({ lo: -6n, hi: 0n })
  })

  test('a sum of non-negative wires that is 0 fixes each of them', () => {
    const cs = createBuilder(Fr)
    const x = cs.input('private', null)
    const bits = cs.bits(x, 4)
    cs.assertEqual(cs.countOnes(bits, 0, 4), cs.constant(0))
    const circuit = cs.build()
    expect([2, 3, 4, 5].map((w) => rangesOf(circuit).of(w))).toEqual(Array(4).fill({ lo: 0n, hi: 0n }))
    expect(audit(circuit).lemmas).toEqual({ input: 1, constant: 4 })
  })

  test('of sums that leave (-p/2, p/2] are not taken for their residues', () => {
    // y = -K·b - b for a boolean b and 2K + 1 = p: -K - 1 ≡ K
    const cs = createBuilder(Fr)
    const bit = cs.bit(cs.bits(cs.input('private', null), 1), 0)
    const y = cs.hint('inverse', [bit], 1, { honest: null })[0]!
    const free = (x: LC): LC => ({ ...x, range: null })
    cs.assertMul(
      bit,
      cs.scale(-(Fr.p - 1n) / 2n, free(bit)),
      cs.combine([
        [1, y],
        [1, free(bit)],
      ]),
    )
    expect(rangesOf(cs.build()).of(3)).toEqual({ lo: 0n, hi: (Fr.p - 1n) / 2n })
  })

  test('report: widest, wrapping, and inputs that no row bounds', () => {
    const proven = auditOf((cs) => {
      const x = rangeCheck(cs, cs.input('private', { lo: -8n, hi: 7n }), -8n, 7n)
      return cs.scale(3, cs.mul(x, x))
    }).ranges
    expect(proven.unprovenInputs.count).toBe(0)
    expect(proven.fieldBits).toBe(254)
    // x·x in [-56, 64], and three times that
    expect(proven.widestWire).toMatchObject({ wire: 1, bits: 8, scope: 'out' })
    expect(proven.widestRow!.bits).toBeLessThan(12)
    const claimed = auditOf((_, input) => input(-8, 7)).ranges
    expect(claimed.unprovenInputs).toEqual({
      count: 1,
      first: [{ wire: 2, claimed: { lo: -8n, hi: 7n }, proven: undefined }],
    })

    const wide = auditOf((cs) => {
      const x = cs.input('private', null)
      const y = cs.input('private', null)
      const [a, b] = [x, y].map((v) => ({ ...cs.fromBits(toBits(cs, v, 200)), range: null }))
      const [c] = cs.hint('isZero', [x], 1, { honest: { lo: 0n, hi: 1n } })
      cs.assertMul(c!, c!, c!)
      cs.assertMul(a!, b!, c!)
      return c!
    })
    expect(wide.ranges.wrapping).toMatchObject({ count: 1, first: [{ scope: 'node/gadget', bits: 400 }] })
    expect(wide.clean).toBe(false)
  })
})

test('a factor of 254 bits may be 0 mod p although it is at least 1', () => {
  const cs = createBuilder(Fr)
  // none exceeds p/2
  const weights = Array.from({ length: 255 }, (_, i) => 1n << BigInt(Math.min(i, 252)))
  const bits = weights.map(() => cs.input('private', { lo: 0n, hi: 1n }))
  for (const bit of bits) cs.assertMul(bit, bit, bit)
  const spelled = cs.combine([[1, cs.ONE], ...bits.map((bit, i) => [weights[i]!, bit] as const)])
  const y = cs.hint('isZero', [spelled], 1, { honest: null })[0]!
  cs.assertMul({ ...spelled, range: null }, y, cs.constant(0))
  let rest = Fr.p - 1n
  const inputs = weights.map(() => 0n)
  for (let i = weights.length - 1; i >= 0; i--)
    if (weights[i]! <= rest) {
      inputs[i] = 1n
      rest -= weights[i]!
    }
  const { undetermined } = audit(cs.build(), { inputs: [inputs] })
  expect(undetermined).toMatchObject([{ wire: 256, moves: true, secondWitness: { inputs } }])
})

describe('propagation', () => {
  const body = (cs: Builder, input: Input): LC => {
    const xs = [input(-50, 50), input(-50, 50), input(0, 30)]
    const d = input(1, 9)
    const y = requantise(cs, cs.add(...xs), 2, -8n, 7n)
    const q = divide(cs, xs[2]!, d)
    return argmax(cs, [...xs, y, q])
  }

  test('does not depend on the order of rows, combinations and labels', () => {
    const circuit = circuitWith(body)
    const random = seeded(3)
    for (let k = 0; k < 20; k++) {
      const order = Array.from({ length: circuit.rows }, (_, r) => r)
      for (let i = order.length - 1; i > 0; i--) {
        const j = random.integer(0, i)
        ;[order[i], order[j]] = [order[j]!, order[i]!]
      }
      // factors in either order
      const rowLC = order.flatMap((r) => {
        const [a, b, c] = Array.from(circuit.rowLC.subarray(3 * r, 3 * r + 3)) as [number, number, number]
        return random.unit() < 0.5 ? [a, b, c] : [b, a, c]
      })
      const shuffled = { ...circuit, rowLC: Uint32Array.from(rowLC), rowScope: new Uint32Array(circuit.rows) }
      expect(openOf(shuffled).open.indexOf(1)).toBe(-1)
    }
  })

  test('reads nothing but rows: a program that says nothing changes nothing', () => {
    const circuit = circuitWith(body)
    const blind = { ...circuit, program: new Int32Array(0), hintNames: [], inputRanges: new Float64Array(8) }
    expect(audit(blind).determined).toBe(true)
  })

  test('takes combinations for equal that were pooled twice, and terms of coefficient 0 for none', () => {
    const { lcStart, lcWire, lcCoefficient, ...circuit } = circuitWith(body)
    const [starts, wires, coefficients, ids]: number[][] = [[0], [], [], []] as never
    const zero = circuit.coefficients.indexOf(0n)
    for (const lc of circuit.rowLC) {
      const own = Array.from(
        lcWire.subarray(lcStart[lc]!, lcStart[lc + 1]!),
        (w, i) => [w, lcCoefficient[lcStart[lc]! + i]!] as const,
      )
      // a wire that it does not have
      const extra = [1, 3, 7].filter((w) => own.every(([v]) => v !== w)).map((w) => [w, zero] as const)
      for (const [w, k] of [...own, ...extra].sort((x, y) => x[0] - y[0])) {
        wires!.push(w)
        coefficients!.push(k)
      }
      ids!.push(starts!.push(wires!.length) - 2)
    }
    const doubled: Circuit = {
      ...circuit,
      lcStart: Uint32Array.from(starts!),
      lcWire: Uint32Array.from(wires!),
      lcCoefficient: Uint32Array.from(coefficients!),
      lcSafe: new Uint8Array(ids!.length),
      rowLC: Uint32Array.from(ids!),
      program: new Int32Array(0),
    }
    expect(zero).toBeGreaterThanOrEqual(0)
    expect(audit(doubled)).toMatchObject({ determined: true, counts: { freeWires: 0 } })
  })

  test('follows a long chain', () => {
    const chain = circuitWith((cs, input) => {
      let x = input(-100, 100)
      for (let i = 0; i < 3000; i++) x = requantise(cs, cs.add(x, cs.scale(3, x), cs.constant(1)), 2, -100n, 100n)
      return x
    })
    expect(audit(chain)).toMatchObject({ determined: true, clean: true })
  })

  test('proves hashes of any length', () => {
    const cs = createBuilder(Fr)
    const out = cs.output()
    let state = cs.input('private', null)
    for (let i = 0; i < 10; i++) state = poseidon(cs, [state, cs.constant(i)])
    cs.bindOutput(out, state)
    expect(audit(cs.build())).toMatchObject({ determined: true, clean: true, ranges: { bounded: 0 } })
  })
})

test('is part of the library', () => {
  expect(library.audit).toBe(audit)
})

test('an empty circuit is determined', () => {
  expect(audit(createBuilder(Fr).build())).toMatchObject({ determined: true, clean: true, undetermined: [] })
})

test('circuits from files are audited alike', () => {
  const circuit = circuitWith((cs, input) => argmax(cs, [input(0, 9), input(0, 9)]))
  expect(audit(decodeCircuit(encodeCircuit(circuit)))).toEqual(audit(circuit))
})
