import { createHash } from 'node:crypto'
import type { VerifyingKey } from '../groth16/keys.ts'
import { r1csDigest } from '../groth16/r1cs.ts'
import { encodeModelFile } from '../model/encode.ts'
import { generateVerifier, type VerifierOptions } from '../solidity/verifier.ts'
import type { Compiled } from './compileModel.ts'
import { byteCount, layoutOf, type SignalGroup } from './signals.ts'

/** The generator's option for a model's layout of public signals. */
export const compressedOption = (layout: readonly SignalGroup[]): Pick<VerifierOptions, 'compressedBytes'> => {
  const compressedBytes = byteCount(layout)
  return compressedBytes === 0 ? {} : { compressedBytes }
}

/**
 * Solidity source of the verifier of a compiled model. The contract names the model, the SHA-256 of its file and that of its
 * circuit; where the weights are not part of it, the SHA-256 of the integer model's file instead of the ONNX file's.
 *
 * Throws `circuit/no-public-signals`, `limit/public-inputs`, `usage/verifier-option`, `key/malformed` and `key/unsafe`.
 */
export const contractFor = (
  compiled: Pick<Compiled, 'onnx' | 'model' | 'circuit' | 'weights' | 'visibility'>,
  verifyingKey: VerifyingKey,
  options: Partial<VerifierOptions> = {},
): string =>
  generateVerifier(verifyingKey, {
    modelName: compiled.model.name,
    modelDigest: createHash('sha256')
      .update(compiled.weights === undefined ? compiled.onnx : encodeModelFile(compiled.model))
      .digest('hex'),
    circuitDigest: r1csDigest(compiled.circuit),
    ...compressedOption(layoutOf(compiled.visibility, compiled.model)),
    ...options,
  })
