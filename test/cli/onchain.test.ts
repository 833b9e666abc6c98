import { execFile } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { Interface } from 'ethers'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { INFERENCE_ABI, REGISTRY_ABI } from '../../src/chain/abi.ts'
import { type Anvil, startAnvil } from '../../src/chain/anvil.ts'
import { type Connection, connect } from '../../src/chain/connect.ts'
import { readInference } from '../../src/chain/inference.ts'
import { readModel } from '../../src/chain/registry.ts'
import { packageRoot } from '../../src/packageRoot.ts'
import { cli, compileTiny, type Json, json, temporaryFolder, tinyFiles, tinyModel } from './support.ts'

const folder = temporaryFolder()
const at = (...parts: string[]): string => join(folder, ...parts)
const CTX = '0x0badcafe'

const files = tinyFiles(folder)
let anvil: Anvil
let connection: Connection
let rpc: readonly string[]

beforeAll(async () => {
  anvil = await startAnvil()
  connection = await connect(anvil.url)
  rpc = ['--rpc', anvil.url]
  for (const compress of ['on', 'off']) {
    await compileTiny(folder, compress, '--input', 'public', '--compress', compress)
    expect((await cli('setup', at(compress), '--dev', '--jobs', '1')).code).toBe(0)
  }
})
afterAll(async () => {
  connection?.close()
  await anvil?.stop()
})

/** Proves the three inputs of the tiny model. */
const proveAll = (dir: string, out: string, ...words: string[]) =>
  json('prove', dir, '--input', files.inputs, '-o', out, '--jobs', '1', ...words)
const eventsOf = async (hash: string, abi: readonly string[]): Promise<string[]> => {
  const receipt = await connection.provider.getTransactionReceipt(hash)
  return receipt!.logs.map((log) => new Interface(abi).parseLog(log)!.name)
}

describe('compressed tensors', () => {
  test('are told of by compile', async () => {
    const { json: line } = await json('inspect', at('on'))
    expect(line.error).toBeUndefined()
    const manifest = JSON.parse(readFileSync(at('on', 'manifest.json'), 'utf8'))
    expect(manifest.visibility).toMatchObject({ compressed: true })
    expect(manifest.signals.map((s: Json) => [s.kind, s.count, s.bytes.from])).toEqual([
      ['output', 0, 0],
      ['input', 0, manifest.signals[0].bytes.count],
    ])
  })

  test('are proved for verification here, and then no contract takes them', async () => {
    const { code, json: line } = await proveAll(at('on'), at('here'))
    expect(code).toBe(0)
    expect(line.destination).toEqual({ chainId: '0', contract: `0x${'0'.repeat(40)}`, ctx: `0x${'0'.repeat(64)}` })
    const verified = await json('verify', at('on'), at('here'))
    expect([verified.code, verified.json.valid]).toEqual([0, true])
    expect(verified.json.proofs[0].statement.map((s: Json) => [s.kind, s.values.length])).toEqual([
      ['output', 3],
      ['input', 4],
    ])
    const refused = await json('verify', at('on'), at('here'), '--anvil')
    expect(refused.code).toBe(4)
    expect(refused.json.proofs[0]).toMatchObject({
      ...{ valid: false, offChain: true, onChain: null, error: { code: 'proof/other-destination' } },
    })
  })

  test('are proved for the contract that verify --anvil deploys', async () => {
    expect((await proveAll(at('on'), at('local'), '--for', 'local', '--ctx', CTX)).code).toBe(0)
    const verified = await json('verify', at('on'), at('local'), '--anvil')
    expect(verified.code).toBe(0)
    expect(verified.json.proofs.map((p: Json) => [p.offChain, p.onChain])).toEqual(new Array(3).fill([true, true]))
  })

  test('say for whom they are, and are refused where they must be for others', async () => {
    const context = `0x${CTX.slice(2).padStart(64, '0')}`
    const told = await json('verify', at('on'), at('local'))
    expect(told.code).toBe(0)
    expect(told.json.proofs[0].destination).toMatchObject({ chainId: '31337', ctx: context })
    expect((await cli('verify', at('on'), at('local'))).out[0]).toMatch(
      new RegExp(`^3 valid proofs for 0x[0-9a-fA-F]{40} on chain id 31337, context ${context}$`, 'm'),
    )
    expect((await json('verify', at('on'), at('local'), '--for', 'local', '--ctx', CTX)).code).toBe(0)
    for (const words of [
      ['--ctx', '0x0badcaff'],
      ['--for', `1:${told.json.proofs[0].destination.contract}`],
      ['--for', `31337:0x${'12'.repeat(20)}`],
    ]) {
      const { code, json: line } = await json('verify', at('on'), at('local'), ...words)
      expect([code, line.valid, line.proofs[0].offChain]).toEqual([4, false, true])
      expect(line.proofs[0].error.code).toBe('proof/other-destination')
    }
    expect((await json('verify', at('off'), at('local'), '--ctx', CTX)).code).toBe(2)
  })

  test('can’t be exchanged in files: other bytes, r or e, another context or contract', async () => {
    const [proof, signals] = ['proof', 'public'].map((kind) =>
      JSON.parse(readFileSync(at('here', `inputs-0.${kind}.json`), 'utf8')),
    )
    const verdict = async (changedProof: Json, changedSignals: Json): Promise<Json> => {
      writeFileSync(at('lie.proof.json'), JSON.stringify(changedProof))
      writeFileSync(at('lie.public.json'), JSON.stringify(changedSignals))
      const { code, json: line } = await json('verify', at('on'), at('lie.proof.json'))
      return [code, line.proofs[0].valid]
    }
    const { veritensor: bytes } = proof
    expect(await verdict(proof, signals)).toEqual([0, true])
    const other = `${bytes.x.slice(0, -2)}${bytes.x.endsWith('00') ? '01' : '00'}`
    for (const change of [
      { x: other },
      { x: `${bytes.x}00` },
      { ctx: `0x${'1'.repeat(64)}` },
      { chainId: '1' },
      { contract: `0x${'1'.repeat(40)}` },
      { x: undefined },
    ])
      expect(await verdict({ ...proof, veritensor: { ...bytes, ...change } }, signals)).toEqual([4, false])
    expect(await verdict({ ...proof, veritensor: undefined }, signals)).toEqual([4, false])
    for (const i of [0, 1, 2])
      expect(await verdict(proof, signals.with(i, String(BigInt(signals[i]) ^ 1n)))).toEqual([4, false])
  })

  test('--for and --ctx are understood, and belong to them', async () => {
    const refused = async (dir: string, ...words: string[]): Promise<string> =>
      (await proveAll(at(dir), at('none'), ...words)).json.code
    for (const wrong of ['1', '0x12', 'here', `1:0x${'1'.repeat(39)}`, `x:0x${'1'.repeat(40)}`])
      expect(await refused('on', '--for', wrong)).toBe('usage/command-line')
    for (const wrong of ['12', '0x', '0x1', `0x${'1'.repeat(66)}`])
      expect(await refused('on', '--ctx', wrong)).toBe('usage/command-line')
    expect(await refused('off', '--for', 'local')).toBe('usage/command-line')
    expect(await refused('off', '--ctx', CTX)).toBe('usage/command-line')
  })
})

describe.each(['on', 'off'])('a verifier of its own, compression %s', (compress) => {
  const dir = at(compress)
  let verifier: string

  test('is deployed, noted down, and asked', async () => {
    const deployed = await json('deploy', dir, ...rpc)
    expect(deployed.code).toBe(0)
    expect(deployed.json).toMatchObject({ dryRun: false, publicBytes: compress === 'on' ? expect.any(Number) : null })
    expect(Math.abs(deployed.json.gasUsed / deployed.json.estimate.gas - 1)).toBeLessThan(0.01)
    verifier = deployed.json.address
    const words = compress === 'on' ? ['--for', `31337:${verifier}`, '--ctx', CTX] : []
    expect((await proveAll(dir, at(`own-${compress}`), ...words)).code).toBe(0)
    const noted = await json('verify', dir, at(`own-${compress}`), '--onchain', ...rpc)
    expect(noted.code).toBe(0)
    expect(noted.json).toMatchObject({ valid: true, chain: { address: verifier } })
    expect(noted.json.proofs.map((p: Json) => [p.onChain, p.gasUsed])).toEqual(new Array(3).fill([true, null]))
    const named = await json('verify', dir, at(`own-${compress}`), '--contract', verifier, ...rpc)
    expect(named.json.valid).toBe(true)
  })

  test('has proofs on record, at the price that was estimated', async () => {
    const { code, out } = await cli('verify', dir, at(`own-${compress}`), '--onchain', '--record', ...rpc)
    expect([code, out[0]]).toEqual([0, expect.stringMatching(/[\d,]+ gas used, [\d,]+ estimated/)])
    const recorded = await json(
      'verify',
      dir,
      at(`own-${compress}`, 'inputs-0.proof.json'),
      '--onchain',
      '--record',
      ...rpc,
    )
    const [proof] = recorded.json.proofs
    expect(proof.gasUsed / proof.estimate.gas).toBeGreaterThan(0.9)
    expect(proof.gasUsed).toBeLessThanOrEqual(proof.estimate.gas)
  })

  test.runIf(compress === 'on')('is called by the README’s lines for ethers', async () => {
    const [, code] = /\*\*With ethers\*\*.*\n\n```ts\n([\s\S]*?)```/.exec(
      readFileSync(join(packageRoot, 'README.md'), 'utf8'),
    )!
    const path = join(packageRoot, 'node_modules', '.cache', `ethers-${process.pid}.mjs`)
    const proofs = at(`own-${compress}`, 'inputs-0')
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, code!.replaceAll('proofs/a', proofs).replace('http://127.0.0.1:8545', anvil.url))
    try {
      expect((await promisify(execFile)(process.execPath, [path])).stdout).toBe('true\n')
    } finally {
      rmSync(path)
    }
  })

  test('is called with what calldata prints', async () => {
    const file = at(`own-${compress}`, 'inputs-1.proof.json')
    const { json: line } = await json('calldata', dir, file)
    expect(line).toMatchObject({
      to: compress === 'on' ? verifier : null,
      signature: expect.stringMatching(
        compress === 'on' ? /^verifyCompressed\(/ : /^verifyProof\(uint256\[8\],uint256\[7\]\)/,
      ),
    })
    const answer = await connection.provider.call({ to: verifier, data: line.data })
    expect(BigInt(answer)).toBe(1n)
    expect((await cli('calldata', dir, file, '--hex')).out).toEqual([line.data])
  })
})

describe.each(['on', 'off'])('a registered model, compression %s', (compress) => {
  const dir = at(compress)
  const proofs = at(`registered-${compress}`)
  let shared: Json
  let modelId: string

  test('begins with the shared contracts', async () => {
    const { code, json: line } = await json('deploy', '--shared', ...rpc)
    expect(code).toBe(0)
    shared = line
    expect(line).toMatchObject({ schema: 'veritensor/deploy-shared@1', dryRun: false, phaseOne: null })
    expect(line.transactions.map((t: Json) => t.contract)).toEqual([
      ...['UniversalVerifier', 'ModelRegistry', 'InferenceVerifier'],
    ])
    expect(Math.abs(line.gasUsed / line.estimate.gas - 1)).toBeLessThan(0.01)
  })

  test('is registered with its key', async () => {
    const words = ['--inference', shared.inferenceVerifier, '--uri', 'ipfs://tiny', ...rpc]
    const { code, json: line } = await json('register', dir, ...words)
    expect(code).toBe(0)
    modelId = line.modelId
    expect(line).toMatchObject({ modelId: '1', keyStored: false, registry: shared.registry, dryRun: false })
    expect(line.keyGas).toBeGreaterThan(100_000)
    expect(await eventsOf(line.transactionHash, REGISTRY_ABI)).toEqual(['ModelRegistered', 'ModelVersionAdded'])
    const model = await readModel(connection, shared.registry, 1n)
    expect(model.record).toEqual(line.record)
    expect(model.record).toMatchObject({ dev: true, uri: 'ipfs://tiny', phaseOne: '' })
    expect(model.record.proofSystem).toBe(compress === 'on' ? 'compressed' : 'direct')
    if (compress === 'off') expect([model.record.outputBytes, model.record.inputBytes]).toEqual([96, 128])
  })

  test('has its inferences verified', async () => {
    const words = compress === 'on' ? ['--for', `31337:${shared.inferenceVerifier}`, '--ctx', CTX] : []
    expect((await proveAll(dir, proofs, ...words)).code).toBe(0)
    const named = ['--inference', shared.inferenceVerifier, '--model', modelId, ...rpc]
    const { code, json: line } = await json('verify', dir, proofs, ...named)
    expect([code, line.valid]).toEqual([0, true])
    expect(line.proofs.every((p: Json) => p.onChain && p.stored !== true && p.gasUsed === null)).toBe(true)
    const recorded = await json('verify', dir, join(proofs, 'inputs-0.proof.json'), ...named, '--record')
    const [proof] = recorded.json.proofs
    expect(await eventsOf(proof.transactionHash, INFERENCE_ABI)).toEqual(['InferenceVerified'])
  })

  test('has them stored', async () => {
    const { code, json: line } = await json('verify', dir, proofs, '--onchain', '--store', ...rpc)
    expect([code, line.valid, line.chain.address]).toEqual([0, true, shared.inferenceVerifier])
    for (const proof of line.proofs) {
      expect(proof.stored).toBe(true)
      const stored = await readInference(connection, shared.inferenceVerifier, proof.inferenceId)
      expect(stored.modelId).toBe(1n)
      expect(await eventsOf(proof.transactionHash, INFERENCE_ABI)).toEqual(['InferenceVerified', 'InferenceStored'])
    }
    const again = await cli('verify', dir, proofs, '--onchain', '--store', ...rpc)
    expect(again.code).toBe(0)
  })

  test('is called with what calldata prints', async () => {
    const where = compress === 'on' ? [] : ['--contract', shared.inferenceVerifier, '--chain-id', '31337']
    const file = join(proofs, 'inputs-2.proof.json')
    const { json: line } = await json('calldata', dir, file, '--model', modelId, '--store', ...where)
    const [stored] = (await json('verify', dir, file, '--onchain', '--store', ...rpc)).json.proofs
    expect(line.inferenceId).toBe(stored.inferenceId)
    const from = anvil.accounts[0]!.address
    const answer = await connection.provider.call({ from, to: shared.inferenceVerifier, data: line.data })
    expect(answer).toBe(line.inferenceId)
  })

  test('gets a new version', async () => {
    const words = ['--update', modelId, '--inference', shared.inferenceVerifier, '--uri', 'ipfs://tiny-2', ...rpc]
    const { code, json: line } = await json('register', dir, ...words)
    expect(code).toBe(0)
    expect(line).toMatchObject({ modelId, keyStored: true, keyGas: null })
    expect(await eventsOf(line.transactionHash, REGISTRY_ABI)).toEqual(['ModelUpdated', 'ModelVersionAdded'])
    expect((await json('verify', dir, proofs, '--onchain', '--store', ...rpc)).code).toBe(0)
  })

  test('is taken out of use, and refuses', async () => {
    const words = ['--deprecate', modelId, '--inference', shared.inferenceVerifier, ...rpc]
    const { code, json: line } = await json('register', dir, ...words)
    expect(code).toBe(0)
    expect(await eventsOf(line.transactionHash, REGISTRY_ABI)).toEqual(['ModelDeprecated'])
    const refused = await json('verify', dir, proofs, '--onchain', '--store', ...rpc)
    expect([refused.code, refused.json.code]).toEqual([6, 'chain/revert'])
    expect(refused.json.details.error).toBe('VerificationRefused_ModelDeprecated')
    const twice = await json('register', dir, ...words)
    expect(twice.json.details.error).toBe('ModelIsDeprecated')
  })
})

describe('a registered model whose key leaves the weights open', () => {
  let inference: string
  const register = (dir: string, ...words: string[]) =>
    json('register', dir, '--inference', inference, ...words, ...rpc)
  const proveOne = (dir: string, out: string, ...words: string[]) =>
    json('prove', dir, '--input', files.proto, '-o', out, '--jobs', '1', ...words)
  beforeAll(async () => {
    inference = (await json('deploy', '--shared', ...rpc)).json.inferenceVerifier
    writeFileSync(at('other.onnx'), tinyModel(3, 6))
  })

  test.each([
    ['committed', 'on'],
    ['private', 'off'],
    ['public', 'on'],
    ['public', 'off'],
  ])('is one model, of %s weights, compression %s', async (visibility, compress) => {
    const name = `${visibility}-${compress}`
    const words = ['--input', 'public', '--weights', visibility, '--compress', compress, '--fit', at('other.onnx')]
    const dir = await compileTiny(folder, name, ...words)
    expect((await cli('setup', dir, '--dev', '--jobs', '1')).code).toBe(0)
    const { modelId, record } = (await register(dir)).json
    // 21 weights of a byte, 6 biases of two
    expect(record.weights.bytes).toBe(visibility !== 'public' ? 32 : compress === 'on' ? 33 : 27 * 32)
    const destination = compress === 'on' ? ['--for', `31337:${inference}`] : []
    expect((await proveOne(dir, at(`${name}-own`), ...destination)).code).toBe(0)
    const stored = await json('verify', dir, at(`${name}-own`), '--onchain', '--store', ...rpc)
    expect([stored.code, stored.json.proofs[0].stored]).toEqual([0, true])

    // another model under the same key: its proofs hold, and are none of this model
    const weights = at(`${name}.vtb`)
    const { digest } = (await json('commit', dir, '--weights', at('other.onnx'), '-o', weights)).json.weights
    expect((await proveOne(dir, at(`${name}-other`), ...destination, '--weights', weights)).code).toBe(0)
    const asked = ['verify', dir, at(`${name}-other`, 'single.proof.json'), '--weights-digest', digest, ...rpc]
    const refused = await json(...asked, '--inference', inference, '--model', modelId)
    expect(refused.code).toBe(4)
    expect(refused.json.proofs[0]).toMatchObject({ offChain: true, sameWeights: true, onChain: false })
    if (visibility === 'public') {
      expect((await register(dir, '--weights-digest', digest)).json.code).toBe('usage/command-line')
      return
    }
    const second = await register(dir, '--weights-digest', digest)
    const accepted = await json(...asked, '--inference', inference, '--model', second.json.modelId)
    expect([accepted.code, accepted.json.proofs[0].onChain]).toEqual([0, true])
  })

  test('fixed weights have no digest', async () => {
    expect((await register(at('on'), '--weights-digest', '0x1')).json.code).toBe('usage/command-line')
  })
})

describe('a key verifier of one phase 1', () => {
  test('is deployed for a directory’s key', async () => {
    const { code, json: line } = await json('deploy', at('on'), '--shared', '--phase-one', ...rpc)
    expect(code).toBe(0)
    expect(line.transactions[0].contract).toBe('PhaseOneVerifier')
    const registered = await json('register', at('on'), '--inference', line.inferenceVerifier, ...rpc)
    expect(registered.json.keyGas).toBeLessThan(150_000)
    const other = await json('register', at('off'), '--inference', line.inferenceVerifier, ...rpc)
    expect([other.code, other.json.code]).toEqual([5, 'key/other-phase-one'])
  })
})

describe('on a chain of others', () => {
  let other: Anvil
  beforeAll(async () => {
    other = await startAnvil({ chainId: 5n })
  })
  afterAll(() => other?.stop())

  test('nothing is sent without --send', async () => {
    const dry = await json('deploy', '--shared', '--rpc', other.url)
    expect(dry.code).toBe(0)
    expect(dry.json).toMatchObject({ dryRun: true, chainId: 5 })
    expect(dry.json.estimate.gas).toBeGreaterThan(4_000_000)
    expect(dry.json.inferenceVerifier).toBeUndefined()
    const { out } = await cli('deploy', '--shared', '--rpc', other.url)
    expect(out[0]).toMatch(/dry run: nothing was sent/)
    const there = await connect(other.url)
    expect(await there.provider.getBlockNumber()).toBe(0)
    there.close()
  })

  test('somebody has to pay', async () => {
    const nobody = await json('deploy', '--shared', '--rpc', other.url, '--send')
    expect([nobody.code, nobody.json.code]).toEqual([2, 'usage/command-line'])
    const key = other.accounts[0]!.privateKey
    process.env.VERITENSOR_PRIVATE_KEY = key
    try {
      const sent = await json('deploy', '--shared', '--rpc', other.url, '--send')
      expect(sent.json).toMatchObject({ dryRun: false, from: other.accounts[0]!.address })
    } finally {
      delete process.env.VERITENSOR_PRIVATE_KEY
    }
  })

  test('development keys stay away', async () => {
    for (const words of [
      ['deploy', at('on')],
      ['deploy', at('on'), '--shared', '--phase-one'],
    ])
      expect((await json(...words, '--rpc', other.url)).json.code).toBe('key/development-key-on-chain')
  })
})
