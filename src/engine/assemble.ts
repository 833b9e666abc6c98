/**
 * From the sums to the proof: a few dozen operations of the groups, on noble-curves.
 * @module
 */
import { bn254 } from '@noble/curves/bn254.js'
import { R, readG1, readLE32, viewOf } from '../groth16/bn254.ts'
import type { CurvePoint1, CurvePoint2, G1, G2, Proof } from '../groth16/keys.ts'
import type { ProvingKey } from '../groth16/zkey.ts'
import type { WeightedSums } from './msm.ts'
import { FILE_BYTES, type Group } from './runtime.ts'

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

/** The points of a key that `readZkey` has checked. Multiples of delta are tabulated: every proof takes some. */
export function keyPoints(key: ProvingKey): KeyPoints {
  const header = viewOf(key.sections.get(2)!)
  const { alpha, beta, delta } = key.verifyingKey
  const points = {
    alpha: point1(alpha),
    beta1: point1(readG1(header, 148)!),
    beta2: point2(beta),
    delta1: point1(readG1(header, 468)!),
    delta2: point2(delta),
  }
  points.delta1.precompute(8)
  points.delta2.precompute(8)
  return points
}

/** The five sums of a proof, as lists of partial sums. */
export type ProofSums = Readonly<Record<'a' | 'b1' | 'b2' | 'c' | 'h', readonly WeightedSums[]>>

type GroupPoint<P> = { add(other: P): P; double(): P }

/** Σ 2^exponent · point. */
function weightedSum<P extends GroupPoint<P>>(
  group: Group,
  parts: readonly WeightedSums[],
  zero: P,
  read: (view: DataView, at: number) => P,
): P {
  const byExponent = new Map<number, P>()
  for (const { exponents, points } of parts) {
    const view = viewOf(points)
    exponents.forEach((exponent, i) => {
      const point = read(view, FILE_BYTES[group] * i)
      byExponent.set(exponent, byExponent.get(exponent)?.add(point) ?? point)
    })
  }
  let sum = zero
  for (let e = Math.max(-1, ...byExponent.keys()); e >= 0; e--) {
    sum = sum.double()
    const point = byExponent.get(e)
    if (point !== undefined) sum = sum.add(point)
  }
  return sum
}

const sum1 = (parts: readonly WeightedSums[]): CurvePoint1 =>
  weightedSum('g1', parts, Point1.ZERO, (view, at) =>
    Point1.fromAffine({ x: readLE32(view, at), y: readLE32(view, at + 32) }),
  )
const sum2 = (parts: readonly WeightedSums[]): CurvePoint2 =>
  weightedSum('g2', parts, Point2.ZERO, (view, at) => {
    const [x0, x1, y0, y1] = [0, 32, 64, 96].map((offset) => readLE32(view, at + offset)) as [
      bigint,
      bigint,
      bigint,
      bigint,
    ]
    return Point2.fromAffine({ x: { c0: x0, c1: x1 }, y: { c0: y0, c1: y1 } })
  })

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

/** A = α + Σ wA + r·δ, B = β + Σ wB + s·δ, C = Σ wC + Σ PH + s·A + r·B - rs·δ (Groth 2016, section 3.2). */
export function assembleProof(key: KeyPoints, sums: ProofSums, { r, s }: Blinding): Proof {
  const delta = (k: bigint): CurvePoint1 => (k === 0n ? Point1.ZERO : key.delta1.multiply(k))
  const a = key.alpha.add(sum1(sums.a)).add(delta(r))
  const b1 = key.beta1.add(sum1(sums.b1)).add(delta(s))
  const b = key.beta2.add(sum2(sums.b2)).add(s === 0n ? Point2.ZERO : key.delta2.multiply(s))
  const c = sum1([...sums.c, ...sums.h])
    .add(a.multiplyUnsafe(s))
    .add(b1.multiplyUnsafe(r))
    .add(delta((r * s) % R).negate())
  const affine = b.toAffine()
  return {
    a: a.toAffine(),
    b: { x: [affine.x.c0, affine.x.c1], y: [affine.y.c0, affine.y.c1] },
    c: c.toAffine(),
  }
}
