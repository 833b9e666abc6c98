/**
 * Proofs as the EVM wants them: words of 32 bytes, G2 coordinates with the coefficient of u (c1) before c0.
 * @module
 */
import { VeritensorError } from '../errors.ts'
import { Q, R } from '../groth16/bn254.ts'
import type { G1, G2, Proof } from '../groth16/keys.ts'

/** A.x, A.y, B.x1, B.x0, B.y1, B.y0, C.x, C.y. */
export type ProofWords = readonly [bigint, bigint, bigint, bigint, bigint, bigint, bigint, bigint]

type Pair = readonly [bigint, bigint]

/** The arguments `a, b, c` in the order that snarkjs' verifiers take them. */
export type ProofArguments = readonly [a: Pair, b: readonly [Pair, Pair], c: Pair]

/** A proof or a public signal does not fit into the words that a verifier takes. */
export class CalldataRangeError extends VeritensorError {
  constructor(what: string, value: unknown, limit: 'q' | 'r') {
    super('proof/out-of-range', `${what} is ${shown(value)}, not an integer in [0, ${limit})`, {
      details: { what, value: shown(value), limit },
      fix: 'A verifier refuses such a value; prove again and pass the proof and its public signals unchanged.',
    })
  }
}

const shown = (value: unknown): string => {
  const text = typeof value === 'bigint' ? String(value) : `${typeof value} ${String(value)}`
  return text.length > 90 ? `${text.slice(0, 90)}…` : text
}

/** A point of G1 as its words x, y. */
export const g1Words = ({ x, y }: G1): [bigint, bigint] => [x, y]

/** A point of G2 as its words x1, x0, y1, y0. */
export const g2Words = ({ x, y }: G2): [bigint, bigint, bigint, bigint] => [x[1], x[0], y[1], y[0]]

/**
 * The eight words of `verifyProof(uint256[8] proof, uint256[n] input)`.
 * @throws CalldataRangeError if a coordinate is outside [0, q), where the contract would answer false.
 */
export function proofWords(proof: Proof): ProofWords {
  const words = [...g1Words(proof.a), ...g2Words(proof.b), ...g1Words(proof.c)]
  const names = ['A.x', 'A.y', 'B.x1', 'B.x0', 'B.y1', 'B.y0', 'C.x', 'C.y']
  words.forEach((word, i) => {
    if (typeof word !== 'bigint' || word < 0n || word >= Q)
      throw new CalldataRangeError(`proof word ${names[i]}`, word, 'q')
  })
  return words as unknown as ProofWords
}

/**
 * The first three arguments of `verifyProof(uint256[2] a, uint256[2][2] b, uint256[2] c, uint256[n] input)`.
 * @throws CalldataRangeError as {@link proofWords}.
 */
export function proofArguments(proof: Proof): ProofArguments {
  const [ax, ay, bx1, bx0, by1, by0, cx, cy] = proofWords(proof)
  return [
    [ax, ay],
    [
      [bx1, bx0],
      [by1, by0],
    ],
    [cx, cy],
  ]
}

/**
 * Public signals as the words of the last argument; the contract's `input` has the same order.
 * @throws CalldataRangeError if one is outside [0, r).
 */
export function inputWords(publicSignals: readonly bigint[]): bigint[] {
  return publicSignals.map((value, i) => {
    if (typeof value !== 'bigint' || value < 0n || value >= R)
      throw new CalldataRangeError(`public signal ${i}`, value, 'r')
    return value
  })
}

/** One word as `0x` and 64 hexadecimal digits. */
export const wordHex = (word: bigint): string => `0x${word.toString(16).padStart(64, '0')}`
