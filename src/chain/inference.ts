/**
 * Inferences of registered models: asked of an InferenceVerifier (ERC-7992), recorded and stored by it.
 * @module
 */
import { AbiCoder, Contract, concat, hexlify, Interface, keccak256, type Signer, solidityPacked } from 'ethers'
import { INFERENCE_ABI, INFERENCE_PROOF } from './abi.ts'
import { type Connection, requireCode } from './connect.ts'
import { chainError } from './errors.ts'
import { type Request, sendTransaction, type Waiting } from './transact.ts'

/** What is claimed, and the proof of it, as an InferenceVerifier takes them. */
export type InferenceStatement = {
  /** A.x, A.y, B.x1, B.x0, B.y1, B.y0, C.x, C.y. */
  readonly points: readonly bigint[]
  readonly commitments: readonly bigint[]
  /** 0 without compression. */
  readonly y: bigint
  /** 0x and 64 hexadecimal digits; zeros without compression. */
  readonly ctx: string
  /** Bytes of the public outputs, and of the other public values. */
  readonly output: Uint8Array
  readonly input: Uint8Array
}

/** What a verification came to. */
export type InferenceAnswer = {
  readonly modelId: bigint
  readonly inputCommitment: string
  /** ERC-7992's number of the inference. */
  readonly inferenceId: string
}

export type InferenceReceipt = InferenceAnswer & {
  readonly gasUsed: bigint
  readonly transactionHash: string
  readonly stored: boolean
}

const inferenceInterface = new Interface(INFERENCE_ABI)

/** The argument `proof` of `verifyInference`. */
export const inferenceProof = ({ points, commitments, y, ctx, input }: InferenceStatement): string =>
  AbiCoder.defaultAbiCoder().encode([INFERENCE_PROOF], [[points, commitments, y, ctx, hexlify(input)]])

/** Number of an inference: keccak256(abi.encodePacked(modelId, inputCommitment, output)). */
export const inferenceId = (modelId: bigint, inputCommitment: string, output: Uint8Array): string =>
  keccak256(concat([solidityPacked(['uint256', 'bytes32'], [modelId, inputCommitment]), output]))

/**
 * Whether the inference holds, by calls alone. Returns its numbers.
 * @throws RevertError with `details.error` InvalidProof, VerificationRefused_ModelDeprecated and others; NoCodeError,
 * UnreachableRpcError
 */
export async function checkInference(
  connection: Connection,
  inferenceVerifier: string,
  modelId: bigint,
  statement: InferenceStatement,
): Promise<InferenceAnswer> {
  await requireCode(connection, inferenceVerifier)
  const contract = new Contract(inferenceVerifier, INFERENCE_ABI, connection.provider)
  const { points, commitments, y, ctx, output, input } = statement
  const inputCommitment: string = await contract
    .getFunction('checkStatement')
    .staticCall(modelId, hexlify(output), [points, commitments, y, ctx, hexlify(input)])
    .catch((cause) => {
      throw chainError(cause, `verifying with ${inferenceVerifier}`, connection.url, contract.interface)
    })
  return { modelId, inputCommitment, inferenceId: inferenceId(modelId, inputCommitment, output) }
}

/** The transaction that verifies an inference on record, or stores it too. */
export function inferenceRequest(
  inferenceVerifier: string,
  answer: InferenceAnswer,
  statement: InferenceStatement,
  store: boolean,
): Request {
  const name = store ? 'verifyAndStoreInference' : 'verifyInference'
  const args = [answer.modelId, answer.inputCommitment, hexlify(statement.output), inferenceProof(statement)]
  return {
    what: `${store ? 'storing' : 'sending'} the inference to ${inferenceVerifier}`,
    to: inferenceVerifier,
    data: inferenceInterface.encodeFunctionData(name, args),
    decoder: inferenceInterface,
  }
}

/** Checks an inference and puts it on record. Throws as `checkInference` and `sendTransaction`. */
export async function sendInference(
  connection: Connection,
  signer: Signer,
  inferenceVerifier: string,
  modelId: bigint,
  statement: InferenceStatement,
  options: Waiting & { readonly store?: boolean } = {},
): Promise<InferenceReceipt> {
  const answer = await checkInference(connection, inferenceVerifier, modelId, statement)
  const request = inferenceRequest(inferenceVerifier, answer, statement, options.store ?? false)
  const receipt = await sendTransaction(connection, signer, request, options)
  return { ...answer, gasUsed: receipt.gasUsed, transactionHash: receipt.hash, stored: options.store ?? false }
}

/**
 * A stored inference.
 * @throws RevertError (InferenceNotFound), NoCodeError, UnreachableRpcError
 */
export async function readInference(
  connection: Connection,
  inferenceVerifier: string,
  id: string,
): Promise<{ readonly modelId: bigint; readonly inputCommitment: string; readonly output: string }> {
  await requireCode(connection, inferenceVerifier)
  const contract = new Contract(inferenceVerifier, INFERENCE_ABI, connection.provider)
  const [modelId, inputCommitment, output] = await contract
    .getFunction('getInference')
    .staticCall(id)
    .catch((cause) => {
      throw chainError(cause, `reading inference ${id}`, connection.url, contract.interface)
    })
  return { modelId, inputCommitment, output }
}
