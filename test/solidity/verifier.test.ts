import { readFileSync } from 'node:fs'
import type { Contract } from 'ethers'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { simulatedKey } from '../../scripts/support/simulator.ts'
import { VeritensorError } from '../../src/errors.ts'
import { Q, R } from '../../src/groth16/bn254.ts'
import type { G2, Proof, VerifyingKey } from '../../src/groth16/keys.ts'
import { proofArguments, proofWords } from '../../src/solidity/calldata.ts'
import { type CompiledContract, compileContract, compileSolidity, MAX_CODE_BYTES } from '../../src/solidity/compile.ts'
import { generateVerifierTest } from '../../src/solidity/fixtureTest.ts'
import {
  generateVerifier,
  MAX_COMPRESSED_INPUTS,
  MAX_INPUTS_IN_CODE,
  MAX_PUBLIC_INPUTS,
  requiredGas,
  type VerifierOptions,
  verifyingKeyDigest,
} from '../../src/solidity/verifier.ts'
import { type Fixture, makeFixtures, options } from './fixtures.ts'
import { type Lab, startLab } from './lab.ts'

const SIZES = [1, 3, 10, 100]
const wordsForm = (n: number): string => `verifyProof(uint256[8],uint256[${n}])`
const pointsForm = (n: number): string => `verifyProof(uint256[2],uint256[2][2],uint256[2],uint256[${n}])`
const listForm = 'verify(uint256[8],uint256[])'
const theirForm = pointsForm
const codeOf = (action: () => unknown): string | undefined => {
  try {
    action()
  } catch (error) {
    return error instanceof VeritensorError ? error.code : String(error)
  }
  return undefined
}

let fixtures: Record<number, Fixture>
let lab: Lab
const ours: Record<number, Contract> = {}
const theirs: Record<number, Contract> = {}

beforeAll(async () => {
  ;[fixtures, lab] = await Promise.all([makeFixtures({ sizes: SIZES, simulate: [MAX_INPUTS_IN_CODE] }), startLab()])
  for (const n of SIZES) {
    ours[n] = await lab.deploy(await compileContract(generateVerifier(fixtures[n]!.vk, options), 'Verifier'))
    theirs[n] = await lab.deploy(await compileContract(fixtures[n]!.theirs, 'Groth16Verifier'))
  }
})
afterAll(() => lab.stop())

/** The three entry points, each as a question about any words. */
const forms = (
  n: number,
): ((words: readonly bigint[], inputs: readonly bigint[], gas?: number) => Promise<unknown>)[] => [
  (w, x, gas) => lab.ask(ours[n]!, wordsForm(n), [w, x], gas),
  (w, x, gas) => lab.ask(ours[n]!, pointsForm(n), [...split(w), x], gas),
  (w, x, gas) => lab.ask(ours[n]!, listForm, [w, x], gas),
]
const split = (w: readonly bigint[]): unknown[] => [
  [w[0], w[1]],
  [
    [w[2], w[3]],
    [w[4], w[5]],
  ],
  [w[6], w[7]],
]

describe('honest proofs', () => {
  it.each(SIZES)('are accepted in every form of the call, n = %i', async (n) => {
    const { proof, publicSignals } = fixtures[n]!
    for (const ask of forms(n)) expect(await ask(proofWords(proof), publicSignals)).toBe(true)
    expect(await lab.ask(ours[n]!, pointsForm(n), [...proofArguments(proof), publicSignals])).toBe(true)
  })

  it('are accepted with the largest key in the code', async () => {
    const n = MAX_INPUTS_IN_CODE
    const { vk, proof, publicSignals } = fixtures[n]!
    const contract = await lab.deploy(await compileContract(generateVerifier(vk, options), 'Verifier'))
    const words = proofWords(proof)
    expect(await lab.ask(contract, wordsForm(n), [words, publicSignals])).toBe(true)
    const last = publicSignals.with(n - 1, publicSignals[n - 1]! ^ 1n)
    expect(await lab.ask(contract, wordsForm(n), [words, last])).toBe(false)
    // gas: just enough is enough, and the smallest amount that gets past the guard already answers true
    expect(await thresholdAnswers(contract, wordsForm(n), [words, publicSignals], n)).toEqual(['InsufficientGas', true])
  })
})

describe('changed words', () => {
  it.each([3, 10])('every bit class of every proof word and input is refused, n = %i', async (n) => {
    const { proof, publicSignals } = fixtures[n]!
    const words = proofWords(proof)
    for (const bit of [0n, 1n, 128n, 253n, 254n, 255n]) {
      for (const [i, word] of words.entries())
        for (const ask of forms(n))
          expect(await ask(words.with(i, word ^ (1n << bit)), publicSignals), `word ${i}, bit ${bit}`).toBe(false)
      for (const [i, value] of publicSignals.entries())
        for (const ask of forms(n))
          expect(await ask(words, publicSignals.with(i, value ^ (1n << bit))), `input ${i}, bit ${bit}`).toBe(false)
    }
  })

  it.each([3, 10])('an input with r or q added is refused (pitfall 1), n = %i', async (n) => {
    const { proof, publicSignals } = fixtures[n]!
    for (const [i, value] of publicSignals.entries())
      for (const other of [value + R, value + Q, value + 2n * R, R, (1n << 256n) - 1n])
        for (const ask of forms(n)) expect(await ask(proofWords(proof), publicSignals.with(i, other))).toBe(false)
  })

  it('a proof word with q added is refused', async () => {
    const { proof, publicSignals } = fixtures[3]!
    const words = proofWords(proof)
    for (const [i, word] of words.entries())
      for (const ask of forms(3)) expect(await ask(words.with(i, word + Q), publicSignals)).toBe(false)
  })

  it('random words, points at infinity and generators are refused', async () => {
    const { proof, publicSignals, vk } = fixtures[3]!
    const [ask] = forms(3)
    const word = fc.bigInt({ min: 0n, max: (1n << 256n) - 1n })
    await fc.assert(
      fc.asyncProperty(fc.array(word, { minLength: 8, maxLength: 8 }), async (words) => {
        expect(await ask!(words, publicSignals)).toBe(false)
      }),
      { seed: 4, numRuns: 50 },
    )
    const honest = proofWords(proof)
    const infinity = (at: number[]): bigint[] => honest.map((w, i) => (at.includes(i) ? 0n : w))
    for (const at of [
      [0, 1],
      [2, 3, 4, 5],
      [6, 7],
      [0, 1, 2, 3, 4, 5, 6, 7],
    ])
      expect(await ask!(infinity(at), publicSignals)).toBe(false)
    expect(await ask!([1n, 2n, ...honest.slice(2)], publicSignals)).toBe(false) // A.x = 1 must not pass for an answer
    const trivial: Proof = { a: vk.alpha, b: vk.beta, c: vk.ic[0]! }
    expect(await ask!(proofWords(trivial), publicSignals)).toBe(false)
  })

  it('with A.x = 1, a failing precompile does not leave a 1 behind that counts as its answer', async () => {
    const { publicSignals } = fixtures[3]!
    for (const ask of forms(3)) expect(await ask([1n, 5n, 1n, 1n, 1n, 1n, 1n, 1n], publicSignals)).toBe(false)
  })

  it('a list of another length is refused by name', async () => {
    const { proof, publicSignals } = fixtures[3]!
    for (const list of [[], publicSignals.slice(1), [...publicSignals, 0n]])
      expect(await lab.ask(ours[3]!, listForm, [proofWords(proof), list])).toBe('WrongInputCount')
  })
})

/** Answers just below and just above the gas limit where the guard gives way, found by bisection. */
async function thresholdAnswers(contract: Contract, signature: string, args: readonly unknown[], n: number) {
  let [low, high] = [21_000, 21_000 + 2 * requiredGas(n) + 200_000]
  while (high - low > 1) {
    const middle = (low + high) >> 1
    const answer = await lab.ask(contract, signature, args, middle)
    if (answer === true || answer === false) high = middle
    else low = middle
  }
  return [await lab.ask(contract, signature, args, low), await lab.ask(contract, signature, args, high)]
}

describe('pitfalls, and whether snarkjs 0.7.6 avoids them', () => {
  it('1: neither accepts an aliased input', async () => {
    const { proof, publicSignals } = fixtures[3]!
    const other = publicSignals.with(0, publicSignals[0]! + R)
    expect(await lab.ask(theirs[3]!, theirForm(3), [...proofArguments(proof), other])).toBe(false)
    expect(await forms(3)[1]!(proofWords(proof), other)).toBe(false)
  })

  it('2: A.y - q modulo 2²⁵⁶ is accepted by theirs, refused by ours', async () => {
    const { proof, publicSignals } = fixtures[3]!
    const words = proofWords(proof)
    const wrapped = words.with(1, BigInt.asUintN(256, words[1]! - Q))
    expect(await lab.ask(theirs[3]!, theirForm(3), [...split(wrapped), publicSignals])).toBe(true)
    for (const ask of forms(3)) expect(await ask(wrapped, publicSignals)).toBe(false)
  })

  it('4: a key without phase 2 verifies a forged proof in theirs; ours refuses to be generated', async () => {
    const { skippedVk, skippedTheirs } = fixtures[3]!
    expect(codeOf(() => generateVerifier(skippedVk, options))).toMatch(/^key\//)
    // A = alpha, B = beta, C = -X holds for any inputs when gamma = delta. Inputs of zero: X = IC_0.
    const open = await lab.deploy(await compileContract(skippedTheirs, 'Groth16Verifier'))
    const { alpha, beta, ic } = skippedVk
    const forged: Proof = { a: alpha, b: beta, c: { x: ic[0]!.x, y: Q - ic[0]!.y } }
    expect(await lab.ask(open, theirForm(3), [...proofArguments(forged), [0n, 0n, 0n]])).toBe(true)
    for (const ask of forms(3)) expect(await ask(proofWords(forged), [0n, 0n, 0n])).toBe(false)
  })

  it('6: short of gas theirs answers false for a valid proof; ours reverts, and never answers false', async () => {
    const { proof, publicSignals } = fixtures[3]!
    const theirAnswers = new Set<unknown>()
    for (let gas = 40_000; gas < 270_000; gas += 10_000) {
      theirAnswers.add(await lab.ask(theirs[3]!, theirForm(3), [...proofArguments(proof), publicSignals], gas))
      for (const ask of forms(3)) expect(await ask(proofWords(proof), publicSignals, gas)).not.toBe(false)
    }
    expect(theirAnswers).toContain(false)
    expect(await forms(3)[0]!(proofWords(proof), publicSignals, 100_000)).toBe('InsufficientGas')
  })

  it.each(SIZES)('6: at the very limit of the guard ours answers true, n = %i', async (n) => {
    const { proof, publicSignals } = fixtures[n]!
    for (const [signature, args] of [
      [wordsForm(n), [proofWords(proof), publicSignals]],
      [pointsForm(n), [...proofArguments(proof), publicSignals]],
      [listForm, [proofWords(proof), publicSignals]],
    ] as const)
      expect(await thresholdAnswers(ours[n]!, signature, args, n)).toEqual(['InsufficientGas', true])
  })

  it('7: a point off the curve burns all gas in theirs, a bounded amount in ours', async () => {
    const { proof, publicSignals } = fixtures[3]!
    const off = proofWords(proof).with(0, 5n)
    const limit = 10_000_000
    const burnt = await lab.measure(theirs[3]!, theirForm(3), [...split(off), publicSignals], limit)
    expect(burnt.tx).toBeGreaterThan(9_000_000)
    for (const [signature, args] of [
      [wordsForm(3), [off, publicSignals]],
      [pointsForm(3), [...split(off), publicSignals]],
      [listForm, [off, publicSignals]],
    ] as const)
      expect((await lab.measure(ours[3]!, signature, args, limit)).tx).toBeLessThan(440_000)
  })

  it('8: inherited, theirs leaves the outer function; ours returns into it', async () => {
    const { vk, proof, publicSignals, theirs: theirSource } = fixtures[3]!
    const child = (base: string): string => `
contract Child is ${base} {
    uint256 public paid;
    function claim(uint256[2] calldata a, uint256[2][2] calldata b, uint256[2] calldata c, uint256[3] calldata x)
        external
        returns (uint256)
    {
        require(verifyProof(a, b, c, x), "bad proof");
        paid += 1;
        return 77;
    }
}`
    const claim = 'claim(uint256[2],uint256[2][2],uint256[2],uint256[3])'
    const good = [...proofArguments(proof), publicSignals]
    const bad = [...proofArguments(proof), [9n, 9n, 9n]]
    const a = await lab.deploy(await compileContract(theirSource + child('Groth16Verifier'), 'Child'))
    const b = await lab.deploy(await compileContract(generateVerifier(vk, options) + child('Verifier'), 'Child'))
    await lab.measure(a, claim, good)
    expect(await lab.ask(a, 'paid()', [])).toBe(0n)
    expect(await lab.ask(a, claim, bad)).not.toBe('REVERT')
    expect((await lab.measure(a, claim, bad)).status).toBe(1)
    expect(await lab.ask(b, claim, good)).toBe(77n)
    expect((await lab.measure(b, claim, good)).status).toBe(1)
    expect(await lab.ask(b, 'paid()', [])).toBe(1n)
    expect((await lab.measure(b, claim, bad)).status).toBe(0)
    expect(await lab.ask(b, 'paid()', [])).toBe(1n)
  })

  it('8: the library works inside another contract, for two models at once and points from different places', async () => {
    const [one, three] = [fixtures[1]!, fixtures[3]!]
    const source = `${generateVerifier(one.vk, { ...options, contractName: 'One' })}
${generateVerifier(three.vk, { ...options, contractName: 'Three' }).replace(/^\/\/ SPDX.*\n/, '')}
contract Both {
    function both(uint256[1] calldata x1, uint256[8] calldata p1, uint256[3] calldata x3, uint256[2] calldata c, uint256[2][2] calldata b, uint256[2] calldata a)
        external view returns (bool, bool)
    {
        return (OneLib.verify(p1, x1), ThreeLib.verify(a, b, c, x3));
    }
}`
    const both = await lab.deploy(await compileContract(source, 'Both'))
    const [a, b, c] = proofArguments(three.proof)
    const signature = 'both(uint256[1],uint256[8],uint256[3],uint256[2],uint256[2][2],uint256[2])'
    const ask = async (x1: readonly bigint[], x3: readonly bigint[]): Promise<unknown> => [
      ...((await lab.ask(both, signature, [x1, proofWords(one.proof), x3, c, b, a])) as boolean[]),
    ]
    expect(await ask(one.publicSignals, three.publicSignals)).toEqual([true, true])
    expect(await ask([5n], three.publicSignals)).toEqual([false, true])
    expect(await ask(one.publicSignals, [1n, 2n, 3n])).toEqual([true, false])
  })

  it('10: a development key deploys and verifies on a development chain only, and says what it is', async () => {
    const { vk, proof, publicSignals } = fixtures[10]!
    const source = generateVerifier({ ...vk, dev: true }, options)
    expect(source).toContain('@title UNSAFE, DEVELOPMENT KEY')
    const compiled = await compileContract(source, 'Verifier')
    const dev = await lab.deploy(compiled)
    expect(await lab.ask(dev, 'DEVELOPMENT_KEY()', [])).toBe(true)
    expect(await lab.ask(ours[10]!, 'DEVELOPMENT_KEY()', [])).toBe(false)
    expect(await lab.ask(dev, wordsForm(10), [proofWords(proof), publicSignals])).toBe(true)
    const user = `${source}
contract User {
    function go(uint256[8] calldata p, uint256[10] calldata x) external view returns (bool) { return VerifierLib.verify(p, x); }
}`
    const elsewhere = await startLab({ chainId: 1n })
    try {
      await expect(elsewhere.deploy(compiled)).rejects.toThrow(/UnsafeDevelopmentKey|revert/)
      // no constructor guards the library, so it asks in every call
      const library = await elsewhere.deploy(await compileContract(user, 'User'))
      const answer = await elsewhere.ask(library, 'go(uint256[8],uint256[10])', [proofWords(proof), publicSignals])
      expect(answer).toBe('UnsafeDevelopmentKey')
      const production = await compileContract(generateVerifier(vk, options), 'Verifier')
      const there = await elsewhere.deploy(production)
      expect(await elsewhere.ask(there, wordsForm(10), [proofWords(proof), publicSignals])).toBe(true)
    } finally {
      await elsewhere.stop()
    }
    const ganacheLike = await startLab({ chainId: 1337n })
    try {
      const there = await ganacheLike.deploy(compiled)
      expect(await ganacheLike.ask(there, wordsForm(10), [proofWords(proof), publicSignals])).toBe(true)
    } finally {
      await ganacheLike.stop()
    }
  })

  it.each([3, 10])(
    '11: the fixture test in Solidity passes, and fails with the G2 limbs or inputs in another order, n = %i',
    async (n) => {
      const { vk, proof, publicSignals } = fixtures[n]!
      const functions = ['acceptsHonestProof', 'refusesChangedProof', 'refusesChangedInput', 'refusesAliasedInput']
      const answers = async (p: Proof, x: readonly bigint[]): Promise<unknown[]> => {
        const source = generateVerifier(vk, options) + generateVerifierTest('Verifier', p, x)
        const test = await lab.deploy(await compileContract(source, 'VerifierTest'))
        const results = []
        for (const name of functions) results.push(String(await lab.ask(test, `test_${name}()`, [], 29_000_000)))
        return results
      }
      expect(await answers(proof, publicSignals)).toEqual(['', '', '', ''])
      const swapped: Proof = { ...proof, b: { x: [proof.b.x[1], proof.b.x[0]], y: [proof.b.y[1], proof.b.y[0]] } }
      expect((await answers(swapped, publicSignals))[0]).toBe('Error')
      expect((await answers(proof, publicSignals.toReversed()))[0]).toBe('Error')
    },
  )

  it('13: the generated text is MIT-licensed and shares no line of substance with theirs', () => {
    const lines = (text: string): string[] =>
      text
        .split('\n')
        .map((line) => line.trim().replace(/\s+/g, ' '))
        .filter((line) => line.length > 24)
    for (const n of [3, 100]) {
      const source = generateVerifier(fixtures[n]!.vk, options)
      expect(source.startsWith('// SPDX-License-Identifier: MIT\n')).toBe(true)
      const foreign = new Set(lines(fixtures[n]!.theirs))
      expect(lines(source).filter((line) => foreign.has(line))).toEqual([])
    }
  })
})

describe('keys that are refused', () => {
  const broken = (change: (vk: VerifyingKey) => Partial<VerifyingKey>): string | undefined =>
    codeOf(() => generateVerifier({ ...fixtures[3]!.vk, ...change(fixtures[3]!.vk) }, options))
  const zero: G2 = { x: [0n, 0n], y: [0n, 0n] }
  const cases: [string, (vk: VerifyingKey) => Partial<VerifyingKey>][] = [
    ['delta = gamma', ({ gamma }) => ({ delta: gamma })],
    ['delta = beta', ({ beta }) => ({ delta: beta })],
    ['gamma = beta', ({ beta }) => ({ gamma: beta })],
    ['delta at infinity', () => ({ delta: zero })],
    ['gamma at infinity', () => ({ gamma: zero })],
    ['beta at infinity', () => ({ beta: zero })],
    ['alpha at infinity', () => ({ alpha: { x: 0n, y: 0n } })],
    ['IC_1 at infinity', ({ ic }) => ({ ic: ic.with(1, { x: 0n, y: 0n }) })],
    ['IC_0 at infinity', ({ ic }) => ({ ic: ic.with(0, { x: 0n, y: 0n }) })],
    ['IC_2 = IC_1', ({ ic }) => ({ ic: ic.with(2, ic[1]!) })],
    ['IC_3 = -IC_1', ({ ic }) => ({ ic: ic.with(3, { x: ic[1]!.x, y: Q - ic[1]!.y }) })],
    ['IC off the curve', ({ ic }) => ({ ic: ic.with(1, { x: ic[1]!.x, y: ic[1]!.y + 1n }) })],
    ['IC coordinate of q or more', ({ ic }) => ({ ic: ic.with(1, { x: ic[1]!.x + Q, y: ic[1]!.y }) })],
    ['G2 point off the curve', ({ delta }) => ({ delta: { x: delta.x, y: [delta.y[0], delta.y[1] ^ 1n] } })],
    ['one IC too few', ({ ic }) => ({ ic: ic.slice(1) })],
    ['one IC too many', ({ ic, alpha }) => ({ ic: [...ic, alpha] })],
  ]
  it.each(cases)('%s', (_, change) => {
    expect(broken(change)).toMatch(/^key\//)
  })

  it('too many public inputs, or none', () => {
    const { vk } = fixtures[3]!
    const with_ = (nPublic: number): VerifyingKey => ({ ...vk, nPublic })
    expect(codeOf(() => generateVerifier(with_(MAX_PUBLIC_INPUTS + 1), options))).toBe('limit/public-inputs')
    expect(codeOf(() => generateVerifier(with_(784), options))).toBe('limit/public-inputs')
    expect(codeOf(() => generateVerifier(with_(0), options))).toBe('circuit/no-public-signals')
    expect(codeOf(() => generateVerifier(with_(-1), options))).toBe('circuit/no-public-signals')
    for (const odd of [Number.NaN, Number.POSITIVE_INFINITY])
      expect(codeOf(() => generateVerifier(with_(odd), options))).toBe('limit/public-inputs')
  })
})

describe('the source', () => {
  it('keeps the key in the code as long as that stays within the size limit, whatever the optimiser aims at', async () => {
    const { vk } = fixtures[MAX_INPUTS_IN_CODE]!
    const widest: VerifierOptions = { ...options, modelName: 'm'.repeat(64), precompileGasFactor: 1000 }
    for (const runs of [1, 200, 1_000_000]) {
      const source = generateVerifier({ ...vk, dev: true }, widest)
      const { deployedBytecode } = (await compileSolidity(source, { runs })).contracts.Verifier!
      const bytes = deployedBytecode.length / 2 - 1
      expect(bytes).toBeLessThanOrEqual(MAX_CODE_BYTES)
      expect(bytes + 64 * 4).toBeGreaterThan(MAX_CODE_BYTES) // the constant is not needlessly low
    }
  })

  it('of compressed tensors fits with as many commitments as are offered', async () => {
    const options_ = { ...options, modelName: 'm'.repeat(64), precompileGasFactor: 1000, compressedBytes: 130_000 }
    const source = generateVerifier({ ...simulatedKey(MAX_COMPRESSED_INPUTS, 1), dev: true }, options_)
    const { deployedBytecode } = (await compileSolidity(source)).contracts.Verifier!
    const bytes = deployedBytecode.length / 2 - 1
    expect(bytes).toBeLessThanOrEqual(MAX_CODE_BYTES)
    expect(bytes + 64).toBeGreaterThan(MAX_CODE_BYTES)
    const more = simulatedKey(MAX_COMPRESSED_INPUTS + 1, 1)
    expect(() => generateVerifier(more, options_)).toThrow(expect.objectContaining({ code: 'limit/public-inputs' }))
  })

  it('compiles without a warning, for older EVMs and through the IR too', async () => {
    for (const n of SIZES)
      for (const dev of [true, false])
        expect((await compileSolidity(generateVerifier({ ...fixtures[n]!.vk, dev }, options))).warnings).toEqual([])
    const source = generateVerifier(fixtures[10]!.vk, options)
    for (const settings of [{ evmVersions: ['paris'] }, { viaIR: true }]) {
      const contract = await lab.deploy(
        (await compileSolidity(source, settings)).contracts.Verifier as CompiledContract,
      )
      const { proof, publicSignals } = fixtures[10]!
      expect(await lab.ask(contract, wordsForm(10), [proofWords(proof), publicSignals])).toBe(true)
      expect(await lab.ask(contract, wordsForm(10), [proofWords(proof), publicSignals.with(0, 1n)])).toBe(false)
      expect(await thresholdAnswers(contract, wordsForm(10), [proofWords(proof), publicSignals], 10)).toEqual([
        'InsufficientGas',
        true,
      ])
    }
  })

  it('offers everything that the interface names', async () => {
    const path = new URL('../../verifier-contracts/interfaces/IGroth16Verifier.sol', import.meta.url)
    const { contracts } = await compileSolidity(readFileSync(path, 'utf8'))
    const key = (entry: Readonly<Record<string, unknown>>): string => {
      const types = (side: unknown): string => (side as { type: string }[] | undefined)?.map((p) => p.type).join() ?? ''
      return `${entry.type} ${entry.name}(${types(entry.inputs)}) ${entry.stateMutability ?? ''} (${types(entry.outputs)})`
    }
    const normal = (text: string): string => text.replace(' pure ', ' view ')
    for (const n of [3, 10]) {
      const source = generateVerifier({ ...fixtures[n]!.vk, dev: true }, options)
      const offered = (await compileContract(source, 'Verifier')).abi.map((entry) => normal(key(entry)))
      expect(offered).toEqual(
        expect.arrayContaining(contracts.IGroth16Verifier!.abi.map((entry) => normal(key(entry)))),
      )
    }
  })

  it('names model, circuit and key, in comments and constants', async () => {
    const { vk } = fixtures[3]!
    const source = generateVerifier(vk, { ...options, modelName: 'mnist', ceremony: 'hermez-20' })
    expect(source).toContain('Model: mnist (SHA-256 1111')
    expect(source).toContain('Ceremony: hermez-20.')
    const contract = await lab.deploy(await compileContract(source, 'Verifier'))
    expect(await lab.ask(contract, 'MODEL_NAME()', [])).toBe('mnist')
    expect(await lab.ask(contract, 'MODEL_DIGEST()', [])).toBe(`0x${options.modelDigest}`)
    expect(await lab.ask(contract, 'CIRCUIT_DIGEST()', [])).toBe(`0x${options.circuitDigest}`)
    expect(await lab.ask(contract, 'VK_DIGEST()', [])).toBe(verifyingKeyDigest(vk))
    expect(await lab.ask(contract, 'PUBLIC_INPUTS()', [])).toBe(3n)
  })

  it('compiles for any model name', async () => {
    const { vk } = fixtures[1]!
    const nasty = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 80 }),
      fc.constantFrom('"; } contract Evil {', '*/ @dev @foo', '\\', '\n\r\u2028contract', 'a\u202e', '\ud800', '@', ''),
    )
    const sources: string[] = []
    fc.assert(
      fc.property(nasty, nasty, (modelName, ceremony) => {
        sources.push(generateVerifier(vk, { ...options, modelName, ceremony }))
      }),
      { seed: 5, numRuns: 12 },
    )
    for (const source of sources) {
      const { contracts } = await compileSolidity(source)
      expect(Object.keys(contracts).sort()).toEqual(['Verifier', 'VerifierLib'])
    }
  })

  it.each([
    ['contractName', { contractName: 'a b' }],
    ['contractName', { contractName: 'contract' }],
    ['contractName', { contractName: 'uint256' }],
    ['contractName', { contractName: '1x' }],
    ['modelDigest', { modelDigest: 'abc' }],
    ['circuitDigest', { circuitDigest: `0x${'g'.repeat(64)}` }],
    ['precompileGasFactor', { precompileGasFactor: 0 }],
    ['precompileGasFactor', { precompileGasFactor: 1.5 }],
  ])('refuses a bad %s', (_, bad) => {
    expect(codeOf(() => generateVerifier(fixtures[1]!.vk, { ...options, ...bad }))).toBe('usage/verifier-option')
  })

  it('works with scaled gas, for chains with dearer precompiles', async () => {
    const { vk, proof, publicSignals } = fixtures[3]!
    const source = generateVerifier(vk, { ...options, precompileGasFactor: 5 })
    const contract = await lab.deploy(await compileContract(source, 'Verifier'))
    expect(await lab.ask(contract, wordsForm(3), [proofWords(proof), publicSignals])).toBe(true)
    expect(await lab.ask(contract, wordsForm(3), [proofWords(proof), publicSignals], 600_000)).toBe('InsufficientGas')
  })
})

describe('gas', () => {
  it('is within its budget and below theirs', async () => {
    const rows = []
    for (const n of SIZES) {
      const { proof, publicSignals } = fixtures[n]!
      const a = await lab.measure(ours[n]!, wordsForm(n), [proofWords(proof), publicSignals])
      const b = await lab.measure(theirs[n]!, theirForm(n), [...proofArguments(proof), publicSignals])
      rows.push({ n, ours: a.tx, 'ours exec': a.exec, theirs: b.tx, 'theirs exec': b.exec })
      expect(a.exec).toBeLessThan(requiredGas(n))
      expect(a.exec).toBeLessThan(b.exec)
      expect(a.exec).toBeGreaterThan(181_000 + 6_150 * n)
    }
    console.table(rows)
  })
})
