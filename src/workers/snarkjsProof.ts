/**
 * A proof by snarkjs, in a worker thread: the reference that VERITENSOR_ENGINE=snarkjs asks for.
 * @module
 */
import type { Witness } from '../../circuits/solve.ts'
import { decodeProof, decodePublicSignals, type Proof } from '../groth16/keys.ts'
import { encodeWtns } from '../groth16/wtns.ts'
import { loadSnarkjs, progressLogger } from './snarkjs.ts'

export async function proveWithSnarkjs(
  zkey: Uint8Array,
  witness: Witness,
  onProgress: (fraction: number, phase: string) => void,
): Promise<{ readonly proof: Proof; readonly publicSignals: readonly bigint[] }> {
  const snarkjs = (await loadSnarkjs()).snarkjs()
  const made = await snarkjs.groth16.prove(
    { type: 'mem', data: zkey },
    { type: 'mem', data: encodeWtns(witness) },
    progressLogger(onProgress),
  )
  return { proof: decodeProof(made.proof), publicSignals: decodePublicSignals(made.publicSignals) }
}
