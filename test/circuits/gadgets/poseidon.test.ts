import { buildPoseidon } from 'circomlibjs'
import { beforeAll, describe, expect, test } from 'vitest'
import { createBuilder } from '../../../circuits/builder.ts'
import type { Circuit } from '../../../circuits/circuit.ts'
import { createField, Fr } from '../../../circuits/field.ts'
import { poseidon } from '../../../circuits/gadgets/poseidon.ts'
import { PARTIAL_ROUNDS, poseidonConstants } from '../../../circuits/gadgets/poseidonConstants.ts'
import { solve, wireValue } from '../../../circuits/solve.ts'
import { atFullWidth, codeOf } from '../../support/gadgetSuite.ts'
import { randomBetween } from '../../support/lies.ts'
import { seeded } from '../../support/random.ts'

let reference: (inputs: readonly bigint[]) => bigint

beforeAll(async () => {
  const hash = await buildPoseidon()
  reference = (inputs) => hash.F.toObject(hash(inputs))
})

const circuitOf = (n: number): Circuit => {
  const cs = createBuilder(Fr)
  const out = cs.output()
  cs.bindOutput(
    out,
    poseidon(
      cs,
      Array.from({ length: n }, () => cs.input('private', null)),
    ),
  )
  return cs.build()
}

describe('poseidon', () => {
  test('equals circomlibjs for 1 to 16 inputs, in as many rows as promised', () => {
    const random = seeded(7)
    for (let n = 1; n <= 16; n++) {
      const circuit = circuitOf(n)
      expect(circuit.rows - 1).toBe(3 * (8 * (n + 1) + PARTIAL_ROUNDS[n - 1]!) - 3)
      const samples = [Array.from({ length: n }, () => randomBetween(random, 0n, Fr.p - 1n))]
      if (n < 4) for (const x of [0n, 1n, Fr.p - 1n]) samples.push(new Array(n).fill(x))
      for (const inputs of samples)
        expect(wireValue(Fr, solve(circuit, inputs), 1), `${n} inputs`).toBe(reference(inputs))
    }
  })

  test('the published digest of [1, 2]', () => {
    // eprint 2019/458's reference with circomlib's parameters, as in circomlib's own tests
    const digest = 0x115cc0f5e7d690413df64c6b9662e9cf2a3617f2743245519e19607a4417189an
    expect(wireValue(Fr, solve(circuitOf(2), [1n, 2n]), 1)).toBe(digest)
  })

  test('takes negative integers as their residues, whatever range they have', () => {
    const cs = createBuilder(Fr)
    const out = cs.output()
    const x = cs.input('private', { lo: -9n, hi: 9n })
    cs.bindOutput(out, poseidon(cs, [cs.proven(x, -9n, 9n), cs.constant(-1)]))
    expect(wireValue(Fr, solve(cs.build(), [-3]), 1)).toBe(reference([Fr.p - 3n, Fr.p - 1n]))
  })

  test('of constants is a constant', () => {
    const cs = createBuilder(Fr)
    expect(Fr.mod(cs.constantValue(poseidon(cs, [cs.constant(5), cs.constant(Fr.p - 1n)]))!)).toBe(
      reference([5n, Fr.p - 1n]),
    )
    expect(cs.rows()).toBe(0)
  })

  for (const n of [1, 2])
    atFullWidth(
      {
        name: `poseidon of ${n}`,
        inputs: Array.from({ length: n }, () => null),
        build: (cs, xs) => poseidon(cs, xs),
        expected: (xs) => Fr.signed(reference(xs.map(Fr.mod))),
      },
      n,
      { samples: 8, liars: 2, lies: 60 },
    )

  test('the matrix is invertible and constants lie in the field', () => {
    for (let t = 2; t <= 17; t++) {
      const { roundConstants, mds } = poseidonConstants(t)
      expect(roundConstants.length).toBe(8 + PARTIAL_ROUNDS[t - 2]!)
      expect(roundConstants.flat().every((c) => c >= 0n && c < Fr.p)).toBe(true)
      expect(new Set(mds.flat()).size).toBeGreaterThan(t)
    }
  })

  test('refuses other fields, no inputs and more than 16', () => {
    expect(codeOf(() => poseidon(createBuilder(createField(17n)), []))).toBe('circuit/overflow')
    expect(codeOf(() => circuitOf(0))).toBe('circuit/overflow')
    expect(codeOf(() => circuitOf(17))).toBe('circuit/overflow')
  })
})
