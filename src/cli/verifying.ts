/**
 * Asking contracts about proofs from files, and putting what they accept on record.
 * @module
 */
import type { Manifest } from '../artefacts/manifest.ts'
import { RevertError } from '../chain/errors.ts'
import { checkInference, inferenceRequest } from '../chain/inference.ts'
import { inferenceStatement } from '../chain/registration.ts'
import { estimateTransaction, type GasEstimate, type Request, sendTransaction } from '../chain/transact.ts'
import { checkDestinationOf, verifyOnchain, verifyRequest } from '../chain/verifyOnchain.ts'
import type { ReadProof } from './proofFiles.ts'
import type { Sending } from './sending.ts'

/** What a contract said about a proof. */
export type ChainAnswer = {
  readonly valid: boolean
  readonly estimate?: GasEstimate
  readonly gasUsed?: bigint
  readonly transactionHash?: string
  /** Of a registered model. */
  readonly inferenceId?: string
  readonly stored?: boolean
}

/** Where proofs are verified besides here. */
export type Chain = {
  /** Throws OtherDestinationError where the proof is for another contract. */
  readonly ask: (read: ReadProof) => Promise<ChainAnswer>
  readonly address: string
  readonly chainId: bigint
  /** Transactions are estimated only. */
  readonly dry: boolean
  close(): Promise<void> | void
}

export type How = {
  readonly manifest: Manifest
  readonly vkDigest: string
  readonly sending: Sending
  /** Put accepted proofs on record; with `store`, keep them. */
  readonly sends: boolean
  readonly store: boolean
  readonly signal: AbortSignal
}

async function record(request: Request, { sending, signal }: How): Promise<Omit<ChainAnswer, 'valid'>> {
  const { connection, signer, from, dry } = sending
  const estimate = await estimateTransaction(connection, from, request)
  if (dry || signer === undefined) return { estimate }
  const receipt = await sendTransaction(connection, signer, request, { signal })
  return { estimate, gasUsed: receipt.gasUsed, transactionHash: receipt.hash }
}

/** Asks the model's own verifier. Throws as `verifyOnchain`. */
export async function askVerifier(address: string, read: ReadProof, how: How): Promise<ChainAnswer> {
  const { proof, publicSignals, compressed } = read
  const { vkDigest, sending, signal, sends } = how
  const options = { vkDigest, signal, ...(compressed && { compressed }) }
  const { valid } = await verifyOnchain(sending.connection, address, proof, publicSignals, options)
  if (!valid || !sends) return { valid }
  return { valid, ...(await record(verifyRequest(address, proof, publicSignals, compressed), how)) }
}

/** Asks the inference verifier of a registered model. A proof that it finds invalid is an answer. Throws as `checkInference`. */
export async function askRegistered(
  { inferenceVerifier, modelId }: { readonly inferenceVerifier: string; readonly modelId: bigint },
  { proof, publicSignals, compressed }: ReadProof,
  how: How,
): Promise<ChainAnswer> {
  const { connection } = how.sending
  if (compressed !== undefined) checkDestinationOf(compressed, connection.chainId, inferenceVerifier)
  const statement = inferenceStatement(how.manifest.signals, proof, publicSignals, compressed)
  try {
    const answer = await checkInference(connection, inferenceVerifier, modelId, statement)
    const { inferenceId } = answer
    if (!how.sends) return { valid: true, inferenceId }
    const sent = await record(inferenceRequest(inferenceVerifier, answer, statement, how.store), how)
    return { valid: true, inferenceId, ...sent, stored: how.store && sent.transactionHash !== undefined }
  } catch (error) {
    const refusals: readonly unknown[] = ['InvalidProof', 'ModelMismatch']
    if (error instanceof RevertError && refusals.includes(error.details.error)) return { valid: false }
    throw error
  }
}
