/**
 * Asking a deployed verifier.
 * @module
 */
import { Contract, Interface, type Signer } from 'ethers'
import { AbortedError, VeritensorError } from '../errors.ts'
import { R } from '../groth16/bn254.ts'
import type { Proof } from '../groth16/keys.ts'
import { inputWords, proofWords } from '../solidity/calldata.ts'
import { type Connection, requireCode } from './connect.ts'
import { checkKeyForChain } from './deploy.ts'
import { chainError } from './errors.ts'
import { sendTransaction } from './transact.ts'

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

export type VerifyOnchainOptions = {
  /** The key's digest, from verifyingKeyDigest: another verifier at the address is refused before its answer counts. */
  readonly vkDigest?: string
  /** Also send the verification as a transaction from this account, to have it on record and measured. */
  readonly send?: Signer
  /** How long to wait for the block, default 180,000. */
  readonly timeoutMs?: number
  readonly signal?: AbortSignal
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
  return {
    modelName: String(modelName),
    modelDigest: String(modelDigest),
    circuitDigest: String(circuitDigest),
    vkDigest: String(vkDigest),
    publicInputs: Number(publicInputs),
    dev: dev === true,
  }
}

/**
 * Verifies a proof with a deployed verifier: by a call, which costs nothing, and on request by a transaction too.
 *
 * @throws CalldataRangeError if proof or signals are out of range; the contract would answer false
 * @throws OtherVerifierError if the contract has another key or number of inputs
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
  const words = proofWords(proof)
  const inputs = inputWords(publicSignals)
  if (options.signal?.aborted) throw new AbortedError('verifying on chain')
  const about = await describeVerifier(connection, address)
  if (options.vkDigest !== undefined && about.vkDigest !== options.vkDigest.toLowerCase())
    throw new OtherVerifierError(address, 'the verifying key', options.vkDigest, about.vkDigest)
  if (about.publicInputs !== inputs.length)
    throw new OtherVerifierError(
      address,
      'a number of public inputs of',
      String(inputs.length),
      String(about.publicInputs),
    )
  checkKeyForChain(about.dev, connection.chainId)

  const signature = fixedSignature(inputs.length)
  const valid = await ask(connection, address, words, inputs)
  const answer = { valid, chainId: connection.chainId, address }
  // The transaction of a false answer would be mined as a success and only cost money.
  if (options.send === undefined || !valid) return answer
  const decoder = new Interface([...VERIFIER_ABI, `function ${signature} view returns (bool)`])
  const data = decoder.encodeFunctionData(signature, [words, inputs])
  const request = { what: `sending the verification to ${address}`, to: address, data, decoder }
  const receipt = await sendTransaction(connection, options.send, request, options)
  return { ...answer, gasUsed: receipt.gasUsed, transactionHash: receipt.hash }
}

const fixedSignature = (n: number): string => `verifyProof(uint256[8],uint256[${n}])`

/** One eth_call of `verifyProof(uint256[8], uint256[n])`. Words are passed as they are, in range or not. */
async function ask(
  connection: Connection,
  address: string,
  words: readonly bigint[],
  inputs: readonly bigint[],
): Promise<boolean> {
  const signature = fixedSignature(inputs.length)
  const contract = new Contract(
    address,
    new Interface([...VERIFIER_ABI, `function ${signature} view returns (bool)`]),
    connection.provider,
  )
  const answer: unknown = await contract
    .getFunction(signature)
    .staticCall(words, inputs)
    .catch((cause) => {
      throw chainError(cause, `verifying with ${address}`, connection.url, contract.interface)
    })
  return answer === true
}

/**
 * Checks a freshly deployed verifier with one honest proof: it must accept it and refuse it with the lowest bit of any
 * one proof word flipped, or of one input (up to eight of them, spread evenly), or with r added to one of these. Only
 * calls, nothing is sent.
 *
 * @throws VerifierSelfTestError if an answer is wrong; otherwise as {@link verifyOnchain}
 */
export async function selfTestVerifier(
  connection: Connection,
  address: string,
  proof: Proof,
  publicSignals: readonly bigint[],
): Promise<void> {
  const { valid } = await verifyOnchain(connection, address, proof, publicSignals)
  if (!valid) throw new VerifierSelfTestError(address, 'refuses an honest proof')
  const words = [...proofWords(proof)]
  for (const i of words.keys())
    if (await ask(connection, address, words.with(i, words[i]! ^ 1n), publicSignals))
      throw new VerifierSelfTestError(address, `accepts the proof with word ${i} changed`)
  const tried = Math.min(8, publicSignals.length)
  for (let k = 0; k < tried; k++) {
    const i = Math.floor((k * publicSignals.length) / tried)
    const signal = publicSignals[i]!
    for (const [other, how] of [
      [signal ^ 1n, 'changed'],
      [signal + R, 'and r added to it'],
    ] as const)
      if (await ask(connection, address, words, publicSignals.with(i, other)))
        throw new VerifierSelfTestError(address, `accepts the proof with public signal ${i} ${how}`)
  }
}
