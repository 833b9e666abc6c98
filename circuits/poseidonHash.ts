import { CircuitError } from './error.ts'
import { Fr } from './field.ts'
import { FULL_ROUNDS, poseidonConstants } from './gadgets/poseidonConstants.ts'

/**
 * Poseidon digest of 1 to 16 integers as residues of BN254's scalar field, in [0, r): the twin of the gadget `poseidon`, and
 * equal to circomlibjs' `poseidon(inputs)` with initial state 0.
 *
 * Throws CircuitError `circuit/overflow` for another number of inputs.
 * Source: Grassi et al., "Poseidon", eprint 2019/458, section 4.
 */
export function poseidonHash(inputs: readonly bigint[]): bigint {
  const t = inputs.length + 1
  if (t < 2 || t > 17) throw new CircuitError('circuit/overflow', `poseidonHash: ${inputs.length} inputs, 1 to 16 fit`)
  const { p } = Fr
  const { partialRounds, roundConstants, mds } = poseidonConstants(t)
  const fifthPower = (x: bigint): bigint => {
    const square = (x * x) % p
    return (((square * square) % p) * x) % p
  }
  let state = [0n, ...inputs.map(Fr.mod)]
  for (let r = 0; r < FULL_ROUNDS + partialRounds; r++) {
    const full = r < FULL_ROUNDS / 2 || r >= FULL_ROUNDS / 2 + partialRounds
    const boxed = state.map((x, i) => {
      const sum = (x + roundConstants[r]![i]!) % p
      return full || i === 0 ? fifthPower(sum) : sum
    })
    state = mds.map((weights) => weights.reduce((sum, k, j) => sum + k * boxed[j]!, 0n) % p)
  }
  return state[0]!
}
