import { type Contract, getBytes, hexlify, zeroPadValue } from 'ethers'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { TensorForm } from '../../circuits/compression.ts'
import { R } from '../../src/groth16/bn254.ts'
import { proofWords } from '../../src/solidity/calldata.ts'
import { compileContract } from '../../src/solidity/compile.ts'
import { challengeOf, type Destination, DestinationError, OFF_CHAIN } from '../../src/solidity/compression.ts'
import { compileShipped } from '../../src/solidity/shipped.ts'
import { generateVerifier, VerifierOptionError } from '../../src/solidity/verifier.ts'
import { type CompressedLab, type CompressedProof, openCompressedLab } from './compressedCircuit.ts'
import { options } from './fixtures.ts'
import { type Lab, startLab } from './lab.ts'

/** 13·3 + 9 + 2·4 + 70 = 126 bytes: five words, the last of 2 bytes. */
const FORMS: readonly TensorForm[] = [
  { count: 13, lo: -300, hi: 900_000 },
  { count: 9, lo: 0, hi: 255 },
  { count: 2, lo: -(2 ** 31), hi: 2 ** 31 - 1 },
  { count: 70, lo: 0, hi: 255 },
]
const BYTES = 126
const TENSORS = [
  Array.from({ length: 13 }, (_, i) => 69_000 * i - 300),
  Array.from({ length: 9 }, (_, i) => (37 * i) % 256),
  [-5, 2 ** 31 - 1],
  Array.from({ length: 70 }, (_, i) => (91 * i) % 256),
]
const CTX = zeroPadValue('0xc0ffee', 32)
const FORM = 'verifyCompressed(uint256[8],uint256[],uint256,bytes32,bytes)'

let lab: Lab
let circuit: CompressedLab
let verifier: Contract
let destination: Destination
let honest: CompressedProof

beforeAll(async () => {
  ;[lab, circuit] = await Promise.all([startLab(), openCompressedLab(FORMS)])
  const source = generateVerifier(circuit.vk, { ...options, compressedBytes: BYTES })
  verifier = await lab.deploy(await compileContract(source, 'Verifier'))
  destination = { chainId: 31337n, contract: await verifier.getAddress(), ctx: CTX }
  honest = await circuit.prove(TENSORS, destination)
})
afterAll(async () => {
  await circuit?.close()
  await lab?.stop()
})

type Statement = { words: readonly bigint[]; commitments: readonly bigint[]; y: bigint; ctx: string; x: Uint8Array }
const statementOf = ({ proof, y, x }: CompressedProof): Statement => ({
  ...{ words: proofWords(proof), commitments: [], y, ctx: CTX, x },
})
const args = ({ words, commitments, y, ctx, x }: Statement): unknown[] => [words, commitments, y, ctx, hexlify(x)]
const ask = (change: Partial<Statement> = {}, contract = verifier): Promise<unknown> =>
  lab.ask(contract, FORM, args({ ...statementOf(honest), ...change }))

describe('a generated verifier of compressed tensors', () => {
  it('accepts what was proved for it, and tells about itself', async () => {
    expect(await ask()).toBe(true)
    expect(await verifier.getFunction('PUBLIC_BYTES').staticCall()).toBe(BigInt(BYTES))
    expect(await verifier.getFunction('PUBLIC_INPUTS').staticCall()).toBe(3n)
    expect(await verifier.getFunction('VK_DIGEST').staticCall()).toBe(circuit.vkDigest)
  })

  it('computes challenges as TypeScript does', async () => {
    for (const length of [BYTES])
      for (const seed of [1, 2, 3]) {
        const x = Uint8Array.from({ length }, (_, i) => (seed * 7919 * (i + 1)) >> 3)
        const told = await verifier.getFunction('challenge').staticCall(CTX, BigInt(seed), x)
        const { r, e } = challengeOf(circuit.vkDigest, destination, BigInt(seed), x)
        expect([...told]).toEqual([r, e])
      }
  })

  it('refuses every other statement', async () => {
    for (const i of [0, 30, 31, 60, 124, 125]) {
      const x = honest.x.with(i, honest.x[i]! ^ 1)
      expect(await ask({ x }), `byte ${i}`).toBe(false)
    }
    expect(await ask({ ctx: zeroPadValue('0xc0ffed', 32) })).toBe(false)
    expect(await ask({ y: honest.y ^ 1n })).toBe(false)
    expect(await ask({ y: honest.y + R })).toBe(false)
    for (let i = 0; i < 8; i++) {
      const words = proofWords(honest.proof)
      expect(await ask({ words: words.with(i, words[i]! ^ 1n) }), `word ${i}`).toBe(false)
    }
    expect(await ask({ x: honest.x.subarray(0, BYTES - 1) })).toBe('WrongLength')
    expect(await ask({ x: Uint8Array.of(...honest.x, 0) })).toBe('WrongLength')
    expect(await ask({ commitments: [1n] })).toBe('WrongInputCount')
  })

  it('ignores what stands behind the last byte in calldata', async () => {
    const data = getBytes(verifier.interface.encodeFunctionData(FORM, args(statementOf(honest))))
    const dirty = data.slice()
    dirty.fill(0xff, data.length - (32 - (BYTES % 32)))
    for (const bytes of [data, dirty]) {
      const answer = await lab.connection.provider.call({ to: await verifier.getAddress(), data: hexlify(bytes) })
      expect(BigInt(answer)).toBe(1n)
    }
  })

  it('refuses proofs for another contract, chain, model or length', async () => {
    const twin = await lab.deploy(
      await compileContract(generateVerifier(circuit.vk, { ...options, compressedBytes: BYTES }), 'Verifier'),
    )
    expect(await ask({}, twin)).toBe(false)
    for (const other of [
      { ...destination, chainId: 1n },
      { ...destination, contract: await twin.getAddress() },
      OFF_CHAIN,
    ]) {
      const elsewhere = statementOf(await circuit.prove(TENSORS, other))
      expect(await ask(elsewhere)).toBe(false)
      expect(await ask(elsewhere, twin)).toBe(other.contract === (await twin.getAddress()))
    }
    // the same words, one byte more: a contract for that length refuses it as well
    const longer = await lab.deploy(
      await compileContract(generateVerifier(circuit.vk, { ...options, compressedBytes: BYTES + 1 }), 'Verifier'),
    )
    const x = Uint8Array.of(...honest.x, 0)
    const there = { ...destination, contract: await longer.getAddress() }
    const { r } = challengeOf(circuit.vkDigest, there, honest.y, x)
    const { proof } = await circuit.proveAt(TENSORS, r)
    expect(await ask({ words: proofWords(proof), x }, longer)).toBe(false)
  })

  it('is the same under a stored key', async () => {
    const universal = await lab.deploy(await compileShipped('UniversalVerifier'), [1])
    const { alpha, beta, gamma, delta, ic } = circuit.vk
    const g2 = [beta, gamma, delta].map(({ x, y }) => [x[1], x[0], y[1], y[0]])
    const key = [alpha.x, alpha.y, ...g2.flat(), ...ic.flatMap(({ x, y }) => [x, y])]
    await lab.measure(universal, 'store', [key])
    const there = { ...destination, contract: await universal.getAddress() }
    const made = statementOf(await circuit.prove(TENSORS, there))
    const form = `verifyCompressed(bytes32,${FORM.slice('verifyCompressed('.length)}`
    const asked = (change: Partial<Statement> = {}) =>
      lab.ask(universal, form, [circuit.vkDigest, ...args({ ...made, ...change })])
    expect(await asked()).toBe(true)
    expect(await asked(statementOf(honest))).toBe(false)
    // the length is no parameter of a stored key: the equation itself refuses another one
    for (const x of [Uint8Array.of(...made.x, 0), made.x.subarray(0, BYTES - 1)]) {
      const { r } = challengeOf(circuit.vkDigest, there, made.y, x)
      const { proof } = await circuit.proveAt(TENSORS, r)
      expect(await asked({ words: proofWords(proof), x })).toBe(false)
    }
  })
})

describe('commitments beside compressed tensors', () => {
  it('follow y, r, e and are bound', async () => {
    const forms = [{ count: 3, lo: 0, hi: 9 }]
    const other = await openCompressedLab(forms, 2)
    try {
      const source = generateVerifier(other.vk, { ...options, compressedBytes: 3 })
      const contract = await lab.deploy(await compileContract(source, 'Verifier'))
      const there = { chainId: 31337n, contract: await contract.getAddress(), ctx: CTX }
      const made = await other.prove([[1, 2, 3]], there, [77n, R - 1n])
      const statement = { ...statementOf(made), commitments: [77n, R - 1n] }
      expect(await lab.ask(contract, FORM, args(statement))).toBe(true)
      for (const commitments of [
        [78n, R - 1n],
        [77n, R - 2n],
        [77n + R, R - 1n],
        [R - 1n, 77n],
      ])
        expect(await lab.ask(contract, FORM, args({ ...statement, commitments }))).toBe(false)
      expect(await lab.ask(contract, FORM, args({ ...statement, commitments: [77n] }))).toBe('WrongInputCount')
    } finally {
      await other.close()
    }
  })
})

describe('a challenge that does not absorb y', () => {
  /** The same verifier with r = keccak(x): what must never be written. */
  const weakened = (source: string): string =>
    source.replace(
      'r := mod(keccak256(m, sub(end, m)), R)',
      'r := mod(keccak256(add(m, 0x60), sub(end, add(m, 0x60))), R)',
    )

  it('lets a proof about other bytes pass; ours refuses it', async () => {
    const source = generateVerifier(circuit.vk, { ...options, compressedBytes: BYTES })
    expect(weakened(source)).not.toBe(source)
    const weak = await lab.deploy(await compileContract(weakened(source), 'Verifier'))
    // choose the tensors to show first; r is known before anything is proved
    const { x } = honest
    const [r, e] = await weak.getFunction('challenge').staticCall(CTX, 0n, x)
    // half-gcd: r1 = t1·r mod R, both about 2^127
    let [r0, r1, t0, t1] = [R, r as bigint, 0n, 1n]
    while (r1 * r1 > R) {
      const q = r0 / r1
      ;[r0, r1] = [r1, r0 - q * r1]
      ;[t0, t1] = [t1, t0 - q * t1]
    }
    // words 2 and 3 are bytes 62 to 123 of the last tensor: add t1 to one, take r1 from the other, and e is the same
    const word = (w: number): bigint => BigInt(hexlify(x.subarray(31 * w, 31 * w + 31)))
    const others = [word(2) + t1, word(3) - r1]
    expect(others.every((w) => w >= 0n && w < 1n << 248n)).toBe(true)
    const changed = Uint8Array.from(x)
    for (const [k, w] of others.entries()) changed.set(getBytes(`0x${w.toString(16).padStart(62, '0')}`), 31 * (2 + k))
    const tensors = [...TENSORS.slice(0, 3), [...changed.subarray(56)]]
    const forged = await circuit.proveAt(tensors, r)
    expect(forged.publicSignals[2]).toBe(e)
    expect(forged.x.filter((b, i) => b !== x[i]).length).toBeGreaterThan(20)

    const statement = { words: proofWords(forged.proof), commitments: [], y: forged.y, ctx: CTX, x }
    expect(await lab.ask(weak, FORM, args(statement))).toBe(true)
    expect(await ask(statement)).toBe(false)
    // nor does it help to know our r for these bytes and this y: the evaluations differ
    const ours = challengeOf(circuit.vkDigest, destination, forged.y, x)
    const second = await circuit.proveAt(tensors, ours.r)
    expect(second.publicSignals[2]).not.toBe(ours.e)
    expect(await ask({ ...statement, words: proofWords(second.proof) })).toBe(false)
  })
})

describe('options and destinations', () => {
  it('that make no sense are refused', () => {
    for (const compressedBytes of [0, -1, 1.5, 200_000, Number.NaN])
      expect(() => generateVerifier(circuit.vk, { ...options, compressedBytes })).toThrow(VerifierOptionError)
    for (const wrong of [{ chainId: -1n }, { contract: '0x12' }, { ctx: '0x' }, { ctx: `0x${'0'.repeat(63)}` }])
      expect(() => challengeOf(circuit.vkDigest, { ...OFF_CHAIN, ...wrong }, 0n, new Uint8Array(1))).toThrow(
        DestinationError,
      )
  })
})
