import { NonceManager, Wallet } from 'ethers'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Connection, signerFor } from '../../src/chain/connect.ts'
import { deployVerifier } from '../../src/chain/deploy.ts'
import { describeVerifier, selfTestVerifier, verifyOnchain } from '../../src/chain/verifyOnchain.ts'
import { R } from '../../src/groth16/bn254.ts'
import type { Proof } from '../../src/groth16/keys.ts'
import { type CompiledContract, compileContract } from '../../src/solidity/compile.ts'
import { generateVerifier, verifyingKeyDigest } from '../../src/solidity/verifier.ts'
import { type Fixture, makeFixtures, options } from '../solidity/fixtures.ts'
import { type Lab, startLab } from '../solidity/lab.ts'

let fixtures: Record<number, Fixture>
let lab: Lab
let connection: Connection
let compiled: CompiledContract
let devCompiled: CompiledContract
let address: string

beforeAll(async () => {
  ;[fixtures, lab] = await Promise.all([makeFixtures({ simulate: [3, 12] }), startLab()])
  connection = lab.connection
  const { vk } = fixtures[3]!
  compiled = await compileContract(generateVerifier(vk, options), 'Verifier')
  devCompiled = await compileContract(generateVerifier({ ...vk, dev: true }, options), 'Verifier')
  address = (await deployVerifier(connection, lab.signer, compiled, { dev: false })).address
})
afterAll(() => lab.stop())

const solidity = (body: string): Promise<CompiledContract> =>
  compileContract(`// SPDX-License-Identifier: MIT\npragma solidity ^0.8.24;\ncontract C { ${body} }`, 'C')

describe('deployVerifier', () => {
  it('reports what was mined', async () => {
    const deployment = await deployVerifier(connection, lab.signer, compiled, { dev: false })
    expect(await connection.provider.getCode(deployment.address)).toBe(compiled.deployedBytecode)
    expect(deployment).toMatchObject({ chainId: 31337n, from: await lab.signer.getAddress() })
    expect(deployment.gasUsed).toBeGreaterThan(100_000n)
  })

  it('signs with a private key, several times in a row', async () => {
    const signer = new NonceManager(await signerFor(connection, { privateKey: lab.anvil.accounts[2]!.privateKey }))
    const made = []
    for (let i = 0; i < 3; i++) made.push((await deployVerifier(connection, signer, compiled, { dev: false })).address)
    expect(new Set(made).size).toBe(3)
  })

  it('takes a development key on a development chain', async () => {
    const { address: at } = await deployVerifier(connection, lab.signer, devCompiled, { dev: true })
    const { proof, publicSignals } = fixtures[3]!
    expect(await verifyOnchain(connection, at, proof, publicSignals)).toMatchObject({ valid: true })
    expect((await describeVerifier(connection, at)).dev).toBe(true)
  })

  it('sends nothing for a development key elsewhere, and the contract refuses too', async () => {
    const other = await startLab({ chainId: 5n })
    try {
      await expect(deployVerifier(other.connection, other.signer, devCompiled, { dev: true })).rejects.toMatchObject({
        code: 'key/development-key-on-chain',
      })
      expect(await other.connection.provider.getBlockNumber()).toBe(0)
      expect(await other.signer.getNonce('pending')).toBe(0)
      const lied = deployVerifier(other.connection, other.signer, devCompiled, { dev: false })
      await expect(lied).rejects.toMatchObject({
        code: 'chain/revert',
        details: expect.objectContaining({ error: 'UnsafeDevelopmentKey', args: ['5'] }),
      })
    } finally {
      await other.stop()
    }
  })

  it('says so when the account has no money', async () => {
    const poor = new Wallet(`0x${'34'.repeat(32)}`, connection.provider)
    await expect(deployVerifier(connection, poor, compiled, { dev: false })).rejects.toMatchObject({
      code: 'chain/request-failed',
      message: expect.stringMatching(/insufficient funds/i),
    })
  })

  it('can be aborted', async () => {
    const signal = AbortSignal.abort()
    await expect(deployVerifier(connection, lab.signer, compiled, { dev: false, signal })).rejects.toMatchObject({
      code: 'aborted/by-caller',
    })
  })
})

describe('verifyOnchain', () => {
  it('asks, and on request sends and measures', async () => {
    const { vk, proof, publicSignals } = fixtures[3]!
    const vkDigest = verifyingKeyDigest(vk)
    const asked = await verifyOnchain(connection, address, proof, publicSignals, { vkDigest })
    expect(asked).toEqual({ valid: true, chainId: 31337n, address })
    const sent = await verifyOnchain(connection, address, proof, publicSignals, { vkDigest, send: lab.signer })
    expect(sent.valid).toBe(true)
    expect(Number(sent.gasUsed)).toBeGreaterThan(200_000)
    expect(Number(sent.gasUsed)).toBeLessThan(240_000)
  })

  it('answers false for another statement, and sends nothing for it', async () => {
    const { proof, publicSignals } = fixtures[3]!
    const before = await connection.provider.getBlockNumber()
    const other = publicSignals.with(1, 5n)
    expect(await verifyOnchain(connection, address, proof, other, { send: lab.signer })).toEqual({
      valid: false,
      chainId: 31337n,
      address,
    })
    expect(await connection.provider.getBlockNumber()).toBe(before)
  })

  it('refuses words that the contract would', async () => {
    const { proof, publicSignals } = fixtures[3]!
    const aliased = publicSignals.with(0, publicSignals[0]! + R)
    await expect(verifyOnchain(connection, address, proof, aliased)).rejects.toMatchObject({
      code: 'proof/out-of-range',
    })
    const bad: Proof = { ...proof, c: { x: -1n, y: 0n } }
    await expect(verifyOnchain(connection, address, bad, publicSignals)).rejects.toMatchObject({
      code: 'proof/out-of-range',
    })
  })

  it('refuses the verifier of another key', async () => {
    const { proof, publicSignals } = fixtures[12]!
    const vkDigest = verifyingKeyDigest(fixtures[12]!.vk)
    await expect(verifyOnchain(connection, address, proof, publicSignals)).rejects.toMatchObject({
      code: 'key/other-verifier',
    })
    const three = fixtures[3]!
    await expect(
      verifyOnchain(connection, address, three.proof, three.publicSignals, { vkDigest }),
    ).rejects.toMatchObject({ code: 'key/other-verifier' })
  })

  it('names what is wrong with the address', async () => {
    const { proof, publicSignals } = fixtures[3]!
    const ask = (at: string) => verifyOnchain(connection, at, proof, publicSignals)
    await expect(ask(lab.anvil.accounts[5]!.address)).rejects.toMatchObject({ code: 'chain/no-code' })
    await expect(ask('0x1234')).rejects.toMatchObject({ code: 'chain/request-failed' })
    const silent = await lab.deploy(await solidity('uint256 public x;'))
    await expect(ask(await silent.getAddress())).rejects.toMatchObject({ code: 'chain/revert' })
    const swallowing = await lab.deploy(await solidity('fallback() external {}'))
    await expect(ask(await swallowing.getAddress())).rejects.toMatchObject({ category: 'chain' })
  })

  it('names the custom error when a node gives the call too little gas', async () => {
    const { proof, publicSignals } = fixtures[3]!
    await connection.provider.send('evm_setBlockGasLimit', ['0x20000'])
    try {
      await expect(verifyOnchain(connection, address, proof, publicSignals)).rejects.toMatchObject({
        code: 'chain/revert',
        details: expect.objectContaining({ error: 'InsufficientGas' }),
        fix: expect.stringContaining('more gas'),
      })
    } finally {
      await connection.provider.send('evm_setBlockGasLimit', ['0x1c9c380'])
    }
  })

  it('says so when the node has gone', async () => {
    const { proof, publicSignals } = fixtures[3]!
    const other = await startLab()
    await other.anvil.stop()
    await expect(verifyOnchain(other.connection, address, proof, publicSignals)).rejects.toMatchObject({
      code: 'chain/unreachable',
    })
    await expect(deployVerifier(other.connection, other.signer, compiled, { dev: false })).rejects.toMatchObject({
      code: 'chain/unreachable',
    })
    await other.stop()
  })
})

describe('selfTestVerifier', () => {
  it('passes for our verifiers, long loops too', async () => {
    for (const n of [3, 12]) {
      const { vk, proof, publicSignals } = fixtures[n]!
      const contract = await compileContract(generateVerifier(vk, options), 'Verifier')
      const { address: at } = await deployVerifier(connection, lab.signer, contract, { dev: false })
      await selfTestVerifier(connection, at, proof, publicSignals)
    }
  })

  it('fails for a verifier that accepts everything, or nothing', async () => {
    const { proof, publicSignals } = fixtures[3]!
    for (const answer of ['true', 'false']) {
      const fake = await solidity(`
        string public constant MODEL_NAME = "";
        bytes32 public constant MODEL_DIGEST = 0;
        bytes32 public constant CIRCUIT_DIGEST = 0;
        bytes32 public constant VK_DIGEST = 0;
        uint256 public constant PUBLIC_INPUTS = 3;
        bool public constant DEVELOPMENT_KEY = false;
        function verifyProof(uint256[8] calldata, uint256[3] calldata) external pure returns (bool) { return ${answer}; }`)
      const at = await (await lab.deploy(fake)).getAddress()
      await expect(selfTestVerifier(connection, at, proof, publicSignals)).rejects.toMatchObject({
        code: 'chain/self-test',
      })
    }
  })
})
