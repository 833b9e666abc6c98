import { table } from '../../src/cli/format.ts'
import type { NodeResult, NodeStatus } from './checkNode.ts'

/** Least share of the tests that must agree. */
export const LEAST_AGREEING = 0.92

const statuses: readonly NodeStatus[] = ['agrees', 'disagrees', 'unsupported', 'crashed']

/** Counts of a run, and whether it is as it should be: nothing disagrees or crashes, and enough agrees. */
export type NodeSummary = Readonly<Record<NodeStatus, number>> & {
  readonly tests: number
  /** Share that agrees. */
  readonly share: number
  /** Circuits that gave the integers' outputs. */
  readonly solved: number
  /** Tests of which some inputs were fixed. */
  readonly fixed: number
  readonly passed: boolean
}

export function summarise(results: readonly NodeResult[]): NodeSummary {
  const count = (status: NodeStatus): number => results.filter((r) => r.status === status).length
  const [agrees, disagrees, unsupported, crashed] = statuses.map(count) as [number, number, number, number]
  const tests = results.length
  const share = tests === 0 ? 0 : agrees / tests
  return {
    ...{ tests, agrees, disagrees, unsupported, crashed, share },
    solved: results.filter(({ solved }) => solved === true).length,
    fixed: results.filter(({ fixed }) => fixed.length > 0).length,
    passed: disagrees + crashed === 0 && share >= LEAST_AGREEING,
  }
}

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`

/** A row an operator, then every test that does not agree with its reason, then the counts. */
export function formatNodeResults(results: readonly NodeResult[]): string {
  const byOp = new Map<string, NodeResult[]>()
  for (const result of results) for (const op of new Set(result.ops)) byOp.set(op, [...(byOp.get(op) ?? []), result])
  const rows = [...byOp].sort().map(([op, of]) => {
    const worst = of.reduce((m, { status, error }) => (status === 'agrees' ? Math.max(m, error ?? 0) : m), 0)
    const counts = statuses.map((status) => String(of.filter((r) => r.status === status).length))
    return [op, String(of.length), ...counts, percent(worst), String(of.filter((r) => r.solved).length)]
  })
  const reasons = results.flatMap(({ test, status, reason }) =>
    status === 'agrees' ? [] : [`${status}: ${test}: ${reason ?? ''}`],
  )
  const { tests, agrees, disagrees, unsupported, crashed, share, solved, fixed } = summarise(results)
  return [
    table(['operator', 'tests', ...statuses, 'worst error', 'circuits'], rows),
    ...(reasons.length === 0 ? [] : ['', ...reasons]),
    '',
    `${tests} tests: ${agrees} agree (${percent(share)}), ${disagrees} disagree, ${unsupported} unsupported, ` +
      `${crashed} crashed; ${solved} circuits solved, ${fixed} tests with inputs fixed as constants`,
  ].join('\n')
}
