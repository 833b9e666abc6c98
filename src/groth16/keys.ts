/**
 * Verifying keys and proofs: types, snarkjs' JSON form, and what is refused.
 * @module
 */
import { bn254 } from '@noble/curves/bn254.js'
import { type ErrorDetails, VeritensorError } from '../errors.ts'
import { Q, R } from './bn254.ts'

/** An affine point of BN254's G1, y² = x³ + 3 over Fq; plain integers in [0, q), not Montgomery form. */
export type G1 = { readonly x: bigint; readonly y: bigint }

/** An affine point of G2 over Fq²; each coordinate is [c0, c1] for c0 + c1·u. The EVM wants c1 before c0. */
export type G2 = { readonly x: readonly [bigint, bigint]; readonly y: readonly [bigint, bigint] }

/** A Groth16 verifying key. `ic` has nPublic + 1 points; `dev` marks a key whose toxic waste was known to one party. */
export type VerifyingKey = {
  readonly nPublic: number
  readonly alpha: G1
  readonly beta: G2
  readonly gamma: G2
  readonly delta: G2
  readonly ic: readonly G1[]
  readonly dev: boolean
}

/** A Groth16 proof: A and C in G1, B in G2. */
export type Proof = { readonly a: G1; readonly b: G2; readonly c: G1 }

/** A key is malformed, unsafe, of another circuit, or does not belong to the key that it is used with. */
export class KeyError extends VeritensorError {
  constructor(name: 'malformed' | 'unsafe' | 'other-circuit' | 'other-key', what: string, details: ErrorDetails = {}) {
    const fixes = {
      malformed: 'Take the key as the setup wrote it.',
      unsafe: 'Do not use this key: proofs for it can be forged. Run a complete setup with a contribution.',
      'other-circuit': 'Use the key that was set up for this very circuit.',
      'other-key': 'Use the two keys of one setup.',
    }
    super(`key/${name}`, what, { details, fix: fixes[name] })
  }
}

/** A proof or a list of public signals is no proof or list of signals at all; it is neither valid nor invalid. */
export class ProofFormatError extends VeritensorError {
  constructor(name: 'malformed' | 'malformed-public-signals', what: string, details: ErrorDetails = {}) {
    super(`proof/${name}`, what, { details, fix: 'Take proof and public signals as the prover wrote them.' })
  }
}

/** Throws the error for a reason. */
export type Fail = (what: string) => never

/** A point of noble-curves. */
export type CurvePoint1 = InstanceType<typeof bn254.G1.Point>
export type CurvePoint2 = InstanceType<typeof bn254.G2.Point>

const isCoordinate = (value: unknown): value is bigint => typeof value === 'bigint' && value >= 0n && value < Q

/** The point for computing. Fails unless the coordinates lie in [0, q), on the curve, and the point is not infinity. */
export function checkG1(point: G1, what: string, fail: Fail): CurvePoint1 {
  const { x, y } = point
  if (!isCoordinate(x) || !isCoordinate(y)) return fail(`${what} has a coordinate that is not in [0, q)`)
  if (x === 0n && y === 0n) return fail(`${what} is the point at infinity`)
  if ((y * y - x * x * x - 3n) % Q !== 0n) return fail(`${what} is not on the curve`)
  return bn254.G1.Point.fromAffine({ x, y })
}

/** Coordinates of points that were found in the subgroup: a key's points are looked at time and again. */
const known = new Set<string>()
const MAX_KNOWN = 64

/** Whether a point of the curve lies in the subgroup of order r. */
function inSubgroup(point: CurvePoint2): boolean {
  const { x, y } = point.toAffine()
  const coordinates = [x.c0, x.c1, y.c0, y.c1].join()
  if (known.has(coordinates)) return true
  if (!point.isTorsionFree()) return false
  if (known.size === MAX_KNOWN) known.clear()
  known.add(coordinates)
  return true
}

/** The same in G2, where the point must also lie in the subgroup of order r. */
export function checkG2(point: G2, what: string, fail: Fail): CurvePoint2 {
  const affine = checkTwist(point, what, fail)
  return inSubgroup(affine) ? affine : fail(`${what} is not in the subgroup of order r`)
}

/** The same for a point of the curve that G2 is a subgroup of. */
export function checkTwist(point: G2, what: string, fail: Fail): CurvePoint2 {
  const [x, y] = [point.x, point.y]
  const coordinates = [x?.[0], x?.[1], y?.[0], y?.[1]]
  if (x?.length !== 2 || y?.length !== 2 || !coordinates.every(isCoordinate))
    return fail(`${what} has a coordinate that is not in [0, q)`)
  if (coordinates.every((c) => c === 0n)) return fail(`${what} is the point at infinity`)
  const affine = bn254.G2.Point.fromAffine({ x: { c0: x[0], c1: x[1] }, y: { c0: y[0], c1: y[1] } })
  const { Fp2 } = bn254.fields
  const { b } = bn254.G2.Point.CURVE()
  const [{ x: px, y: py }, cube] = [affine.toAffine(), (v: typeof b) => Fp2.mul(Fp2.sqr(v), v)]
  if (!Fp2.eql(Fp2.sqr(py), Fp2.add(cube(px), b))) return fail(`${what} is not on the curve`)
  return affine
}

/** The generator of G2 (EIP-197). */
export const G2_GENERATOR: G2 = {
  x: [
    10857046999023057135944570762232829481370756359578518086990519993285655852781n,
    11559732032986387107991004021392285783925812861821192530917403151452391805634n,
  ],
  y: [
    8495653923123431417604973247489272438418190587263600148770280649306958101930n,
    4082367875863433681332203403145435568316851327593401208105741076214120093531n,
  ],
}

/** Whether two points of G2 are equal up to sign: they have the same x. */
export const sameUpToSign = (a: G2, b: G2): boolean => a.x[0] === b.x[0] && a.x[1] === b.x[1]

/**
 * Refuses a key that is malformed or under which statements can be forged: points at infinity, off the curve or outside
 * the subgroup; delta = ±gamma, delta = ±the generator or delta = ±beta (a setup without phase 2), gamma = ±beta; IC points
 * that are zero or equal up to sign (signals that are not bound or can be exchanged).
 *
 * It can't see whether anybody knows the toxic waste: look at `dev`, and at where the key comes from.
 *
 * Throws KeyError `key/malformed` or `key/unsafe`.
 */
export function checkVerifyingKey(vk: VerifyingKey): void {
  const malformed: Fail = (what) => {
    throw new KeyError('malformed', `verifying key: ${what}`)
  }
  const unsafe: Fail = (what) => {
    throw new KeyError('unsafe', `unsafe verifying key: ${what}`)
  }
  if (!Number.isSafeInteger(vk.nPublic) || vk.nPublic < 0) malformed('nPublic is no count')
  if (vk.ic.length !== vk.nPublic + 1)
    malformed(`${vk.ic.length} IC points for ${vk.nPublic} public signals; there must be one more than signals`)
  const refuseZero: Fail = (what) => (what.endsWith('infinity') ? unsafe(what) : malformed(what))
  checkG1(vk.alpha, 'alpha', refuseZero)
  checkG2(vk.beta, 'beta', refuseZero)
  checkG2(vk.gamma, 'gamma', refuseZero)
  checkG2(vk.delta, 'delta', refuseZero)
  if (sameUpToSign(vk.delta, vk.gamma)) unsafe('delta equals gamma up to sign, so that every statement can be forged')
  if (sameUpToSign(vk.delta, G2_GENERATOR)) unsafe('delta is the generator, up to sign: the key has no contribution')
  if (sameUpToSign(vk.delta, vk.beta)) unsafe('delta equals beta up to sign')
  if (sameUpToSign(vk.gamma, vk.beta)) unsafe('gamma equals beta up to sign')
  const seen = new Map<bigint, number>()
  vk.ic.forEach((point, s) => {
    checkG1(point, `IC ${s}`, refuseZero)
    const earlier = seen.get(point.x) // equal x: the same point up to sign
    if (earlier !== undefined) unsafe(`IC ${s} equals IC ${earlier} up to sign`)
    seen.set(point.x, s)
  })
}

// ---------------------------------------------------------------------------------------------------------- snarkjs' JSON

export type G1Json = readonly [x: string, y: string, z: string]
export type G2Json = readonly [x: readonly [string, string], y: readonly [string, string], z: readonly [string, string]]

/** verification_key.json. `veritensor` is an extra field that snarkjs ignores. */
export type VerifyingKeyJson = {
  readonly protocol: 'groth16'
  readonly curve: 'bn128'
  readonly nPublic: number
  readonly vk_alpha_1: G1Json
  readonly vk_beta_2: G2Json
  readonly vk_gamma_2: G2Json
  readonly vk_delta_2: G2Json
  readonly IC: readonly G1Json[]
  readonly veritensor?: { readonly dev: boolean }
}

/** proof.json. */
export type ProofJson = {
  readonly pi_a: G1Json
  readonly pi_b: G2Json
  readonly pi_c: G1Json
  readonly protocol: 'groth16'
  readonly curve: 'bn128'
}

const g1Json = ({ x, y }: G1): G1Json => [String(x), String(y), '1']
const g2Json = ({ x, y }: G2): G2Json => [
  [String(x[0]), String(x[1])],
  [String(y[0]), String(y[1])],
  ['1', '0'],
]

/** The key as snarkjs writes it, but for `vk_alphabeta_12`, which can be computed from the rest and nobody reads. */
export const encodeVerifyingKey = (vk: VerifyingKey): VerifyingKeyJson => ({
  protocol: 'groth16',
  curve: 'bn128',
  nPublic: vk.nPublic,
  vk_alpha_1: g1Json(vk.alpha),
  vk_beta_2: g2Json(vk.beta),
  vk_gamma_2: g2Json(vk.gamma),
  vk_delta_2: g2Json(vk.delta),
  IC: vk.ic.map(g1Json),
  ...(vk.dev ? { veritensor: { dev: true } } : {}),
})

/** The proof as snarkjs writes it. */
export const encodeProof = (proof: Proof): ProofJson => ({
  pi_a: g1Json(proof.a),
  pi_b: g2Json(proof.b),
  pi_c: g1Json(proof.c),
  protocol: 'groth16',
  curve: 'bn128',
})

/** public.json: canonical decimals. */
export const encodePublicSignals = (signals: readonly bigint[]): string[] => signals.map(String)

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Canonical decimal of an integer in [0, limit): no sign, no leading zero, no blanks. */
function decimal(value: unknown, limit: bigint, what: string, fail: Fail): bigint {
  // 78 digits hold any 256-bit integer: longer text must not reach BigInt, whose cost grows with the square
  if (typeof value !== 'string' || value.length > 78 || !/^(0|[1-9][0-9]*)$/.test(value))
    return fail(`${what} is not an integer in canonical decimal`)
  const number = BigInt(value)
  return number < limit ? number : fail(`${what} is too large`)
}

/** An array of exactly `length` elements, or of a length in [0, 2³²) for -1. */
function list(value: unknown, length: number, what: string, fail: Fail): readonly unknown[] {
  if (!Array.isArray(value)) return fail(`${what} is no array`)
  return value.length === length || length < 0 ? value : fail(`${what} has ${value.length} elements, not ${length}`)
}

function g1(value: unknown, what: string, fail: Fail): G1 {
  const [x, y, z] = list(value, 3, what, fail)
  if (z !== '1') fail(`${what} is not an affine point`)
  return { x: decimal(x, Q, `${what}.x`, fail), y: decimal(y, Q, `${what}.y`, fail) }
}

function g2(value: unknown, what: string, fail: Fail): G2 {
  const [x, y, z] = list(value, 3, what, fail)
  const [one, zero] = list(z, 2, `${what}.z`, fail)
  if (one !== '1' || zero !== '0') fail(`${what} is not an affine point`)
  const pair = (v: unknown, name: string): [bigint, bigint] => {
    const [c0, c1] = list(v, 2, name, fail)
    return [decimal(c0, Q, `${name}[0]`, fail), decimal(c1, Q, `${name}[1]`, fail)]
  }
  return { x: pair(x, `${what}.x`), y: pair(y, `${what}.y`) }
}

function header(value: unknown, what: string, fail: Fail): Readonly<Record<string, unknown>> {
  if (!isRecord(value)) return fail(`${what} is no JSON object`)
  if (value.protocol !== 'groth16') fail(`the protocol of ${what} is not groth16`)
  if (value.curve !== 'bn128') fail(`the curve of ${what} is not bn128`)
  return value
}

/**
 * Reads parsed JSON of a verifying key strictly and checks the key (`checkVerifyingKey`).
 *
 * Throws KeyError `key/malformed` or `key/unsafe`.
 */
export function decodeVerifyingKey(json: unknown): VerifyingKey {
  const fail: Fail = (what) => {
    throw new KeyError('malformed', `verifying key: ${what}`)
  }
  const key = header(json, 'the key', fail)
  const nPublic = key.nPublic
  if (typeof nPublic !== 'number' || !Number.isSafeInteger(nPublic) || nPublic < 0) return fail('nPublic is no count')
  const extra = key.veritensor
  if (extra !== undefined && !(isRecord(extra) && typeof extra.dev === 'boolean'))
    return fail('the field `veritensor` is unknown')
  const vk: VerifyingKey = {
    nPublic,
    alpha: g1(key.vk_alpha_1, 'vk_alpha_1', fail),
    beta: g2(key.vk_beta_2, 'vk_beta_2', fail),
    gamma: g2(key.vk_gamma_2, 'vk_gamma_2', fail),
    delta: g2(key.vk_delta_2, 'vk_delta_2', fail),
    ic: list(key.IC, nPublic + 1, 'IC', fail).map((point, s) => g1(point, `IC ${s}`, fail)),
    dev: isRecord(extra) && extra.dev === true,
  }
  checkVerifyingKey(vk)
  return vk
}

/**
 * A proof's points for computing. Throws ProofFormatError for points that no honest prover sends; whether B is in its subgroup
 * may be left to the caller (`checkTwist`).
 */
export function checkProof(
  proof: Proof,
  checkB: typeof checkG2 = checkG2,
): {
  readonly a: CurvePoint1
  readonly b: CurvePoint2
  readonly c: CurvePoint1
} {
  const fail: Fail = (what) => {
    throw new ProofFormatError('malformed', `malformed proof: ${what}`)
  }
  return { a: checkG1(proof.a, 'A', fail), b: checkB(proof.b, 'B', fail), c: checkG1(proof.c, 'C', fail) }
}

/**
 * Reads parsed JSON of a proof strictly: canonical coordinates below q, points on the curve, B in the subgroup of order r,
 * none at infinity.
 *
 * Throws ProofFormatError `proof/malformed`.
 */
export function decodeProof(json: unknown): Proof {
  const fail: Fail = (what) => {
    throw new ProofFormatError('malformed', `malformed proof: ${what}`)
  }
  const value = header(json, 'the proof', fail)
  const proof = { a: g1(value.pi_a, 'pi_a', fail), b: g2(value.pi_b, 'pi_b', fail), c: g1(value.pi_c, 'pi_c', fail) }
  checkProof(proof)
  return proof
}

/**
 * Reads parsed JSON of public signals: an array of canonical decimals in [0, r).
 *
 * Throws ProofFormatError `proof/malformed-public-signals`.
 */
export function decodePublicSignals(json: unknown): bigint[] {
  const fail: Fail = (what) => {
    throw new ProofFormatError('malformed-public-signals', `malformed public signals: ${what}`)
  }
  return list(json, -1, 'the list', fail).map((value, i) => decimal(value, R, `signal ${i}`, fail))
}
