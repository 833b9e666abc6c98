import type { Estimate } from '../estimate.ts'
import type { Report } from '../quantise/report.ts'
import { formatBytes } from './format.ts'
import { formatSeconds } from './progress.ts'

/** Lines that tell how far the integers are from the floats. */
export function describeReport(report: Report, what = 'calibration samples'): string[] {
  const { samples, maxError, meanError, argmaxAgreement } = report
  const agreement = argmaxAgreement === null ? '' : `, same largest output on ${(100 * argmaxAgreement).toFixed(1)} %`
  return [
    `  integers    max error ${maxError.toPrecision(3)}, mean ${meanError.toPrecision(3)} on ${samples} ${what}${agreement}`,
  ]
}

/** Lines that tell what set-up and proving will take. */
export const describeEstimate = (e: Estimate): string[] => [
  `  set-up      about ${formatSeconds(e.setupSeconds)}, ${formatBytes(e.setupBytes)} of memory, key of ${formatBytes(e.zkeyBytes)}`,
  `  proving     about ${formatSeconds(e.proveSeconds)} on one thread, ${formatBytes(e.proveBytes)} of memory`,
]
