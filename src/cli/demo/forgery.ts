import { R } from '../../groth16/bn254.ts'
import type { Proof } from '../../groth16/keys.ts'
import { firstLargest } from '../../quantise/report.ts'

/** Public signals that claim another class than the proved one. */
export type ForgedClass = {
  readonly publicSignals: readonly bigint[]
  /** The class that was proved, and the one that is claimed: the second best. */
  readonly from: number
  readonly to: number
}

const signed = (signal: bigint): bigint => (signal > R / 2n ? signal - R : signal)

/**
 * Raises the signal of the second-best class just above the best: the smallest lie that changes the class. All signals must
 * be the scores of classes, two at least, as residues of small integers.
 */
export function forgeClass(publicSignals: readonly bigint[]): ForgedClass {
  if (publicSignals.length < 2) throw new RangeError('forgeClass: a class needs two scores at least')
  const scores = publicSignals.map(signed)
  const from = firstLargest(scores.map(Number))
  const others = scores.map((score, i) => (i === from ? Number.NEGATIVE_INFINITY : Number(score)))
  const to = firstLargest(others)
  const raised = scores[from]! + 1n
  return { publicSignals: publicSignals.with(to, ((raised % R) + R) % R), from, to }
}

/** The proof with the lowest bit of its first word, A.x, the other way round. */
export const flipBit = (proof: Proof): Proof => ({ ...proof, a: { ...proof.a, x: proof.a.x ^ 1n } })
