/**
 * What an artefact directory says about itself in a registry, and its proofs to an InferenceVerifier.
 * @module
 */
import { AbiCoder, concat, getBytes, id, keccak256, solidityPacked } from 'ethers'
import { encodeTensors } from '../../circuits/compression.ts'
import { FILES, manifestText, sha256 } from '../artefacts/directory.ts'
import type { Manifest } from '../artefacts/manifest.ts'
import { R } from '../groth16/bn254.ts'
import type { Proof } from '../groth16/keys.ts'
import type { SignalGroup } from '../pipeline/signals.ts'
import type { WeightSet } from '../pipeline/weights.ts'
import { inputWords, proofWords, wordHex } from '../solidity/calldata.ts'
import { type Compressed, OFF_CHAIN } from '../solidity/compression.ts'
import { sizeOf } from '../tensor.ts'
import { COMPRESSED_SIGNALS } from '../visibility.ts'
import type { InferenceStatement } from './inference.ts'
import type { ModelRecord, StatedWeights } from './registry.ts'

/** SHA-256 of the manifest without the entry for the generated verifier, which `contract` adds and removes: 0x…. */
export function manifestDigest(manifest: Manifest): string {
  const { [FILES.verifier]: _, ...files } = manifest.files
  return `0x${sha256(Buffer.from(manifestText({ ...manifest, files })))}`
}

/** Bytes of public outputs, and of what is public besides: as an InferenceVerifier counts them. */
function statementBytes(
  layout: readonly SignalGroup[],
): Pick<ModelRecord, 'outputBytes' | 'inputBytes' | 'commitments'> {
  const compressed = layout.some(({ bytes }) => bytes !== undefined)
  const size = ({ count, bytes }: SignalGroup): number => (compressed ? (bytes?.count ?? 0) : 32 * count)
  const sum = (groups: readonly SignalGroup[]): number => groups.reduce((n, group) => n + size(group), 0)
  return {
    outputBytes: sum(layout.filter(({ kind }) => kind === 'output')),
    inputBytes: sum(layout.filter(({ kind }) => kind !== 'output')),
    commitments: compressed ? layout.reduce((n, { count }) => n + count, 0) : 0,
  }
}

/** The weights of a registered model, where its key leaves them open: public ones by their integers, others by their digest. */
export type WeightsTold = Pick<WeightSet, 'integers'> | Pick<WeightSet, 'digest'>

/**
 * Where statements tell the weights that a key leaves open, and what they must tell: their digest, or public weights
 * themselves. Undefined where weights are part of the key.
 */
function statedWeights(layout: readonly SignalGroup[], told: WeightsTold | undefined): StatedWeights | undefined {
  const groups = layout.filter(({ kind }) => kind === 'weights')
  const [first] = groups
  if (first === undefined || told === undefined) return undefined
  const { outputBytes, commitments } = statementBytes(layout)
  const compressed = layout.some(({ bytes }) => bytes !== undefined)
  const hashed = (from: number, data: Uint8Array): StatedWeights => ({
    from,
    bytes: data.length,
    hash: keccak256(data),
  })
  if ('digest' in told)
    return hashed(
      compressed ? 32 * (first.from - COMPRESSED_SIGNALS) : 32 * first.from - outputBytes,
      getBytes(wordHex(told.digest)),
    )
  if (!compressed) {
    const residues = told.integers.flatMap((tensor) => Array.from(tensor, (q) => wordHex((BigInt(q) + R) % R)))
    return hashed(32 * first.from - outputBytes, getBytes(concat(residues)))
  }
  const forms = groups.map(({ shape, bytes }) => ({ count: sizeOf(shape), lo: bytes!.lo, hi: bytes!.hi }))
  return hashed(32 * commitments + first.bytes!.from - outputBytes, encodeTensors(forms, told.integers))
}

/** The registry's record of a directory's model and key. `weights` are those that the key leaves open. */
export function modelRecord(
  manifest: Manifest,
  key: { readonly vkDigest: string; readonly dev: boolean },
  uri = '',
  weights?: WeightsTold,
): ModelRecord {
  const { files, signals, visibility } = manifest
  const stated = statedWeights(signals, weights)
  return {
    modelHash: `0x${files[FILES.onnx] ?? files[FILES.model]}`,
    circuitHash: `0x${files[FILES.r1cs]}`,
    vkHash: key.vkDigest,
    proofSystem: visibility.compressed ? 'compressed' : 'direct',
    uri,
    manifestDigest: manifestDigest(manifest),
    phaseOne: manifest.key?.ptau?.file ?? '',
    dev: key.dev,
    ...statementBytes(signals),
    ...(stated === undefined ? {} : { weights: stated }),
  }
}

/**
 * A proof as an InferenceVerifier takes it.
 *
 * Throws CalldataRangeError.
 */
export function inferenceStatement(
  layout: readonly SignalGroup[],
  proof: Proof,
  publicSignals: readonly bigint[],
  compressed: Compressed | undefined,
): InferenceStatement {
  const [points, signals] = [proofWords(proof), inputWords(publicSignals)]
  const { outputBytes } = statementBytes(layout)
  const [y, ctx, x, commitments] =
    compressed === undefined
      ? ([0n, OFF_CHAIN.ctx, getBytes(`0x${signals.map((s) => wordHex(s).slice(2)).join('')}`), []] as const)
      : ([signals[0]!, compressed.ctx, compressed.x, signals.slice(COMPRESSED_SIGNALS)] as const)
  return { points, commitments, y, ctx, output: x.subarray(0, outputBytes), input: x.subarray(outputBytes) }
}

/** Commitment to the input of a statement, as the InferenceVerifier at that place computes it. */
export const inputCommitmentOf = (
  vkHash: string,
  chainId: bigint,
  inferenceVerifier: string,
  { ctx, commitments, input }: InferenceStatement,
): string =>
  keccak256(
    AbiCoder.defaultAbiCoder().encode(
      ['bytes32', 'bytes32', 'uint256', 'address', 'bytes32', 'bytes32', 'bytes32'],
      [
        ...[id('veritensor/input-commitment/v1'), vkHash, chainId, inferenceVerifier, ctx],
        ...[keccak256(solidityPacked(['uint256[]'], [commitments])), keccak256(input)],
      ],
    ),
  )
