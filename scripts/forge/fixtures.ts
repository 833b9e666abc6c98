/**
 * Sources that forge's tests need and that are generated: verifiers of keys whose secrets the tests know
 * (verifier-contracts/test/support/Simulator.sol), snarkjs' contracts for the same keys, and vectors of the codec and of
 * challenges. They go to verifier-contracts/test/generated, which is not committed: snarkjs' template is its own.
 * @module
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { hexlify, id } from 'ethers'
import { compressedLength, elementBytes, encodeTensors, type TensorForm } from '../../circuits/compression.ts'
import { R } from '../../src/groth16/bn254.ts'
import type { VerifyingKey } from '../../src/groth16/keys.ts'
import { packageRoot } from '../../src/packageRoot.ts'
import { challengeOf } from '../../src/solidity/compression.ts'
import { generateVerifier, MAX_INPUTS_IN_CODE, type VerifierOptions } from '../../src/solidity/verifier.ts'
import { randomBetween } from '../../test/support/lies.ts'
import { seeded } from '../../test/support/random.ts'
import { simulatedKey, snarkjsVerifier } from '../support/simulator.ts'

export const GENERATED = join(packageRoot, 'verifier-contracts', 'test', 'generated')

const options = (contractName: string, more: Partial<VerifierOptions> = {}): VerifierOptions => ({
  contractName,
  modelName: 'simulated',
  modelDigest: '11'.repeat(32),
  circuitDigest: '22'.repeat(32),
  ...more,
})

/** Sources by file name: one for each number of inputs that the tests use, and one for each form. */
function verifiers(): Record<string, string> {
  const sources: Record<string, string> = {}
  const put = (name: string, vk: VerifyingKey, more: Partial<VerifierOptions> = {}): void => {
    sources[`${name}.sol`] = generateVerifier(vk, options(name, more))
  }
  for (const n of [1, 3, 8, 9, 100, MAX_INPUTS_IN_CODE]) put(`Verifier${n}`, simulatedKey(n, 1))
  put('DevVerifier3', { ...simulatedKey(3, 1), dev: true })
  put('SlowChainVerifier3', simulatedKey(3, 1), { precompileGasFactor: 10 })
  put('CompressedVerifier', simulatedKey(3, 1), { compressedBytes: 814 })
  put('CommittedVerifier', simulatedKey(5, 1), { compressedBytes: 33 })
  put('DevCompressedVerifier', { ...simulatedKey(3, 1), dev: true }, { compressedBytes: 814 })
  sources['SnarkjsVerifier3.sol'] = snarkjsVerifier(simulatedKey(3, 1), 'SnarkjsVerifier3')
  // keys that ours refuse: phase 2 skipped (delta = gamma), and an input that is not bound
  sources['SnarkjsSkipped3.sol'] = snarkjsVerifier(simulatedKey(3, 1, 11n), 'SnarkjsSkipped3')
  const unbound = simulatedKey(3, 1)
  sources['SnarkjsUnbound3.sol'] = snarkjsVerifier(
    { ...unbound, ic: unbound.ic.with(2, { x: 0n, y: 0n }) },
    'SnarkjsUnbound3',
  )
  return sources
}

const literal = (bytes: Uint8Array): string => `hex"${hexlify(bytes).slice(2)}"`

/** Tensors with their bytes, and challenges, as TypeScript has them. */
function vectors(): string {
  const random = seeded(77)
  const form = (): TensorForm => {
    const lo = -random.integer(0, 2 ** random.integer(1, 45))
    return { count: random.integer(1, 20), lo, hi: lo + random.integer(0, 2 ** random.integer(1, 45)) }
  }
  const codec = Array.from({ length: 40 }, () => {
    const f = form()
    const values = Array.from({ length: f.count }, () => random.integer(f.lo, f.hi))
    return { f, values, bytes: encodeTensors([f], [values]), width: elementBytes(f), length: compressedLength([f]) }
  })
  const challenges = Array.from({ length: 24 }, (_, i) => {
    const x = Uint8Array.from({ length: i < 4 ? 31 * (i + 1) : random.integer(1, 200) }, () => random.integer(0, 255))
    const y = randomBetween(random, 0n, R - 1n)
    const [vkHash, ctx] = [id(`key ${i}`), id(`context ${i}`)]
    const destination = { chainId: BigInt(i), contract: `0x${(i + 1).toString(16).padStart(40, '0')}`, ctx }
    return { x, y, vkHash, ...destination, ...challengeOf(vkHash, destination, y, x) }
  })
  const codecCase = ({ f, values, bytes, width, length }: (typeof codec)[number], i: number): string => `
        if (i == ${i}) {
            int256[${values.length}] memory v = [${values.map((v, k) => (k === 0 ? `int256(${v})` : v)).join(', ')}];
            return (abi.encode(v), ${f.lo}, ${f.hi}, ${width}, ${literal(bytes)}, ${length});
        }`
  const challengeCase = (c: (typeof challenges)[number], i: number): string => `
        if (i == ${i}) {
            return Challenge(
                ${c.vkHash}, ${c.chainId}, address(uint160(${BigInt(c.contract)})), ${c.ctx}, ${c.y}, ${literal(c.x)}, ${c.r}, ${c.e}
            );
        }`
  return `// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

/// @dev Made by TypeScript.
library Vectors {
    uint256 internal constant CODEC = ${codec.length};
    uint256 internal constant CHALLENGES = ${challenges.length};

    struct Challenge {
        bytes32 vkHash;
        uint256 chainId;
        address verifier;
        bytes32 ctx;
        uint256 y;
        bytes x;
        uint256 r;
        uint256 e;
    }

    /// @dev Elements as words one after the other, bounds, width, bytes, number of bytes.
    function codec(uint256 i)
        internal
        pure
        returns (bytes memory elements, int256 lo, int256 hi, uint256 width, bytes memory data, uint256 length)
    {${codec.map(codecCase).join('')}
        revert("no such vector");
    }

    function challenge(uint256 i) internal pure returns (Challenge memory) {${challenges.map(challengeCase).join('')}
        revert("no such vector");
    }
}
`
}

/** Writes all of them. Files that did not change are left alone, so that forge need not compile them again. */
export function writeFixtures(folder = GENERATED): void {
  const wanted: Record<string, string> = { ...verifiers(), 'Vectors.sol': vectors() }
  mkdirSync(folder, { recursive: true })
  for (const [file, text] of Object.entries(wanted)) {
    const path = join(folder, file)
    let before: string | undefined
    try {
      before = readFileSync(path, 'utf8')
    } catch {
      before = undefined
    }
    if (before !== text) writeFileSync(path, text)
  }
}
