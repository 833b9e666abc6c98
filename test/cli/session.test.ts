import { createHash } from 'node:crypto'
import { cpSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { openCircuit } from '../../src/artefacts/compiled.ts'
import { FILES, readManifest, sha256 } from '../../src/artefacts/directory.ts'
import { type Anvil, startAnvil } from '../../src/chain/anvil.ts'
import { R } from '../../src/groth16/bn254.ts'
import { r1csDigest } from '../../src/groth16/r1cs.ts'
import { readZkey } from '../../src/groth16/zkey.ts'
import { comparable, snarkjs, writePtau } from '../groth16/tools.ts'
import { cli, compileTiny, type Json, json, temporaryFolder, tinyFiles, tinyInputs } from './support.ts'

const WARNING = /UNSAFE DEVELOPMENT KEY/

const folder = temporaryFolder()
const files = tinyFiles(folder)
const made = files.at('made')
const proofs = files.at('proofs')
const dir = files.at('dir')
let anvil: Anvil
let lines: Record<'setup' | 'prove', Json>

beforeAll(async () => {
  await compileTiny(folder, 'made')
  const starting = startAnvil()
  const set = await json('setup', made, '--dev', '--jobs', '1')
  const proved = await json('prove', made, '--input', files.inputs, files.proto, '-o', proofs, '--jobs', '1')
  expect([set.code, proved.code]).toEqual([0, 0])
  lines = { setup: set.json, prove: proved.json }
  anvil = await starting
})
afterAll(() => anvil?.stop())
beforeEach(() => {
  rmSync(dir, { recursive: true, force: true })
  cpSync(made, dir, { recursive: true })
})

const proofOf = (name: string): string => join(proofs, `${name}.proof.json`)
const read = (path: string) => JSON.parse(readFileSync(path, 'utf8'))

describe('setup', () => {
  test('tells what it made, and that it is unsafe', async () => {
    const manifest = await readManifest(made)
    expect(lines.setup).toMatchObject({
      schema: 'veritensor/setup@1',
      directory: made,
      dev: true,
      key: { kind: 'dev' },
      rows: manifest.rows,
      publicSignals: 3,
      zkeyDigest: sha256(readFileSync(join(made, FILES.zkey))),
      warning: expect.stringMatching(WARNING),
    })
    expect(read(join(made, FILES.verificationKey)).veritensor).toEqual({ dev: true })
  })

  test('from a ceremony: a key that is not for development', async () => {
    const [raw, ptau] = [files.at('raw.ptau'), files.at('small.ptau')]
    const power = 7
    expect((await readManifest(made)).rows).toBeLessThan(2 ** power - 4)
    await writePtau(raw, power, comparable)
    await snarkjs('powersoftau', 'prepare', 'phase2', raw, ptau)
    const digest = createHash('blake2b512').update(readFileSync(ptau)).digest('hex')
    const wrong = digest.replace(/^./, (c) => (c === '0' ? '1' : '0'))
    expect((await json('setup', dir, '--ptau', ptau, '--ptau-digest', wrong)).json).toMatchObject({
      code: 'key/ptau-digest',
    })
    const first = await json('setup', dir, '--ptau', ptau, '--ptau-digest', digest)
    expect([first.code, first.json.dev]).toEqual([0, false])
    expect(first.json.qkeyBytes).toBe(null)
    expect((await cli('setup', 'quotient', dir)).code).toBe(0)
    expect(existsSync(join(dir, FILES.qkey))).toBe(true)
    const second = await json('setup', 'contribute', dir, '--name', 'bob')
    // that of the key before is of no use now
    expect(existsSync(join(dir, FILES.qkey))).toBe(false)
    expect(Object.keys((await readManifest(dir)).files)).not.toContain(FILES.qkey)
    expect([second.code, second.json.vkDigest === first.json.vkDigest]).toEqual([0, false])
    const { code, json: line } = await json('setup', 'beacon', dir, '--beacon', '0a0b')
    expect([code, line.dev, line.warning]).toEqual([0, false, null])
    expect((await json('setup', 'contribute', dir)).json).toMatchObject({ code: 'usage/beacon-done' })
    expect((await json('setup', 'contribute', made)).json).toMatchObject({ code: 'usage/dev-key' })
    const checked = await json('setup', 'verify', dir, '--ptau', ptau)
    expect(checked.json.contributions).toEqual([
      { name: r1csDigest(await openCircuit(dir, await readManifest(dir))), beacon: false },
      { name: 'bob', beacon: false },
      { name: 'beacon', beacon: true },
    ])
    // a development key is of no ceremony
    expect((await json('setup', 'verify', made, '--ptau', ptau)).json).toMatchObject({ code: 'key/unsafe' })
    expect(line.key).toEqual({
      kind: 'ptau',
      ptau: { file: 'small.ptau', sha256: sha256(readFileSync(ptau)) },
      beacon: { hash: '0a0b', iterationsExp: 10 },
    })
    expect((await readManifest(dir)).key).toEqual(line.key)
    const out = files.at('ceremony-proofs')
    const quotient = await json('setup', 'quotient', dir)
    expect([quotient.code, quotient.json.qkeyBytes]).toEqual([0, readFileSync(join(dir, FILES.qkey)).length])
    const proved = await cli('prove', dir, '--input', files.proto, '-o', out)
    expect(proved.code).toBe(0)
    expect(proved.out[0] + proved.err).not.toMatch(WARNING)
    expect((await json('verify', dir, out)).json).toMatchObject({ valid: true, dev: false })
    const { out: written } = await cli('contract', dir)
    expect(written[0]).not.toMatch(WARNING)
    expect(readFileSync(join(dir, FILES.verifier), 'utf8')).toContain('small.ptau')
    // the old proofs are of another key
    expect((await cli('verify', dir, proofs)).code).toBe(4)
  })
})

describe('prove', () => {
  test('writes snarkjs’ JSON, and tells results in the model’s units', async () => {
    expect(readdirSync(proofs).sort()).toEqual(
      ['inputs-0', 'inputs-1', 'inputs-2', 'single'].flatMap((n) => [`${n}.proof.json`, `${n}.public.json`]),
    )
    expect(lines.prove).toMatchObject({
      schema: 'veritensor/prove@1',
      dev: true,
      warning: expect.stringMatching(WARNING),
    })
    const { json: run } = await json('run', made, '--input', files.inputs, files.proto)
    expect(lines.prove.proofs.map((p: { statement: { values: number[] }[] }) => p.statement[0]!.values)).toEqual(
      run.results.map((r: { integer: number[][] }) => r.integer[0]),
    )
    await snarkjs(
      'groth16',
      'verify',
      join(made, FILES.verificationKey),
      join(proofs, 'single.public.json'),
      proofOf('single'),
    )
  })

  test('a table for people, with the warning; names that repeat get numbers', async () => {
    const { code, out, err } = await cli('prove', made, '--input', files.proto, files.proto, '-o', files.at('two'))
    expect(code).toBe(0)
    expect(out[0]).toMatch(/^input +output +largest +time\n/)
    expect(out[0]).toMatch(/\nsingle +-?\d/)
    expect(out[0]).toMatch(/\nsingle-2 +-?\d/)
    expect(out[0]).toMatch(WARNING)
    expect(err).toMatch(WARNING)
    expect(err).toMatch(/prove · .* s · 2 proofs\n/)
    expect(readdirSync(files.at('two')).length).toBe(4)
  })

  test('checks all inputs before the first proof, and names the one that is wrong', async () => {
    const far = files.at('far.json')
    writeFileSync(far, JSON.stringify([...tinyInputs(1), [0, 0, 50, 0]]))
    const out = files.at('none')
    const { code, json: line } = await json('prove', made, '--input', far, '-o', out)
    expect([code, line.code]).toEqual([3, 'input/out-of-range'])
    expect(line.message).toMatch(/^far-1: input "x"\[2\] is 50; the model was calibrated/)
    expect(line.details).toMatchObject({ sample: 'far-1', input: 'x', element: 2, value: 50 })
    expect(readdirSync(out)).toEqual([])
  })

  test('refuses a key that was cut short', async () => {
    const path = join(dir, FILES.zkey)
    writeFileSync(path, readFileSync(path).subarray(0, 5000))
    expect(await json('prove', dir, '--input', files.proto, '-o', proofs)).toMatchObject({
      code: 5,
      json: { code: 'key/digest-mismatch' },
    })
    const manifest = read(join(dir, FILES.manifest))
    manifest.files[FILES.zkey] = sha256(readFileSync(path))
    writeFileSync(join(dir, FILES.manifest), JSON.stringify(manifest))
    expect(await json('prove', dir, '--input', files.proto, '-o', proofs)).toMatchObject({
      code: 5,
      json: { code: 'key/malformed-zkey' },
    })
  })

  test('errors come back from the threads with their codes', async () => {
    // points that the checks of the key do not look at: the proof turns out wrong in the thread
    const out = files.at('corrupt')
    const good = new Map([FILES.zkey, FILES.qkey].map((name) => [name, readFileSync(join(dir, name))]))
    const proveWith = async (name: string, change: (bytes: Uint8Array) => void) => {
      const manifest = read(join(dir, FILES.manifest))
      for (const [file, content] of good) {
        const bytes = Uint8Array.from(content)
        if (file === name) change(bytes)
        writeFileSync(join(dir, file), bytes)
        manifest.files[file] = sha256(bytes)
      }
      writeFileSync(join(dir, FILES.manifest), JSON.stringify(manifest))
      return json('prove', dir, '--input', files.proto, '-o', out)
    }
    const section = (bytes: Uint8Array, id: number): Uint8Array => readZkey(bytes).sections.get(id)!
    // points at infinity in B2 alone are noticed before
    const infinite = await proveWith(FILES.zkey, (bytes) => section(bytes, 7).fill(0))
    expect(infinite.json.code).toBe('key/malformed')
    const last = (bytes: Uint8Array): unknown => bytes.fill(bytes.at(-60)! ^ 1, -60, -59)
    for (const [name, change] of [
      [FILES.zkey, (bytes: Uint8Array) => section(bytes, 5).fill(1, 0, 1)],
      [FILES.qkey, last],
    ] as const) {
      const { code, json: line } = await proveWith(name, change)
      expect([name, code, line.code]).toEqual([name, 5, 'key/corrupt'])
      expect(line.fix).toContain('.qkey')
      expect(readdirSync(out)).toEqual([])
    }
    // without a quotient key the points of the .zkey serve, and it can be derived from them again
    writeFileSync(join(dir, FILES.zkey), good.get(FILES.zkey)!)
    const manifest = read(join(dir, FILES.manifest))
    manifest.files[FILES.zkey] = sha256(good.get(FILES.zkey)!)
    delete manifest.files[FILES.qkey]
    writeFileSync(join(dir, FILES.manifest), JSON.stringify(manifest))
    rmSync(join(dir, FILES.qkey))
    expect((await json('prove', dir, '--input', files.proto, '-o', out)).code).toBe(0)
    const { code, json: line } = await json('setup', 'quotient', dir)
    const { length } = good.get(FILES.qkey)!
    const digest = sha256(good.get(FILES.qkey)!)
    expect([code, line]).toMatchObject([0, { qkeyBytes: length, qkeyDigest: digest }])
    expect(read(join(dir, FILES.manifest)).files[FILES.qkey]).toBe(digest)
    expect(sha256(readFileSync(join(dir, FILES.qkey)))).toBe(digest)
  })

  test('an output folder that can’t be made is told', async () => {
    const { code, json: line } = await json('prove', made, '--input', files.proto, '-o', join(files.model, 'x'))
    expect([code, line.code]).toEqual([3, 'input/unwritable'])
  })
})

describe('verify', () => {
  const forged = (name: string, change: (p: { proof: Json; signals: string[] }) => unknown): string => {
    const value = { proof: read(proofOf('single')), signals: read(join(proofs, 'single.public.json')) }
    change(value)
    const path = files.at(`${name}.proof.json`)
    writeFileSync(path, typeof value.proof === 'string' ? value.proof : JSON.stringify(value.proof))
    writeFileSync(files.at(`${name}.public.json`), JSON.stringify(value.signals))
    return path
  }

  test('all proofs of a folder, with results in the model’s units', async () => {
    const { code, json: line } = await json('verify', made, proofs)
    expect([code, line.valid, line.dev, line.chain]).toEqual([0, true, true, null])
    expect(line.proofs.map((p: Json) => [p.name, p.valid, p.offChain, p.onChain])).toEqual(
      ['inputs-0', 'inputs-1', 'inputs-2', 'single'].map((name) => [name, true, true, null]),
    )
    expect(line.proofs.map((p: Json) => p.statement)).toEqual(lines.prove.proofs.map((p: Json) => p.statement))
    const { out } = await cli('verify', made, proofOf('single'))
    expect(out[0]).toMatch(/\nsingle +valid +-?\d/)
    expect(out[0]).toContain('1 proof: valid')
    expect(out[0]).toMatch(WARNING)
  })

  test('works without proving key, circuit and model', async () => {
    for (const name of [FILES.zkey, FILES.circuit, FILES.r1cs, FILES.model, FILES.onnx]) rmSync(join(dir, name))
    expect(await json('verify', dir, proofs)).toMatchObject({ code: 0, json: { valid: true, dev: true } })
  })

  test('another claim, and the signals of another proof, do not verify', async () => {
    const other = join(proofs, 'inputs-0.public.json')
    const { code, json: line } = await json('verify', made, proofOf('single'), '--public', other)
    expect([code, line.valid, line.proofs[0].valid, line.proofs[0].error]).toEqual([4, false, false, null])
    const claim = forged('claim', ({ signals }) => {
      signals[0] = String((BigInt(signals[0]!) + 1n) % R)
    })
    const { code: again, out } = await cli('verify', made, proofs, claim)
    expect(again).toBe(4)
    expect(out[0]).toMatch(/\nclaim +INVALID +claims /)
    expect(out[0]).toContain('5 proofs: 1 do NOT verify')
  })

  test.each<[string, (p: { proof: Json; signals: string[] }) => unknown]>([
    ['empty', (p) => (p.proof = {})],
    ['null', (p) => (p.proof = null)],
    ['noJson', (p) => (p.proof = 'not JSON')],
    ['offCurve', (p) => (p.proof.pi_a[0] = '1')],
    ['infinity', (p) => (p.proof.pi_a = ['0', '1', '0'])],
    ['tooLong', (p) => (p.proof.pi_a[0] = '1'.repeat(60_000))],
    ['huge', (p) => (p.proof.extra = 'x'.repeat(100_000))],
    ['fewSignals', (p) => p.signals.pop()],
    ['moreSignals', (p) => p.signals.push('0')],
    ['aliased', (p) => (p.signals[0] = String(BigInt(p.signals[0]!) + R))],
    ['negative', (p) => (p.signals[0] = '-1')],
    ['numbers', (p) => (p.signals = [1, 2, 3] as unknown as string[])],
  ])('malformed proofs never verify: %s', async (name, change) => {
    const path = forged(name, change)
    const { code, json: line } = await json('verify', made, path)
    expect([code, line.valid, line.proofs[0].valid, line.proofs[0].offChain]).toEqual([4, false, false, false])
    expect(line.proofs[0].error.code).toMatch(/^proof\/malformed/)
  })

  test('files that are not there are an error, not a verdict', async () => {
    expect(await json('verify', made, files.at('no.proof.json'))).toMatchObject({
      code: 3,
      json: { code: 'input/unreadable' },
    })
    cpSync(proofOf('single'), files.at('lone.proof.json'))
    expect(await json('verify', made, files.at('lone.proof.json'))).toMatchObject({ code: 3 })
    cpSync(proofOf('single'), files.at('odd.json'))
    expect(await json('verify', made, files.at('odd.json'))).toMatchObject({ code: 2 })
    expect(await json('verify', made, made)).toMatchObject({ code: 3, json: { code: 'input/unreadable' } })
    expect(await json('verify', made, proofs, '--public', files.at('x'))).toMatchObject({ code: 2 })
  })

  test('--anvil deploys, verifies by transactions, and ends the chain', async () => {
    const claim = forged('claim', ({ signals }) => {
      signals[0] = '5'
    })
    const { code, json: line } = await json('verify', made, proofOf('single'), claim, '--anvil')
    expect(code).toBe(4)
    expect(line.chain.chainId).toBe(31337)
    expect(line.proofs.map((p: Json) => [p.name, p.valid, p.offChain, p.onChain])).toEqual([
      ['single', true, true, true],
      ['claim', false, false, false],
    ])
    expect(line.proofs[0].gasUsed).toBeGreaterThan(200_000)
    expect(line.proofs[0].transactionHash).toMatch(/^0x[0-9a-f]{64}$/)
    expect(line.proofs[1].gasUsed).toBe(null)
  })
})

describe('contract and deploy', () => {
  test('the contract is filed with its digest, or goes where it is told to', async () => {
    const { code, json: line } = await json('contract', dir)
    expect(code).toBe(0)
    expect(line).toMatchObject({
      schema: 'veritensor/contract@1',
      dev: true,
      publicSignals: 3,
      contractName: 'Verifier',
    })
    const manifest = await readManifest(dir)
    const source = readFileSync(join(dir, FILES.verifier))
    expect(manifest.files[FILES.verifier]).toBe(sha256(source))
    const [model, circuit] = [manifest.files[FILES.onnx]!, manifest.files[FILES.r1cs]!]
    for (const part of ['"tiny"', model, circuit, line.vkDigest]) expect(source.toString()).toContain(part)

    const elsewhere = files.at('new/Digits.sol')
    const { out } = await cli('contract', dir, '--name', 'Digits', '-o', elsewhere)
    expect(out[0]).toMatch(WARNING)
    expect(readFileSync(elsewhere, 'utf8')).toContain('contract Digits')
    expect(await readManifest(dir)).toEqual(manifest)
    expect(await json('contract', dir, '--name', '1x')).toMatchObject({
      code: 2,
      json: { code: 'usage/verifier-option' },
    })
  })

  test('an unsafe key gets no contract, however well it is filed', async () => {
    const path = join(dir, FILES.verificationKey)
    const key = read(path)
    writeFileSync(path, JSON.stringify({ ...key, vk_delta_2: key.vk_gamma_2 }))
    const manifest = read(join(dir, FILES.manifest))
    manifest.files[FILES.verificationKey] = sha256(readFileSync(path))
    writeFileSync(join(dir, FILES.manifest), JSON.stringify(manifest))
    expect(await json('contract', dir)).toMatchObject({ code: 5, json: { code: 'key/unsafe' } })
    expect(await json('verify', dir, proofs)).toMatchObject({ code: 5, json: { code: 'key/unsafe' } })
    expect(existsSync(join(dir, FILES.verifier))).toBe(false)
  })

  test('deploy on a local chain needs no key of the user; verify --rpc asks what stands there', async () => {
    const deployed = await json('deploy', dir, '--rpc', anvil.url)
    expect(deployed.code).toBe(0)
    expect(deployed.json).toMatchObject({
      schema: 'veritensor/deploy@1',
      dev: true,
      chainId: 31337,
      from: anvil.accounts[0]!.address,
      warning: expect.stringMatching(WARNING),
    })
    const { address, gasUsed, estimate } = deployed.json
    expect(Math.abs(estimate.gas / gasUsed - 1)).toBeLessThan(0.05)
    const asked = await json('verify', dir, proofs, '--rpc', anvil.url, '--contract', address)
    expect([asked.code, asked.json.valid, asked.json.chain]).toEqual([0, true, { chainId: 31337, address }])
    expect(asked.json.proofs.every((p: Json) => p.onChain === true && p.gasUsed === null)).toBe(true)

    const nobody = anvil.accounts[5]!.address
    const wrong = await json('verify', dir, proofs, '--rpc', anvil.url, '--contract', nobody)
    expect([wrong.code, wrong.json.code]).toEqual([6, 'chain/no-code'])
    await cli('setup', dir, '--dev', '--jobs', '1')
    const other = await json('verify', dir, proofs, '--rpc', anvil.url, '--contract', address)
    expect([other.code, other.json.code]).toEqual([5, 'key/other-verifier'])
  })

  test('who pays is taken from the environment, never from the command line', async () => {
    const { address, privateKey } = anvil.accounts[3]!
    process.env.VERITENSOR_PRIVATE_KEY = privateKey
    try {
      const { out, err } = await cli('deploy', dir, '--rpc', anvil.url, '--chain-id', '31337')
      expect(out[0]).toContain(`by ${address}`)
      expect(out[0]).toMatch(WARNING)
      expect(err).toMatch(/deployment needs about [\d,]+ gas, about \S+ of the chain’s coin/)
      expect(out[0] + err).not.toContain(privateKey.slice(2))
      process.env.VERITENSOR_PRIVATE_KEY = '0x1234'
      const bad = await cli('deploy', dir, '--rpc', anvil.url)
      expect([bad.code, bad.err]).toEqual([2, expect.stringContaining('the private key is unusable')])
      expect(bad.err).not.toContain('1234')
    } finally {
      delete process.env.VERITENSOR_PRIVATE_KEY
    }
    expect(await json('deploy', dir, '--rpc', anvil.url, '--keystore', files.model)).toMatchObject({ code: 2 })
    process.env.VERITENSOR_KEYSTORE_PASSWORD = 'secret'
    try {
      const none = await json('deploy', dir, '--rpc', anvil.url, '--keystore', files.at('absent'))
      expect([none.code, none.json.code]).toEqual([3, 'input/unreadable'])
      const bad = await json('deploy', dir, '--rpc', anvil.url, '--keystore', files.model)
      expect([bad.code, bad.json.code]).toEqual([2, 'usage/signer'])
    } finally {
      delete process.env.VERITENSOR_KEYSTORE_PASSWORD
    }
  })

  test('the wrong chain, no chain, and a development key on a chain of others', async () => {
    expect(await json('deploy', dir, '--rpc', anvil.url, '--chain-id', '1')).toMatchObject({
      code: 6,
      json: { code: 'chain/wrong-chain' },
    })
    expect(await json('deploy', dir, '--rpc', 'http://127.0.0.1:1')).toMatchObject({
      code: 6,
      json: { code: 'chain/unreachable' },
    })
    const public_ = await startAnvil({ chainId: 5n })
    try {
      const refused = await json('deploy', dir, '--rpc', public_.url)
      expect([refused.code, refused.json.code]).toEqual([5, 'key/development-key-on-chain'])
    } finally {
      await public_.stop()
    }
  })
})

describe('doctor', () => {
  test('finds this machine fit', async () => {
    const { code, json: line } = await json('doctor')
    expect([code, line.ok]).toEqual([0, true])
    expect(line.checks.map((c: Json) => c.name)).toEqual([
      ...['Node.js', 'processors', 'memory', 'temporary folder', 'worker thread', 'engine'],
      ...['Solidity compiler', 'anvil', 'local chain'],
    ])
  })

  test('ends with 6 and a remedy where something fails', async () => {
    const before = process.env.TMPDIR
    process.env.TMPDIR = files.at('absent')
    try {
      const { code, out } = await cli('doctor')
      expect(code).toBe(6)
      expect(out[0]).toMatch(
        /\nfail {2}temporary folder +.*absent.*\n +→ set TMPDIR to a folder that can be written to\n/,
      )
      expect(out[0]).toMatch(/\n1 check failed$/)
    } finally {
      if (before === undefined) delete process.env.TMPDIR
      else process.env.TMPDIR = before
    }
  })
})
