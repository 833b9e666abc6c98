import { bn254 } from '@noble/curves/bn254.js'
import { describe, expect, test } from 'vitest'
import { oddDigits } from '../../src/engine/digits.ts'
import { checkPairing, U, writePaired, writePairing } from '../../src/engine/pairing.ts'
import { Q, R } from '../../src/groth16/bn254.ts'
import { type G2, type Proof, ProofFormatError, type VerifyingKey } from '../../src/groth16/keys.ts'
import { verifierOf } from '../../src/groth16/verify.ts'
import {
  asG2,
  COFACTOR,
  extensionDifferences,
  knownKey,
  ofG2,
  point1,
  point2,
  readFp12,
  testPlace,
  timesTwist,
  twistPoint,
  valueAt,
} from './pairings.ts'
import { bigintegers, testRuntime, variants } from './support.ts'

/** A statement and a proof for a key, valid or not. */
type Case = { readonly name: string; readonly signals: readonly bigint[]; readonly proof: Proof }

/** Changes of a valid proof, one at a time. */
function mutations(signals: readonly bigint[], proof: Proof): Case[] {
  const { a, b, c } = proof
  const minus = (y: bigint): bigint => Q - y
  const [B0, A0, C0] = [ofG2(b), bn254.G1.Point.fromAffine(a), bn254.G1.Point.fromAffine(c)]
  const [G, H] = [bn254.G1.Point.BASE, bn254.G2.Point.BASE]
  const proofs: Record<string, Proof> = {
    'A.x + 1': { ...proof, a: { ...a, x: (a.x + 1n) % Q } },
    'A.y + 1': { ...proof, a: { ...a, y: (a.y + 1n) % Q } },
    'B.x₀ + 1': { ...proof, b: { ...b, x: [(b.x[0] + 1n) % Q, b.x[1]] } },
    'B.x₁ + 1': { ...proof, b: { ...b, x: [b.x[0], (b.x[1] + 1n) % Q] } },
    'B.y₀ + 1': { ...proof, b: { ...b, y: [(b.y[0] + 1n) % Q, b.y[1]] } },
    'B.y₁ + 1': { ...proof, b: { ...b, y: [b.y[0], (b.y[1] + 1n) % Q] } },
    'C.x + 1': { ...proof, c: { ...c, x: (c.x + 1n) % Q } },
    'C.y + 1': { ...proof, c: { ...c, y: (c.y + 1n) % Q } },
    '-A': { ...proof, a: { ...a, y: minus(a.y) } },
    '-B': { ...proof, b: { ...b, y: [minus(b.y[0]), minus(b.y[1])] } },
    'B, conjugate': { ...proof, b: { x: [b.x[0], minus(b.x[1])], y: [b.y[0], minus(b.y[1])] } },
    '-C': { ...proof, c: { ...c, y: minus(c.y) } },
    '-A, -B': { a: { ...a, y: minus(a.y) }, b: { ...b, y: [minus(b.y[0]), minus(b.y[1])] }, c },
    'A and C exchanged': { a: c, b, c: a },
    'A + G': { ...proof, a: A0.add(G).toAffine() },
    'B + H': { ...proof, b: asG2(B0.add(H)) },
    'C + G': { ...proof, c: C0.add(G).toAffine() },
    'A not reduced': { ...proof, a: { ...a, x: a.x + Q } },
    'B not reduced': { ...proof, b: { ...b, y: [b.y[0], b.y[1] + Q] } },
    'C negative': { ...proof, c: { ...c, y: c.y - Q } },
    'A at infinity': { ...proof, a: { x: 0n, y: 0n } },
    'B at infinity': { ...proof, b: { x: [0n, 0n], y: [0n, 0n] } },
    'C at infinity': { ...proof, c: { x: 0n, y: 0n } },
    // A/2 and 2B make the same product
    '2A': { ...proof, a: A0.double().toAffine() },
    'A/2 and 2B': { a: A0.multiply((R + 1n) / 2n).toAffine(), b: asG2(B0.double()), c },
  }
  const lists: Record<string, readonly bigint[]> = {
    'one signal less': signals.slice(1),
    'one signal more': [...signals, 0n],
    ...Object.fromEntries(
      signals.flatMap((signal, i) => [
        [`signal ${i} + 1`, signals.with(i, (signal + 1n) % R)],
        [`signal ${i} negated`, signals.with(i, (R - signal) % R)],
        [`signal ${i} + r`, signals.with(i, signal + R)],
      ]),
    ),
  }
  return [
    { name: 'unchanged', signals, proof },
    ...Object.entries(proofs).map(([name, changed]) => ({ name, signals, proof: changed })),
    ...Object.entries(lists).map(([name, changed]) => ({ name, signals: changed, proof })),
  ]
}

/** What `verifierOf` says, and false for what it refuses. */
function verdicts(vk: VerifyingKey, cases: readonly Case[]): boolean[] {
  const verifier = verifierOf(vk)
  return cases.map(({ signals, proof }) => {
    try {
      return verifier(signals, proof)
    } catch (error) {
      if (error instanceof ProofFormatError) return false
      throw error
    }
  })
}

const random = bigintegers(11)
const wide = (): bigint => random(254) % R
/** Keys with their statements. IC of the second one are small multiples: partial sums are equal, opposite, infinity. */
const keys = [
  {
    ic: [wide(), wide(), wide(), wide()],
    statements: [
      [5n, R - 128n, wide()],
      [0n, 0n, 0n],
      [R - 1n, 1n, R / 2n],
    ],
  },
  {
    ic: [1n, 2n, 3n, 4n],
    statements: [
      [0n, R - 1n, 1n],
      [1n, R - 1n, 0n],
      [R - 2n, 1n, 0n],
      [1n, 0n, 0n],
    ],
  },
  { ic: [7n], statements: [[]] },
].map(({ ic, statements }, k) => {
  const { vk, forge, statement } = knownKey(ic, 20 + k)
  const cases = statements.flatMap((signals) => mutations(signals, forge(signals)))
  return { vk, cases, atInfinity: statements.filter((signals) => statement(signals) === 0n).length }
})
const expected = keys.map(({ vk, cases }) => verdicts(vk, cases))

/** Points of the twist outside the subgroup, of small and large order, alone and with a point of the subgroup added. */
const outside = [1, 2].flatMap((seed) => {
  const point = twistPoint(seed)
  const inCofactor = timesTwist(point, R)
  const small = [10069n, 5864401n].map((order) => timesTwist(inCofactor, COFACTOR / order))
  return [point, inCofactor, ...small, ...small.map((p) => p.double()), small[0]!.add(bn254.G2.Point.BASE)]
})

test('the cases are of both kinds, many, and statements at infinity are among them', () => {
  const all = expected.flat()
  expect(all.length).toBeGreaterThanOrEqual(200)
  expect(all.filter((right) => right).length).toBeGreaterThanOrEqual(16)
  expect(keys.map(({ atInfinity }) => atInfinity)).toEqual([0, 2, 0])
})

const gcd = (x: bigint, y: bigint): bigint => (y === 0n ? x : gcd(y, x % y))

test('the equation for the subgroup holds for no other point of the twist', () => {
  const t = 6n * U * U + 1n
  expect([Q, R]).toEqual([36n * U ** 4n + 36n * U ** 3n + 24n * U * U + 6n * U + 1n, Q + 1n - t])
  // a + bψ with ψ² = tψ - q
  const timesPsi = ([a, b]: [bigint, bigint]): [bigint, bigint] => [-b * Q, a + b * t]
  const [one, two, three] = [timesPsi([1n, 0n]), timesPsi([0n, 1n]), timesPsi(timesPsi([0n, 1n]))]
  const [a, b] = [6n * U + 2n + one[0] - two[0] + three[0], one[1] - two[1] + three[1]]
  const norm = a * a + a * b * t + b * b * Q
  expect(gcd(norm, R * COFACTOR)).toBe(R)
  // and COFACTOR·r is the order of the twist
  expect(timesTwist(twistPoint(3), R * COFACTOR).is0()).toBe(true)
})

test('no point of the twist meets itself, its opposite or infinity in the loop, so that its formulas hold', () => {
  const digits = oddDigits(6n * U + 2n, 2)
  const at = new Map(digits.map(({ exponent, digit }) => [exponent, BigInt(digit)]))
  const meets = (k: bigint): boolean => gcd(k < 0n ? -k : k, R * COFACTOR) !== 1n
  let k = 1n
  for (let exponent = digits.at(-1)!.exponent - 1; exponent >= 0; exponent--) {
    k *= 2n
    expect(meets(k)).toBe(false)
    const digit = at.get(exponent)
    if (digit !== undefined) expect([meets(k - digit), meets(k + digit)]).toEqual([false, false])
    k += digit ?? 0n
  }
  expect(k).toBe(6n * U + 2n)
})

test('signed digits are odd, apart and add up', () => {
  for (let width = 2; width <= 6; width++)
    for (const k of [0n, 1n, 2n, 3n, 255n, 256n, R, (1n << 200n) - 1n, ...Array.from({ length: 50 }, wide)]) {
      const digits = oddDigits(k, width)
      expect(digits.reduce((sum, { exponent, digit }) => sum + (BigInt(digit) << BigInt(exponent)), 0n)).toBe(k)
      digits.forEach(({ exponent, digit }, i) => {
        expect(Math.abs(digit) % 2 === 1 && Math.abs(digit) < 2 ** (width - 1)).toBe(true)
        if (i > 0) expect(exponent - digits[i - 1]!.exponent).toBeGreaterThanOrEqual(width)
      })
    }
})

describe.each(variants)('%s', (variant) => {
  const runtime = testRuntime(variant)

  test('arithmetic of Fq⁶ and Fq¹² equals that of noble-curves', () => {
    const place = testPlace(0)
    writePairing(runtime, place, keys[2]!.vk)
    expect(extensionDifferences(runtime, place, 60)).toEqual([])
  })

  test('pairings equal those of noble-curves, in both lanes', () => {
    const place = testPlace(0)
    writePairing(runtime, place, keys[2]!.vk)
    for (const [a, b] of [
      [1n, 1n],
      [R - 1n, 1n],
      [wide(), wide()],
      [2n, R - 3n],
    ] as const) {
      writePaired(runtime, place, valueAt(0), point1(a), point2(b))
      const want = bn254.pairing(bn254.G1.Point.fromAffine(point1(a)), ofG2(point2(b)))
      for (const lane of [0, 1]) expect(readFp12(runtime, valueAt(0), lane)).toEqual(want)
    }
  })

  test('proofs are accepted and refused as by the verifier', () => {
    keys.forEach(({ vk, cases }, k) => {
      const place = testPlace(vk.nPublic)
      writePairing(runtime, place, vk)
      const got = cases.map(({ signals, proof }) => checkPairing(runtime, place, vk, signals, proof))
      const differ = cases.filter((_, i) => got[i] !== expected[k]![i]).map(({ name }) => name)
      expect(differ).toEqual([])
    })
  })

  test('B outside the subgroup is refused, also where the equation holds', () => {
    const { vk, forge, cancelling } = knownKey([3n, 5n], 31)
    const place = testPlace(1)
    writePairing(runtime, place, vk)
    const proof = forge([9n])
    const check = (b: G2, c = proof.c): boolean => checkPairing(runtime, place, vk, [9n], { a: proof.a, b, c })
    expect(check(proof.b)).toBe(true)
    for (const b of outside) {
      expect(b.isTorsionFree()).toBe(false)
      for (const point of [b, b.add(ofG2(proof.b))]) expect(check(asG2(point))).toBe(false)
    }
    expect(check(proof.b)).toBe(true)
    // against e(A, B) itself, with the other pairs cancelled
    const holds = (b: G2): boolean => {
      writePaired(runtime, place, place.alphaBeta, proof.a, b)
      return check(b, cancelling([9n]))
    }
    expect(holds(point2(17n))).toBe(true)
    for (const b of outside) expect(holds(asG2(b))).toBe(false)
  })

  test('a multiple of B that vanishes on the way, as no point of the twist makes it, is refused', () => {
    const { vk, forge } = knownKey([3n, 5n], 32)
    const place = testPlace(1)
    writePairing(runtime, place, vk)
    const proof = forge([9n])
    let additions = 0
    const lineAdd = (...operands: number[]): number => {
      runtime.kernels.lineAdd!(...operands)
      const t = operands[0]! / 4
      if (++additions === vanishing) runtime.words.fill(0, t, t + 480 / 4)
      return 0
    }
    let vanishing = 0
    const check = (): boolean =>
      checkPairing({ ...runtime, kernels: { ...runtime.kernels, lineAdd } }, place, vk, [9n], proof)
    expect(check()).toBe(true)
    // after the last line: the equation holds
    ;[vanishing, additions] = [additions, 0]
    expect(check()).toBe(false)
  })
})
