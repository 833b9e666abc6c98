import { describe, expect, it } from 'vitest'
import { Q, R } from '../../src/groth16/bn254.ts'
import type { Proof } from '../../src/groth16/keys.ts'
import { CalldataRangeError, inputWords, proofArguments, proofWords, wordHex } from '../../src/solidity/calldata.ts'

const proof: Proof = { a: { x: 1n, y: 2n }, b: { x: [3n, 4n], y: [5n, 6n] }, c: { x: 7n, y: 8n } }

describe('proof words', () => {
  it('put the coefficient of u first', () => {
    expect(proofWords(proof)).toEqual([1n, 2n, 4n, 3n, 6n, 5n, 7n, 8n])
    expect(proofArguments(proof)).toEqual([
      [1n, 2n],
      [
        [4n, 3n],
        [6n, 5n],
      ],
      [7n, 8n],
    ])
  })

  it.each([
    ['A.y', { ...proof, a: { x: 1n, y: Q } }],
    ['B.x1', { ...proof, b: { x: [3n, -1n], y: [5n, 6n] } }],
    ['B.y0', { ...proof, b: { x: [3n, 4n], y: [1n << 256n, 6n] } }],
    ['C.x', { ...proof, c: { x: '7' as unknown as bigint, y: 8n } }],
  ] as [string, Proof][])('outside [0, q) are refused by name: %s', (name, bad) => {
    expect(() => proofWords(bad)).toThrow(CalldataRangeError)
    expect(() => proofArguments(bad)).toThrow(name)
  })
})

describe('input words', () => {
  it('are the public signals, each in [0, r)', () => {
    expect(inputWords([0n, R - 1n])).toEqual([0n, R - 1n])
    for (const bad of [-1n, R, Q, 1.5 as unknown as bigint, null as unknown as bigint])
      expect(() => inputWords([0n, bad])).toThrow(/public signal 1 .*\[0, r\)/)
  })

  it('have 64 digits in hexadecimal', () => {
    expect(wordHex(255n)).toBe(`0x${'0'.repeat(62)}ff`)
  })
})
