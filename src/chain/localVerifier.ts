/**
 * A verifier on a chain of its own: anvil is started, the contract generated, compiled and deployed.
 * @module
 */
import type { Proof, VerifyingKey } from '../groth16/keys.ts'
import { compileContract } from '../solidity/compile.ts'
import type { Compressed } from '../solidity/compression.ts'
import { generateVerifier, type VerifierOptions, verifyingKeyDigest } from '../solidity/verifier.ts'
import { type Anvil, startAnvil } from './anvil.ts'
import { type Connection, connect, signerFor } from './connect.ts'
import { type Deployment, deployVerifier } from './deploy.ts'
import { type OnchainVerification, verifyOnchain } from './verifyOnchain.ts'

/**
 * Where the contract stands: the first one of the first account of a development chain. Proofs of compressed tensors are made
 * for it before the chain is started.
 */
export const LOCAL_DESTINATION = { chainId: 31337n, contract: '0x5FbDB2315678afecb367f032d93F642f64180aa3' } as const

export type LocalVerifier = {
  readonly deployment: Deployment
  /** Size of the contract's code. */
  readonly codeBytes: number
  /** Asks the contract; what it accepts is sent as a transaction too, which tells the gas. Throws as `verifyOnchain`. */
  verify(proof: Proof, publicSignals: readonly bigint[], compressed?: Compressed): Promise<OnchainVerification>
  /** Ends the chain. Idempotent. */
  close(): Promise<void>
}

/**
 * Deploys the verifier of a key on a fresh development chain.
 *
 * @throws AnvilMissingError, AnvilStartError, AbortedError; `limit/public-inputs`, `circuit/no-public-signals`,
 * `usage/verifier-option`, `key/unsafe`, `environment/solc-missing`; as deployVerifier
 */
export async function openLocalVerifier(
  verifyingKey: VerifyingKey,
  options: VerifierOptions & { readonly signal?: AbortSignal; readonly anvilBinary?: string },
): Promise<LocalVerifier> {
  const { signal, anvilBinary, ...verifierOptions } = options
  const source = generateVerifier(verifyingKey, verifierOptions)
  const vkDigest = verifyingKeyDigest(verifyingKey)
  const starting = startAnvil({ ...(signal && { signal }), ...(anvilBinary && { binary: anvilBinary }) })
  starting.catch(() => {}) // awaited below
  let anvil: Anvil | undefined
  let connection: Connection | undefined
  const close = async (): Promise<void> => {
    connection?.close()
    await anvil?.stop()
  }
  try {
    // solc keeps this thread busy while anvil comes up
    const contract = await compileContract(source, verifierOptions.contractName ?? 'Verifier').catch(async (error) => {
      anvil = await starting.catch(() => undefined)
      throw error
    })
    anvil = await starting
    connection = await connect(anvil.url, { expectedChainId: anvil.chainId })
    const [opened, signer] = [connection, await signerFor(connection, { account: 0 })]
    const waiting = signal ? { signal } : {}
    const deployment = await deployVerifier(opened, signer, contract, { dev: verifyingKey.dev, ...waiting })
    return {
      deployment,
      codeBytes: contract.deployedBytecode.length / 2 - 1,
      verify: (proof, publicSignals, compressed) =>
        verifyOnchain(opened, deployment.address, proof, publicSignals, {
          ...{ vkDigest, send: signer, ...waiting },
          ...(compressed && { compressed }),
        }),
      close,
    }
  } catch (error) {
    await close()
    throw error
  }
}
