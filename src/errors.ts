/** What kind of thing went wrong; it decides the CLI's exit code. */
export type ErrorCategory =
  | 'usage' // the call itself is wrong: unknown flag, missing argument
  | 'input' // a file, tensor or value from the user is unreadable, of the wrong shape or out of range
  | 'model' // the ONNX model is malformed or uses something that is not supported
  | 'circuit' // the circuit refuses: overflow, aliasing, unsatisfied row
  | 'key' // a proving or verifying key is malformed, unsafe or belongs to another circuit
  | 'proof' // a proof is malformed or does not verify
  | 'chain' // an RPC endpoint or contract call failed
  | 'environment' // something is missing on this machine
  | 'limit' // a bounded resource is full
  | 'aborted' // the caller cancelled
  | 'internal' // a bug of ours

export type ErrorDetails = Readonly<Record<string, unknown>>

/** `category/kebab-case-name`: stable, part of the API. */
export type ErrorCode = `${ErrorCategory}/${string}`

/**
 * Every error that Veritensor throws on purpose. `message` says what happened and where, `fix` what to do about it.
 *
 * Subclasses stand beside the code that throws them. `details` holds plain data only, so that an error can cross a
 * thread as `{ code, message, details, fix }` and be restored.
 */
export class VeritensorError extends Error {
  readonly code: ErrorCode
  readonly details: ErrorDetails
  readonly fix: string | undefined

  constructor(
    code: ErrorCode,
    message: string,
    options: { readonly details?: ErrorDetails; readonly fix?: string; readonly cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = new.target.name
    this.code = code
    this.details = options.details ?? {}
    this.fix = options.fix
  }

  get category(): ErrorCategory {
    return this.code.slice(0, this.code.indexOf('/')) as ErrorCategory
  }
}

/** The AbortSignal of a call fired. */
export class AbortedError extends VeritensorError {
  constructor(what: string) {
    super('aborted/by-caller', `${what} was aborted`)
  }
}
