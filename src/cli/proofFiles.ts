import { readdir, stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { ArtefactError, type Manifest } from '../artefacts/manifest.ts'
import { VeritensorError } from '../errors.ts'
import { readRegular } from '../files.ts'
import {
  decodeProof,
  decodePublicSignals,
  encodeProof,
  type Proof,
  ProofFormatError,
  type VerifyingKey,
} from '../groth16/keys.ts'
import { verify } from '../groth16/verify.ts'
import { checkCompressed, decodeCompressed, encodeCompressed } from '../pipeline/compressed.ts'
import { byteCount, readSignals } from '../pipeline/signals.ts'
import type { Compressed } from '../solidity/compression.ts'
import { verifyingKeyDigest } from '../solidity/verifier.ts'
import { UsageError } from './args.ts'

export const PROOF_SUFFIX = '.proof.json'
export const PUBLIC_SUFFIX = '.public.json'
export const OPENING_SUFFIX = '.opening.json'

/** A proof and its public signals as files. */
export type ProofFiles = { readonly name: string; readonly proof: string; readonly public: string }

/**
 * The proofs of files and folders. Public signals lie beside a proof: NAME.public.json for NAME.proof.json, and public.json
 * for proof.json. Throws UsageError or ArtefactError `input/unreadable`.
 */
export async function findProofs(paths: readonly string[], publicPath?: string): Promise<ProofFiles[]> {
  const found: ProofFiles[] = []
  for (const path of paths) {
    const info = await stat(path).catch((cause) => {
      throw unreadable(path, cause)
    })
    if (info.isDirectory()) {
      const names = (await readdir(path)).filter((name) => name.endsWith(PROOF_SUFFIX))
      if (names.length === 0)
        throw new ArtefactError('input/unreadable', `${path} holds no file *${PROOF_SUFFIX}`, {
          fix: 'make proofs with: veritensor prove DIR --input FILE -o OUT',
        })
      names.sort(new Intl.Collator('en', { numeric: true }).compare)
      for (const name of names) found.push(filesOf(join(path, name)))
    } else found.push(filesOf(path, publicPath))
  }
  if (publicPath !== undefined && (found.length !== 1 || found[0]!.public !== publicPath))
    throw new UsageError('--public belongs to a single PROOF file')
  return found
}

function filesOf(proof: string, given?: string): ProofFiles {
  const name = basename(proof).replace(/(\.proof)?\.json$/, '')
  if (given !== undefined) return { name, proof, public: given }
  const beside = proof.replace(/proof\.json$/, 'public.json')
  if (beside === proof)
    throw new UsageError(`the public signals of ${proof} are not known`, 'name their file with --public FILE')
  return { name, proof, public: beside }
}

/** Bytes of JSON that a proof takes at most, with room for white space, and a public signal. */
const MOST_BYTES = { proof: 1 << 16, signal: 128 } as const

export type ReadProof = {
  readonly proof: Proof
  readonly publicSignals: bigint[]
  readonly compressed?: Compressed
}

/** The text of proof.json. */
export const proofText = (proof: Proof, compressed: Compressed | undefined): string =>
  `${JSON.stringify(
    { ...encodeProof(proof), ...(compressed && { veritensor: encodeCompressed(compressed) }) },
    null,
    1,
  )}\n`

/**
 * Reads a proof with its public signals. What is no proof comes back as the error that says why: it is an answer, not a
 * failure. Throws ArtefactError `input/unreadable`.
 */
export async function readProof(
  files: ProofFiles,
  nPublic: number,
  publicBytes = 0,
): Promise<ReadProof | VeritensorError> {
  const read = async (path: string, limit: number, name: ConstructorParameters<typeof ProofFormatError>[0]) => {
    const info = await stat(path).catch((cause) => {
      throw unreadable(path, cause)
    })
    if (info.size > limit) throw new ProofFormatError(name, `${path} is larger than any of its kind`)
    const bytes = await readRegular(path).catch((cause) => {
      throw unreadable(path, cause)
    })
    try {
      return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)) as unknown
    } catch {
      throw new ProofFormatError(name, `${path} is not JSON`)
    }
  }
  try {
    const most = MOST_BYTES.proof + MOST_BYTES.signal * nPublic
    const [proof, signals] = [
      await read(files.proof, MOST_BYTES.proof + 2 * publicBytes, 'malformed'),
      await read(files.public, most, 'malformed-public-signals'),
    ]
    const compressed = decodeCompressed((proof as { readonly veritensor?: unknown } | null)?.veritensor)
    return {
      proof: decodeProof(proof),
      publicSignals: decodePublicSignals(signals),
      ...(compressed && { compressed }),
    }
  } catch (error) {
    if (error instanceof ProofFormatError) return error
    throw error
  }
}

const unreadable = (path: string, cause: unknown): ArtefactError =>
  new ArtefactError('input/unreadable', `${path} can't be read: ${(cause as Error).message}`, { cause })

/**
 * A single proof that must be valid: what contracts are tested with, or called with.
 *
 * Throws UsageError, ArtefactError, ProofFormatError, and VeritensorError `proof/invalid`.
 */
export async function readValidProof(
  path: string,
  { signals }: Pick<Manifest, 'signals'>,
  key: VerifyingKey,
  publicPath?: string,
): Promise<ReadProof> {
  const files = await findProofs([path], publicPath)
  if (files.length !== 1) throw new UsageError(`${path} is a folder of several proofs: name one`)
  const read = await readProof(files[0]!, key.nPublic, byteCount(signals))
  if (read instanceof VeritensorError) throw read
  const { proof, publicSignals, compressed } = read
  readSignals(signals, publicSignals, compressed?.x)
  if (compressed !== undefined) checkCompressed(verifyingKeyDigest(key), publicSignals, compressed)
  if (!verify(key, publicSignals, proof))
    throw new VeritensorError('proof/invalid', `${files[0]!.proof} does not verify`, {
      fix: 'prove again; a contract would refuse it',
    })
  return read
}
