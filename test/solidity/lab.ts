import { type Contract, ContractFactory, type InterfaceAbi, type JsonRpcSigner } from 'ethers'
import { type Anvil, type AnvilOptions, startAnvil } from '../../src/chain/anvil.ts'
import { type Connection, connect, waitForReceipt } from '../../src/chain/connect.ts'
import type { CompiledContract } from '../../src/solidity/compile.ts'

/** A fresh chain with what contract tests do over and over. Words are passed as they are, in range or not. */
export type Lab = {
  readonly anvil: Anvil
  readonly connection: Connection
  readonly signer: JsonRpcSigner
  readonly deploy: (contract: CompiledContract, args?: readonly unknown[]) => Promise<Contract>
  /** Result of a view function, or the name of its custom error (`REVERT` if it has none, `GAS` if it ran out). */
  readonly ask: (contract: Contract, signature: string, args: readonly unknown[], gasLimit?: number) => Promise<unknown>
  /** Sends the call as a transaction; gasUsed, and execution alone: without 21,000 and calldata. Ignores reverts. */
  readonly measure: (
    contract: Contract,
    signature: string,
    args: readonly unknown[],
    gasLimit?: number,
  ) => Promise<{ tx: number; exec: number; status: number }>
  readonly stop: () => Promise<void>
}

export async function startLab(options: AnvilOptions = {}): Promise<Lab> {
  const anvil = await startAnvil(options)
  const connection = await connect(anvil.url)
  const { provider } = connection
  const signer = await provider.getSigner(0)
  return {
    anvil,
    connection,
    signer,
    async deploy(contract, args = []) {
      const deployed = await new ContractFactory(contract.abi as InterfaceAbi, contract.bytecode, signer).deploy(
        ...args,
      )
      await waitForReceipt(connection, deployed.deploymentTransaction()!.hash, contract.name)
      return deployed as Contract
    },
    async ask(contract, signature, args, gasLimit) {
      try {
        return await contract.getFunction(signature).staticCall(...args, gasLimit === undefined ? {} : { gasLimit })
      } catch (error) {
        const { data, revert, message } = error as { data?: string; revert?: { name: string } | null; message: string }
        const parsed = typeof data === 'string' && data !== '0x' ? contract.interface.parseError(data)?.name : undefined
        return revert?.name ?? parsed ?? (/out of ?gas|intrinsic gas|gas too low/i.test(message) ? 'GAS' : 'REVERT')
      }
    },
    async measure(contract, signature, args, gasLimit = 16_000_000) {
      const data = contract.interface.encodeFunctionData(signature, args)
      const sent = await signer.sendTransaction({ to: await contract.getAddress(), data, gasLimit })
      const receipt = await waitForReceipt(connection, sent.hash, signature)
      const zeros = Buffer.from(data.slice(2), 'hex').filter((byte) => byte === 0).length
      const calldata = 4 * zeros + 16 * (data.length / 2 - 1 - zeros)
      const tx = Number(receipt.gasUsed)
      return { tx, exec: tx - 21_000 - calldata, status: receipt.status! }
    },
    async stop() {
      connection.close()
      await anvil.stop()
    },
  }
}
