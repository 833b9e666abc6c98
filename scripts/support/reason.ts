import type { Reason } from './serve.ts'

/** Characters of a reason that are shown; --json has all. */
const REASON = 160

export const clipped = (text: string, width: number): string =>
  text.length > width ? `${text.slice(0, width - 1).trimEnd()}…` : text

/** Lines that tell why a model's task ended early; none if it did not. */
export const formatReason = (name: string, reason: Reason | null): string[] =>
  reason === null
    ? []
    : [
        `${name}: ${reason.code} (${reason.stage}): ${clipped(reason.message, REASON)}`,
        ...(reason.stack === undefined ? [] : [reason.stack.replace(/^/gm, '    ')]),
      ]
