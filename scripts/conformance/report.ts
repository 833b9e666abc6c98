import { UsageError } from '../../src/cli/args.ts'
import { table, thousands } from '../../src/cli/format.ts'
import { clipped, formatReason } from '../support/reason.ts'
import { isRefusal, type Reason } from '../support/serve.ts'
import type { Findings } from './check.ts'
import { agrees } from './compare.ts'

/**
 * - `proved`: the proof verifies off-chain and on-chain
 * - `compiled`: likewise as far as was asked for (--no-prove)
 * - `refused`: something is not supported, malformed or too large, and said so
 * - `failed`: anything else; a bug
 */
export type Status = 'proved' | 'compiled' | 'refused' | 'failed'

export type Outcome = Findings & {
  readonly name: string
  readonly status: Status
  readonly reason: Reason | null
  /** All stages together, the start of the process too. */
  readonly seconds: number
}

/** The status that findings and reason amount to. */
export function statusOf({ offChain, onChain, rows }: Findings, reason: Reason | null, proving: boolean): Status {
  if (reason !== null) return isRefusal(reason) ? 'refused' : 'failed'
  if (!proving) return rows === undefined ? 'failed' : 'compiled'
  return offChain === true && onChain === true ? 'proved' : 'failed'
}

const short = (n: number | undefined | null): string => (n === undefined || n === null ? '' : n.toPrecision(3))
const seconds = (n: number | undefined): string => (n === undefined ? '' : n.toFixed(n < 10 ? 2 : 1))
const yes = (b: boolean | undefined): string => (b === undefined ? '' : b ? 'yes' : 'NO')

/** Operators of the file, the most frequent first. */
export const formatOps = (ops: Readonly<Record<string, number>>): string =>
  Object.entries(ops)
    .sort(([, a], [, b]) => b - a)
    .map(([op, n]) => (n === 1 ? op : `${n} ${op}`))
    .join(', ')

/** Accuracy where there are labels (and that of the expected outputs if it differs), else how many classes are the same. */
function classes({ agreement }: Findings): string {
  if (agreement === undefined) return ''
  const { labelled, sameClass, sets } = agreement
  if (labelled !== null) {
    const { integer, expected, total } = labelled
    return `${integer}/${total} labels${expected === integer ? '' : ` (file: ${expected})`}`
  }
  return sameClass === null ? '' : `${sameClass}/${sets} same`
}

/** The table, then why models were not proved, then a count. */
export function formatOutcomes(outcomes: readonly Outcome[]): string {
  const header = ['model', 'ops', 'rows', 'compile s', 'set-up s', 'prove s', 'off-chain', 'on-chain', 'gas']
  const rows = outcomes.map((o) => [
    ...[o.name, clipped(o.ops === undefined ? '' : formatOps(o.ops), 32)],
    ...[o.rows === undefined ? '' : thousands(o.rows), seconds(o.compileSeconds), seconds(o.setupSeconds)],
    ...[seconds(o.proveSeconds), yes(o.offChain), yes(o.onChain), o.gas === undefined ? '' : thousands(o.gas)],
    ...[short(o.agreement?.maxError), short(o.agreement?.relativeError), classes(o)],
    ...[yes(o.agreement && agrees(o.agreement)), o.status],
  ])
  const reasons = outcomes.flatMap(({ name, reason }) => formatReason(name, reason))
  return [
    table([...header, 'max error', 'of range', 'class', 'agrees', 'result'], rows),
    ...(reasons.length === 0 ? [] : ['', ...reasons]),
    '',
    countsOf(outcomes),
  ].join('\n')
}

/** How many models agree, and what became of them. */
function countsOf(outcomes: readonly Outcome[]): string {
  const statuses: readonly Status[] = ['proved', 'compiled', 'refused', 'failed']
  const parts = [
    ['agree', outcomes.filter((o) => o.agreement !== undefined && agrees(o.agreement)).length] as const,
    ...statuses.map((status) => [status, outcomes.filter((o) => o.status === status).length] as const),
  ]
  return `${outcomes.length} models: ${parts.flatMap(([what, n]) => (n === 0 ? [] : [`${n} ${what}`])).join(', ')}`
}

/** What a table in a document holds of each model; times are left out, as they depend on the machine. */
export function markdownOutcomes(outcomes: readonly Outcome[]): string {
  const lines = outcomes.map((o) => {
    const { agreement, reason, status } = o
    const error = agreement === undefined ? '' : `${short(100 * agreement.relativeError)} %`
    const result = reason === null ? status : `${status}: \`${reason.code}\``
    return [
      ...[o.name, clipped(o.ops === undefined ? '' : formatOps(o.ops), 48)],
      ...[
        o.bits?.toString() ?? (o.rows === undefined ? '' : 'exact'),
        o.rows === undefined ? '' : thousands(o.rows),
        error,
        classes(o),
      ],
      ...[yes(agreement && agrees(agreement)), result, o.gas === undefined ? '' : thousands(o.gas)],
    ]
  })
  const header = ['model', 'operators', 'bits', 'rows', 'error, of range', 'class', 'agrees', 'result', 'gas']
  const rows = [header, header.map(() => '---'), ...lines].map((cells) => `| ${cells.join(' | ')} |`)
  return [...rows, '', countsOf(outcomes)].join('\n')
}

/** A document with other text between `<!-- conformance -->` and `<!-- end of conformance -->`. Throws UsageError without them. */
export function replaceTable(document: string, text: string): string {
  const [start, end] = ['<!-- conformance -->\n', '\n<!-- end of conformance -->']
  const from = document.indexOf(start)
  const to = document.indexOf(end, from)
  if (from < 0 || to < 0) throw new UsageError(`the document has no place for the table, from ${start.trim()} on`)
  return `${document.slice(0, from + start.length)}${text}${document.slice(to)}`
}
