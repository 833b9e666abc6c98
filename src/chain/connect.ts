/**
 * Connections to JSON-RPC endpoints, and who signs.
 * @module
 */
import { FetchRequest, isAddress, JsonRpcProvider, Network, type Signer, type TransactionReceipt, Wallet } from 'ethers'
import { AbortedError, VeritensorError } from '../errors.ts'
import {
  chainError,
  NoCodeError,
  RpcRequestError,
  TransactionTimeoutError,
  UnreachableRpcError,
  WrongChainError,
} from './errors.ts'

export type Connection = {
  readonly url: string
  readonly chainId: bigint
  readonly provider: JsonRpcProvider
  /** Stops polling; the connection is useless afterwards. */
  readonly close: () => void
}

/** The text that should be a private key or a keystore is none, or the password does not open it. */
export class SignerError extends VeritensorError {
  constructor(what: string, reason: string) {
    // never the key itself: messages end up in logs
    super('usage/signer', `the ${what} is unusable: ${reason}`, {
      details: { what },
      fix: 'Pass a private key of 64 hexadecimal digits, or a JSON keystore and its password.',
    })
  }
}

/** A URL without user, password and query, where API keys live: error messages end up in logs. */
const withoutSecrets = (url: URL): string =>
  `${url.protocol}//${url.host}${url.pathname.length > 9 ? '/…' : url.pathname}`

/**
 * Connects to an endpoint: asks its chain id once and holds on to it.
 *
 * @param url http or https URL of a JSON-RPC endpoint
 * @param options.expectedChainId refuse any other chain
 * @param options.timeoutMs per request, default 30,000
 * @throws UnreachableRpcError, WrongChainError
 */
export async function connect(
  url: string,
  options: { readonly expectedChainId?: bigint; readonly timeoutMs?: number } = {},
): Promise<Connection> {
  const timeoutMs = options.timeoutMs ?? 30_000
  let parsed: URL
  try {
    parsed = new URL(url)
  } catch {
    throw new UnreachableRpcError('given', 'it is not a URL')
  }
  const shown = withoutSecrets(parsed)
  if (parsed.protocol !== 'http:' && parsed.protocol !== 'https:')
    throw new UnreachableRpcError(shown, `protocol ${parsed.protocol} is not http: or https:`)

  // ethers itself would retry for ever when a provider cannot find its network, so the first request is made here.
  const chainId = await askChainId(parsed, shown, timeoutMs)
  if (options.expectedChainId !== undefined && options.expectedChainId !== chainId)
    throw new WrongChainError(options.expectedChainId, chainId)

  const request = new FetchRequest(url)
  request.timeout = timeoutMs
  request.setThrottleParams({ maxAttempts: 4 })
  const provider = new JsonRpcProvider(request, Network.from(chainId), {
    staticNetwork: true,
    cacheTimeout: -1,
    pollingInterval: 20,
    batchMaxCount: 1,
  })
  return { url: shown, chainId, provider, close: () => provider.destroy() }
}

async function askChainId(url: URL, shown: string, timeoutMs: number): Promise<bigint> {
  let body: unknown
  try {
    const headers = new Headers({ 'content-type': 'application/json' })
    const target = new URL(url)
    if (target.username !== '' || target.password !== '') {
      // fetch refuses credentials in a URL
      const pair = `${decodeURIComponent(target.username)}:${decodeURIComponent(target.password)}`
      headers.set('authorization', `Basic ${Buffer.from(pair).toString('base64')}`)
      target.username = ''
      target.password = ''
    }
    const response = await fetch(target, {
      method: 'POST',
      headers,
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'eth_chainId', params: [] }),
      signal: AbortSignal.timeout(timeoutMs),
    })
    if (!response.ok) throw new UnreachableRpcError(shown, `HTTP status ${response.status}`)
    body = await response.json()
  } catch (cause) {
    if (cause instanceof VeritensorError) throw cause
    const inner = (cause as { cause?: { code?: unknown; message?: unknown } }).cause
    const reason = inner?.code ?? inner?.message ?? (cause instanceof Error ? cause.message : cause)
    throw new UnreachableRpcError(shown, String(reason), cause)
  }
  const result = (body as { result?: unknown } | null)?.result
  if (typeof result !== 'string' || !/^0x[0-9a-f]{1,64}$/i.test(result))
    throw new UnreachableRpcError(shown, 'its answer to eth_chainId is not a number')
  return BigInt(result)
}

/**
 * The account that pays and signs.
 * - `privateKey`: 64 hexadecimal digits, `0x` or not
 * - `keystore`: text of a JSON keystore (Web3 secret storage), with its password
 * - `account`: index of an unlocked account of the node, as development nodes have
 * @throws SignerError if key, keystore or password are wrong
 */
export async function signerFor(
  connection: Connection,
  from:
    | { readonly privateKey: string }
    | { readonly keystore: string; readonly password: string }
    | { readonly account: number },
): Promise<Signer> {
  if ('privateKey' in from) {
    const hex = /^(?:0x)?([0-9a-fA-F]{64})$/.exec(from.privateKey.trim())?.[1]
    if (hex === undefined) throw new SignerError('private key', 'it is not 64 hexadecimal digits')
    try {
      return new Wallet(`0x${hex}`, connection.provider)
    } catch {
      throw new SignerError('private key', 'it is outside the range of secp256k1 keys')
    }
  }
  if ('keystore' in from) {
    try {
      return (await Wallet.fromEncryptedJson(from.keystore, from.password)).connect(connection.provider)
    } catch (cause) {
      const wrong = cause instanceof Error && /password/i.test(cause.message)
      throw new SignerError('keystore', wrong ? 'the password does not open it' : 'it is not a JSON keystore')
    }
  }
  const accounts = (await connection.provider.send('eth_accounts', []).catch((cause) => {
    throw chainError(cause, 'asking for the accounts of the node', connection.url)
  })) as readonly string[]
  const address = accounts[from.account]
  if (address === undefined)
    throw new RpcRequestError(
      'using an account of the node',
      `it has ${accounts.length}, not one with index ${from.account}`,
    )
  return connection.provider.getSigner(address)
}

/**
 * Waits until a transaction is in a block. Polls for the receipt: ethers' own waiting hangs for ever on a chain that
 * mines at once and then no more, when the block comes between its first look and its first block number.
 *
 * @param what for errors
 * @param timeoutMs default 180,000
 * @returns the receipt, of a reverted transaction too
 * @throws TransactionTimeoutError, UnreachableRpcError; AbortedError, the transaction may still be mined
 */
export async function waitForReceipt(
  connection: Connection,
  hash: string,
  what: string,
  {
    timeoutMs = 180_000,
    signal,
  }: { readonly timeoutMs?: number | undefined; readonly signal?: AbortSignal | undefined } = {},
): Promise<TransactionReceipt> {
  const deadline = Date.now() + timeoutMs
  for (let pauseMs = 5; ; pauseMs = Math.min(1_000, pauseMs * 1.5)) {
    const receipt = await connection.provider.getTransactionReceipt(hash).catch((cause) => {
      throw chainError(cause, what, connection.url)
    })
    if (receipt !== null) return receipt
    if (signal?.aborted) throw new AbortedError(`waiting for transaction ${hash}`)
    if (Date.now() > deadline) throw new TransactionTimeoutError(what, hash, timeoutMs)
    await new Promise((resolve) => setTimeout(resolve, pauseMs))
  }
}

/** @throws RpcRequestError if the text is no address, NoCodeError if nothing stands there */
export async function requireCode(connection: Connection, address: string): Promise<void> {
  if (!isAddress(address)) throw new RpcRequestError(`using ${JSON.stringify(address)}`, 'it is not an address')
  const code = await connection.provider.getCode(address).catch((cause) => {
    throw chainError(cause, `reading the code at ${address}`, connection.url)
  })
  if (code === '0x') throw new NoCodeError(address, connection.chainId)
}
