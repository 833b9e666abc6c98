/**
 * The pitfalls of verifiers on chain that concern the generator rather than its contracts; the others are in
 * verifier-contracts/test/Pitfalls.t.sol.
 */
import { expect, test } from 'vitest'
import { simulatedKey, snarkjsVerifier } from '../../scripts/support/simulator.ts'
import { KeyError, type VerifyingKey } from '../../src/groth16/keys.ts'
import { generateVerifier } from '../../src/solidity/verifier.ts'
import { options } from './fixtures.ts'

const vk = simulatedKey(3, 1)
const keyErrorOf = (change: Partial<VerifyingKey>): string => {
  try {
    generateVerifier({ ...vk, ...change }, options)
  } catch (error) {
    if (error instanceof KeyError) return error.code
    throw error
  }
  return 'generated'
}

test('4, 5: keys under which statements can be forged, or that bind too little, get no contract; from snarkjs they do', () => {
  const unsafe: Partial<VerifyingKey>[] = [
    { delta: vk.gamma },
    { delta: vk.beta },
    { ic: vk.ic.with(2, { x: 0n, y: 0n }) },
    { ic: vk.ic.with(2, vk.ic[1]!) },
  ]
  for (const change of unsafe) {
    expect(keyErrorOf(change)).toBe('key/unsafe')
    expect(snarkjsVerifier({ ...vk, ...change }, 'Theirs')).toContain('function verifyProof(')
  }
  expect(keyErrorOf({})).toBe('generated')
})

test('10: a development key is told of in the contract, which looks at the chain; from snarkjs it is not', () => {
  expect(generateVerifier({ ...vk, dev: true }, options)).toMatch(/revert UnsafeDevelopmentKey\(block\.chainid\)/)
  expect(snarkjsVerifier({ ...vk, dev: true }, 'Theirs')).not.toMatch(/chainid/)
})

test('13: what is generated is MIT; snarkjs’ template is GPL-3.0', () => {
  for (const more of [{}, { compressedBytes: 9 }])
    expect(generateVerifier(vk, { ...options, ...more })).toMatch(/^\/\/ SPDX-License-Identifier: MIT\n/)
  expect(snarkjsVerifier(vk, 'Theirs')).toMatch(/SPDX-License-Identifier: GPL-3\.0/)
})
