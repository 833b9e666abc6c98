import { createRandom } from '../training/random.ts'
import { type Mutant, mutate } from './mutate.ts'
import type { Target } from './target.ts'

/** Mutant k of a seed: which of the targets it is one of, its bytes, and what was done. */
export function drawMutant(targets: readonly Target[], seed: number, k: number): Mutant & { readonly of: number } {
  // neighbours differ in all bits of the state, as the generator mixes its seed
  const random = createRandom(seed * 1_000_003 + k)
  const of = k % targets.length
  const other = targets[random.below(targets.length)]!
  return { of, ...mutate(targets[of]!.onnx, other.onnx, random) }
}
