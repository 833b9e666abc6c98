/**
 * A check of proofs on the engine's kernels: what `verifierOf` decides, at a tenth of its cost. It guards against faults while
 * proofs are made; whether a key is right at all must have been found out by `verifierOf` before.
 *
 * The equation is e(A, B)·e(-C, δ)·e(-S, γ) = e(α, β) with S = IC₀ + Σ signalₛ·ICₛ, and e the optimal ate pairing
 * (Vercauteren 2010; Aranha, Karabina, Longa, Gebotys, López 2011): over u, with q = q(u), r = r(u),
 *
 *     f = f_(6u+2, Q)(P) · l_(T, ψ(Q))(P) · l_(T + ψ(Q), -ψ²(Q))(P),  T = (6u + 2)Q
 *
 * to the power 2u(6u² + 3u + 1)·(q¹² - 1)/r. Lane 0 takes the pair (A, B), lane 1 (-C, δ) and (-S, γ); lines of γ are made
 * once for a key.
 *
 * That B is in the subgroup of order r comes with it: T + ψ(Q) - ψ²(Q) = -ψ³(Q) exactly for its points. ψ² - tψ + q = 0 holds
 * on the whole twist, and the norm of 6u + 2 + ψ - ψ² + ψ³ has only r in common with the order of the twist, r(2q - r) (the
 * criterion of Dai, Lin, Zhao, Zhou 2022, section 3). The formulas for T hold for all points of the twist on the way; if they did
 * not, its Z would be 0 from there on. Tests compute both.
 * @module
 */
import { Q, R } from '../groth16/bn254.ts'
import {
  checkProof,
  checkTwist,
  type G1,
  type G2,
  type Proof,
  ProofFormatError,
  type VerifyingKey,
} from '../groth16/keys.ts'
import { checkPublicSignals } from '../groth16/verify.ts'
import { oddDigits } from './digits.ts'
import { DODECIC } from './kernels/extension.ts'
import { PAIR } from './kernels/field.ts'
import { allocator, type Runtime, SHARED, writeInteger } from './runtime.ts'
import { callFrom, callSite } from './stack.ts'

/** The parameter of BN254: q = 36u⁴ + 36u³ + 24u² + 6u + 1, r = q - 6u². */
export const U = 4965661367192848881n

/** Bytes of a pair of elements of Fq², of Fq¹², of a line. */
const QUADRATIC = 2 * PAIR
const VALUE = DODECIC * PAIR
const LINE = 3 * QUADRATIC

/** The loop: from the second highest digit of 6u + 2 down, 1 and -1 where Q is added or subtracted. */
const LOOP: readonly number[] = (() => {
  const digits = oddDigits(6n * U + 2n, 2)
  const loop = new Array<number>(digits.at(-1)!.exponent).fill(0)
  for (const { exponent, digit } of digits.slice(0, -1)) loop[loop.length - 1 - exponent] = digit
  return loop
})()

/** Lines of a point: tangents, sums, and two for ψ(Q) and -ψ²(Q). */
const LINES = LOOP.length + LOOP.filter((digit) => digit !== 0).length + 2

/** A point as the kernels for sums take it: X, Y, Z and a place that is left free. */
const COMPLETE = 2 * PAIR

export type PairingPlace = ReturnType<typeof pairingPlace>

/** What the check knows of a key, from `start` on. */
export function pairingPlace(nPublic: number, start: number) {
  const { take, end } = allocator(start)
  return {
    /** ξ^(i(qⁿ - 1)/6), i = 0 … 5, for n = 1, 2, 3. */
    frobenius: take(3 * VALUE),
    /** ξ^((q - 1)/3) and ξ^((q - 1)/2). */
    twist: take(2 * QUADRATIC),
    one: take(VALUE),
    /** Lane 0 is the line 1. */
    gammaLines: take(LINES * LINE),
    alphaBeta: take(VALUE),
    /** Infinity, then the points of IC. */
    ic: take((nPublic + 2) * COMPLETE),
    end: end(),
  }
}

export const pairingBytes = (nPublic: number): number => pairingPlace(nPublic, 0).end

/** Values of Fq¹² in a thread's room; the last ones are odd powers in `powerU`. */
const [F, M, X, X2, X6, Y, A, B, POWER, SPARE, TABLE] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]
const TABLE_BITS = 4

/** Addresses of points in a thread's room. */
function roomOf({ slot }: Runtime) {
  const { take } = allocator(slot.points)
  const affine = (): number => take(2 * QUADRATIC)
  return {
    value: (k: number): number => slot.values + k * VALUE,
    /** A point of the twist and its multiple so far, X, Y, Z. */
    ...{ q: affine(), minusQ: affine(), image: affine(), t: take(3 * QUADRATIC) },
    ...{ line: take(LINE), lineAt: take(LINE), spare: take(QUADRATIC) },
    /** Points of G1 that lines are evaluated at, as (-x, y). */
    ...{ first: take(2 * PAIR), second: take(2 * PAIR) },
    /** A sum of points of G1, and the same with lanes exchanged. */
    ...{ sum: take(3 * PAIR), swapped: take(3 * PAIR) },
  }
}

/** Integers to the lanes of a pair, in Montgomery form. */
function put({ kernels, words, slot }: Runtime, address: number, first: bigint, second: bigint = first): void {
  writeInteger(words, slot.exchange, first)
  writeInteger(words, slot.exchange + 32, second)
  kernels.fqFromBytes!(address, slot.exchange, slot.exchange + 32)
  kernels.fqMul!(address, address, SHARED.fromPlain)
}

/** Points of the twist to both lanes. */
function putTwist(runtime: Runtime, address: number, first: G2, second: G2 = first): void {
  const other = [...second.x, ...second.y]
  ;[...first.x, ...first.y].forEach((value, i) => {
    put(runtime, address + i * PAIR, value, other[i]!)
  })
}

const copy = ({ words }: Runtime, to: number, from: number, bytes: number): void => {
  words.copyWithin(to / 4, from / 4, (from + bytes) / 4)
}

/** z = -x, reduced. */
function negate({ kernels, slot }: Runtime, z: number, x: number): void {
  kernels.fqSub!(slot.exchange, x, x) // 0, in both forms
  kernels.fqSubReduce!(z, slot.exchange, x)
}

/** Whether pairs are equal in both lanes. */
function equal({ kernels, slot }: Runtime, x: number, y: number, pairs: number): boolean {
  for (let i = 0; i < pairs; i++) {
    kernels.fqSubReduce!(slot.exchange, x + i * PAIR, y + i * PAIR)
    if (kernels.fqZero!(slot.exchange) !== 3) return false
  }
  return true
}

/**
 * Goes through the loop for the points in `q`: `square` is called before each doubling, `withLine` for each line. Returns
 * whether the points of both lanes are in the subgroup of order r.
 */
function walk(runtime: Runtime, place: PairingPlace, square: () => void, withLine: (line: number) => void): boolean {
  const { kernels } = runtime
  const { q, minusQ, image, t, line, spare } = roomOf(runtime)
  copy(runtime, minusQ, q, 2 * QUADRATIC)
  const negateY = (point: number): void => {
    for (const k of [2, 3]) negate(runtime, point + k * PAIR, point + k * PAIR)
  }
  negateY(minusQ)
  copy(runtime, t, q, 2 * QUADRATIC)
  copy(runtime, t + 2 * QUADRATIC, place.one, QUADRATIC)
  const add = (point: number): void => {
    kernels.lineAdd!(t, point, line)
    withLine(line)
  }
  for (const digit of LOOP) {
    square()
    kernels.lineDouble!(t, line)
    withLine(line)
    if (digit !== 0) add(digit > 0 ? q : minusQ)
  }
  const frobenius = (to: number, from: number): void => {
    kernels.twistFrobenius!(to, from, place.twist)
  }
  frobenius(image, q)
  add(image)
  frobenius(image, image)
  negateY(image)
  add(image)
  frobenius(image, image) // -ψ³(Q)
  const z = t + 2 * QUADRATIC
  if ((kernels.fqZero!(z) & kernels.fqZero!(z + PAIR)) !== 0) return false
  return [0, QUADRATIC].every((offset) => {
    kernels.fq2Mul!(spare, image + offset, z)
    return equal(runtime, t + offset, spare, 2)
  })
}

const U_DIGITS = oddDigits(U, TABLE_BITS).reverse()

/** z = x^u for x with x^(q⁴ - q² + 1) = 1. */
function powerU(runtime: Runtime, z: number, x: number): void {
  const { kernels } = runtime
  const { value } = roomOf(runtime)
  const square = (to: number, from: number): number => kernels.fq12CyclotomicSqr!(value(to), value(from))
  copy(runtime, value(TABLE), value(x), VALUE)
  square(SPARE, x)
  for (let i = 1; i < 2 ** (TABLE_BITS - 2); i++) kernels.fq12Mul!(value(TABLE + i), value(TABLE + i - 1), value(SPARE))
  let at = U_DIGITS[0]!.exponent
  U_DIGITS.forEach(({ exponent, digit }, i) => {
    for (; at > exponent; at--) square(POWER, POWER)
    const power = value(TABLE + (Math.abs(digit) >> 1))
    if (digit < 0) kernels.fq12Conjugate!(value(SPARE), power)
    const factor = digit < 0 ? value(SPARE) : power
    if (i === 0) copy(runtime, value(POWER), factor, VALUE)
    else kernels.fq12Mul!(value(POWER), value(POWER), factor)
  })
  for (; at > 0; at--) square(POWER, POWER)
  copy(runtime, value(z), value(POWER), VALUE)
}

/**
 * F to the power 2u(6u² + 3u + 1)·(q¹² - 1)/r: (q⁶ - 1)(q² + 1), then a multiple of (q⁴ - q² + 1)/r (Fuentes-Castañeda, Knapp,
 * Rodríguez-Henríquez 2011). 0 stays 0.
 */
function finalPower(runtime: Runtime, place: PairingPlace): void {
  const { kernels } = runtime
  const { value } = roomOf(runtime)
  const mul = (z: number, x: number, y: number): number => kernels.fq12Mul!(value(z), value(x), value(y))
  const square = (z: number, x: number): number => kernels.fq12CyclotomicSqr!(value(z), value(x))
  const conjugate = (z: number, x: number): number => kernels.fq12Conjugate!(value(z), value(x))
  const frobenius = (z: number, x: number, n: number): number =>
    kernels.fq12Frobenius!(value(z), value(x), place.frobenius + (n - 1) * VALUE, n % 2)
  kernels.fq12Inverse!(value(M), value(F))
  conjugate(F, F)
  mul(M, M, F)
  frobenius(F, M, 2)
  mul(M, M, F)
  powerU(runtime, X, M)
  square(X2, X) // 2u
  square(X, X2)
  mul(X6, X, X2) // 6u
  powerU(runtime, Y, X6) // 6u²
  square(A, Y)
  powerU(runtime, A, A) // 12u³
  mul(A, A, Y)
  mul(A, A, X6)
  conjugate(X2, X2)
  mul(B, A, X2)
  mul(F, A, Y)
  mul(F, F, M)
  for (const [n, x] of [
    [1, B],
    [2, A],
  ] as const) {
    frobenius(X, x, n)
    mul(F, F, X)
  }
  conjugate(M, M)
  mul(B, B, M)
  frobenius(X, B, 3)
  mul(F, F, X)
}

/** F = f_(6u+2, Q)(P)·… in each lane, without the final power, for points that have been put. Returns what `walk` returns. */
function millerLoop(runtime: Runtime, place: PairingPlace, withGamma: boolean): boolean {
  const { kernels } = runtime
  const { value, first, second, lineAt } = roomOf(runtime)
  const f = value(F)
  copy(runtime, f, place.one, VALUE)
  const absorb = (line: number, point: number): void => {
    kernels.lineAt!(lineAt, line, point)
    kernels.fq12MulLine!(f, f, lineAt)
  }
  let gammaLine = place.gammaLines
  const square = (): number => kernels.fq12Sqr!(f, f)
  return walk(runtime, place, square, (line) => {
    absorb(line, first)
    if (withGamma) absorb(gammaLine, second)
    gammaLine += LINE
  })
}

/** Writes what the check needs of a key that `verifierOf` takes: some milliseconds, and one for each 200 points of IC. */
export function writePairing(runtime: Runtime, place: PairingPlace, vk: VerifyingKey): void {
  const { kernels, words, slot } = runtime
  const { q } = roomOf(runtime)
  for (let i = 0; i < DODECIC; i++) put(runtime, place.one + i * PAIR, i === 0 ? 1n : 0n)
  writeFrobenius(runtime, place)
  ;[{ x: 0n, y: 1n }, ...vk.ic].forEach(({ x, y }, s) => {
    const integers = slot.exchange + 64
    ;[x, y, s === 0 ? 0n : 1n, 0n].forEach((integer, i) => {
      writeInteger(words, integers + 32 * i, integer)
    })
    words[slot.exchange / 4] = 0
    kernels.fqImport!(place.ic + s * COMPLETE, integers, slot.exchange, 1, 2, SHARED.fromPlain)
  })
  putTwist(runtime, q, vk.gamma)
  let to = place.gammaLines
  walk(
    runtime,
    place,
    () => {},
    (line) => {
      copy(runtime, to, line, LINE)
      for (let i = 0; i < LINE / PAIR; i++) kernels.fqCopyLane!(to + i * PAIR, place.one + i * PAIR, 0)
      to += LINE
    },
  )
  writePaired(runtime, place, place.alphaBeta, vk.alpha, vk.beta)
}

/** e(p, q) to both lanes at an address. */
export function writePaired(runtime: Runtime, place: PairingPlace, to: number, p: G1, q: G2): void {
  const room = roomOf(runtime)
  putTwist(runtime, room.q, q)
  putPoint(runtime, room.first, p)
  millerLoop(runtime, place, false)
  finalPower(runtime, place)
  copy(runtime, to, room.value(F), VALUE)
}

/** Points of G1 to lanes, for lines. */
function putPoint(runtime: Runtime, address: number, first: G1, second: G1 = first): void {
  put(runtime, address, (Q - first.x) % Q, (Q - second.x) % Q)
  put(runtime, address + PAIR, first.y, second.y)
}

/** The constants of the Frobenius endomorphisms. */
function writeFrobenius(runtime: Runtime, { frobenius, twist }: PairingPlace): void {
  const write = (to: number, [a, b]: Quadratic): void => {
    put(runtime, to, a)
    put(runtime, to + PAIR, b)
  }
  const sixth = power([9n, 1n], (Q - 1n) / 6n)
  // ξ^((qⁿ - 1)/6) is the conjugate of what it is for n - 1, times ξ^((q - 1)/6)
  let root: Quadratic = [1n, 0n]
  for (const n of [1, 2, 3]) {
    root = times([root[0], -root[1]], sixth)
    for (let i = 0; i < 6; i++) write(frobenius + (n - 1) * VALUE + i * QUADRATIC, power(root, BigInt(i)))
  }
  write(twist, power(sixth, 2n))
  write(twist + QUADRATIC, power(sixth, 3n))
}

/** An element of Fq², real part first. */
type Quadratic = readonly [bigint, bigint]

const times = ([a, b]: Quadratic, [c, d]: Quadratic): Quadratic =>
  [a * c - b * d, a * d + b * c].map((value) => ((value % Q) + Q) % Q) as unknown as Quadratic

function power(base: Quadratic, exponent: bigint): Quadratic {
  let [result, square]: [Quadratic, Quadratic] = [[1n, 0n], base]
  for (let e = exponent; e > 0n; e >>= 1n) {
    if (e & 1n) result = times(result, square)
    square = times(square, square)
  }
  return result
}

/** Pairs of pointers that are added at a time. */
const POINTERS = 1024

/** Puts -S = -(IC₀ + Σ signalₛ·ICₛ) into `second`. Returns false if it is the point at infinity. */
function putStatement(runtime: Runtime, place: PairingPlace, signals: readonly bigint[]): boolean {
  const { kernels, words, slot } = runtime
  const { sum, swapped, second, spare } = roomOf(runtime)
  // what to add before which doubling: quantised values are small integers of either sign, as signed digits
  const byExponent: number[][] = [[place.ic + COMPLETE]]
  signals.forEach((signal, i) => {
    const negative = signal > R / 2n
    const point = place.ic + (i + 2) * COMPLETE
    for (const { exponent, digit } of oddDigits(negative ? R - signal : signal, 2)) {
      while (byExponent.length <= exponent) byExponent.push([])
      byExponent[exponent]!.push(digit > 0 === negative ? point + 1 : point)
    }
  })
  const infinity = place.ic
  for (const [i, value] of [0n, 1n, 0n].entries()) put(runtime, sum + i * PAIR, value)
  for (const pointers of byExponent.reverse()) {
    kernels.completeAdd!(sum, sum)
    for (let from = 0; from < pointers.length; from += 2 * POINTERS) {
      const some = pointers.slice(from, from + 2 * POINTERS)
      if (some.length % 2 === 1) some.push(infinity)
      words.set(some, slot.list / 4)
      kernels.completeSum!(sum, slot.list, some.length / 2)
    }
  }
  kernels.swapLanes!(swapped, sum, 3)
  kernels.completeAdd!(sum, swapped)
  const [x, y, z] = [sum, sum + PAIR, sum + 2 * PAIR] as const
  if (kernels.fqZero!(z) !== 0) return false
  kernels.fqInverse!(spare, z)
  negate(runtime, spare, spare)
  kernels.fqMul!(second, x, spare) // -S = (x, -y), which lines take as (-x, -y)
  kernels.fqMul!(second + PAIR, y, spare)
  return true
}

const calls = callSite()

/** Whether a proof shows the statement that the public signals make; false as well for what is no proof, or no signals. */
export const checkPairing = (
  runtime: Runtime,
  place: PairingPlace,
  vk: VerifyingKey,
  publicSignals: readonly bigint[],
  proof: Proof,
): boolean => callFrom(calls, 1, check, [runtime, place, vk, publicSignals, proof])

function check(
  runtime: Runtime,
  place: PairingPlace,
  { nPublic, delta }: VerifyingKey,
  publicSignals: readonly bigint[],
  proof: Proof,
): boolean {
  try {
    checkPublicSignals(publicSignals, nPublic)
    checkProof(proof, checkTwist)
  } catch (error) {
    if (error instanceof ProofFormatError) return false
    throw error
  }
  const { kernels } = runtime
  const { q, first, value } = roomOf(runtime)
  const { a, b, c } = proof
  const withGamma = putStatement(runtime, place, publicSignals)
  putTwist(runtime, q, b, delta)
  putPoint(runtime, first, a, { x: c.x, y: Q - c.y })
  if (!millerLoop(runtime, place, withGamma)) return false
  kernels.swapLanes!(value(M), value(F), DODECIC)
  kernels.fq12Mul!(value(F), value(F), value(M))
  finalPower(runtime, place)
  return equal(runtime, value(F), place.alphaBeta, DODECIC)
}
