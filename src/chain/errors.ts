/**
 * Errors of RPC endpoints and contract calls, and the translation of what ethers throws into them.
 * @module
 */
import { isError } from 'ethers'
import { VeritensorError } from '../errors.ts'

/** The RPC endpoint does not answer, or not as one does. */
export class UnreachableRpcError extends VeritensorError {
  constructor(url: string, reason: string, cause?: unknown) {
    super('chain/unreachable', `the RPC endpoint ${url} does not answer: ${reason}`, {
      details: { url, reason },
      fix: 'Check the URL and that the node runs; for a local one start `npx anvil`.',
      cause,
    })
  }
}

/** The endpoint serves another chain than the caller meant. */
export class WrongChainError extends VeritensorError {
  constructor(expected: bigint, found: bigint) {
    super('chain/wrong-chain', `the RPC endpoint serves chain id ${found}, not ${expected}`, {
      details: { expected: String(expected), found: String(found) },
      fix: 'Use the URL of the chain on which the verifier stands.',
    })
  }
}

/** There is no contract at an address. */
export class NoCodeError extends VeritensorError {
  constructor(address: string, chainId: bigint) {
    super('chain/no-code', `there is no contract at ${address} on chain id ${chainId}`, {
      details: { address, chainId: String(chainId) },
      fix: 'Check address and chain; a restarted development node has forgotten its contracts: deploy again.',
    })
  }
}

/** A contract reverted a call or a transaction. `details.error` is the custom error's name where it is known. */
export class RevertError extends VeritensorError {
  constructor(what: string, error: string | undefined, args: readonly unknown[], data: string | undefined) {
    const call =
      error === undefined
        ? data && data !== '0x'
          ? `unknown error ${data}`
          : 'no reason given'
        : `${error}(${args.join(', ')})`
    super('chain/revert', `${what} was reverted: ${call}`, {
      details: { what, error: error ?? null, args: args.map(String), data: data ?? null },
      fix:
        error === undefined
          ? 'Check that the address is the verifier that was meant.'
          : (REMEDIES[error] ?? 'See the error of the contract.'),
    })
  }
}

const REMEDIES: Readonly<Record<string, string>> = {
  InsufficientGas: 'Send the call with more gas; the contract decided nothing about the proof.',
  UnsafeDevelopmentKey:
    'The key is for development only. Make a production key with `setup --ptau` and deploy its verifier.',
  WrongInputCount: 'Pass the public signals of a proof made for this verifier.',
  WrongLength: 'Pass the bytes of a proof made for this verifier.',
  UnknownKey: 'Store the verifying key first: `register` does.',
  UnsafeKey: 'Do not use this key: proofs for it can be forged, or it is malformed. Run a complete set-up.',
  InvalidProof:
    'The proof does not show this statement. It must be made for this contract and chain, and for the model’s current version.',
  InputCommitmentMismatch: 'Pass the commitment of the very input, context and commitments that the proof has.',
  ModelMismatch: 'The proof is about other weights than those of the registered model.',
  OutputMismatch: 'Pass the bytes of all public outputs of the model.',
  ModelNotFound: 'Check the model’s number and that the contract is the registry that was meant.',
  NotModelOwner: 'Send it from the account that owns the model.',
  ModelIsDeprecated: 'Register a new model: deprecation is final.',
  VerificationRefused_ModelDeprecated: 'The model was taken out of use by its owner.',
  ModelNotVerifiable: 'Give the model a version with details: `register --update`.',
}

/** The endpoint accepted a request but failed it: no funds, nonce taken, fee too low, or an answer that is none. */
export class RpcRequestError extends VeritensorError {
  constructor(what: string, reason: string, cause?: unknown) {
    super('chain/request-failed', `${what} failed: ${reason}`, {
      details: { what, reason },
      fix: 'Check the balance of the sending account, the fees and that no other transaction has the same nonce.',
      cause,
    })
  }
}

/** A transaction was not mined in time. It may still be. */
export class TransactionTimeoutError extends VeritensorError {
  constructor(what: string, hash: string, timeoutMs: number) {
    super('chain/timeout', `${what}: transaction ${hash} was not mined within ${timeoutMs} ms`, {
      details: { what, hash, timeoutMs },
      fix: 'Look the transaction up before sending again; it may still be mined.',
    })
  }
}

/** What is needed of an ethers Interface to name a custom error. */
type ErrorDecoder = {
  readonly parseError: (data: string) => { readonly name: string; readonly args: Iterable<unknown> } | null
}

const messageOf = (cause: unknown): string => {
  if (!(cause instanceof Error)) return String(cause)
  const { shortMessage, info } = cause as { shortMessage?: string; info?: { error?: { message?: unknown } } }
  const inner = typeof info?.error?.message === 'string' ? info.error.message : undefined
  const code = (cause as { code?: unknown }).code
  return inner ?? shortMessage ?? (cause.message || String(code ?? cause.name))
}

/** The data with which a call reverted, wherever ethers and the node put it; undefined if it is no revert. */
function revertData(cause: unknown): string | undefined {
  if (isError(cause, 'CALL_EXCEPTION')) {
    const nested = (cause as { info?: { error?: { data?: unknown } } }).info?.error?.data
    return cause.data ?? (typeof nested === 'string' ? nested : '0x')
  }
  const data = (cause as { info?: { error?: { data?: unknown } } } | null)?.info?.error?.data
  return typeof data === 'string' && /^0x[0-9a-f]*$/i.test(data) ? data : undefined
}

/**
 * Translates what ethers threw while doing `what` at `url`. Errors of ours pass unchanged.
 * @param decoder Interface of the contract that was called, to name its custom errors
 */
export function chainError(cause: unknown, what: string, url: string, decoder?: ErrorDecoder): VeritensorError {
  if (cause instanceof VeritensorError) return cause
  const data = revertData(cause)
  if (data !== undefined) {
    const parsed = data === '0x' ? null : (decoder?.parseError(data) ?? null)
    return new RevertError(what, parsed?.name, parsed === null ? [] : [...parsed.args], data)
  }
  const code = (cause as { code?: unknown } | null)?.code
  if (
    code === 'NETWORK_ERROR' ||
    code === 'SERVER_ERROR' ||
    (code === 'TIMEOUT' && !isError(cause, 'TRANSACTION_REPLACED')) ||
    (typeof code === 'string' && /^(ECONN|ENOTFOUND|EAI_|EHOST|ENET|EPIPE|ETIMEDOUT)/.test(code))
  )
    return new UnreachableRpcError(url, messageOf(cause), cause)
  return new RpcRequestError(what, messageOf(cause), cause)
}
