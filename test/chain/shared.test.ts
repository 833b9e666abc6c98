import { hexlify, Interface, id, zeroPadValue } from 'ethers'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  COMPRESSED_VERIFIER_ABI,
  INFERENCE_ABI,
  KEY_VERIFIER_ABI,
  PHASE_ONE_ABI,
  REGISTRY_ABI,
} from '../../src/chain/abi.ts'
import {
  checkInference,
  type InferenceStatement,
  inferenceId,
  inferenceRequest,
  readInference,
  sendInference,
} from '../../src/chain/inference.ts'
import {
  deprecateRequest,
  type ModelRecord,
  proofSystemId,
  readModel,
  registerRequest,
  sendRegistration,
  updateRequest,
} from '../../src/chain/registry.ts'
import {
  deployShared,
  estimateShared,
  type SharedContracts,
  sharedContractsOf,
  storeKey,
  storeKeyRequest,
} from '../../src/chain/sharedContracts.ts'
import { estimateTransaction } from '../../src/chain/transact.ts'
import { proofWords } from '../../src/solidity/calldata.ts'
import type { AbiEntry } from '../../src/solidity/compile.ts'
import { compileContract } from '../../src/solidity/compile.ts'
import { compileShipped, SHIPPED, type ShippedContract } from '../../src/solidity/shipped.ts'
import { generateVerifier, verifyingKeyDigest } from '../../src/solidity/verifier.ts'
import { type CompressedLab, openCompressedLab } from '../solidity/compressedCircuit.ts'
import { makeFixtures, options } from '../solidity/fixtures.ts'
import { type Lab, startLab } from '../solidity/lab.ts'

const FORMS = [
  { count: 3, lo: -1000, hi: 1000 },
  { count: 40, lo: 0, hi: 255 },
]
const TENSORS = [[-1000, 7, 1000], Array.from({ length: 40 }, (_, i) => (77 * i) % 256)]
const CTX = zeroPadValue('0xabcd', 32)

let lab: Lab
let circuit: CompressedLab
let shared: SharedContracts
let record: ModelRecord
let statement: InferenceStatement
let modelId: bigint

const revert = (error: string) => ({ code: 'chain/revert', details: expect.objectContaining({ error }) })

beforeAll(async () => {
  ;[lab, circuit] = await Promise.all([startLab(), openCompressedLab(FORMS)])
  shared = await deployShared(lab.connection, lab.signer)
  record = {
    ...{ modelHash: id('model'), circuitHash: id('circuit'), vkHash: circuit.vkDigest, proofSystem: 'compressed' },
    ...{ uri: 'ipfs://model', manifestDigest: id('manifest'), phaseOne: '', dev: true },
    ...{ outputBytes: 6, inputBytes: 40, commitments: 0 },
  }
  const made = await circuit.prove(TENSORS, { chainId: 31337n, contract: shared.inferenceVerifier, ctx: CTX })
  statement = {
    ...{ points: proofWords(made.proof), commitments: [], y: made.y, ctx: CTX },
    ...{ output: made.x.subarray(0, 6), input: made.x.subarray(6) },
  }
})
afterAll(async () => {
  await circuit?.close()
  await lab?.stop()
})

describe('the ABIs', () => {
  /** Functions, errors and events of a compiled contract, as ethers writes them. */
  const fragments = (abi: readonly AbiEntry[]): string[] =>
    new Interface(abi as never).fragments.filter(({ type }) => type !== 'constructor').map((f) => f.format('sighash'))

  it.each([
    ['UniversalVerifier', KEY_VERIFIER_ABI],
    ['PhaseOneVerifier', PHASE_ONE_ABI],
    ['ModelRegistry', REGISTRY_ABI],
    ['InferenceVerifier', INFERENCE_ABI],
  ] as const)('of %s tells only what the contract has', async (name, abi) => {
    const compiled = fragments((await compileShipped(name)).abi)
    // a verifier passes errors of what it calls through
    const passed = [
      'UnknownKey',
      'InsufficientGas',
      'UnsafeKey',
      'KeyNotStored',
      'GasFactor',
      'Wrong',
      'MalformedBatch',
    ]
    for (const fragment of new Interface(abi).fragments.map((f) => f.format('sighash')))
      if (!passed.some((error) => fragment.startsWith(error)) && !/^Model(NotFound|Mismatch)/.test(fragment))
        expect(compiled).toContain(fragment)
  })

  it('of generated verifiers tells what they have', async () => {
    const source = generateVerifier({ ...circuit.vk, dev: true }, { ...options, compressedBytes: 46 })
    const compiled = fragments((await compileContract(source, 'Verifier')).abi)
    for (const fragment of new Interface(COMPRESSED_VERIFIER_ABI).fragments)
      expect(compiled.includes(fragment.format('sighash')) || fragment.type === 'error').toBe(true)
  })
})

describe('shipped contracts', () => {
  it.each(Object.keys(SHIPPED) as ShippedContract[])('%s compiles to code that can be deployed', async (name) => {
    const { bytecode } = await compileShipped(name)
    expect(bytecode.length).toBeGreaterThan(1000)
  })
})

describe('a model’s life', () => {
  it('begins with its key, which is stored once', async () => {
    expect(await sharedContractsOf(lab.connection, shared.inferenceVerifier)).toEqual({
      ...{ inferenceVerifier: shared.inferenceVerifier, registry: shared.registry, keyVerifier: shared.keyVerifier },
    })
    const request = await storeKeyRequest(lab.connection, shared.keyVerifier, circuit.vk)
    const estimate = await estimateTransaction(lab.connection, lab.signer, request!)
    const gas = await storeKey(lab.connection, lab.signer, shared.keyVerifier, circuit.vk)
    expect(gas).toBeLessThanOrEqual(estimate.gas)
    expect(estimate.feeWei).toBeGreaterThan(0n)
    expect(await storeKey(lab.connection, lab.signer, shared.keyVerifier, circuit.vk)).toBeUndefined()
  })

  it('is registered, with all that it is', async () => {
    const sent = await sendRegistration(
      lab.connection,
      lab.signer,
      registerRequest(lab.connection, shared.registry, record),
    )
    modelId = sent.modelId
    expect(modelId).toBe(1n)
    expect(await readModel(lab.connection, shared.registry, modelId)).toEqual({
      ...{ modelId, owner: await lab.signer.getAddress(), deprecated: false, version: 1n, record },
    })
  })

  it('has its inferences verified, recorded and stored', async () => {
    const at = shared.inferenceVerifier
    const answer = await checkInference(lab.connection, at, modelId, statement)
    expect(answer.inferenceId).toBe(inferenceId(modelId, answer.inputCommitment, statement.output))
    await expect(readInference(lab.connection, at, answer.inferenceId)).rejects.toMatchObject(
      revert('InferenceNotFound'),
    )
    const told = await sendInference(lab.connection, lab.signer, at, modelId, statement)
    expect(told).toMatchObject({ ...answer, stored: false })
    const stored = await sendInference(lab.connection, lab.signer, at, modelId, statement, { store: true })
    expect(await readInference(lab.connection, at, stored.inferenceId)).toEqual({
      ...{ modelId, inputCommitment: answer.inputCommitment, output: hexlify(statement.output) },
    })
    const receipt = await lab.connection.provider.getTransactionReceipt(stored.transactionHash)
    const events = receipt!.logs.map((log) => new Interface(INFERENCE_ABI).parseLog(log)!)
    expect(events.map(({ name }) => name)).toEqual(['InferenceVerified', 'InferenceStored'])
    expect([...events[0]!.args]).toEqual([
      ...[modelId, answer.inputCommitment, hexlify(statement.output), await lab.signer.getAddress()],
    ])
    expect(events[1]!.args[0]).toBe(stored.inferenceId)
  })

  it('refuses what was not proved, by name', async () => {
    const ask = (change: Partial<InferenceStatement>, model = modelId) =>
      checkInference(lab.connection, shared.inferenceVerifier, model, { ...statement, ...change })
    await expect(ask({ ctx: zeroPadValue('0x01', 32) })).rejects.toMatchObject(revert('InvalidProof'))
    await expect(ask({ output: Uint8Array.of(...statement.output.subarray(1), 0) })).rejects.toMatchObject(
      revert('InvalidProof'),
    )
    await expect(ask({ output: new Uint8Array(5) })).rejects.toMatchObject(revert('OutputMismatch'))
    await expect(ask({}, 9n)).rejects.toMatchObject(revert('ModelNotFound'))
    await expect(checkInference(lab.connection, `0x${'12'.repeat(20)}`, modelId, statement)).rejects.toMatchObject({
      code: 'chain/no-code',
    })
    // on record, a revert is an error before anything is sent
    const answer = { modelId, inputCommitment: id('another'), inferenceId: '' }
    const request = inferenceRequest(shared.inferenceVerifier, answer, statement, false)
    await expect(estimateTransaction(lab.connection, lab.signer, request)).rejects.toMatchObject(
      revert('InputCommitmentMismatch'),
    )
  })

  it('gets new versions, and keeps the old', async () => {
    const next = { ...record, uri: 'ipfs://model-2', outputBytes: 7 }
    await sendRegistration(lab.connection, lab.signer, updateRequest(lab.connection, shared.registry, modelId, next))
    expect(await readModel(lab.connection, shared.registry, modelId)).toMatchObject({ version: 2n, record: next })
    expect(await readModel(lab.connection, shared.registry, modelId, 1n)).toMatchObject({ version: 1n, record })
    await sendRegistration(lab.connection, lab.signer, updateRequest(lab.connection, shared.registry, modelId, record))
    await expect(readModel(lab.connection, shared.registry, modelId, 4n)).rejects.toMatchObject(
      revert('VersionNotFound'),
    )
  })

  it('is in its owner’s hands', async () => {
    const other = await lab.connection.provider.getSigner(1)
    const sent = sendRegistration(lab.connection, other, deprecateRequest(shared.registry, modelId))
    await expect(sent).rejects.toMatchObject(revert('NotModelOwner'))
  })

  it('ends with deprecation', async () => {
    const sent = await sendRegistration(lab.connection, lab.signer, deprecateRequest(shared.registry, modelId))
    expect(sent.modelId).toBe(modelId)
    await expect(checkInference(lab.connection, shared.inferenceVerifier, modelId, statement)).rejects.toMatchObject(
      revert('VerificationRefused_ModelDeprecated'),
    )
    expect((await readModel(lab.connection, shared.registry, modelId)).deprecated).toBe(true)
  })
})

describe('a key verifier of one phase 1', () => {
  it('takes its keys and no others', async () => {
    const phaseOne = { name: 'pot.ptau', of: circuit.vk }
    const bound = await deployShared(lab.connection, lab.signer, { phaseOne })
    expect(bound.deployments.map(({ contract }) => contract)).toEqual([
      ...['PhaseOneVerifier', 'ModelRegistry', 'InferenceVerifier'],
    ])
    const universal = await storeKey(lab.connection, lab.signer, shared.keyVerifier, circuit.vk)
    expect(universal).toBeUndefined()
    const gas = await storeKey(lab.connection, lab.signer, bound.keyVerifier, circuit.vk)
    expect(gas).toBeLessThan(150_000n)
    const { vk } = (await makeFixtures({ simulate: [2] }))[2]!
    await expect(storeKey(lab.connection, lab.signer, bound.keyVerifier, vk)).rejects.toMatchObject({
      ...{ code: 'key/other-phase-one', message: expect.stringContaining('pot.ptau') },
    })
    expect(await storeKey(lab.connection, lab.signer, shared.keyVerifier, vk)).toBeGreaterThan(0n)
    expect(verifyingKeyDigest(vk)).not.toBe(circuit.vkDigest)
  })
})

describe('estimates', () => {
  it('of deployments are what they take, within a hundredth', async () => {
    const { gas } = await estimateShared(lab.connection, lab.signer)
    const { deployments } = await deployShared(lab.connection, lab.signer)
    const used = deployments.reduce((sum, { gasUsed }) => sum + gasUsed, 0n)
    expect(Math.abs(Number(gas - used)) / Number(used)).toBeLessThan(0.01)
  })
})

describe('development keys', () => {
  it('leave no chain of their own', async () => {
    const other = await startLab({ chainId: 5n })
    try {
      const refused = { code: 'key/development-key-on-chain' }
      const { keyVerifier, registry } = await deployShared(other.connection, other.signer)
      await expect(storeKeyRequest(other.connection, keyVerifier, circuit.vk)).rejects.toMatchObject(refused)
      expect(() => registerRequest(other.connection, registry, record)).toThrow(expect.objectContaining(refused))
      expect(() => updateRequest(other.connection, registry, 1n, record)).toThrow(expect.objectContaining(refused))
      // who lies about it is refused by the contract no more than by us; who tells, is
      const request = registerRequest(lab.connection, registry, record)
      await expect(sendRegistration(other.connection, other.signer, request)).rejects.toMatchObject(
        revert('UnsafeDevelopmentKey'),
      )
    } finally {
      await other.stop()
    }
  })
})

it('knows proof systems by the standard’s rule', () => {
  expect(proofSystemId('direct')).toBe(id('groth16-bn254-v1').slice(0, 10))
  expect(proofSystemId('compressed')).toBe(id('groth16-bn254-yre-v1').slice(0, 10))
})
