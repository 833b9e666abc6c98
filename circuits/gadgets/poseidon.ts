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
  const one = field(cs)
  const box = (x: LC, constant: bigint): LC => {
    const sum = cs.combine([
      [1, x],
      [constant, one],
    ])
    const square = cs.mul(sum, sum)
    return cs.mul(cs.mul(square, square), sum)
  }
  const boxAll = (state: readonly LC[], r: number): LC[] => state.map((x, i) => box(x, roundConstants[r]![i]!))
  const mix = (boxed: readonly LC[]): LC[] =>
    mds.map((weights) => cs.combine(weights.map((k, j) => [k, boxed[j]!] as const)))
  const half = FULL_ROUNDS / 2
  // from here on values are field elements, not integers: their ranges are dropped
  let state: LC[] = [cs.constant(0), ...inputs.map((x) => ({ ...x, range: null }))]
  for (let r = 0; r < half - 1; r++) state = mix(boxAll(state, r))
  const boxed = boxAll(state, half - 1)
  // all that the partial rounds make is a combination of these and of their own S-boxes
  const linear = partialRoundsOf(t)
  const heads: LC[] = []
  const sumOf = (r: number, i: number, constant: bigint): LC =>
    cs.combine([
      ...boxed.map((x, j) => [linear.start[r]![i]![j]!, x] as const),
      ...heads.map((x, k) => [linear.responses[r - 1 - k]![i]!, x] as const),
      [constant, one],
    ])
  for (let r = 0; r < partialRounds; r++)
    heads.push(box(sumOf(r, 0, linear.constants[r]![0]!), roundConstants[half + r]![0]!))
  state = indices(t).map((i) => sumOf(partialRounds, i, linear.constants[partialRounds]![i]!))
  for (let r = half + partialRounds; r < FULL_ROUNDS + partialRounds; r++) state = mix(boxAll(state, r))
  return state[0]!
}

/** The constant 1 as a field element without a range. */
const field = (cs: Builder): LC => ({ ...cs.ONE, range: null })

const indices = (n: number): number[] => Array.from({ length: n }, (_, i) => i)

/**
 * The state before partial round r, and after the last one, as a combination: Σ_j start[r][i][j] · (S-box j of the full round
 * before) + Σ_k responses[r-1-k][i] · (S-box of partial round k) + constants[r][i]. Of rounds before the last only i = 0 is there.
 */
type PartialRounds = {
  readonly start: readonly (readonly (readonly bigint[])[])[]
  readonly responses: readonly (readonly bigint[])[]
  readonly constants: readonly (readonly bigint[])[]
}

const cache = new Map<number, PartialRounds>()

/**
 * With P the matrix that forgets element 0 and A = M·P, a partial round takes the state s to A·(s + c) + M·e₀·box(s₀ + c₀), and
 * the first of them begins with M times the S-boxes of the full round before. Written out round by round, each element would
 * be combined anew from all others.
 */
function partialRoundsOf(t: number): PartialRounds {
  const known = cache.get(t)
  if (known !== undefined) return known
  const { partialRounds, roundConstants, mds } = poseidonConstants(t)
  const dot = (a: readonly bigint[], b: readonly bigint[]): bigint =>
    Fr.mod(a.reduce((sum, k, i) => sum + k * b[i]!, 0n))
  const forget = ([, ...rest]: readonly bigint[]): bigint[] => [0n, ...rest]
  const times = (v: readonly bigint[]): bigint[] => mds.map((row) => dot(row, v))
  const column = (j: number): bigint[] => mds.map((row) => row[j]!)
  const columns = indices(t).map(column)
  const start: bigint[][][] = []
  // the first row of A^r, then of A^r·M
  let row: bigint[] = indices(t).map((i) => (i === 0 ? 1n : 0n))
  const constants = [new Array<bigint>(t).fill(0n)]
  const responses = [column(0)]
  for (let r = 0; r < partialRounds; r++) {
    start.push([columns.map((of) => dot(row, of))])
    row = forget(columns.map((of) => dot(row, of)))
    const before = constants[r]!.map((c, i) => c + roundConstants[FULL_ROUNDS / 2 + r]![i]!)
    constants.push(times(forget(before)))
    responses.push(times(forget(responses[r]!)))
  }
  // A^R·M, column by column
  const last = columns.map((of) => indices(partialRounds).reduce((v) => times(forget(v)), of))
  start.push(indices(t).map((i) => last.map((of) => of[i]!)))
  const made = { start, responses, constants }
  cache.set(t, made)
  return made
}
