import type { Builder } from '../builder.ts'
import { CircuitError } from '../error.ts'
import { Fr } from '../field.ts'
import type { LC } from '../lc.ts'
import { FULL_ROUNDS, poseidonConstants } from './poseidonConstants.ts'

/**
 * Poseidon digest of 1 to 16 field elements, equal to circomlibjs' `poseidon(inputs)` with initial state 0.
 *
 * Proves: the result is that digest. Every S-box is three products, everything else is linear.
 * Requires: BN254's scalar field. Cost: 3·(8t + R_P) - 3 rows with t = inputs + 1 (the first S-box has a constant input).
 * Source: Grassi et al., "Poseidon", eprint 2019/458, section 4.
 */
export function poseidon(cs: Builder, inputs: readonly LC[]): LC {
  if (cs.F.p !== Fr.p) throw new CircuitError('circuit/overflow', 'poseidon: only over the scalar field of BN254')
  const t = inputs.length + 1
  if (t < 2 || t > 17) throw new CircuitError('circuit/overflow', `poseidon: ${inputs.length} inputs, 1 to 16 fit`)
  const { partialRounds, roundConstants, mds } = poseidonConstants(t)
  const rounds = FULL_ROUNDS + partialRounds
  // from here on values are field elements, not integers: their ranges are dropped
  let state: LC[] = [cs.constant(0), ...inputs.map((x) => ({ ...x, range: null }))]
  for (let r = 0; r < rounds; r++) {
    const full = r < FULL_ROUNDS / 2 || r >= FULL_ROUNDS / 2 + partialRounds
    const boxed = state.map((x, i) => {
      const sum = cs.combine([
        [1, x],
        [roundConstants[r]![i]!, field(cs)],
      ])
      if (!full && i > 0) return sum
      const square = cs.mul(sum, sum)
      return cs.mul(cs.mul(square, square), sum)
    })
    state = mds.map((weights) => cs.combine(weights.map((k, j) => [k, boxed[j]!] as const)))
  }
  return state[0]!
}

/** The constant 1 as a field element without a range. */
const field = (cs: Builder): LC => ({ ...cs.ONE, range: null })
