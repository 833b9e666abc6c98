/**
 * The contracts that all models share: where keys are stored, where models are registered, where inferences are verified.
 * @module
 */
import { Contract, Interface, keccak256, type Signer } from 'ethers'
import { VeritensorError } from '../errors.ts'
import { checkVerifyingKey, type VerifyingKey } from '../groth16/keys.ts'
import { keyWords, phaseOneWords, phaseTwoWords } from '../solidity/keyWords.ts'
import { compileShipped, type ShippedContract } from '../solidity/shipped.ts'
import { verifyingKeyDigest } from '../solidity/verifier.ts'
import { INFERENCE_ABI, KEY_VERIFIER_ABI, PHASE_ONE_ABI } from './abi.ts'
import { type Connection, requireCode } from './connect.ts'
import { checkKeyForChain, type Deployment, deployContract, deploymentRequest } from './deploy.ts'
import { chainError } from './errors.ts'
import { estimateTransaction, type GasEstimate, type Request, sendTransaction, type Waiting } from './transact.ts'

export type SharedOptions = {
  /** Bind the key verifier to the phase 1 of this key: cheaper to add models to, and proofs of different models in a batch. */
  readonly phaseOne?: { readonly name: string; readonly of: VerifyingKey }
  /** Price of the chain's BN254 precompiles relative to EIP-1108, rounded up; default 1. */
  readonly precompileGasFactor?: number
}

/** Addresses of the three. */
export type SharedContracts = {
  readonly keyVerifier: string
  readonly registry: string
  readonly inferenceVerifier: string
}

const keyVerifierOf = ({ phaseOne, precompileGasFactor = 1 }: SharedOptions): readonly [ShippedContract, unknown[]] =>
  phaseOne === undefined
    ? ['UniversalVerifier', [precompileGasFactor]]
    : ['PhaseOneVerifier', [phaseOne.name, phaseOneWords(phaseOne.of), precompileGasFactor]]

/**
 * Deploys the three contracts.
 * @throws as deployContract; SolidityCompileError, CompilerMissingError
 */
export async function deployShared(
  connection: Connection,
  signer: Signer,
  options: SharedOptions = {},
  waiting: Waiting = {},
): Promise<
  SharedContracts & { readonly deployments: readonly (Deployment & { readonly contract: ShippedContract })[] }
> {
  const deployments: (Deployment & { readonly contract: ShippedContract })[] = []
  const deploy = async (contract: ShippedContract, args: unknown[]): Promise<string> => {
    const deployment = await deployContract(connection, signer, await compileShipped(contract), args, waiting)
    deployments.push({ ...deployment, contract })
    return deployment.address
  }
  const keyVerifier = await deploy(...keyVerifierOf(options))
  const registry = await deploy('ModelRegistry', [])
  const inferenceVerifier = await deploy('InferenceVerifier', [registry, keyVerifier])
  return { keyVerifier, registry, inferenceVerifier, deployments }
}

/** What `deployShared` would take. Nothing is sent. Throws likewise. */
export async function estimateShared(
  connection: Connection,
  from: Signer | string,
  options: SharedOptions = {},
): Promise<GasEstimate> {
  const nowhere = `0x${'00'.repeat(19)}01`
  const parts: readonly (readonly [ShippedContract, unknown[]])[] = [
    keyVerifierOf(options),
    ['ModelRegistry', []],
    ['InferenceVerifier', [nowhere, nowhere]],
  ]
  const estimates: GasEstimate[] = []
  for (const [contract, args] of parts) {
    const request = await deploymentRequest(await compileShipped(contract), args)
    estimates.push(await estimateTransaction(connection, from, request))
  }
  const known = estimates.every(({ feeWei }) => feeWei !== null)
  return {
    gas: estimates.reduce((sum, { gas }) => sum + gas, 0n),
    feeWei: known ? estimates.reduce((sum, { feeWei }) => sum + feeWei!, 0n) : null,
  }
}

/** The contracts behind an InferenceVerifier. @throws NoCodeError, RevertError if it is none, UnreachableRpcError */
export async function sharedContractsOf(connection: Connection, inferenceVerifier: string): Promise<SharedContracts> {
  await requireCode(connection, inferenceVerifier)
  const contract = new Contract(inferenceVerifier, INFERENCE_ABI, connection.provider)
  const read = (name: string): Promise<string> =>
    contract
      .getFunction(name)
      .staticCall()
      .catch((cause) => {
        throw chainError(cause, `reading ${name} of ${inferenceVerifier}`, connection.url, contract.interface)
      })
  const [registry, keyVerifier] = await Promise.all([read('registry'), read('keyVerifier')])
  return { inferenceVerifier, registry, keyVerifier }
}

/** A key is of another ceremony than the one that a key verifier is bound to. */
export class OtherPhaseOneError extends VeritensorError {
  constructor(address: string, name: string) {
    super('key/other-phase-one', `the key verifier at ${address} takes keys of the phase 1 "${name}" only`, {
      details: { address, phaseOne: name },
      fix: 'Set up the key with that ceremony’s file, or use a key verifier that is not bound to one.',
    })
  }
}

const keyVerifierInterface = new Interface(PHASE_ONE_ABI)

/**
 * The transaction that stores a key; undefined if it is stored already.
 *
 * @throws DevelopmentKeyChainError if the key is for development and the chain is not
 * @throws OtherPhaseOneError if the key verifier is bound to another ceremony
 * @throws KeyError `key/unsafe`, `key/malformed`; NoCodeError, RevertError, UnreachableRpcError
 */
export async function storeKeyRequest(
  connection: Connection,
  keyVerifier: string,
  vk: VerifyingKey,
): Promise<Request | undefined> {
  checkVerifyingKey(vk)
  checkKeyForChain(vk.dev, connection.chainId)
  await requireCode(connection, keyVerifier)
  const contract = new Contract(keyVerifier, KEY_VERIFIER_ABI, connection.provider)
  const data: unknown = await contract
    .getFunction('keyAddress')
    .staticCall(verifyingKeyDigest(vk))
    .catch((cause) => {
      throw chainError(cause, `asking ${keyVerifier} for a key`, connection.url, contract.interface)
    })
  if ((await connection.provider.getCode(String(data))) !== '0x') return undefined
  const phaseOne = await phaseOneOf(connection, keyVerifier)
  if (phaseOne !== undefined && phaseOne.hash !== keccak256(packWords(phaseOneWords(vk))))
    throw new OtherPhaseOneError(keyVerifier, phaseOne.name)
  return {
    what: 'storing the verifying key',
    to: keyVerifier,
    data: keyVerifierInterface.encodeFunctionData('store', [phaseOne === undefined ? keyWords(vk) : phaseTwoWords(vk)]),
    decoder: keyVerifierInterface,
  }
}

const packWords = (words: readonly bigint[]): string =>
  `0x${words.map((word) => word.toString(16).padStart(64, '0')).join('')}`

/** The phase 1 that a key verifier is bound to; undefined if it takes all keys. */
async function phaseOneOf(
  connection: Connection,
  keyVerifier: string,
): Promise<{ readonly name: string; readonly hash: string } | undefined> {
  const contract = new Contract(keyVerifier, PHASE_ONE_ABI, connection.provider)
  try {
    const [name, hash] = await Promise.all(
      ['PHASE_ONE_NAME', 'PHASE_ONE_HASH'].map((name) => contract.getFunction(name).staticCall()),
    )
    return { name: String(name), hash: String(hash) }
  } catch (cause) {
    const error = chainError(cause, `asking ${keyVerifier} for its phase 1`, connection.url)
    if (error.code === 'chain/revert') return undefined
    throw error
  }
}

/** Stores a key unless it is stored already. Returns the gas used, if any. Throws as `storeKeyRequest` and `sendTransaction`. */
export async function storeKey(
  connection: Connection,
  signer: Signer,
  keyVerifier: string,
  vk: VerifyingKey,
  waiting: Waiting = {},
): Promise<bigint | undefined> {
  const request = await storeKeyRequest(connection, keyVerifier, vk)
  return request === undefined ? undefined : (await sendTransaction(connection, signer, request, waiting)).gasUsed
}
