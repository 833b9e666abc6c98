import { FILES } from '../artefacts/directory.ts'
import type { Manifest } from '../artefacts/manifest.ts'
import { compressedOption } from '../pipeline/contract.ts'
import type { VerifierOptions } from '../solidity/verifier.ts'

/** What the contract of a directory says about itself. */
export const verifierOptions = ({ name, files, key, signals }: Manifest, contractName?: string): VerifierOptions => ({
  modelName: name,
  // the ONNX file of open weights is secret: the integer model is the architecture with its scales
  modelDigest: (files[FILES.onnx] ?? files[FILES.model])!,
  circuitDigest: files[FILES.r1cs]!,
  ...compressedOption(signals),
  ...(contractName === undefined ? {} : { contractName }),
  ...(key?.ptau === undefined ? {} : { ceremony: `${key.ptau.file} ${key.ptau.sha256.slice(0, 16)}` }),
})
