import { randomBytes } from 'node:crypto'
import { R } from '../groth16/bn254.ts'

/** A uniform element of [0, r) from the system's generator. */
export function randomSalt(): bigint {
  for (;;) {
    const bits = BigInt(`0x${randomBytes(32).toString('hex')}`) >> 2n
    // three of four are below r
    if (bits < R) return bits
  }
}
