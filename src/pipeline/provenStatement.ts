import type { VerifyingKey } from '../groth16/keys.ts'
import { verify } from '../groth16/verify.ts'
import { verifyingKeyDigest } from '../solidity/verifier.ts'
import { signalsOf } from './compressed.ts'
import type { Inference } from './prove.ts'
import { type PublicTensor, readSignals, type SignalGroup } from './signals.ts'

/**
 * What a proof proves about the model whose circuit has that layout (`layoutOf`, or `signals` of a manifest) and key: its public
 * tensors; undefined where it proves nothing. Made for proofs from anybody: of compressed tensors the challenge is computed here,
 * for the contract and context that the proof names, which are the caller's to look at.
 *
 * Throws ProofFormatError where signals or bytes are none of the layout's, and DestinationError.
 */
export function provenStatement(
  layout: readonly SignalGroup[],
  key: VerifyingKey,
  { proof, publicSignals, compressed }: Pick<Inference, 'proof' | 'publicSignals' | 'compressed'>,
): PublicTensor[] | undefined {
  const statement = readSignals(layout, publicSignals, compressed?.x)
  const signals =
    compressed === undefined ? publicSignals : signalsOf(verifyingKeyDigest(key), publicSignals, compressed)
  return verify(key, signals, proof) ? statement : undefined
}
