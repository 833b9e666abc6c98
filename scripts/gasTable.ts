/**
 * Gas of contracts on anvil, hardfork osaka, solc's optimiser at 1,000,000 runs: whole transactions, calldata and base fee of
 * 21,000 included. Keys and proofs are simulated and the same every time, so the figures are exact.
 * @module
 */
import type { Contract } from 'ethers'
import { hexlify, id, ZeroHash } from 'ethers'
import { digestOf } from '../circuits/compression.ts'
import { type InferenceStatement, inferenceId, inferenceProof } from '../src/chain/inference.ts'
import { inputCommitmentOf } from '../src/chain/registration.ts'
import { proofSystemId } from '../src/chain/registry.ts'
import { R } from '../src/groth16/bn254.ts'
import type { Proof } from '../src/groth16/keys.ts'
import { proofArguments, proofWords } from '../src/solidity/calldata.ts'
import { compileContract } from '../src/solidity/compile.ts'
import { challengeOf } from '../src/solidity/compression.ts'
import { keyWords, phaseOneWords, phaseTwoWords } from '../src/solidity/keyWords.ts'
import { compileShipped } from '../src/solidity/shipped.ts'
import { generateVerifier, type VerifierOptions, verifyingKeyDigest } from '../src/solidity/verifier.ts'
import { type Lab, startLab } from '../test/solidity/lab.ts'
import { simulatedKey, simulateProof, snarkjsVerifier } from './support/simulator.ts'

export type GasRow = {
  readonly what: string
  /** Gas of the transaction; of a batch, for each proof. */
  readonly tx: number
  /** The same by snarkjs' contract, where it can be deployed at all; null where it can't, undefined where there is none. */
  readonly snarkjs?: number | null
  /** 21,000, calldata, 181,000 for the pairing and 6,350 for each public signal: no Groth16 verification takes less. */
  readonly floor?: number
  readonly deploy?: number
}

/** The i-th of a row of made-up full-size field elements. */
const element = (i: number): bigint => BigInt(id(`element ${i}`)) % R
const options: VerifierOptions = { modelName: 'gas', modelDigest: '11'.repeat(32), circuitDigest: '22'.repeat(32) }
const SALT = 1

/** Bytes without a pattern, none of them zero: the dearest there are. */
export const denseBytes = (count: number): Uint8Array =>
  Uint8Array.from({ length: count }, (_, i) => 1 + Number(BigInt(id(`byte ${i}`)) % 255n))

const floorOf = (tx: number, exec: number, signals: number): number => tx - exec + 181_000 + 6_350 * signals
const deployGas = async (lab: Lab, contract: Contract): Promise<number> =>
  Number((await lab.connection.provider.getTransactionReceipt(contract.deploymentTransaction()!.hash))!.gasUsed)

async function measured(
  lab: Lab,
  contract: Contract,
  signature: string,
  args: readonly unknown[],
): Promise<{ readonly tx: number; readonly exec: number }> {
  const answer = await lab.ask(contract, signature, args)
  if (answer === false || (typeof answer === 'string' && /^[A-Z]/.test(answer)))
    throw new Error(`${signature}: ${answer}`)
  const { tx, exec, status } = await lab.measure(contract, signature, args)
  if (status !== 1) throw new Error(`${signature} reverted`)
  return { tx, exec }
}

/** One proof with n public signals of full size. */
export async function directGas(lab: Lab, n: number): Promise<GasRow> {
  const vk = simulatedKey(n, SALT)
  const signals = Array.from({ length: n }, (_, i) => element(i))
  const proof = simulateProof(SALT, signals)
  const ours = await lab.deploy(await compileContract(generateVerifier(vk, options), 'Verifier'))
  const { tx, exec } = await measured(lab, ours, `verifyProof(uint256[8],uint256[${n}])`, [proofWords(proof), signals])
  const theirs = await compileContract(snarkjsVerifier(vk, 'Theirs'), 'Theirs')
    .then((compiled) => lab.deploy(compiled))
    .catch(() => undefined)
  const points = [...proofArguments(proof), signals]
  const form = `verifyProof(uint256[2],uint256[2][2],uint256[2],uint256[${n}])`
  const snarkjs = theirs === undefined ? null : (await measured(lab, theirs, form, points)).tx
  const what = `${n} public signal${n === 1 ? '' : 's'}`
  return { what, tx, snarkjs, floor: floorOf(tx, exec, n), deploy: await deployGas(lab, ours) }
}

/** A proof of compressed tensors of those bytes. */
export async function compressedGas(lab: Lab, what: string, x: Uint8Array): Promise<GasRow> {
  const vk = simulatedKey(3, SALT)
  const source = generateVerifier(vk, { ...options, compressedBytes: x.length })
  const contract = await lab.deploy(await compileContract(source, 'Verifier'))
  const made = simulateCompressed(x, await contract.getAddress())
  const args = [proofWords(made.proof), [], made.y, made.ctx, hexlify(x)]
  const form = 'verifyCompressed(uint256[8],uint256[],uint256,bytes32,bytes)'
  const { tx, exec } = await measured(lab, contract, form, args)
  return { what, tx, snarkjs: null, floor: floorOf(tx, exec, 3), deploy: await deployGas(lab, contract) }
}

function simulateCompressed(x: Uint8Array, contract: string, number = 0): { proof: Proof; y: bigint; ctx: string } {
  const [y, ctx] = [digestOf(x), id(number === 0 ? 'context' : `context ${number}`)]
  const { r, e } = challengeOf(verifyingKeyDigest(simulatedKey(3, SALT)), { chainId: 31337n, contract, ctx }, y, x)
  return { proof: simulateProof(SALT, [y, r, e], number), y, ctx }
}

/** Stored keys: storing one, verifying under it, batches. Three signals. */
export async function storedGas(lab: Lab): Promise<GasRow[]> {
  const vk = simulatedKey(3, SALT)
  const digest = verifyingKeyDigest(vk)
  const rows: GasRow[] = []
  const proofs = Array.from({ length: 32 }, (_, i) => {
    const signals = [0, 1, 2].map((j) => element(3 * i + j))
    return { signals, words: proofWords(simulateProof(SALT, signals, i)) }
  })
  const { signals, words } = proofs[0]!
  for (const [name, contract, args, key] of [
    ['universal verifier', 'UniversalVerifier', [1], keyWords(vk)],
    ['verifier of one phase 1', 'PhaseOneVerifier', ['gas', phaseOneWords(vk), 1], phaseTwoWords(vk)],
  ] as const) {
    const verifier = await lab.deploy(await compileShipped(contract), args)
    const stored = await measured(lab, verifier, 'store', [key])
    rows.push({ what: `${name}: add a model`, tx: stored.tx, deploy: await deployGas(lab, verifier) })
    const { tx, exec } = await measured(lab, verifier, 'verify', [digest, words, signals])
    rows.push({ what: `${name}: verify`, tx, floor: floorOf(tx, exec, 3) })
    if (contract === 'PhaseOneVerifier') continue
    for (const m of [8, 32]) {
      const some = proofs.slice(0, m)
      const batch = [digest, some.map((p) => p.words), some.flatMap((p) => p.signals)]
      const all = await measured(lab, verifier, 'verifyBatch', batch)
      rows.push({ what: `batch of ${m}, each proof`, tx: Math.ceil(all.tx / m) })
    }
    const mnist = Uint8Array.of(...MNIST.output, ...MNIST.input)
    for (const m of [8, 32]) {
      const address = await verifier.getAddress()
      const some = Array.from({ length: m }, (_, i) => simulateCompressed(mnist, address, i))
      const statements = some.map(({ y, ctx }) => ({ commitments: [], y, ctx, x: hexlify(mnist) }))
      const batch = [digest, some.map(({ proof }) => proofWords(proof)), statements]
      const all = await measured(lab, verifier, 'verifyCompressedBatch', batch)
      rows.push({ what: `batch of ${m}, MNIST, each proof`, tx: Math.ceil(all.tx / m) })
    }
  }
  return rows
}

/** The registry and inferences of a registered model, of those bytes. */
export async function registeredGas(lab: Lab, output: Uint8Array, input: Uint8Array): Promise<GasRow[]> {
  const vk = simulatedKey(3, SALT)
  const [vkHash, x] = [verifyingKeyDigest(vk), Uint8Array.of(...output, ...input)]
  const keys = await lab.deploy(await compileShipped('UniversalVerifier'), [1])
  await measured(lab, keys, 'store', [keyWords(vk)])
  const registry = await lab.deploy(await compileShipped('ModelRegistry'))
  const verifier = await lab.deploy(await compileShipped('InferenceVerifier'), [
    await registry.getAddress(),
    await keys.getAddress(),
  ])
  const commitment = [id('model'), id('circuit'), vkHash, proofSystemId('compressed'), 'ipfs://QmModel']
  const details = [id('manifest'), 'pot16_final.ptau', false, output.length, input.length, 0, 0, 0, ZeroHash]
  const registered = await measured(lab, registry, 'registerModelWithDetails', [commitment, details])
  const address = await verifier.getAddress()
  const { proof, y, ctx } = simulateCompressed(x, address)
  const statement: InferenceStatement = { points: proofWords(proof), commitments: [], y, ctx, output, input }
  const inputCommitment = inputCommitmentOf(vkHash, 31337n, address, statement)
  if (inferenceId(1n, inputCommitment, output).length !== 66) throw new Error('no inference number')
  const args = [1n, inputCommitment, hexlify(output), inferenceProof(statement)]
  const verified = await measured(lab, verifier, 'verifyInference', args)
  const stored = await measured(lab, verifier, 'verifyAndStoreInference', args)
  return [
    { what: 'register a model', tx: registered.tx },
    { what: 'verifyInference, MNIST', tx: verified.tx, floor: floorOf(verified.tx, verified.exec, 3) },
    { what: 'verifyAndStoreInference, MNIST', tx: stored.tx },
  ]
}

/** An MNIST image's worth: ten outputs of three bytes, 784 pixels, dense. */
export const MNIST = { output: denseBytes(30), input: denseBytes(784) } as const

/** What README shows and test/costs.json pins. Needs anvil; some ten seconds. */
export async function measureGas(): Promise<GasRow[]> {
  const lab = await startLab({ args: ['--enable-tx-gas-limit'] })
  try {
    const rows: GasRow[] = []
    for (const n of [1, 3, 10, 100]) rows.push(await directGas(lab, n))
    const mnist = Uint8Array.of(...MNIST.output, ...MNIST.input)
    rows.push(await compressedGas(lab, 'MNIST: 784 public pixels, 10 public outputs', mnist))
    rows.push(await compressedGas(lab, 'CIFAR: 3,072 public bytes', denseBytes(3072)))
    rows.push(...(await storedGas(lab)))
    rows.push(...(await registeredGas(lab, MNIST.output, MNIST.input)))
    return rows
  } finally {
    await lab.stop()
  }
}

/** Transactions by what they do, as test/costs.json pins them. */
export const gasCosts = (rows: readonly GasRow[]): Readonly<Record<string, number>> =>
  Object.fromEntries(rows.map(({ what, tx }) => [what, tx]))

/** The table as README has it. */
export function gasText(rows: readonly GasRow[]): string {
  const cell = (gas: number | null | undefined): string =>
    gas === null ? 'not deployable' : gas === undefined ? '' : gas.toLocaleString('en')
  const lines = rows.map(
    ({ what, tx, snarkjs, floor, deploy }) => `| ${what} | ${[tx, snarkjs, floor, deploy].map(cell).join(' | ')} |`,
  )
  return ['| transaction | gas | snarkjs’ template | floor | deployment |', '|---|---|---|---|---|', ...lines].join(
    '\n',
  )
}
