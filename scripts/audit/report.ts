import { formatBytes, table, thousands } from '../../src/cli/format.ts'
import { formatReason } from '../support/reason.ts'
import { isRefusal, type Reason } from '../support/serve.ts'
import type { Findings } from './auditFolder.ts'

/**
 * - `determined`: every wire is, and nothing else is wrong
 * - `not sound`: the audit has something to say
 * - `too large`: compiled, but not audited
 * - `refused`: something is not supported, malformed or too large, and said so
 * - `failed`: anything else; a bug
 */
export type Verdict = 'determined' | 'not sound' | 'too large' | 'refused' | 'failed'

export type Outcome = Findings & {
  readonly name: string
  readonly verdict: Verdict
  readonly reason: Reason | null
}

export function verdictOf({ determined, clean, rows }: Findings, reason: Reason | null, maxRows: number): Verdict {
  if (reason !== null) return isRefusal(reason) ? 'refused' : 'failed'
  if (rows !== undefined && rows > maxRows) return 'too large'
  if (determined === undefined) return 'failed'
  return determined && clean === true ? 'determined' : 'not sound'
}

const VERDICTS: readonly Verdict[] = ['determined', 'not sound', 'too large', 'refused', 'failed']

/** The table, then faults and reasons, then a count. */
export function formatOutcomes(outcomes: readonly Outcome[]): string {
  const count = (n: number | undefined): string => (n === undefined ? '' : thousands(n))
  const seconds = (n: number | undefined): string => (n === undefined ? '' : n.toFixed(2))
  const rows = outcomes.map((o) => [
    ...[o.name, count(o.rows), count(o.wires), seconds(o.compileSeconds), seconds(o.auditSeconds)],
    ...[o.peakBytes === undefined ? '' : formatBytes(o.peakBytes), o.verdict],
  ])
  const notes = outcomes.flatMap(({ name, faults = [], reason }) => [
    ...faults.map((fault) => `${name}: ${fault}`),
    ...formatReason(name, reason),
  ])
  const counts = VERDICTS.flatMap((verdict) => {
    const n = outcomes.filter((o) => o.verdict === verdict).length
    return n === 0 ? [] : [`${n} ${verdict}`]
  })
  return [
    table(['model', 'rows', 'wires', 'compile s', 'audit s', 'peak memory', 'verdict'], rows),
    ...(notes.length === 0 ? [] : ['', ...notes]),
    '',
    `${outcomes.length} models: ${counts.join(', ')}`,
  ].join('\n')
}
