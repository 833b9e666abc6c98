import { bn254 } from '@noble/curves/bn254.js'
import { DODECIC } from '../../src/engine/kernels/extension.ts'
import { ELEMENT, invert, PAIR } from '../../src/engine/kernels/field.ts'
import { split } from '../../src/engine/kernels/fma.ts'
import { intLimbs } from '../../src/engine/kernels/int.ts'
import { type PairingPlace, pairingPlace } from '../../src/engine/pairing.ts'
import { montgomeryOf, type Runtime, readInteger, SHARED } from '../../src/engine/runtime.ts'
import { Q, R } from '../../src/groth16/bn254.ts'
import type { G1, G2, Proof, VerifyingKey } from '../../src/groth16/keys.ts'
import { integers } from '../groth16/circuits.ts'
import { bigintegers, edges, ROOM } from './support.ts'

const { Fp12, Fp6, Fp2 } = bn254.fields
export type Fp12Value = ReturnType<typeof Fp12.mul>
type Fp6Value = ReturnType<typeof Fp6.mul>
type Fp2Value = ReturnType<typeof Fp2.mul>

const VALUE = DODECIC * PAIR

/** Where tests keep what the check knows of a key, and values of Fq¹². */
export const PLACE = ROOM
export const testPlace = (nPublic: number): PairingPlace => pairingPlace(nPublic, PLACE)
const VALUES = ROOM + (1 << 17)
export const valueAt = (k: number): number => VALUES + k * VALUE

const fp2s = ([a, b, ...rest]: readonly bigint[]): Fp2Value[] =>
  a === undefined ? [] : [Fp2.create({ c0: a, c1: b! }), ...fp2s(rest)]
const fp6 = ([c0, c1, c2]: readonly Fp2Value[]): Fp6Value => Fp6.create({ c0: c0!, c1: c1!, c2: c2! })
const fp12 = (coefficients: readonly bigint[]): Fp12Value => {
  const parts = fp2s(coefficients)
  return Fp12.create({ c0: fp6(parts.slice(0, 3)), c1: fp6(parts.slice(3)) })
}
const ofFp6 = ({ c0, c1, c2 }: Fp6Value): bigint[] => [c0, c1, c2].flatMap((part) => [part.c0, part.c1])
const ofFp12 = ({ c0, c1 }: Fp12Value): bigint[] => [...ofFp6(c0), ...ofFp6(c1)]

/** The residues in one lane of pairs of elements in Montgomery form. */
function readLane({ kernels, words }: Runtime, address: number, lane: number, pairs: number): bigint[] {
  const room = valueAt(20)
  return Array.from({ length: pairs }, (_, i) => {
    kernels.fqMul!(room, address + i * PAIR, SHARED.toPlain)
    kernels.fqToBytes!(room, lane, room + PAIR)
    return readInteger(words, room + PAIR)
  })
}

export const readFp12 = (runtime: Runtime, address: number, lane: number): Fp12Value =>
  fp12(readLane(runtime, address, lane, DODECIC))

/** Writes integers as they are into one lane of pairs, carried: |value| up to 2p with fma, 0 ≤ value < 8p with int. */
function writeLane(
  { variant, words, doubles }: Runtime,
  address: number,
  lane: number,
  values: readonly bigint[],
): void {
  values.forEach((value, i) => {
    const at = address + i * PAIR
    if (variant === 'int') words.set(intLimbs(value), (at + ELEMENT * lane) / 4)
    else for (const [j, limb] of split(value).entries()) doubles[(at + 8 * lane) / 8 + 2 * j] = limb
  })
}

/** What kernels are compared with: the kernel's name, its inputs (how many coefficients; whether reduced), and the twin. */
type Twin = {
  readonly kernel: string
  readonly inputs: readonly number[]
  readonly reduced: boolean
  readonly twin: (...inputs: readonly bigint[][]) => bigint[]
  readonly more?: readonly number[]
}

const frobenius = (place: PairingPlace, n: number): Twin => ({
  ...{ kernel: 'fq12Frobenius', inputs: [12], reduced: true, more: [place.frobenius + (n - 1) * VALUE, n % 2] },
  twin: (x) => ofFp12(Fp12.frobeniusMap(fp12(x!), n)),
})

const twins = (place: PairingPlace): readonly Twin[] => [
  {
    ...{ kernel: 'fq6Mul', inputs: [6, 6], reduced: false },
    twin: (x, y) => ofFp6(Fp6.mul(fp6(fp2s(x!)), fp6(fp2s(y!)))),
  },
  { kernel: 'fq6Inverse', inputs: [6], reduced: true, twin: (x) => ofFp6(Fp6.inv(fp6(fp2s(x!)))) },
  {
    ...{ kernel: 'fq12Mul', inputs: [12, 12], reduced: false },
    twin: (x, y) => ofFp12(Fp12.mul(fp12(x!), fp12(y!))),
  },
  { kernel: 'fq12Sqr', inputs: [12], reduced: false, twin: (x) => ofFp12(Fp12.sqr(fp12(x!))) },
  {
    // a line's coefficients are those of 1, w and vw
    ...{ kernel: 'fq12MulLine', inputs: [12, 6], reduced: false },
    twin: (x, [a, b, c, d, e, f]) => ofFp12(Fp12.mul(fp12(x!), fp12([a!, b!, 0n, 0n, 0n, 0n, c!, d!, e!, f!, 0n, 0n]))),
  },
  { kernel: 'fq12Conjugate', inputs: [12], reduced: false, twin: (x) => ofFp12(Fp12.conjugate(fp12(x!))) },
  { kernel: 'fq12Inverse', inputs: [12], reduced: false, twin: (x) => ofFp12(Fp12.inv(fp12(x!))) },
  ...[1, 2, 3].map((n) => frobenius(place, n)),
]

/**
 * Compares the kernels of Fq⁶ and Fq¹² with noble-curves on `count` pairs of inputs each: random ones, edges, and such that
 * lie at the bounds up to which kernels take them. Returns what differs.
 */
export function extensionDifferences(runtime: Runtime, place: PairingPlace, count: number): string[] {
  const { kernels, variant } = runtime
  const factor = invert(montgomeryOf(variant), Q)
  const [random, pick] = [bigintegers(3), integers(3)]
  const special = edges(Q)
  const differences: string[] = []
  /** An integer that stands for a residue times R. */
  const integer = (kind: number, reduced: boolean): bigint => {
    const centred = (x: bigint): bigint => (variant === 'fma' && x > Q / 2n ? x - Q : x)
    if (kind === 0) return centred(special[pick(special.length)]! % Q)
    if (kind === 1) return centred(random(254) % Q)
    // at the bounds, or near them
    const small = BigInt(pick(4))
    if (variant === 'int') return ((reduced ? 100n : 139n) * Q) / 100n - small
    const bound = ((reduced ? 50n : 79n) * Q) / 100n - small
    return pick(2) === 0 ? bound : -bound
  }
  const residue = (x: bigint): bigint => (((x * factor) % Q) + Q) % Q
  const compare = (what: string, address: number, lane: number, want: readonly bigint[]): void => {
    const got = readLane(runtime, address, lane, want.length)
    if (String(got) !== String(want)) differences.push(`${variant} ${what}, lane ${lane}: ${got} instead of ${want}`)
  }
  for (const { kernel, inputs, reduced, twin, more = [] } of twins(place)) {
    for (let i = 0; i < count; i++) {
      const lanes = [0, 1].map((lane) =>
        inputs.map((length, k) => {
          const integers = Array.from({ length }, () => integer((i + k) % 4, reduced))
          writeLane(runtime, valueAt(k), lane, integers)
          return integers.map(residue)
        }),
      )
      // the result takes the place of the first input at every other turn
      const to = valueAt(i % 2 === 0 ? 0 : 3)
      // neither lane's input may be 0 for an inverse: 1/0 is 0 here, an error there
      if (kernel.endsWith('Inverse') && lanes.some(([x]) => x!.every((value) => value === 0n))) continue
      kernels[kernel]!(to, ...inputs.map((_, k) => valueAt(k)), ...more)
      for (const lane of [0, 1]) compare(kernel, to, lane, twin(...lanes[lane]!))
    }
  }
  // elements of norm 1, for which the cyclotomic squaring is made, and the element 1
  const norm1 = (x: Fp12Value): Fp12Value => {
    const y = Fp12.mul(Fp12.conjugate(x), Fp12.inv(x))
    return Fp12.mul(Fp12.frobeniusMap(y, 2), y)
  }
  const step = norm1(fp12(Array.from({ length: 12 }, () => random(254) % Q)))
  let [x, y] = [Fp12.ONE, step]
  for (let i = 0; i < count; i++) {
    for (const [lane, value] of [x, y].entries()) {
      const integers = ofFp12(value).map((c) => {
        const integer = (c * montgomeryOf(variant)) % Q
        return variant === 'fma' && integer > Q / 2n ? integer - Q : integer
      })
      writeLane(runtime, valueAt(0), lane, integers)
    }
    const to = valueAt(i % 2)
    kernels.fq12CyclotomicSqr!(to, valueAt(0))
    compare('fq12CyclotomicSqr', to, 0, ofFp12(Fp12.sqr(x)))
    compare('fq12CyclotomicSqr', to, 1, ofFp12(Fp12.sqr(y)))
    ;[x, y] = [y, Fp12.mul(y, i % 2 === 0 ? step : y)]
  }
  return differences
}

const { BASE: G } = bn254.G1.Point
const { BASE: H } = bn254.G2.Point
const mod = (k: bigint): bigint => ((k % R) + R) % R
const multiple1 = (k: bigint) => (mod(k) === 0n ? bn254.G1.Point.ZERO : G.multiplyUnsafe(mod(k)))
export const point1 = (k: bigint): G1 => multiple1(k).toAffine()
export const point2 = (k: bigint): G2 => asG2(H.multiplyUnsafe(mod(k)))

type Twist = typeof H
export const asG2 = (point: Twist): G2 => {
  const { x, y } = point.toAffine()
  return { x: [x.c0, x.c1], y: [y.c0, y.c1] }
}
export const ofG2 = ({ x, y }: G2): Twist =>
  bn254.G2.Point.fromAffine({ x: { c0: x[0], c1: x[1] }, y: { c0: y[0], c1: y[1] } })

/** A key whose secrets are known, and proofs of anything for it. */
export function knownKey(ic: readonly bigint[], seed: number) {
  const random = bigintegers(seed)
  const scalar = (): bigint => (random(250) % (R - 1n)) + 1n
  const [alpha, beta, gamma, delta] = [scalar(), scalar(), scalar(), scalar()] as const
  const vk: VerifyingKey = {
    ...{ nPublic: ic.length - 1, dev: true, ic: ic.map(point1) },
    ...{ alpha: point1(alpha), beta: point2(beta), gamma: point2(gamma), delta: point2(delta) },
  }
  const statement = (signals: readonly bigint[]): bigint =>
    mod(signals.reduce((sum, signal, i) => sum + signal * ic[i + 1]!, ic[0]!))
  const forge = (signals: readonly bigint[]): Proof => {
    const [a, b] = [scalar(), scalar()]
    const c = mod((a * b - alpha * beta - statement(signals) * gamma) * invert(delta, R))
    return { a: point1(a), b: point2(b), c: point1(c) }
  }
  /** C of proofs for which e(C, delta) and e(S, gamma) cancel. */
  const cancelling = (signals: readonly bigint[]): G1 => point1(-statement(signals) * gamma * invert(delta, R))
  return { vk, forge, statement, cancelling }
}

/** Order of the twist over that of its subgroup; its factors 10069 and 5864401 give points of small order. */
export const COFACTOR = 2n * Q - R

/** A point of the twist that is not in the subgroup, from a seed. */
export function twistPoint(seed: number): Twist {
  const { b } = bn254.G2.Point.CURVE()
  for (let i = BigInt(seed) * 1000n; ; i++) {
    const x = Fp2.create({ c0: i, c1: 1n })
    const square = Fp2.add(Fp2.mul(Fp2.sqr(x), x), b)
    try {
      return bn254.G2.Point.fromAffine({ x, y: Fp2.sqrt(square) })
    } catch {
      // no square
    }
  }
}

/** k times a point of the twist, whatever its order. */
export function timesTwist(point: Twist, k: bigint): Twist {
  let [sum, power] = [bn254.G2.Point.ZERO, point]
  for (let rest = k; rest > 0n; rest >>= 1n) {
    if (rest & 1n) sum = sum.add(power)
    power = power.double()
  }
  return sum
}
