import { readFileSync } from 'node:fs'
import { Contract, dataLength, getCreateAddress } from 'ethers'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { deployVerifier } from '../../src/chain/deploy.ts'
import { selfTestVerifier, verifyOnchain } from '../../src/chain/verifyOnchain.ts'
import { R } from '../../src/groth16/bn254.ts'
import { g1Words, proofArguments, proofWords, wordHex } from '../../src/solidity/calldata.ts'
import {
  type CompiledContract,
  compileContract,
  compileSolidity,
  MAX_CODE_BYTES,
  MAX_INIT_CODE_BYTES,
} from '../../src/solidity/compile.ts'
import { generateVerifierTest } from '../../src/solidity/fixtureTest.ts'
import {
  generateVerifier,
  MAX_INPUTS_IN_CODE,
  MAX_PUBLIC_INPUTS,
  requiredGas,
  type VerifierOptions,
  verifyingKeyDigest,
} from '../../src/solidity/verifier.ts'
import { type Fixture, makeFixtures, options } from './fixtures.ts'
import { type Lab, startLab } from './lab.ts'

const MAX = MAX_PUBLIC_INPUTS
/** The smallest key in one data contract, one in two as models have it, and the largest. */
const SIZES = [MAX_INPUTS_IN_CODE + 1, 640, MAX]
/** EIP-7825: the most gas that a transaction may have. */
const MAX_TRANSACTION_GAS = 16_777_216
const PER_CONTRACT = 383
const listForm = 'verify(uint256[8],uint256[])'
const wordsForm = (n: number): string => `verifyProof(uint256[8],uint256[${n}])`
const pointsForm = (n: number): string => `verifyProof(uint256[2],uint256[2][2],uint256[2],uint256[${n}])`

let fixtures: Record<number, Fixture>
let lab: Lab
const compiled: Record<number, CompiledContract> = {}
const verifiers: Record<number, Contract> = {}

beforeAll(async () => {
  // anvil enforces EIP-170 and EIP-3860 by itself, EIP-7825 on request
  ;[fixtures, lab] = await Promise.all([
    makeFixtures({ simulate: SIZES }),
    startLab({ args: ['--enable-tx-gas-limit'] }),
  ])
  for (const n of SIZES) {
    compiled[n] = await compileContract(generateVerifier(fixtures[n]!.vk, options), 'Verifier')
    verifiers[n] = await lab.deploy(compiled[n])
  }
})
afterAll(() => lab.stop())

const ask = (n: number, inputs: readonly bigint[], gas?: number): Promise<unknown> =>
  lab.ask(verifiers[n]!, wordsForm(n), [proofWords(fixtures[n]!.proof), inputs], gas)

/** First, middle and last input, and those on both sides of the border between two data contracts. */
const positions = (n: number): number[] =>
  [0, n >> 1, PER_CONTRACT - 1, PER_CONTRACT, n - 1].filter((i, at, all) => i < n && all.indexOf(i) === at)

const dataAddresses = (n: number): Promise<string[]> =>
  Promise.all(
    Array.from(
      { length: Math.ceil(n / PER_CONTRACT) },
      (_, i) => lab.ask(verifiers[n]!, `KEY_DATA_${i + 1}()`, []) as Promise<string>,
    ),
  )

describe('verifiers with data contracts', () => {
  it.each(SIZES)('accept an honest proof in every form of the call, n = %i', async (n) => {
    const { proof, publicSignals } = fixtures[n]!
    expect(await ask(n, publicSignals)).toBe(true)
    for (const [form, args] of [
      [pointsForm(n), [...proofArguments(proof), publicSignals]],
      [listForm, [proofWords(proof), publicSignals]],
    ] as const)
      expect(await lab.ask(verifiers[n]!, form, args)).toBe(true)
  })

  it.each(SIZES)('refuse a changed input, an aliased one, and inputs in another order, n = %i', async (n) => {
    const { publicSignals } = fixtures[n]!
    for (const i of positions(n)) {
      const value = publicSignals[i]!
      for (const other of [value ^ 1n, value + R])
        expect(await ask(n, publicSignals.with(i, other)), `input ${i}`).toBe(false)
    }
    const [i, j] = n > PER_CONTRACT ? [PER_CONTRACT - 1, PER_CONTRACT] : [0, n - 1]
    const exchanged = publicSignals.with(i, publicSignals[j]!).with(j, publicSignals[i]!)
    expect(await ask(n, exchanged)).toBe(false)
  })

  it('refuse each changed proof word, in every form', async () => {
    const n = SIZES[0]!
    const { proof, publicSignals } = fixtures[n]!
    for (const [k, word] of proofWords(proof).entries()) {
      const w = proofWords(proof).with(k, word ^ 1n)
      const points = [w.slice(0, 2), [w.slice(2, 4), w.slice(4, 6)], w.slice(6)]
      expect(await lab.ask(verifiers[n]!, wordsForm(n), [w, publicSignals])).toBe(false)
      expect(await lab.ask(verifiers[n]!, pointsForm(n), [...points, publicSignals])).toBe(false)
      expect(await lab.ask(verifiers[n]!, listForm, [w, publicSignals])).toBe(false)
    }
    for (const list of [publicSignals.slice(1), [...publicSignals, 0n]])
      expect(await lab.ask(verifiers[n]!, listForm, [proofWords(proof), list])).toBe('WrongInputCount')
  })

  it('deploy, verify and pass the self-test by the functions of the product', async () => {
    const n = 640
    const { vk, proof, publicSignals } = fixtures[n]!
    const { address } = await deployVerifier(lab.connection, lab.signer, compiled[n]!, { dev: false })
    await selfTestVerifier(lab.connection, address, proof, publicSignals)
    const vkDigest = verifyingKeyDigest(vk)
    const sent = await verifyOnchain(lab.connection, address, proof, publicSignals, { vkDigest, send: lab.signer })
    expect(sent).toMatchObject({ valid: true })
    expect(Number(sent.gasUsed)).toBeLessThan(MAX_TRANSACTION_GAS)
  })

  it('pass the fixture test in Solidity, which notices a last input that is not checked', async () => {
    const n = SIZES[0]!
    const { vk, proof, publicSignals } = fixtures[n]!
    const source = generateVerifier(vk, options)
    const lax = source.replace('lt(s, R)', 'or(lt(s, R), eq(add(x, 0x20), end))') // of the last input
    expect(lax).not.toBe(source)
    const names = ['acceptsHonestProof', 'refusesChangedProof', 'refusesChangedInput', 'refusesAliasedInput']
    const big = await startLab({ args: ['--disable-code-size-limit', '--gas-limit', '300000000'] })
    const answers = async (verifier: string): Promise<string[]> => {
      const { contracts } = await compileSolidity(verifier + generateVerifierTest('Verifier', proof, publicSignals))
      const test = await big.deploy(contracts.VerifierTest!)
      const results = []
      for (const name of names) results.push(String(await big.ask(test, `test_${name}()`, [], 200_000_000)))
      return results
    }
    try {
      expect(await answers(source)).toEqual(['', '', '', ''])
      expect(await answers(lax)).toEqual(['', '', '', 'Error'])
    } finally {
      await big.stop()
    }
  })
})

describe('data contracts', () => {
  it.each(SIZES)('are created by the verifier and hold every point behind a STOP, n = %i', async (n) => {
    const { provider } = lab.connection
    const from = await verifiers[n]!.getAddress()
    const addresses = await dataAddresses(n)
    expect(addresses).toEqual(addresses.map((_, i) => getCreateAddress({ from, nonce: i + 1 })))
    const codes = await Promise.all(addresses.map((address) => provider.getCode(address)))
    for (const code of codes) {
      expect(code.slice(0, 4)).toBe('0x00')
      expect(dataLength(code)).toBeLessThanOrEqual(MAX_CODE_BYTES)
    }
    const words = fixtures[n]!.vk.ic.slice(1).flatMap((point) => g1Words(point).map((word) => wordHex(word).slice(2)))
    expect(codes.map((code) => code.slice(4)).join('')).toBe(words.join(''))
  })

  it('do nothing when called', async () => {
    for (const to of await dataAddresses(MAX)) {
      await (await lab.signer.sendTransaction({ to, data: '0xff', gasLimit: 1_000_000 })).wait()
      expect(await lab.connection.provider.call({ to, data: '0x00000000' })).toBe('0x')
    }
    expect(await ask(MAX, fixtures[MAX]!.publicSignals)).toBe(true)
  })

  it('are asked for at every verification: missing or of another length, nothing is decided', async () => {
    const { provider } = lab.connection
    const [n, { publicSignals }] = [640, fixtures[640]!]
    for (const address of await dataAddresses(n)) {
      const code = await provider.getCode(address)
      for (const other of ['0x', code.slice(0, -2), `${code}00`]) {
        await provider.send('anvil_setCode', [address, other])
        expect(await ask(n, publicSignals)).toBe('KeyDataMissing')
        expect(await ask(n, publicSignals.with(0, 1n).with(n - 1, 1n))).toBe('KeyDataMissing')
      }
      await provider.send('anvil_setCode', [address, code])
      expect(await ask(n, publicSignals)).toBe(true)
    }
  })

  it('exist or the verifier does not: short of gas the deployment fails as a whole', async () => {
    const { provider } = lab.connection
    const receipt = await provider.getTransactionReceipt(verifiers[640]!.deploymentTransaction()!.hash)
    const { bytecode } = compiled[640]!
    const gas = Number(receipt!.gasUsed)
    const create = (gasLimit: number): Promise<string> =>
      provider.call({ from: lab.signer.address, data: bytecode, gasLimit }).catch(() => 'failed')
    expect(dataLength(await create(gas + 200_000))).toBe(dataLength(compiled[640]!.deployedBytecode))
    for (const share of [0.2, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 0.999])
      expect(await create(Math.floor(gas * share)), `${share}`).toBe('failed')
  })

  it('exist or the verifier does not: the constructor looks, even with gas to go on', async () => {
    // a taken address makes a creation fail at the price of 63/64 of all gas, so only a chain without limits gets further
    const rich = await startLab({ args: ['--gas-limit', '300000000'] })
    try {
      const { provider } = rich.connection
      const { bytecode } = compiled[640]!
      const abi = verifiers[640]!.interface
      for (const occupied of [1, 2, undefined]) {
        const nonce = await provider.getTransactionCount(rich.signer.address)
        const from = getCreateAddress({ from: rich.signer.address, nonce })
        if (occupied !== undefined)
          await provider.send('anvil_setCode', [getCreateAddress({ from, nonce: occupied }), '0x00'])
        const transaction = { from: rich.signer.address, data: bytecode, gasLimit: 250_000_000 }
        const answer = await provider.call(transaction).then(
          () => 'deployed',
          ({ data }: { data?: string }) => abi.parseError(data ?? '0x')?.name,
        )
        expect(answer).toBe(occupied === undefined ? 'deployed' : 'KeyDataMissing')
        await (await rich.signer.sendTransaction({ to: rich.signer.address })).wait() // on to the next nonce
      }
    } finally {
      await rich.stop()
    }
  })
})

describe('gas', () => {
  it.each(SIZES)('at the very limit of the guard the answer is true, n = %i', async (n) => {
    const { proof, publicSignals } = fixtures[n]!
    const forms: [string, readonly unknown[]][] = [
      [wordsForm(n), [proofWords(proof), publicSignals]],
      [pointsForm(n), [...proofArguments(proof), publicSignals]],
      [listForm, [proofWords(proof), publicSignals]],
    ]
    for (const [form, args] of n === SIZES[0] ? forms : forms.slice(0, 1)) {
      const { tx, exec } = await lab.measure(verifiers[n]!, form, args)
      const answer = (gas: number): Promise<unknown> => lab.ask(verifiers[n]!, form, args, gas)
      // between what must be left at the guard alone, and that with the way to it
      let [low, high] = [tx - exec + requiredGas(n), tx - exec + requiredGas(n) + 2_000]
      while (high - low > 1) {
        const middle = (low + high) >> 1
        if (typeof (await answer(middle)) === 'boolean') high = middle
        else low = middle
      }
      expect([await answer(low), await answer(high)]).toEqual(['InsufficientGas', true])
      // and not far above what an honest proof uses
      expect(high).toBeGreaterThan(tx)
      expect(high).toBeLessThan(1.03 * tx)
    }
  })

  it('without the guard a proof short of gas would be refused, so it is needed', async () => {
    const n = SIZES[0]!
    const { vk, proof, publicSignals } = fixtures[n]!
    const source = generateVerifier(vk, options)
    const open = source.replace(/if \(gasleft\(\) < \d+\) revert InsufficientGas\(\);/, '')
    expect(open).not.toBe(source)
    const contract = await lab.deploy(await compileContract(open, 'Verifier'))
    const short = (await lab.measure(contract, wordsForm(n), [proofWords(proof), publicSignals])).tx - 10_000
    expect(await lab.ask(contract, wordsForm(n), [proofWords(proof), publicSignals], short)).toBe(false)
    expect(await ask(n, publicSignals, short)).toBe('InsufficientGas')
  })

  it('a point off the curve burns a bounded amount', async () => {
    const n = 640
    const { proof, publicSignals } = fixtures[n]!
    const honest = await lab.measure(verifiers[n]!, wordsForm(n), [proofWords(proof), publicSignals])
    const off = await lab.measure(verifiers[n]!, wordsForm(n), [proofWords(proof).with(0, 5n), publicSignals])
    expect([honest.status, off.status]).toEqual([1, 1])
    expect(off.tx - honest.tx).toBeLessThan(182_000) // the pairing's price once more
  })

  it('deploying and verifying fit into one transaction each', async () => {
    const rows = []
    for (const n of SIZES) {
      const { proof, publicSignals } = fixtures[n]!
      const receipt = await lab.connection.provider.getTransactionReceipt(verifiers[n]!.deploymentTransaction()!.hash)
      const { tx, exec } = await lab.measure(verifiers[n]!, wordsForm(n), [proofWords(proof), publicSignals])
      const [code, initCode] = [compiled[n]!.deployedBytecode, compiled[n]!.bytecode].map(dataLength)
      const deploy = Number(receipt!.gasUsed)
      rows.push({ n, tx, exec, guard: requiredGas(n), deploy, code, initCode })
      expect(deploy).toBeLessThan(MAX_TRANSACTION_GAS)
      // calldata of full words, and what the guard demands after it
      expect(21_000 + 16 * 32 * (n + 10) + requiredGas(n)).toBeLessThan(MAX_TRANSACTION_GAS)
      expect(exec).toBeLessThan(requiredGas(n))
      expect(code).toBeLessThan(3_000)
      expect(initCode).toBeLessThanOrEqual(MAX_INIT_CODE_BYTES)
    }
    console.table(rows)
  })
})

describe('the largest number of inputs', () => {
  it('just fits, whatever the optimiser aims at, and one more would not always', async () => {
    const widest: VerifierOptions = { ...options, modelName: 'm'.repeat(64), precompileGasFactor: 1000 }
    const source = generateVerifier({ ...fixtures[MAX]!.vk, dev: true }, widest)
    const sizes = []
    for (const [runs, evmVersion] of [
      [1, 'osaka'],
      [200, 'osaka'],
      [1_000_000, 'osaka'],
      [1_000_000, 'cancun'],
    ] as const)
      sizes.push(
        dataLength((await compileSolidity(source, { runs, evmVersions: [evmVersion] })).contracts.Verifier!.bytecode),
      )
    expect(Math.max(...sizes)).toBeLessThanOrEqual(MAX_INIT_CODE_BYTES)
    expect(Math.max(...sizes) + 64).toBeGreaterThan(MAX_INIT_CODE_BYTES)
  })

  it('is set by what a chain accepts: 49,152 bytes and 16,777,216 gas, not one more', async () => {
    const contract = compiled[MAX]!
    const { proof, publicSignals } = fixtures[MAX]!
    const deploy = async (bytes: number, gasLimit: number): Promise<string> => {
      const data = contract.bytecode.padEnd(2 + 2 * bytes, '00')
      const sent = await lab.signer.sendTransaction({ data, gasLimit })
      return (await sent.wait())!.contractAddress!
    }
    const full = verifiers[MAX]!.attach(await deploy(MAX_INIT_CODE_BYTES, MAX_TRANSACTION_GAS)) as Contract
    expect(await lab.ask(full, wordsForm(MAX), [proofWords(proof), publicSignals])).toBe(true)
    await expect(deploy(MAX_INIT_CODE_BYTES + 1, MAX_TRANSACTION_GAS)).rejects.toThrow(/max initcode size exceeded/)
    await expect(deploy(MAX_INIT_CODE_BYTES, MAX_TRANSACTION_GAS + 1)).rejects.toThrow(/tx_gas_limit_cap/)
  })

  it('is named by the error above it', () => {
    const { vk } = fixtures[MAX]!
    const more = { ...vk, nPublic: MAX + 1, ic: [...vk.ic, vk.alpha] }
    expect(() => generateVerifier(more, options)).toThrow(
      expect.objectContaining({
        code: 'limit/public-inputs',
        message: expect.stringContaining(`at most ${MAX} signals`),
        fix: expect.stringContaining('private'),
      }),
    )
  })
})

describe('the source', () => {
  it('has the contract alone, as no library could know the addresses, and compiles without a warning', async () => {
    for (const dev of [true, false]) {
      const { contracts, warnings } = await compileSolidity(
        generateVerifier({ ...fixtures[640]!.vk, dev }, { ...options, contractName: 'Large' }),
      )
      expect([Object.keys(contracts), warnings]).toEqual([['Large'], []])
    }
  })

  it('offers everything that the interface names, and describes itself', async () => {
    const path = new URL('../../verifier-contracts/interfaces/IGroth16Verifier.sol', import.meta.url)
    const { contracts } = await compileSolidity(readFileSync(path, 'utf8'))
    const key = (entry: Readonly<Record<string, unknown>>): string => {
      const types = (side: unknown): string => (side as { type: string }[] | undefined)?.map((p) => p.type).join() ?? ''
      const mutability = entry.stateMutability === 'pure' ? 'view' : entry.stateMutability
      return `${entry.type} ${entry.name}(${types(entry.inputs)}) ${mutability} (${types(entry.outputs)})`
    }
    const { vk } = fixtures[640]!
    const offered = (await compileContract(generateVerifier({ ...vk, dev: true }, options), 'Verifier')).abi.map(key)
    expect(offered).toEqual(expect.arrayContaining(contracts.IGroth16Verifier!.abi.map(key)))
    expect(await lab.ask(verifiers[640]!, 'PUBLIC_INPUTS()', [])).toBe(640n)
    expect(await lab.ask(verifiers[640]!, 'VK_DIGEST()', [])).toBe(verifyingKeyDigest(vk))
    expect(await lab.ask(verifiers[640]!, 'DEVELOPMENT_KEY()', [])).toBe(false)
  })

  it('is safe to inherit, also by a contract that creates other contracts first', async () => {
    const n = SIZES[0]!
    const { vk, proof, publicSignals } = fixtures[n]!
    const child = `
contract Other {}
contract First {
    Other immutable other = new Other();
}
contract Child is First, Verifier {
    uint256 private constant R = 1;
    uint256 public paid;
    function claim(uint256[8] calldata p, uint256[${n}] calldata x) external returns (uint256) {
        require(verifyProof(p, x), "bad proof");
        paid += R;
        return 77;
    }
}`
    const contract = await lab.deploy(await compileContract(generateVerifier(vk, options) + child, 'Child'))
    const claim = `claim(uint256[8],uint256[${n}])`
    const good = [proofWords(proof), publicSignals]
    const bad = [proofWords(proof), publicSignals.with(n - 1, 9n)]
    expect(await lab.ask(contract, claim, good)).toBe(77n)
    expect((await lab.measure(contract, claim, good)).status).toBe(1)
    expect((await lab.measure(contract, claim, bad)).status).toBe(0)
    expect(await lab.ask(contract, 'paid()', [])).toBe(1n)
  })

  it('with a development key deploys and verifies on a development chain only', async () => {
    const n = SIZES[0]!
    const { vk, proof, publicSignals } = fixtures[n]!
    const source = generateVerifier({ ...vk, dev: true }, options)
    expect(source).toContain('@title UNSAFE, DEVELOPMENT KEY')
    const dev = await compileContract(source, 'Verifier')
    const here = await lab.deploy(dev)
    const args = [proofWords(proof), publicSignals]
    expect(await lab.ask(here, 'DEVELOPMENT_KEY()', [])).toBe(true)
    expect(await lab.ask(here, wordsForm(n), args)).toBe(true)
    const elsewhere = await startLab({ chainId: 1n })
    try {
      await expect(elsewhere.deploy(dev)).rejects.toThrow(/UnsafeDevelopmentKey|revert/)
      const there = await elsewhere.deploy(compiled[n]!)
      expect(await elsewhere.ask(there, wordsForm(n), args)).toBe(true)
      // code that came there without its constructor says so as well
      const code = await lab.connection.provider.getCode(await here.getAddress())
      await elsewhere.connection.provider.send('anvil_setCode', [await there.getAddress(), code])
      const moved = new Contract(await there.getAddress(), here.interface, elsewhere.signer)
      expect(await elsewhere.ask(moved, wordsForm(n), args)).toBe('UnsafeDevelopmentKey')
    } finally {
      await elsewhere.stop()
    }
  })
})
