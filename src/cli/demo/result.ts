import { join } from 'node:path'
import type { Deployment } from '../../chain/deploy.ts'
import type { OnchainVerification } from '../../chain/verifyOnchain.ts'
import type { Compiled } from '../../pipeline/compileModel.ts'
import type { Result } from '../command.ts'
import { DEV_WARNING, describeReport } from '../describe.ts'
import { table, thousands } from '../format.ts'
import { formatSeconds } from '../progress.ts'
import { gallery, halfBlocks } from './picture.ts'

/** One digit with everything that was found about it. */
export type Digit = {
  readonly label: number
  /** Grey levels in [0, 1], row by row. */
  readonly pixels: ArrayLike<number>
  /** Class by the public signals of the proof, and by the float model. */
  readonly proved: number
  readonly float: number
  readonly seconds: number
  readonly offChain: boolean
  readonly onChain?: OnchainVerification
}

/** A lie and what the verifiers said to it. */
export type Attempt = {
  readonly what: string
  readonly offChain: Answer
  readonly onChain?: Answer
}
export type Answer = { readonly refused: boolean; readonly why: string }

export type Findings = {
  readonly digits: readonly Digit[]
  readonly attempts: readonly Attempt[]
  readonly compiled: Pick<Compiled, 'model' | 'circuit' | 'report'>
  /** Undefined where nothing was verified on a chain. */
  readonly verifier: (Deployment & { readonly codeBytes: number }) | undefined
  /** Of each phase, and altogether. */
  readonly seconds: Readonly<Record<string, number>>
  readonly total: number
  /** Folder that stays, if any. */
  readonly kept: string | undefined
}

/** Pixels in a row of a digit. */
const SIDE = 28

/** Width of text where it does not go to a terminal. */
const COLUMNS = 80

/**
 * What the demo found, as text and as JSON. The exit code is 0 only if every verifier accepted every honest proof and
 * refused every forgery.
 */
export function demoResult(found: Findings, columns = process.stdout.columns ?? COLUMNS): Result {
  const { digits, attempts, compiled, verifier, seconds, total, kept } = found
  const { rows, wires } = compiled.circuit
  const chain = verifier !== undefined
  const accepted = digits.every(({ offChain, onChain }) => offChain && (!chain || onChain?.valid === true))
  const refused = attempts.every(({ offChain, onChain }) => offChain.refused && (!chain || onChain?.refused === true))
  const pictures = digits.map(({ pixels, proved }) => ({ lines: halfBlocks(pixels, SIDE), caption: `class ${proved}` }))
  const word = (valid: boolean | undefined): string => (valid === true ? 'valid' : 'INVALID')
  const header = ['digit', 'class', 'float class', 'rows', 'time', 'off-chain', ...(chain ? ['on-chain', 'gas'] : [])]
  const cells = ({ label, proved, float, seconds: s, offChain, onChain }: Digit): string[] => [
    ...[String(label), String(proved), String(float), thousands(rows), formatSeconds(s), word(offChain)],
    ...(chain ? [word(onChain?.valid), onChain?.gasUsed === undefined ? '' : thousands(onChain.gasUsed)] : []),
  ]
  const verdict = ({ refused: good, why }: Answer): string => `${good ? 'refused' : 'ACCEPTED'}: ${why}`
  const outcome =
    accepted && refused
      ? `${digits.length} digits proved and verified, ${attempts.length} forgeries refused, in ${formatSeconds(total)}`
      : `FAILED: ${accepted ? 'a forgery was accepted' : 'an honest proof was refused'}`
  return {
    exitCode: accepted && refused ? 0 : 4,
    json: {
      schema: 'veritensor/demo@1',
      ok: accepted && refused,
      model: compiled.model.name,
      rows,
      wires,
      report: compiled.report,
      seconds: { ...seconds, total },
      digits: digits.map(({ label, proved, float, seconds: s, offChain, onChain }) => ({
        ...{ digit: label, class: proved, floatClass: float, rows, seconds: s, offChain },
        onChain: onChain?.valid ?? null,
        gas: onChain?.gasUsed === undefined ? null : Number(onChain.gasUsed),
        transaction: onChain?.transactionHash ?? null,
      })),
      forgeries: attempts.map(({ what, offChain, onChain }) => ({ what, offChain, onChain: onChain ?? null })),
      verifier: verifier
        ? { address: verifier.address, bytes: verifier.codeBytes, gas: Number(verifier.gasUsed) }
        : null,
      kept: kept ?? null,
      warning: DEV_WARNING,
    },
    text: [
      gallery(pictures, columns),
      '',
      table(header, digits.map(cells)),
      ...describeReport(compiled.report),
      '',
      'Cheating with the first digit',
      ...attempts.flatMap(({ what, offChain, onChain }) => [
        `  ${what}`,
        `    off-chain  ${verdict(offChain)}`,
        ...(onChain === undefined ? [] : [`    on-chain   ${verdict(onChain)}`]),
      ]),
      '',
      DEV_WARNING,
      outcome,
      `  ${Object.entries(seconds)
        .map(([name, s]) => `${name} ${formatSeconds(s)}`)
        .join(' · ')}`,
      ...(kept === undefined ? [] : [`  next   veritensor verify ${kept} ${join(kept, 'proofs')}`]),
    ].join('\n'),
  }
}
