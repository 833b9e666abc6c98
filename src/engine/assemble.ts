/**
 * From the sums to the proof: a few dozen operations of the groups, on noble-curves.
 * @module
 */
import { bn254 } from '@noble/curves/bn254.js'
import { Q, R, readG1, readLE32, viewOf } from '../groth16/bn254.ts'
import type { CurvePoint1, CurvePoint2, G1, G2, Proof, VerifyingKey } from '../groth16/keys.ts'
import { oddDigits } from './digits.ts'
import { multiples } from './fixedBase.ts'
import type { KeyLayout } from './layout.ts'
import type { WeightedSums } from './msm.ts'
import { FILE_BYTES, type Group, type Runtime, SHARED } from './runtime.ts'

const { G1: Group1, G2: Group2 } = bn254
const { Point: Point1 } = Group1
const { Point: Point2 } = Group2

/** Single points of a key, ready to compute with. */
export type KeyPoints = {
  readonly alpha: CurvePoint1
  readonly beta1: CurvePoint1
  readonly beta2: CurvePoint2
  readonly delta1: CurvePoint1
  readonly delta2: CurvePoint2
}

const point1 = ({ x, y }: G1): CurvePoint1 => Point1.fromAffine({ x, y })
const point2 = ({ x, y }: G2): CurvePoint2 =>
  Point2.fromAffine({ x: { c0: x[0], c1: x[1] }, y: { c0: y[0], c1: y[1] } })

/** The points of a key that `readZkey` has checked, from its header (section 2) and its verifying key. */
export function keyPoints(section: Uint8Array, { alpha, beta, delta }: VerifyingKey): KeyPoints {
  const header = viewOf(section)
  return {
    alpha: point1(alpha),
    beta1: point1(readG1(header, 148)!),
    beta2: point2(beta),
    delta1: point1(readG1(header, 468)!),
    delta2: point2(delta),
  }
}

/** The five sums of a proof, as lists of partial sums. */
export type ProofSums = Readonly<Record<'a' | 'b1' | 'b2' | 'c' | 'h', readonly WeightedSums[]>>

type GroupPoint<P> = { add(other: P): P; double(): P; negate(): P }

/** Points with weights 2^exponent, those of equal exponents added up. */
type ByExponent<P> = Map<number, P>

function collect<P extends GroupPoint<P>>(
  group: Group,
  parts: readonly WeightedSums[],
  read: (view: DataView, at: number) => P,
): ByExponent<P> {
  const byExponent: ByExponent<P> = new Map()
  for (const { exponents, points } of parts) {
    const view = viewOf(points)
    exponents.forEach((exponent, i) => {
      include(byExponent, exponent, read(view, FILE_BYTES[group] * i))
    })
  }
  return byExponent
}

function include<P extends GroupPoint<P>>(sums: ByExponent<P>, exponent: number, point: P): void {
  sums.set(exponent, sums.get(exponent)?.add(point) ?? point)
}

/** Adds k·point, by odd digits of five bits and a sign, at least five places apart. */
function includeMultiple<P extends GroupPoint<P>>(sums: ByExponent<P>, point: P, k: bigint): void {
  const twice = point.double()
  const odd = [point]
  for (let i = 1; i < 8; i++) odd.push(odd[i - 1]!.add(twice))
  for (const { exponent, digit } of oddDigits(k, 5)) {
    const multiple = odd[Math.abs(digit) >> 1]!
    include(sums, exponent, digit > 0 ? multiple : multiple.negate())
  }
}

/** Σ 2^exponent · point. */
function total<P extends GroupPoint<P>>(sums: ByExponent<P>, zero: P): P {
  let sum = zero
  for (let e = Math.max(-1, ...sums.keys()); e >= 0; e--) {
    sum = sum.double()
    const point = sums.get(e)
    if (point !== undefined) sum = sum.add(point)
  }
  return sum
}

/** A coordinate; kernels may write q for 0, which no point on the curves has. */
const coordinateAt = (view: DataView, at: number): bigint => readLE32(view, at) % Q
const point1At = (view: DataView, at: number): CurvePoint1 =>
  Point1.fromAffine({ x: coordinateAt(view, at), y: coordinateAt(view, at + 32) })
const point2At = (view: DataView, at: number): CurvePoint2 =>
  Point2.fromAffine({
    x: { c0: coordinateAt(view, at), c1: coordinateAt(view, at + 32) },
    y: { c0: coordinateAt(view, at + 64), c1: coordinateAt(view, at + 96) },
  })
const collect1 = (parts: readonly WeightedSums[]) => collect('g1', parts, point1At)
const collect2 = (parts: readonly WeightedSums[]) => collect('g2', parts, point2At)

/** Σ 2^exponent · point in each group. */
export const weightedSum = {
  g1: (parts: readonly WeightedSums[]): CurvePoint1 => total(collect1(parts), Point1.ZERO),
  g2: (parts: readonly WeightedSums[]): CurvePoint2 => total(collect2(parts), Point2.ZERO),
} as const

/** The blinding of a proof: two numbers in [0, r), uniform and never used again. */
export type Blinding = { readonly r: bigint; readonly s: bigint }

/** Draws a blinding from a cryptographic generator that fills the bytes it is given. */
export function drawBlinding(random: (bytes: Uint8Array) => void): Blinding {
  const bytes = new Uint8Array(32)
  const draw = (): bigint => {
    for (;;) {
      random(bytes)
      bytes[31]! &= 0x3f
      const value = readLE32(viewOf(bytes), 0)
      bytes.fill(0)
      if (value < R) return value // three of four are
    }
  }
  return { r: draw(), s: draw() }
}

/** Multiples of δ. */
function multiplesOfDelta(
  runtime: Runtime,
  { delta }: KeyLayout,
  inG1: readonly bigint[],
  inG2: bigint,
): { readonly inG1: readonly CurvePoint1[]; readonly inG2: CurvePoint2 } {
  const of = (group: Group, scalars: readonly bigint[]): DataView => {
    const bytes = new Uint8Array(32 * scalars.length)
    scalars.forEach((scalar, i) => {
      for (let k = 0; k < 32; k++) bytes[32 * i + k] = Number((scalar >> BigInt(8 * k)) & 255n)
    })
    return viewOf(multiples(runtime, delta[group], group, bytes, SHARED.toPlain))
  }
  const first = of('g1', inG1)
  return {
    inG1: inG1.map((scalar, i) => (scalar === 0n ? Point1.ZERO : point1At(first, 64 * i))),
    inG2: inG2 === 0n ? Point2.ZERO : point2At(of('g2', [inG2]), 0),
  }
}

/**
 * A = α + Σ wA + r·δ, B = β + Σ wB + s·δ, C = Σ wC + Σ PH + s·A + r·B - rs·δ (Groth 2016, section 3.2). With the δ's of A and
 * B taken out, the last three terms are s·(A - rδ) + r·(B - sδ) + rs·δ.
 */
export function assembleProof(
  runtime: Runtime,
  layout: KeyLayout,
  key: KeyPoints,
  sums: ProofSums,
  { r, s }: Blinding,
): Proof {
  const { inG1, inG2 } = multiplesOfDelta(runtime, layout, [r, (r * s) % R], s)
  const a = key.alpha.add(weightedSum.g1(sums.a))
  const b1 = key.beta1.add(weightedSum.g1(sums.b1))
  const b = key.beta2.add(weightedSum.g2(sums.b2)).add(inG2).toAffine()
  const third = collect1([...sums.c, ...sums.h])
  includeMultiple(third, a, s)
  includeMultiple(third, b1, r)
  return {
    a: a.add(inG1[0]!).toAffine(),
    b: { x: [b.x.c0, b.x.c1], y: [b.y.c0, b.y.c1] },
    c: total(third, Point1.ZERO).add(inG1[1]!).toAffine(),
  }
}
