/**
 * Transactions: what they would cost, sending them, and what became of them.
 * @module
 */
import type { Interface, Signer, TransactionReceipt } from 'ethers'
import { AbortedError } from '../errors.ts'
import { type Connection, waitForReceipt } from './connect.ts'
import { chainError, RevertError } from './errors.ts'

export type Request = {
  /** For errors: what the transaction does. */
  readonly what: string
  /** Absent for deployments. */
  readonly to?: string
  /** 0x and hexadecimal digits. */
  readonly data: string
  /** Names the custom errors of a revert. */
  readonly decoder: Pick<Interface, 'parseError'>
}

export type Waiting = {
  /** How long to wait for the block, default 180,000. */
  readonly timeoutMs?: number
  readonly signal?: AbortSignal
}

/** What a transaction would take. */
export type GasEstimate = {
  readonly gas: bigint
  /** At the node's present prices; null where it tells none. */
  readonly feeWei: bigint | null
}

/**
 * What a transaction would take now. It is not sent.
 * @throws RevertError if it would be reverted; UnreachableRpcError, RpcRequestError
 */
export async function estimateTransaction(
  connection: Connection,
  from: Signer | string,
  { what, to, data, decoder }: Request,
): Promise<GasEstimate> {
  try {
    const sender = typeof from === 'string' ? from : await from.getAddress()
    const [gas, fees] = await Promise.all([
      connection.provider.estimateGas({ from: sender, data, ...(to === undefined ? {} : { to }) }),
      connection.provider.getFeeData(),
    ])
    return { gas, feeWei: fees.gasPrice === null ? null : gas * fees.gasPrice }
  } catch (cause) {
    throw chainError(cause, `estimating ${what}`, connection.url, decoder)
  }
}

/**
 * Sends a transaction and waits until it is in a block.
 * @throws RevertError, RpcRequestError, TransactionTimeoutError, UnreachableRpcError, AbortedError
 */
export async function sendTransaction(
  connection: Connection,
  signer: Signer,
  { what, to, data, decoder }: Request,
  waiting: Waiting = {},
): Promise<TransactionReceipt> {
  if (waiting.signal?.aborted) throw new AbortedError(what)
  try {
    const sent = await signer.sendTransaction({ data, ...(to === undefined ? {} : { to }) })
    const receipt = await waitForReceipt(connection, sent.hash, what, waiting)
    if (receipt.status !== 1) throw new RevertError(what, undefined, [], undefined)
    return receipt
  } catch (cause) {
    throw chainError(cause, what, connection.url, decoder)
  }
}
