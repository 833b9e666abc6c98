/**
 * Verification off the chain, with every check of the input that snarkjs 0.7.6 lacks.
 * @module
 */
import { bn254 } from '@noble/curves/bn254.js'
import { R } from './bn254.ts'
import {
  type CurvePoint1,
  checkG1,
  checkG2,
  checkProof,
  checkVerifyingKey,
  type Fail,
  KeyError,
  type Proof,
  ProofFormatError,
  type VerifyingKey,
} from './keys.ts'

/** Whether a proof shows the statement that the public signals make. */
export type Verifier = (publicSignals: readonly bigint[], proof: Proof) => boolean

/**
 * A verifier for one key, which is checked here, once.
 *
 * The verifier checks e(A, B) = e(alpha, beta) · e(IC₀ + Σ signalₛ·ICₛ, gamma) · e(C, delta) (Groth 2016, section 3.2). It
 * throws ProofFormatError where the number of signals is not the key's, a signal is not in [0, r), or a point is off its
 * curve or subgroup, at infinity or not reduced; false means a well-formed proof of something else.
 *
 * Throws KeyError `key/malformed` or `key/unsafe`.
 */
export function verifierOf(vk: VerifyingKey): Verifier {
  checkVerifyingKey(vk)
  const fail: Fail = (what) => {
    throw new KeyError('malformed', `verifying key: ${what}`)
  }
  const [alpha, beta] = [checkG1(vk.alpha, 'alpha', fail), checkG2(vk.beta, 'beta', fail)]
  const [gamma, delta] = [checkG2(vk.gamma, 'gamma', fail), checkG2(vk.delta, 'delta', fail)]
  const ic = vk.ic.map((point, s) => checkG1(point, `IC ${s}`, fail))
  const alphaBeta = bn254.pairing(alpha, beta)
  const { Fp12 } = bn254.fields
  const { calcPairingPrecomputes: linesOf } = bn254.utils
  const [gammaLines, deltaLines] = [linesOf(gamma), linesOf(delta)]

  return (publicSignals, proof) => {
    checkPublicSignals(publicSignals, vk.nPublic)
    const { a, b, c } = checkProof(proof)
    let statement = ic[0]!
    publicSignals.forEach((signal, i) => {
      // quantised values are small integers of either sign: multiply by the magnitude
      const negative = signal > R / 2n
      const product = ic[i + 1]!.multiplyUnsafe(negative ? R - signal : signal)
      statement = negative ? statement.subtract(product) : statement.add(product)
    })
    // pairs of a point of G1 and the lines of a point of G2; those of the key are computed once
    type Pair = Parameters<typeof bn254.millerLoopBatch>[0][number]
    const pair = (lines: Pair[0], point: CurvePoint1): Pair => {
      const { x, y } = point.toAffine()
      return [lines, x, y]
    }
    const pairs = [pair(linesOf(b), a), pair(deltaLines, c.negate())]
    // a statement that sums to infinity pairs to 1
    if (!statement.is0()) pairs.push(pair(gammaLines, statement.negate()))
    return Fp12.eql(Fp12.finalExponentiate(bn254.millerLoopBatch(pairs)), alphaBeta)
  }
}

/** Throws ProofFormatError unless there are `count` signals, each an integer in [0, r). */
export function checkPublicSignals(publicSignals: readonly bigint[], count: number): void {
  if (publicSignals.length !== count)
    throw new ProofFormatError(
      'malformed-public-signals',
      `${publicSignals.length} public signals for a key that takes ${count}`,
      { expected: count, got: publicSignals.length },
    )
  publicSignals.forEach((signal, i) => {
    if (typeof signal !== 'bigint' || signal < 0n || signal >= R)
      throw new ProofFormatError('malformed-public-signals', `public signal ${i} is not an integer in [0, r)`, {
        signal: i,
      })
  })
}

/** One check with one key; to check many proofs, keep `verifierOf(vk)`. Throws as both of its steps do. */
export const verify = (vk: VerifyingKey, publicSignals: readonly bigint[], proof: Proof): boolean =>
  verifierOf(vk)(publicSignals, proof)
