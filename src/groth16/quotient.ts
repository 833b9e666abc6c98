/**
 * The quotient of a proof from fewer values: what a quotient key (`qkey.ts`) holds, and why.
 *
 * The circuit has `used` rows, the extra ones of the public signals among them, in a domain of N = 2^power roots ω^j of
 * x^N - 1. The polynomials A, B and C take the rows' values at ω^j, and 0 for j ≥ used. A proof needs the point
 * h(τ)·Z(τ)/δ for h = (AB - C)/Z, Z = x^N - 1, whose degree is below N. Such a polynomial is determined by its values at N
 * points. The .zkey takes the odd powers of ψ, ψ² = ω. Here:
 *
 *     S   some of the odd powers y, at least `used` of them. There Z = -2 and h(y) = -(A(y)B(y) - C(y))/2
 *     T   the roots z = ω^j for the last N - |S| of the j. There A = B = 0, so that h(z) = -C'(z)/Z'(z) (l'Hôpital)
 *
 * What h owes to C is linear in C, and so in the witness: it goes into the points of C. With M = Π (x - p) over p in S and T,
 * and λⱼ the Lagrange polynomial of ω^j, the part of Cⱼ of h·Z is -λⱼ·(1 - M/M(ω^j)). For private wires λⱼ is added, which the
 * .zkey has in its points of C; for the constant and public ones it is not, as the verifying key has it. So the points are
 *
 *     (β·Aₛ + α·Bₛ + Σⱼ C[j][s]·λⱼ(τ)·M(τ)/M(ω^j))/δ   for private wires s
 *     Σⱼ C[j][s]·λⱼ(τ)·(M(τ)/M(ω^j) - 1)/δ             for the constant and public wires s
 *     M(τ)/((τ - y)·M'(y))·Z(τ)/(-2δ)                  for y in S, to be multiplied by A(y)·B(y)
 * @module
 */
import { Fr } from '../../circuits/field.ts'
import { powR, R, rootOfUnity } from './bn254.ts'
import { BREATH } from './zkeyWriter.ts'

/** S is made of classes of exponents, of which there are at most this many. */
const CLASSES = 64

/**
 * What S is. The transforms' results come in bit-reversed order, in two halves; S takes the first `kept` places of each, in
 * whole classes: exponents i of ψ·ω^i that are equal modulo `classes`, a coset of `size` points.
 */
export type QuotientCut = {
  readonly power: number
  readonly used: number
  readonly classes: number
  readonly size: number
  readonly kept: number
}

/** The smallest cut for the rows that a circuit uses of a domain of 2^power, power ≥ 1. */
export function quotientCut(power: number, used: number): QuotientCut {
  const classes = Math.min(CLASSES, 2 ** power)
  const size = 2 ** power / classes
  return { power, used, classes, size, kept: size * Math.ceil(used / (2 * size)) }
}

/** Reverses the low `bits` bits of an index. */
export function reverseBits(index: number, bits: number): number {
  let reversed = 0
  for (let i = 0; i < bits; i++) reversed |= ((index >>> i) & 1) << (bits - 1 - i)
  return reversed >>> 0
}

/** The k-th point of S, of 2·kept, is ψ·ω^i for this i. */
export const exponentOf = ({ power, kept }: QuotientCut, k: number): number =>
  k < kept ? reverseBits(k, power) : reverseBits(k - kept + 2 ** (power - 1), power)

/** By what the scalars of a .zkey differ from those of its quotient key. */
export type QuotientFactors = {
  /** M(τ)/M(ω^j) for rows j < used. */
  readonly rows: readonly bigint[]
  /** For the k-th point of S, ψ·ω^i, its scalar divided by that of the .zkey's i-th point of H. */
  readonly points: readonly bigint[]
}

/**
 * The factors for a secret τ of no power-of-two order.
 *
 * Products over T are windows of ω^k - 1 and ψ·ω^k - 1: Π over j in T of (ω^i - ω^j) = Π ω^j · Π over k = i - j of (ω^k - 1),
 * quotients of running products.
 */
export async function quotientFactors(
  cut: QuotientCut,
  tau: bigint,
  breathe: () => Promise<void>,
): Promise<QuotientFactors> {
  const { power, used, classes, size, kept } = cut
  const N = 2 ** power
  const [first, rest] = [2 * kept, N - 2 * kept] // T begins at ω^first
  const mul = (a: bigint, b: bigint): bigint => (a * b) % R
  const omega = rootOfUnity(power)
  const inverseOmega = Fr.inv(omega)
  const psi = rootOfUnity(power + 1)

  // the classes of S: values of y^size there
  const zeta = powR(omega, BigInt(size))
  const psiPower = powR(psi, BigInt(size))
  const zetas = Array.from({ length: classes }, (_, c) => powR(zeta, BigInt(c)))
  const inS = new Map(
    Array.from({ length: (2 * kept) / size }, (_, t) => {
      const c = exponentOf(cut, t * size) % classes
      return [c, mul(psiPower, zetas[c]!)] as const
    }),
  )
  /** Π over the points of S of (x - y), from x^size. */
  const productOfS = (x: bigint): bigint => [...inS.values()].reduce((product, y) => mul(product, x - y), 1n)

  let productOfT = 1n
  for (let j = first, root = powR(omega, BigInt(first)); j < N; j++) {
    if (j % BREATH === 0) await breathe()
    productOfT = mul(productOfT, tau - root)
    root = mul(root, omega)
  }
  const atTau = mul(productOfS(powR(tau, BigInt(size))), productOfT)
  const rootsOfT = powR(omega, (BigInt(first + N - 1) * BigInt(rest)) / 2n) // Π ω^j

  /** Products of root·ω^k - 1 for k = 1 … t, t < N, and their inverses. */
  const running = async (root: bigint): Promise<readonly [bigint[], bigint[]]> => {
    const [products, inverses] = [new Array<bigint>(N), new Array<bigint>(N)]
    let [product, point] = [1n, root]
    for (let k = 0; ; k++) {
      if (k % BREATH === 0) await breathe()
      products[k] = product
      if (k === N - 1) break
      point = mul(point, omega)
      product = mul(product, point - 1n)
    }
    let inverse = Fr.inv(product)
    for (let k = N - 1; ; k--) {
      if (k % BREATH === 0) await breathe()
      inverses[k] = inverse
      if (k === 0) break
      inverse = mul(inverse, point - 1n)
      point = mul(point, inverseOmega)
    }
    return [products, inverses]
  }

  const even = await running(1n)
  const rowClass = zetas.map((x) => mul(atTau, Fr.inv(mul(productOfS(x), rootsOfT))))
  const rows = new Array<bigint>(used)
  for (let j = 0; j < used; j++) {
    if (j % BREATH === 0) await breathe()
    rows[j] = mul(mul(even[0][j]!, even[1][j + rest]!), rowClass[j % classes]!)
  }

  const [products, inverses] = await running(psi)
  const half = (R + 1n) / 2n // the product of all ψ·ω^k - 1 is 1^N + 1
  const common = mul(atTau, mul(-BigInt(N), Fr.inv(powR(tau, BigInt(N)) + 1n)))
  const pointClass = new Map(
    [...inS].map(([c, y]) => {
      const others = [...inS.values()].reduce((product, other) => (other === y ? product : mul(product, y - other)), 1n)
      return [c, mul(common, Fr.inv(mul(mul(BigInt(size), y), mul(others, rootsOfT))))] as const
    }),
  )
  const points = new Array<bigint>(2 * kept)
  for (let k = 0; k < 2 * kept; k++) {
    if (k % BREATH === 0) await breathe()
    const i = exponentOf(cut, k)
    const end = i + rest
    const inverse = end < N ? inverses[end]! : mul(inverses[end - N]!, half)
    points[k] = Fr.mod(mul(mul(products[i]!, inverse), pointClass.get(i % classes)!))
  }
  return { rows: rows.map(Fr.mod), points }
}
