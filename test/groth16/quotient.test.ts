import { describe, expect, it } from 'vitest'
import { Fr } from '../../circuits/field.ts'
import { powR, R, rootOfUnity } from '../../src/groth16/bn254.ts'
import { exponentOf, quotientCut, quotientFactors } from '../../src/groth16/quotient.ts'

const breathe = async (): Promise<void> => {}

/** λⱼ(x) over the points, by the definition. */
const lagrange = (points: readonly bigint[], j: number, x: bigint): bigint =>
  points.reduce((value, p, k) => (k === j ? value : Fr.mul(value, Fr.mul(Fr.mod(x - p), Fr.inv(points[j]! - p)))), 1n)

/** Numbers of [0, r) that a linear congruential generator makes of a seed. */
function numbers(seed: bigint): () => bigint {
  let state = seed
  return () => {
    state = Fr.mod(state * 6364136223846793005n + 1442695040888963407n + (state >> 100n))
    return state
  }
}

describe('the quotient over rows and part of the odd points', () => {
  it.each([
    [1, 1],
    [1, 2],
    [2, 3],
    [3, 5],
    [4, 9],
    [4, 16],
    [5, 17],
    [6, 33],
    [6, 64],
    [7, 65],
    [7, 100],
  ])('is that over the whole domain: 2^%i, %i rows', async (power, used) => {
    const N = 2 ** power
    const next = numbers(BigInt(1000 * power + used))
    const tau = next()
    const root = rootOfUnity(power)
    const roots = Array.from({ length: N }, (_, j) => powR(root, BigInt(j)))
    const [a, b] = [0, 1].map(() => Array.from({ length: N }, (_, j) => (j < used ? next() : 0n))) as [
      bigint[],
      bigint[],
    ]
    const at = (values: readonly bigint[], x: bigint): bigint => {
      const scale = Fr.mul(powR(x, BigInt(N)) - 1n, Fr.inv(BigInt(N)))
      return values.reduce(
        (sum, v, j) => Fr.add(sum, Fr.mul(v, Fr.mul(Fr.mul(roots[j]!, scale), Fr.inv(x - roots[j]!)))),
        0n,
      )
    }
    const c = a.map((value, j) => Fr.mul(value, b[j]!))
    const expected = Fr.mul(at(a, tau), at(b, tau))

    const cut = quotientCut(power, used)
    expect(2 * cut.kept).toBeGreaterThanOrEqual(used)
    expect(2 * cut.kept).toBeLessThanOrEqual(N)
    expect(2 * cut.kept - used).toBeLessThan(Math.max(2, N / 32))
    const factors = await quotientFactors(cut, tau, breathe)
    expect([factors.rows.length, factors.points.length]).toEqual([used, 2 * cut.kept])

    // AB = (what the points of S make of A(y)·B(y)) + (what the points of C make of C)
    const psi = rootOfUnity(power + 1)
    const points = Array.from({ length: N }, (_, i) => Fr.mul(psi, roots[i]!))
    const scale = Fr.mul(powR(tau, BigInt(2 * N)) - 1n, Fr.inv(BigInt(2 * N)))
    let sum = 0n
    factors.points.forEach((factor, k) => {
      const y = points[exponentOf(cut, k)]!
      const scalar = Fr.mul(Fr.mul(y, scale), Fr.inv(tau - y)) // of the .zkey's point of H
      sum += Fr.mul(Fr.mul(scalar, factor), Fr.mul(at(a, y), at(b, y)))
    })
    factors.rows.forEach((factor, j) => {
      const unit = Fr.mul(
        Fr.mul(roots[j]!, Fr.mul(powR(tau, BigInt(N)) - 1n, Fr.inv(BigInt(N)))),
        Fr.inv(tau - roots[j]!),
      )
      sum += Fr.mul(Fr.mul(c[j]!, unit), factor)
    })
    expect(Fr.mod(sum)).toBe(expected)
  })

  it('has the points that the definition says', async () => {
    const [power, used, tau] = [7, 70, 987654321n]
    const N = 2 ** power
    const cut = quotientCut(power, used)
    const factors = await quotientFactors(cut, tau, breathe)
    const [root, psi] = [rootOfUnity(power), rootOfUnity(power + 1)]
    const inS = Array.from({ length: 2 * cut.kept }, (_, k) => Fr.mul(psi, powR(root, BigInt(exponentOf(cut, k)))))
    const inT = Array.from({ length: N - inS.length }, (_, t) => powR(root, BigInt(inS.length + t)))
    expect(new Set([...inS, ...inT]).size).toBe(N)
    const all = [...inS, ...inT]
    const product = (x: bigint): bigint => all.reduce((value, p) => Fr.mul(value, Fr.mod(x - p)), 1n)
    for (const j of [0, 1, used - 1])
      expect(factors.rows[j]).toBe(Fr.mul(product(tau), Fr.inv(product(powR(root, BigInt(j))))))
    const Z = powR(tau, BigInt(N)) - 1n
    for (const k of [0, 1, cut.kept, 2 * cut.kept - 1]) {
      const y = inS[k]!
      const scalar = Fr.mul(Fr.mul(y, powR(tau, BigInt(2 * N)) - 1n), Fr.inv(BigInt(2 * N) * (tau - y)))
      expect(Fr.mul(scalar, factors.points[k]!)).toBe(Fr.mul(lagrange(all, k, tau), Fr.mul(Z, Fr.inv(R - 2n))))
    }
  })
})
