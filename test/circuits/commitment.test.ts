import { buildPoseidon } from 'circomlibjs'
import { beforeAll, describe, expect, test } from 'vitest'
import { createBuilder } from '../../circuits/builder.ts'
import type { Circuit } from '../../circuits/circuit.ts'
import {
  type CommitmentForm,
  commitmentDomain,
  commitmentOf,
  elementBits,
  elementsPerWord,
  setCommitmentOf,
} from '../../circuits/commitment.ts'
import { Fr } from '../../circuits/field.ts'
import { rangeCheck } from '../../circuits/gadgets/bits.ts'
import { commit, commitSet } from '../../circuits/gadgets/commit.ts'
import { PARTIAL_ROUNDS } from '../../circuits/gadgets/poseidonConstants.ts'
import { poseidonHash } from '../../circuits/poseidonHash.ts'
import { firstViolated, runProgram, solve, wireValue } from '../../circuits/solve.ts'
import { atFullWidth, codeOf } from '../support/gadgetSuite.ts'
import { randomBetween } from '../support/lies.ts'
import { seeded } from '../support/random.ts'

let reference: (inputs: readonly bigint[]) => bigint

beforeAll(async () => {
  const hash = await buildPoseidon()
  reference = (inputs) => hash.F.toObject(hash(inputs))
})

/** A circuit whose output is the digest of its inputs, the salt last; range rows as for a model's inputs. */
function circuitOf(form: CommitmentForm): Circuit {
  const cs = createBuilder(Fr)
  const out = cs.output()
  const [lo, hi] = [BigInt(form.lo), BigInt(form.hi)]
  const xs = Array.from({ length: form.count }, () => cs.input('private', { lo, hi }))
  const salt = form.salted ? cs.input('private', null) : undefined
  cs.bindOutput(
    out,
    commit(
      cs,
      xs.map((x) => rangeCheck(cs, x, lo, hi)),
      form,
      salt,
    ),
  )
  return cs.build()
}

const plain = (count: number, lo: number, hi: number): CommitmentForm => ({ count, lo, hi, salted: false })

describe('poseidonHash', () => {
  test('equals circomlibjs for 1 to 16 inputs', () => {
    const random = seeded(3)
    for (let n = 1; n <= 16; n++)
      for (const inputs of [
        Array.from({ length: n }, () => randomBetween(random, 0n, Fr.p - 1n)),
        new Array<bigint>(n).fill(0n),
        new Array<bigint>(n).fill(Fr.p - 1n),
      ])
        expect(poseidonHash(inputs), `${n} inputs`).toBe(reference(inputs))
  })

  test('takes residues, and 1 to 16 of them', () => {
    expect(poseidonHash([-3n])).toBe(reference([Fr.p - 3n]))
    expect(codeOf(() => poseidonHash([]))).toBe('circuit/overflow')
    expect(codeOf(() => poseidonHash(new Array(17).fill(1n)))).toBe('circuit/overflow')
  })
})

describe('commitmentOf', () => {
  test('is what the specification says, made from circomlibjs', () => {
    // [-2, 5] has 3 bits, so 82 elements in a word: two words
    const values = Array.from({ length: 83 }, (_, i) => (i % 8) - 2)
    const word = (part: readonly number[]): bigint =>
      part.reduce((sum, x, i) => sum + BigInt(x + 2) * 8n ** BigInt(i), 0n)
    const domain = (salted: bigint): bigint =>
      (0x56544331n << 128n) + (salted << 120n) + (3n << 112n) + (83n << 64n) + (2n ** 64n - 2n)
    const words = [word(values.slice(0, 82)), word(values.slice(82))]
    expect(commitmentOf(plain(83, -2, 5), values)).toBe(reference([domain(0n), ...words]))
    expect(commitmentOf({ ...plain(83, -2, 5), salted: true }, values, 77n)).toBe(
      reference([domain(1n), 77n, ...words]),
    )
  })

  test('more than 15 words are chained', () => {
    const wide = plain(17, 0, 2 ** 52)
    expect([elementBits(wide), elementsPerWord(wide)]).toEqual([53, 4])
    const values = Array.from({ length: 70 }, (_, i) => i)
    const words = Array.from({ length: 18 }, (_, i) =>
      values.slice(4 * i, 4 * i + 4).reduceRight((sum, x) => (sum << 53n) + BigInt(x), 0n),
    )
    const form = plain(70, 0, 2 ** 52)
    const first = reference([commitmentDomain(form), ...words.slice(0, 15)])
    expect(commitmentOf(form, values)).toBe(reference([first, ...words.slice(15)]))
  })

  test('every element, the salt, the length, the width and the least value change it', () => {
    const values = [3, 0, -4, 1]
    const form = { ...plain(4, -4, 3), salted: true }
    const digests = [
      commitmentOf(form, values, 9n),
      commitmentOf(form, values, 10n),
      commitmentOf({ ...form, salted: false }, values),
      commitmentOf({ ...form, hi: 4 }, values, 9n),
      commitmentOf({ ...form, lo: -5, hi: 2 }, [2, -1, -5, 0], 9n),
      commitmentOf({ ...form, count: 5 }, [...values, -4], 9n),
      ...values.map((_, i) => {
        const changed = [...values]
        changed[i] = changed[i] === 2 ? 1 : 2
        return commitmentOf(form, changed, 9n)
      }),
    ]
    expect(new Set(digests).size).toBe(digests.length)
  })

  test('refuses what is not of its form', () => {
    const form = plain(2, -4, 3)
    const code = (...args: Parameters<typeof commitmentOf>): string => codeOf(() => commitmentOf(...args))
    expect(code(form, [3, -4])).toBe('no error')
    for (const values of [[3], [3, 3, 3], [4, 0], [0, -5], [0.5, 0], [Number.NaN, 0], [4n, 0n]])
      expect(code(form, values), String(values)).toBe('circuit/commitment')
    expect(code(form, [0, 0], 1n)).toBe('circuit/commitment')
    for (const salt of [undefined, -1n, Fr.p])
      expect(code({ ...form, salted: true }, [0, 0], salt)).toBe('circuit/commitment')
    for (const [lo, hi] of [
      [1, 0],
      [0, 2 ** 53],
      [0.5, 1],
      [Number.NaN, 1],
    ] as const)
      expect(code({ ...form, lo, hi }, [1, 1])).toBe('circuit/commitment')
    for (const count of [0, -1, 1.5, 2 ** 48]) expect(code({ ...form, count }, [])).toBe('circuit/commitment')
  })
})

describe('commit', () => {
  test('equals its twin on random forms', () => {
    const random = seeded(11)
    for (let k = 0; k < 24; k++) {
      const lo = -random.integer(0, 2 ** random.integer(1, 30))
      const hi = lo + random.integer(0, 2 ** random.integer(1, 30))
      const salted = k % 2 === 1
      const form = { count: random.integer(1, k < 20 ? 20 : 200), lo, hi, salted }
      const values = Array.from({ length: form.count }, () => random.integer(lo, hi))
      const salt = salted ? randomBetween(random, 0n, Fr.p - 1n) : undefined
      const witness = solve(circuitOf(form), salt === undefined ? values : [...values, salt])
      expect(wireValue(Fr, witness, 1)).toBe(commitmentOf(form, values, salt))
    }
  })

  test('takes as many rows as promised', () => {
    const rows = (form: CommitmentForm): number => {
      const cs = createBuilder(Fr)
      const [lo, hi] = [BigInt(form.lo), BigInt(form.hi)]
      const xs = Array.from({ length: form.count }, () => cs.proven(cs.input('private', { lo, hi }), lo, hi))
      commit(cs, xs, form)
      return cs.rows()
    }
    // the domain is a constant, whose first S-box costs nothing
    const hash = (n: number, constants: number): number => 3 * (8 * (n + 1) + PARTIAL_ROUNDS[n - 1]! - 1 - constants)
    expect(rows(plain(62, 0, 255))).toBe(2 + hash(3, 1))
    expect(rows(plain(465, 0, 255))).toBe(15 + hash(16, 1))
    expect(rows(plain(466, 0, 255))).toBe(15 + hash(16, 1) + hash(2, 0))
  })

  test('elements outside the bounds have no witness', () => {
    const circuit = circuitOf(plain(3, -4, 2))
    expect(firstViolated(circuit, runProgram(circuit, [-4, 0, 2]))).toBeUndefined()
    for (const x of [3, -5]) expect(codeOf(() => solve(circuit, [0, x, 0]))).toBe('input/out-of-range')
    const open = { ...circuit, inputRanges: circuit.inputRanges.map((_, i) => (i % 2 === 0 ? -1000 : 1000)) }
    for (const x of [3, -5, 100]) expect(firstViolated(open, runProgram(open, [0, x, 0]))).toBeDefined()
  })

  test('elements without a proven range are refused', () => {
    const cs = createBuilder(Fr)
    const x = cs.input('private', { lo: 0n, hi: 7n })
    expect(codeOf(() => commit(cs, [x], plain(1, 0, 7)))).toBe('circuit/commitment')
    const proven = cs.proven(x, 0n, 7n)
    expect(codeOf(() => commit(cs, [proven], plain(1, 0, 6)))).toBe('circuit/commitment')
    expect(codeOf(() => commit(cs, [proven], plain(1, 1, 7)))).toBe('circuit/commitment')
    expect(codeOf(() => commit(cs, [proven], plain(2, 0, 7)))).toBe('circuit/commitment')
    expect(codeOf(() => commit(cs, [proven], plain(1, 0, 7), x))).toBe('circuit/commitment')
    expect(codeOf(() => commit(cs, [proven], plain(1, -1, 8)))).toBe('no error')
  })

  const form: CommitmentForm = { count: 3, lo: -9, hi: 20, salted: true }
  atFullWidth(
    {
      name: 'commit',
      inputs: [[-9, 20], [-9, 20], [-9, 20], null],
      build: (cs, xs) => commit(cs, xs.slice(0, 3), form, xs[3]),
      expected: (xs) => Fr.signed(commitmentOf(form, xs.slice(0, 3), Fr.mod(xs[3]!))),
    },
    5,
    { samples: 8, liars: 2, lies: 60 },
  )
})

describe('several tensors in one digest', () => {
  const forms = [
    { count: 83, lo: -2, hi: 5 },
    { count: 2, lo: -128, hi: 127 },
  ]
  const tensors = [Array.from({ length: 83 }, (_, i) => (i % 8) - 2), [-128, 127]]

  test('is what the specification says, made from circomlibjs', () => {
    const word = (part: readonly number[], lo: number, base: bigint): bigint =>
      part.reduce((sum, x, i) => sum + BigInt(x - lo) * base ** BigInt(i), 0n)
    const tensorDomain = (bits: bigint, count: bigint, lo: bigint): bigint =>
      (0x56544331n << 128n) + (bits << 112n) + (count << 64n) + (2n ** 64n + lo)
    const elements = [
      ...[tensorDomain(3n, 83n, -2n), word(tensors[0]!.slice(0, 82), -2, 8n), word(tensors[0]!.slice(82), -2, 8n)],
      ...[tensorDomain(8n, 2n, -128n), word(tensors[1]!, -128, 256n)],
    ]
    const domain = (salted: bigint, count: bigint): bigint =>
      (0x56545331n << 128n) + (salted << 120n) + (2n << 64n) + count
    expect(setCommitmentOf({ tensors: forms, salted: false }, tensors)).toBe(reference([domain(0n, 5n), ...elements]))
    expect(setCommitmentOf({ tensors: forms, salted: true }, tensors, 7n)).toBe(
      reference([domain(1n, 6n), 7n, ...elements]),
    )
  })

  test('elements, salt, bounds and borders between tensors change it', () => {
    const form = (...counts: number[]) => ({ tensors: counts.map((count) => ({ count, lo: 0, hi: 7 })), salted: false })
    const digests = [
      setCommitmentOf(form(2, 1), [[1, 2], [3]]),
      setCommitmentOf(form(1, 2), [[1], [2, 3]]),
      setCommitmentOf(form(3), [[1, 2, 3]]),
      setCommitmentOf(form(1, 2), [[2], [2, 3]]),
      setCommitmentOf({ ...form(2, 1), salted: true }, [[1, 2], [3]], 0n),
      setCommitmentOf({ ...form(2, 1), salted: true }, [[1, 2], [3]], 1n),
      setCommitmentOf({ tensors: [{ count: 3, lo: -1, hi: 6 }], salted: false }, [[1, 2, 3]]),
    ]
    expect(new Set(digests).size).toBe(digests.length)
    const code = (...args: Parameters<typeof setCommitmentOf>): string => codeOf(() => setCommitmentOf(...args))
    expect(code(form(2, 1), [[1, 2]])).toBe('circuit/commitment')
    expect(code(form(2, 1), [[1, 2], [8]])).toBe('circuit/commitment')
    expect(code(form(2, 1), [[1, 2], [3]], 4n)).toBe('circuit/commitment')
    expect(code({ ...form(1), salted: true }, [[1]])).toBe('circuit/commitment')
  })

  const form = {
    tensors: [
      { count: 3, lo: -9, hi: 20 },
      { count: 40, lo: 0, hi: 2 ** 30 },
    ],
    salted: true,
  }
  atFullWidth(
    {
      name: 'commitSet',
      inputs: [
        ...new Array<[number, number]>(3).fill([-9, 20]),
        ...new Array<[number, number]>(40).fill([0, 2 ** 30]),
        null,
      ],
      build: (cs, xs) => commitSet(cs, [xs.slice(0, 3), xs.slice(3, 43)], form, xs[43]),
      expected: (xs) => Fr.signed(setCommitmentOf(form, [xs.slice(0, 3), xs.slice(3, 43)], Fr.mod(xs[43]!))),
    },
    6,
    { samples: 6, liars: 1, lies: 60 },
  )
})
