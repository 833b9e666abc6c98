import { VeritensorError } from '../../src/errors.ts'

/** `code: message` of the VeritensorError that an action throws; anything else it throws passes through. */
export function refusal(action: () => unknown): string {
  try {
    action()
  } catch (error) {
    if (error instanceof VeritensorError) return `${error.code}: ${error.message}`
    throw error
  }
  return 'nothing was thrown'
}
