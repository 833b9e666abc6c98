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

/** Whether S is all of the odd powers: T is empty, and M = x^N + 1. */
export const isWhole = ({ power, kept }: QuotientCut): boolean => 2 * kept === 2 ** power

/** Reverses the low `bits` bits of an index. */
export function reverseBits(index: number, bits: number): number {
  let reversed = 0
  for (let i = 0; i < bits; i++) reversed |= ((index >>> i) & 1) << (bits - 1 - i)
  return reversed >>> 0
}

/** The k-th point of S, of 2·kept, is ψ·ω^i for this i. */
export const exponentOf = ({ power, kept }: QuotientCut, k: number): number =>
  k < kept ? reverseBits(k, power) : reverseBits(k - kept + 2 ** (power - 1), power)

/** What M is near the points that it is made of. */
export type CutValues = {
  /** 1/M(ω^j) for rows j < used. */
  readonly rows: readonly bigint[]
  /** 1/(y·M'(y)) for the points y of S, in their order. */
  readonly points: readonly bigint[]
  /** M(y) for the odd powers y = ψ·ω^i that are not in S. */
  readonly others: readonly { readonly exponent: number; readonly value: bigint }[]
}

const mul = (a: bigint, b: bigint): bigint => (a * b) % R

/** The points of S by classes, x^size - y^size for each class of exponents: Π over S of (x - y). */
function classesOf(cut: QuotientCut) {
  const { power, classes, size, kept } = cut
  const zeta = powR(rootOfUnity(power), BigInt(size))
  const zetas = Array.from({ length: classes }, (_, c) => powR(zeta, BigInt(c)))
  const psiPower = powR(rootOfUnity(power + 1), BigInt(size))
  /** y^size in each class of all odd powers. */
  const powers = zetas.map((value) => mul(psiPower, value))
  const inS = Array.from({ length: (2 * kept) / size }, (_, t) => exponentOf(cut, t * size) % classes)
  return {
    zetas,
    powers,
    inS: new Set(inS),
    /** Π over the points of S, or all but those of one class, of (x - y), from x^size. */
    product: (x: bigint, but = -1): bigint =>
      inS.reduce((product, c) => (c === but ? product : mul(product, x - powers[c]!)), 1n),
  }
}

/**
 * The values of a cut.
 *
 * Products over T are windows of ω^k - 1 and ψ·ω^k - 1: Π over j in T of (ω^i - ω^j) = Π ω^j · Π over k = i - j of (ω^k - 1),
 * quotients of running products.
 */
export async function cutValues(cut: QuotientCut, breathe: () => Promise<void>): Promise<CutValues> {
  const { power, used, classes, size, kept } = cut
  const N = 2 ** power
  if (isWhole(cut)) {
    // M(ω^j) = 2, and y·M'(y) = N·y^N = -N
    const [half, part] = [Fr.inv(2n), Fr.inv(BigInt(-N))]
    return { rows: new Array<bigint>(used).fill(half), points: new Array<bigint>(N).fill(part), others: [] }
  }
  const [first, rest] = [2 * kept, N - 2 * kept] // T begins at ω^first
  const omega = rootOfUnity(power)
  const inverseOmega = Fr.inv(omega)
  const { zetas, powers, inS, product } = classesOf(cut)
  const rootsOfT = powR(omega, (BigInt(first + N - 1) * BigInt(rest)) / 2n) // Π ω^j

  /** Products of root·ω^k - 1 for k = 1 … t, t < N, and their inverses. */
  const running = async (root: bigint): Promise<readonly [bigint[], bigint[]]> => {
    const [products, inverses] = [new Array<bigint>(N), new Array<bigint>(N)]
    let [running, point] = [1n, root]
    for (let k = 0; ; k++) {
      if (k % BREATH === 0) await breathe()
      products[k] = running
      if (k === N - 1) break
      point = mul(point, omega)
      running = mul(running, point - 1n)
    }
    let inverse = Fr.inv(running)
    for (let k = N - 1; ; k--) {
      if (k % BREATH === 0) await breathe()
      inverses[k] = inverse
      if (k === 0) break
      inverse = mul(inverse, point - 1n)
      point = mul(point, inverseOmega)
    }
    return [products, inverses]
  }

  // a function of its own, so that its products do not stay in memory
  const rowValues = async (): Promise<bigint[]> => {
    const [products, inverses] = await running(1n)
    const rowClass = zetas.map((x) => Fr.inv(mul(product(x), rootsOfT)))
    const rows = new Array<bigint>(used)
    for (let j = 0; j < used; j++) {
      if (j % BREATH === 0) await breathe()
      rows[j] = Fr.mod(mul(mul(products[j]!, inverses[j + rest]!), rowClass[j % classes]!))
    }
    return rows
  }
  const rows = await rowValues()

  // the product of all N of the ψ·ω^k - 1 is 1^N + 1
  const [products, inverses] = await running(rootOfUnity(power + 1))
  const half = (R + 1n) / 2n
  const pointClass = powers.map((y, c) =>
    inS.has(c) ? Fr.inv(mul(mul(BigInt(size), y), mul(product(y, c), rootsOfT))) : 0n,
  )
  const points = new Array<bigint>(2 * kept)
  for (let k = 0; k < 2 * kept; k++) {
    if (k % BREATH === 0) await breathe()
    const i = exponentOf(cut, k)
    const end = i + rest
    const inverse = end < N ? inverses[end]! : mul(inverses[end - N]!, half)
    points[k] = Fr.mod(mul(mul(products[i]!, inverse), pointClass[i % classes]!))
  }
  const otherClass = powers.map((y, c) => (inS.has(c) ? 0n : mul(product(y), rootsOfT)))
  const others: { exponent: number; value: bigint }[] = []
  for (let exponent = 0; exponent < N; exponent++) {
    if (exponent % BREATH === 0) await breathe()
    const c = exponent % classes
    if (inS.has(c)) continue
    const end = exponent + rest
    const window = mul(end < N ? products[end]! : 2n * products[end - N]!, inverses[exponent]!)
    others.push({ exponent, value: Fr.mod(mul(window, otherClass[c]!)) })
  }
  return { rows, points, others }
}

/** By what the scalars of a .zkey differ from those of its quotient key. */
export type QuotientFactors = {
  /** M(τ)/M(ω^j) for rows j < used. */
  readonly rows: readonly bigint[]
  /** For the k-th point of S, ψ·ω^i, its scalar divided by that of the .zkey's i-th point of H. */
  readonly points: readonly bigint[]
}

/** The factors for a secret τ of no power-of-two order. */
export async function quotientFactors(
  cut: QuotientCut,
  tau: bigint,
  breathe: () => Promise<void>,
): Promise<QuotientFactors> {
  const { power, size, kept } = cut
  const N = 2 ** power
  const values = await cutValues(cut, breathe)
  const omega = rootOfUnity(power)
  let atTau = classesOf(cut).product(powR(tau, BigInt(size)))
  for (let j = 2 * kept, root = powR(omega, BigInt(j)); j < N; j++) {
    if (j % BREATH === 0) await breathe()
    atTau = mul(atTau, tau - root)
    root = mul(root, omega)
  }
  const common = mul(atTau, mul(-BigInt(N), Fr.inv(powR(tau, BigInt(N)) + 1n)))
  return {
    rows: values.rows.map((value) => Fr.mul(value, atTau)),
    points: values.points.map((value) => Fr.mul(value, common)),
  }
}
