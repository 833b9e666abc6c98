/**
 * A circuit can't be built or solved. `code` is `circuit/…`, `input/…` or `limit/…`; `details` holds plain data, so that the error can
 * cross a thread.
 */
export class CircuitError extends Error {
  readonly code: `circuit/${string}` | `input/${string}` | `limit/${string}`
  readonly details: Readonly<Record<string, unknown>>

  constructor(code: CircuitError['code'], message: string, details: Readonly<Record<string, unknown>> = {}) {
    super(message)
    this.name = 'CircuitError'
    this.code = code
    this.details = details
  }
}
