/**
 * Asking a deployed verifier.
 * @module
 */
import { Contract, hexlify, Interface, type Signer } from 'ethers'
import { AbortedError, VeritensorError } from '../errors.ts'
import { R } from '../groth16/bn254.ts'
import type { Proof } from '../groth16/keys.ts'
import { inputWords, proofWords, wordHex } from '../solidity/calldata.ts'
import { type Compressed, type Destination, OFF_CHAIN } from '../solidity/compression.ts'
import { COMPRESSED_SIGNALS } from '../visibility.ts'
import { type Connection, requireCode } from './connect.ts'
import { checkKeyForChain } from './deploy.ts'
import { chainError, RevertError } from './errors.ts'
import { type Request, sendTransaction, type Waiting } from './transact.ts'

/** verifier-contracts/interfaces/IGroth16Verifier.sol as ethers reads it. */
export const VERIFIER_ABI = [
  'error InsufficientGas()',
  'error WrongInputCount(uint256 given, uint256 expected)',
  'error UnsafeDevelopmentKey(uint256 chainId)',
  'function verify(uint256[8] proof, uint256[] input) view returns (bool)',
  'function MODEL_NAME() view returns (string)',
  'function MODEL_DIGEST() view returns (bytes32)',
  'function CIRCUIT_DIGEST() view returns (bytes32)',
  'function VK_DIGEST() view returns (bytes32)',
  'function PUBLIC_INPUTS() view returns (uint256)',
  'function PUBLIC_BYTES() view returns (uint256)',
  'function DEVELOPMENT_KEY() view returns (bool)',
] as const

/** What a deployed verifier says about itself. */
export type VerifierDescription = {
  readonly modelName: string
  /** `0x` and 64 hexadecimal digits, as are the other digests. */
  readonly modelDigest: string
  readonly circuitDigest: string
  readonly vkDigest: string
  readonly publicInputs: number
  /** Of compressed public tensors; 0 where the verifier takes public signals. */
  readonly publicBytes: number
  readonly dev: boolean
}

export type OnchainVerification = {
  /** What the contract answered. */
  readonly valid: boolean
  readonly chainId: bigint
  readonly address: string
  /** Gas of the transaction, calldata and base fee of 21,000 included; only if one was sent. */
  readonly gasUsed?: bigint
  readonly transactionHash?: string
}

export type VerifyOnchainOptions = Waiting & {
  /** What goes with a proof of compressed tensors. */
  readonly compressed?: Compressed
  /** The key's digest, from verifyingKeyDigest: another verifier at the address is refused before its answer counts. */
  readonly vkDigest?: string
  /** Also send the verification as a transaction from this account, to have it on record and measured. */
  readonly send?: Signer
}

/** The contract at the address verifies another key than the caller's. */
export class OtherVerifierError extends VeritensorError {
  constructor(address: string, what: string, expected: string, found: string) {
    super('key/other-verifier', `the verifier at ${address} has ${what} ${found}, not ${expected}`, {
      details: { address, what, expected, found },
      fix: 'Use the address of the verifier that was generated from this key, or deploy it.',
    })
  }
}

/** A proof of compressed tensors is for another contract or chain: its challenge is not the one that this contract computes. */
export class OtherDestinationError extends VeritensorError {
  constructor(made: Destination, chainId: bigint, address: string) {
    const offChain = made.chainId === OFF_CHAIN.chainId && made.contract === OFF_CHAIN.contract
    const where = offChain ? 'verification off the chain' : `${made.contract} on chain id ${made.chainId}`
    super('proof/other-destination', `the proof is for ${where}, not for ${address} on chain id ${chainId}`, {
      details: { chainId: String(made.chainId), contract: made.contract, asked: address, on: String(chainId) },
      fix: `Prove again with --for ${chainId}:${address}.`,
    })
  }
}

/** @throws OtherDestinationError unless the proof is for that contract on that chain */
export function checkDestinationOf(made: Destination, chainId: bigint, address: string): void {
  if (made.chainId !== chainId || made.contract.toLowerCase() !== address.toLowerCase())
    throw new OtherDestinationError(made, chainId, address)
}

/** The deployed verifier answers wrongly for a proof and its corruption: it must not be used. */
export class VerifierSelfTestError extends VeritensorError {
  constructor(address: string, failure: string) {
    super('chain/self-test', `the verifier at ${address} ${failure}`, {
      details: { address, failure },
      fix: 'Do not use this contract. Check that proof, public signals and key belong together, then generate it again.',
    })
  }
}

/**
 * Reads what a deployed verifier says about itself.
 * @throws NoCodeError, RevertError if the contract is no verifier of ours, UnreachableRpcError
 */
export async function describeVerifier(connection: Connection, address: string): Promise<VerifierDescription> {
  await requireCode(connection, address)
  const contract = new Contract(address, VERIFIER_ABI, connection.provider)
  const read = async (name: string): Promise<unknown> =>
    contract
      .getFunction(name)
      .staticCall()
      .catch((cause) => {
        throw chainError(cause, `reading ${name} of ${address}`, connection.url, contract.interface)
      })
  const [modelName, modelDigest, circuitDigest, vkDigest, publicInputs, dev] = await Promise.all(
    ['MODEL_NAME', 'MODEL_DIGEST', 'CIRCUIT_DIGEST', 'VK_DIGEST', 'PUBLIC_INPUTS', 'DEVELOPMENT_KEY'].map(read),
  )
  const publicBytes = await read('PUBLIC_BYTES').catch((error) => {
    if (error instanceof RevertError) return 0
    throw error
  })
  return {
    modelName: String(modelName),
    modelDigest: String(modelDigest),
    circuitDigest: String(circuitDigest),
    vkDigest: String(vkDigest),
    publicInputs: Number(publicInputs),
    publicBytes: Number(publicBytes),
    dev: dev === true,
  }
}

/**
 * Verifies a proof with a deployed verifier: by a call, which costs nothing, and on request by a transaction too.
 *
 * @throws CalldataRangeError if proof or signals are out of range; the contract would answer false
 * @throws OtherVerifierError if the contract has another key, number of inputs or of bytes
 * @throws OtherDestinationError if a proof of compressed tensors is for another contract or chain
 * @throws DevelopmentKeyChainError if its key is for development and the chain is not
 * @throws NoCodeError, RevertError, RpcRequestError, TransactionTimeoutError, UnreachableRpcError, AbortedError
 */
export async function verifyOnchain(
  connection: Connection,
  address: string,
  proof: Proof,
  publicSignals: readonly bigint[],
  options: VerifyOnchainOptions = {},
): Promise<OnchainVerification> {
  const question = questionOf(proofWords(proof), inputWords(publicSignals), options.compressed)
  if (options.signal?.aborted) throw new AbortedError('verifying on chain')
  const about = await describeVerifier(connection, address)
  const other = (what: string, expected: number | string, found: number | string): OtherVerifierError =>
    new OtherVerifierError(address, what, String(expected), String(found))
  if (options.vkDigest !== undefined && about.vkDigest !== options.vkDigest.toLowerCase())
    throw other('the verifying key', options.vkDigest, about.vkDigest)
  if (about.publicInputs !== publicSignals.length)
    throw other('a number of public inputs of', publicSignals.length, about.publicInputs)
  const bytes = options.compressed?.x.length ?? 0
  if (about.publicBytes !== bytes) throw other('a number of public bytes of', bytes, about.publicBytes)
  if (options.compressed !== undefined) checkDestinationOf(options.compressed, connection.chainId, address)
  checkKeyForChain(about.dev, connection.chainId)

  const valid = await ask(connection, address, question)
  const answer = { valid, chainId: connection.chainId, address }
  // The transaction of a false answer would be mined as a success and only cost money.
  if (options.send === undefined || !valid) return answer
  const request = verificationRequest(address, question)
  const receipt = await sendTransaction(connection, options.send, request, options)
  return { ...answer, gasUsed: receipt.gasUsed, transactionHash: receipt.hash }
}

/** A call of a verifier: the function and its arguments, whose words are passed as they are, in range or not. */
type Question = { readonly signature: string; readonly args: readonly unknown[] }

const COMPRESSED_SIGNATURE = 'verifyCompressed(uint256[8],uint256[],uint256,bytes32,bytes)'

const questionOf = (
  words: readonly bigint[],
  inputs: readonly bigint[],
  compressed: Compressed | undefined,
): Question =>
  compressed === undefined
    ? { signature: `verifyProof(uint256[8],uint256[${inputs.length}])`, args: [words, inputs] }
    : {
        signature: COMPRESSED_SIGNATURE,
        args: [words, inputs.slice(COMPRESSED_SIGNALS), inputs[0], compressed.ctx, hexlify(compressed.x)],
      }

const interfaceOf = ({ signature }: Question): Interface =>
  new Interface([
    ...VERIFIER_ABI,
    'error WrongLength(uint256 given, uint256 expected)',
    `function ${signature} view returns (bool)`,
  ])

const verificationRequest = (address: string, question: Question): Request => {
  const decoder = interfaceOf(question)
  const data = decoder.encodeFunctionData(question.signature, question.args)
  return { what: `sending the verification to ${address}`, to: address, data, decoder }
}

/**
 * The transaction that verifies a proof: what wallets and other programs send.
 * @throws CalldataRangeError
 */
export const verifyRequest = (
  address: string,
  proof: Proof,
  publicSignals: readonly bigint[],
  compressed?: Compressed,
): Request & { readonly signature: string } => {
  const question = questionOf(proofWords(proof), inputWords(publicSignals), compressed)
  return { ...verificationRequest(address, question), signature: question.signature }
}

/** One eth_call. */
async function ask(connection: Connection, address: string, question: Question): Promise<boolean> {
  const contract = new Contract(address, interfaceOf(question), connection.provider)
  const answer: unknown = await contract
    .getFunction(question.signature)
    .staticCall(...question.args)
    .catch((cause) => {
      throw chainError(cause, `verifying with ${address}`, connection.url, contract.interface)
    })
  return answer === true
}

/**
 * Checks a freshly deployed verifier with one honest proof: it must accept it and refuse it with the lowest bit of any
 * one proof word flipped, or of one input (up to eight of them, spread evenly), or with r added to one of these. Where public
 * tensors are compressed, the inputs are y, the commitments and the bytes, and another context must be refused too. Only
 * calls, nothing is sent.
 *
 * @throws VerifierSelfTestError if an answer is wrong; otherwise as {@link verifyOnchain}
 */
export async function selfTestVerifier(
  connection: Connection,
  address: string,
  proof: Proof,
  publicSignals: readonly bigint[],
  compressed?: Compressed,
): Promise<void> {
  const { valid } = await verifyOnchain(connection, address, proof, publicSignals, compressed && { compressed })
  if (!valid) throw new VerifierSelfTestError(address, 'refuses an honest proof')
  const words = [...proofWords(proof)]
  const refuse = async (
    how: string,
    w: readonly bigint[],
    signals: readonly bigint[],
    bytes: Compressed | undefined = compressed,
  ): Promise<void> => {
    if (await ask(connection, address, questionOf(w, signals, bytes)))
      throw new VerifierSelfTestError(address, `accepts the proof with ${how}`)
  }
  for (const i of words.keys()) await refuse(`word ${i} changed`, words.with(i, words[i]! ^ 1n), publicSignals)
  // r and e are not passed
  const passed = [...publicSignals.keys()].filter((i) => compressed === undefined || i === 0 || i >= COMPRESSED_SIGNALS)
  for (const i of spread(passed.length).map((k) => passed[k]!)) {
    const signal = publicSignals[i]!
    await refuse(`public signal ${i} changed`, words, publicSignals.with(i, signal ^ 1n))
    await refuse(`public signal ${i} and r added to it`, words, publicSignals.with(i, signal + R))
  }
  if (compressed === undefined) return
  const { x, ctx } = compressed
  for (const i of spread(x.length)) {
    const changed = { ...compressed, x: x.with(i, x[i]! ^ 1) }
    await refuse(`byte ${i} changed`, words, publicSignals, changed)
  }
  const other = wordHex(BigInt(ctx) ^ 1n)
  await refuse('another context', words, publicSignals, { ...compressed, ctx: other })
}

/** Up to eight places, spread evenly. */
const spread = (count: number): number[] =>
  Array.from({ length: Math.min(8, count) }, (_, k) => Math.floor((k * count) / Math.min(8, count)))
