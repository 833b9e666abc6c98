/**
 * Deploying verifiers.
 * @module
 */
import { ContractFactory, type InterfaceAbi, type Signer } from 'ethers'
import { AbortedError, VeritensorError } from '../errors.ts'
import type { CompiledContract } from '../solidity/compile.ts'
import { DEV_CHAIN_IDS } from '../solidity/verifier.ts'
import { type Connection, waitForReceipt } from './connect.ts'
import { chainError, NoCodeError, RevertError } from './errors.ts'

export type Deployment = {
  readonly address: string
  readonly transactionHash: string
  readonly chainId: bigint
  readonly blockNumber: number
  readonly gasUsed: bigint
  /** Who deployed. */
  readonly from: string
}

export type DeployOptions = {
  /** Whether the verifying key is a development key: refused off development chains. */
  readonly dev: boolean
  /** How long to wait for the block, default 180,000. */
  readonly timeoutMs?: number
  readonly signal?: AbortSignal
}

/** A development key was about to be used on a chain that others use. */
export class DevelopmentKeyChainError extends VeritensorError {
  constructor(chainId: bigint) {
    super(
      'key/development-key-on-chain',
      `the verifying key is a development key, which anyone who made it can forge with; it is refused on chain id ${chainId} (allowed: ${DEV_CHAIN_IDS.join(', ')})`,
      {
        details: { chainId: String(chainId) },
        fix: 'Make a production key with `setup --ptau FILE`, then generate and deploy its verifier.',
      },
    )
  }
}

/** @throws DevelopmentKeyChainError if the key is for development and the chain is not */
export function checkKeyForChain(dev: boolean, chainId: bigint): void {
  if (dev && !DEV_CHAIN_IDS.includes(chainId)) throw new DevelopmentKeyChainError(chainId)
}

/**
 * Deploys a compiled verifier and waits until it is mined. Nothing is sent if the key is a development key and the
 * chain is not for development.
 *
 * @throws DevelopmentKeyChainError, RevertError, RpcRequestError, TransactionTimeoutError, UnreachableRpcError, AbortedError
 */
export async function deployVerifier(
  connection: Connection,
  signer: Signer,
  contract: CompiledContract,
  options: DeployOptions,
): Promise<Deployment> {
  checkKeyForChain(options.dev, connection.chainId)
  if (options.signal?.aborted) throw new AbortedError('deploying the verifier')
  const what = `deploying ${contract.name}`
  const factory = new ContractFactory(contract.abi as InterfaceAbi, contract.bytecode, signer)
  try {
    const sent = await signer.sendTransaction(await factory.getDeployTransaction())
    const receipt = await waitForReceipt(connection, sent.hash, what, options)
    const address = receipt.contractAddress
    if (receipt.status !== 1 || address === null) throw new RevertError(what, undefined, [], undefined)
    if ((await connection.provider.getCode(address)) === '0x') throw new NoCodeError(address, connection.chainId)
    return {
      address,
      transactionHash: sent.hash,
      chainId: connection.chainId,
      blockNumber: receipt.blockNumber,
      gasUsed: receipt.gasUsed,
      from: receipt.from,
    }
  } catch (cause) {
    throw chainError(cause, what, connection.url, factory.interface)
  }
}
