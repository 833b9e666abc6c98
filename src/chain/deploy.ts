/**
 * Deploying contracts.
 * @module
 */
import { ContractFactory, type InterfaceAbi, type Signer } from 'ethers'
import { VeritensorError } from '../errors.ts'
import type { CompiledContract } from '../solidity/compile.ts'
import { DEV_CHAIN_IDS } from '../solidity/verifier.ts'
import type { Connection } from './connect.ts'
import { chainError, NoCodeError } from './errors.ts'
import { type Request, sendTransaction, type Waiting } from './transact.ts'

export type Deployment = {
  readonly address: string
  readonly transactionHash: string
  readonly chainId: bigint
  readonly blockNumber: number
  readonly gasUsed: bigint
  /** Who deployed. */
  readonly from: string
}

export type DeployOptions = Waiting & {
  /** Whether the verifying key is a development key: refused off development chains. */
  readonly dev: boolean
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

/** The transaction that deploys a contract. */
export async function deploymentRequest(contract: CompiledContract, args: readonly unknown[] = []): Promise<Request> {
  const factory = new ContractFactory(contract.abi as InterfaceAbi, contract.bytecode)
  const { data } = await factory.getDeployTransaction(...args)
  return { what: `deploying ${contract.name}`, data, decoder: factory.interface }
}

/**
 * Deploys a compiled contract and waits until it is mined.
 *
 * @throws RevertError, RpcRequestError, TransactionTimeoutError, UnreachableRpcError, NoCodeError, AbortedError
 */
export async function deployContract(
  connection: Connection,
  signer: Signer,
  contract: CompiledContract,
  args: readonly unknown[] = [],
  waiting: Waiting = {},
): Promise<Deployment> {
  const receipt = await sendTransaction(connection, signer, await deploymentRequest(contract, args), waiting)
  const address = receipt.contractAddress!
  const code = await connection.provider.getCode(address).catch((cause) => {
    throw chainError(cause, `deploying ${contract.name}`, connection.url)
  })
  if (code === '0x') throw new NoCodeError(address, connection.chainId)
  return {
    address,
    transactionHash: receipt.hash,
    chainId: connection.chainId,
    blockNumber: receipt.blockNumber,
    gasUsed: receipt.gasUsed,
    from: receipt.from,
  }
}

/**
 * Deploys a compiled verifier and waits until it is mined. Nothing is sent if the key is a development key and the
 * chain is not for development.
 *
 * @throws DevelopmentKeyChainError, and as {@link deployContract}
 */
export async function deployVerifier(
  connection: Connection,
  signer: Signer,
  contract: CompiledContract,
  options: DeployOptions,
): Promise<Deployment> {
  checkKeyForChain(options.dev, connection.chainId)
  return deployContract(connection, signer, contract, [], options)
}
