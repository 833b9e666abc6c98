/**
 * Groth16 keys with known secrets, and proofs of any statement under them: with the secrets, C can be solved for. The same keys
 * as verifier-contracts/test/support/Simulator.sol. And snarkjs' contract for any key, for comparison.
 * @module
 */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { bn254 } from '@noble/curves/bn254.js'
import { AbiCoder, id, keccak256 } from 'ethers'
import { Fr } from '../../circuits/field.ts'
import { R } from '../../src/groth16/bn254.ts'
import { encodeVerifyingKey, type G1, type G2, type Proof, type VerifyingKey } from '../../src/groth16/keys.ts'

const coder = AbiCoder.defaultAbiCoder()
const [ALPHA, BETA, GAMMA] = [BigInt(id('alpha')) % R, 7n, 11n]

const g1 = (k: bigint): G1 => {
  const { x, y } = bn254.G1.Point.BASE.multiply(k).toAffine()
  return { x, y }
}
const g2 = (k: bigint): G2 => {
  const { x, y } = bn254.G2.Point.BASE.multiply(k).toAffine()
  return { x: [x.c0, x.c1], y: [y.c0, y.c1] }
}
const icOf = (salt: number, i: number): bigint => BigInt(keccak256(coder.encode(['uint256', 'uint256'], [salt, i]))) % R

/** A key of n public signals; all have the same alpha, beta and gamma. */
export const simulatedKey = (nPublic: number, salt: number, delta = 13n): VerifyingKey => ({
  nPublic,
  alpha: g1(ALPHA),
  beta: g2(BETA),
  gamma: g2(GAMMA),
  delta: g2(delta),
  ic: Array.from({ length: nPublic + 1 }, (_, i) => g1(icOf(salt, i))),
  dev: false,
})

/** A proof for signals under that key; another one for every seed. */
export function simulateProof(salt: number, signals: readonly bigint[], seed = 1, delta = 13n): Proof {
  const [a, b] = [BigInt(id(`a${seed}`)) % R, BigInt(id(`b${seed}`)) % R]
  const x = signals.reduce((sum, signal, i) => Fr.add(sum, Fr.mul(signal, icOf(salt, i + 1))), icOf(salt, 0))
  const c = Fr.mul(Fr.mod(a * b - ALPHA * BETA - GAMMA * x), Fr.inv(delta))
  return { a: g1(a), b: g2(b), c: g1(c) }
}

/** snarkjs' contract for a key, from the template in its package. Keys with IC at infinity render as well. */
export function snarkjsVerifier(vk: VerifyingKey, name: string): string {
  const require = createRequire(import.meta.url)
  const snarkjs = require.resolve('snarkjs')
  const ejs = createRequire(snarkjs)('ejs') as { render(template: string, key: unknown): string }
  const template = readFileSync(join(dirname(snarkjs), '..', 'templates', 'verifier_groth16.sol.ejs'), 'utf8')
  return ejs.render(template, encodeVerifyingKey(vk)).replace('contract Groth16Verifier', `contract ${name}`)
}
