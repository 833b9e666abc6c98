/**
 * Verifying keys as the words that contracts take and hash, G2 as x1, x0, y1, y0.
 * @module
 */
import type { VerifyingKey } from '../groth16/keys.ts'
import { g1Words, g2Words } from './calldata.ts'

/** alpha, beta, gamma: what all keys of one phase 1 share. */
export const phaseOneWords = ({ alpha, beta, gamma }: VerifyingKey): bigint[] => [
  ...g1Words(alpha),
  ...g2Words(beta),
  ...g2Words(gamma),
]

/** delta, IC: what a circuit's key adds. */
export const phaseTwoWords = ({ delta, ic }: VerifyingKey): bigint[] => [...g2Words(delta), ...ic.flatMap(g1Words)]

/** The whole key, as it is hashed. */
export const keyWords = (vk: VerifyingKey): bigint[] => [...phaseOneWords(vk), ...phaseTwoWords(vk)]
