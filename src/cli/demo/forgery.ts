import type { Proof } from '../../groth16/keys.ts'
import { firstLargest } from '../../quantise/report.ts'

/** Scores that claim another class than the proved one. */
export type ForgedClass = {
  readonly scores: readonly bigint[]
  /** The class that was proved, and the one that is claimed: the second best. */
  readonly from: number
  readonly to: number
}

/** Raises the score of the second-best class just above the best: the smallest lie that changes the class. At least two scores. */
export function forgeClass(scores: readonly bigint[]): ForgedClass {
  if (scores.length < 2) throw new RangeError('forgeClass: a class needs two scores at least')
  const from = firstLargest(scores.map(Number))
  const others = scores.map((score, i) => (i === from ? Number.NEGATIVE_INFINITY : Number(score)))
  const to = firstLargest(others)
  return { scores: scores.with(to, scores[from]! + 1n), from, to }
}

/** The proof with the lowest bit of its first word, A.x, the other way round. */
export const flipBit = (proof: Proof): Proof => ({ ...proof, a: { ...proof.a, x: proof.a.x ^ 1n } })
