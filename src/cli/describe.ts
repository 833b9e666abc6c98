import { availableParallelism, freemem } from 'node:os'
import type { Estimate } from '../estimate.ts'
import type { Opening } from '../pipeline/opening.ts'
import { hex, type PublicTensor } from '../pipeline/signals.ts'
import { firstLargest, type Report } from '../quantise/report.ts'
import { formatBytes, thousands } from './format.ts'
import { formatSeconds } from './progress.ts'

/** Said in every message that a development key has a part in. */
export const DEV_WARNING =
  'UNSAFE DEVELOPMENT KEY: whoever made it can forge proofs of anything. For tests only, never for value.'

/** Elements of a tensor that are printed for people. */
const SHOWN = 6

/** The first elements of a tensor. */
export const describeValues = (values: ArrayLike<number>): string =>
  Array.from(values)
    .slice(0, SHOWN)
    .map((v) => Number(v.toPrecision(4)))
    .join(' ') + (values.length > SHOWN ? ' …' : '')

/** Cells of what public signals say: the outputs, and the class of the first one. */
export function describeStatement(statement: readonly PublicTensor[]): {
  readonly outputs: string
  readonly largest: string
} {
  const outputs = statement.filter(({ kind }) => kind === 'output')
  if (outputs.length === 0) return { outputs: '(private)', largest: '' }
  const text = ({ name, values, digest }: PublicTensor): string =>
    `${outputs.length > 1 ? `${name}: ` : ''}${digest === undefined ? describeValues(values) : hex(digest)}`
  const first = outputs[0]!.values
  return { outputs: outputs.map(text).join('; '), largest: first.length > 1 ? String(firstLargest(first)) : '' }
}

/** The file of a proof's openings. */
export const openingText = (openings: readonly Opening[]): string =>
  `${JSON.stringify(
    {
      schema: 'veritensor/opening@1',
      notice: 'This file opens the commitments: whoever has it knows what they hide. Without it they cannot be opened.',
      commitments: openings.map(({ salt, digest, ...rest }) => ({
        ...rest,
        ...(salt === undefined ? {} : { salt: hex(salt) }),
        digest: hex(digest),
      })),
    },
    null,
    1,
  )}\n`

/** The same for JSON. */
export const statementJson = (statement: readonly PublicTensor[]): readonly Readonly<Record<string, unknown>>[] =>
  statement.map(({ kind, name, shape, values, digest }) => ({
    kind,
    name,
    shape,
    ...(digest === undefined ? {} : { digest: hex(digest) }),
    values: [...values],
    largest: values.length > 1 ? firstLargest(values) : null,
  }))

/** Lines that tell how far the integers are from the floats. */
export function describeReport(report: Report, what = 'calibration samples'): string[] {
  const { samples, maxError, meanError, relativeError, argmaxAgreement } = report
  if (samples === 0) return ['  integers    those of the model itself: nothing was calibrated or compared']
  const agreement = argmaxAgreement === null ? '' : `, same largest output on ${(100 * argmaxAgreement).toFixed(1)} %`
  return [
    `  integers    max error ${maxError.toPrecision(3)} (${(100 * relativeError).toPrecision(2)} % of the range), mean ${meanError.toPrecision(3)} on ${samples} ${what}${agreement}`,
  ]
}

/** Lines that tell what set-up and proving will take. */
export const describeEstimate = (e: Estimate): string[] => [
  `  set-up      about ${formatSeconds(e.setupSeconds)}, ${formatBytes(e.setupBytes)} of memory, keys of ${formatBytes(e.zkeyBytes + e.qkeyBytes)}`,
  `  proving     about ${formatSeconds(e.proveSeconds)} on one thread, ${formatBytes(e.proveBytes)} of memory`,
]

/** Work of less time is not announced. */
const LONG_SECONDS = 2

/** What is told before long work; undefined where the work is short and fits into memory. */
export function announce(what: string, rows: number, seconds: number, bytes: number): string | undefined {
  const free = process.availableMemory?.() ?? freemem()
  const tight = bytes > free ? `; only ${formatBytes(free)} are free, it may fail` : ''
  if (seconds <= LONG_SECONDS && tight === '') return undefined
  return `${what}: ${thousands(rows)} rows, about ${formatSeconds(seconds)} on ${availableParallelism()} cores, ${formatBytes(bytes)} of memory${tight}`
}
