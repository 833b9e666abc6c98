/**
 * One model of a conformance run, from the file to a verified proof.
 * @module
 */
import { readFileSync } from 'node:fs'
import { freemem } from 'node:os'
import { join } from 'node:path'
import { openKeys, quotientPath } from '../../src/artefacts/keys.ts'
import { connect, signerFor } from '../../src/chain/connect.ts'
import { deployVerifier } from '../../src/chain/deploy.ts'
import { selfTestVerifier, verifyOnchain } from '../../src/chain/verifyOnchain.ts'
import { VeritensorError } from '../../src/errors.ts'
import { estimateCircuit } from '../../src/estimate.ts'
import { decodeModel } from '../../src/graph/onnx.ts'
import { verify } from '../../src/groth16/verify.ts'
import { runInteger } from '../../src/model/model.ts'
import type { Compiled } from '../../src/pipeline/compileModel.ts'
import { signalsOf } from '../../src/pipeline/compressed.ts'
import { contractFor } from '../../src/pipeline/contract.ts'
import { prove } from '../../src/pipeline/prove.ts'
import { isQuantised } from '../../src/quantise/exact.ts'
import { quantiseInput } from '../../src/quantise/ports.ts'
import { comparer } from '../../src/quantise/report.ts'
import { compileContract } from '../../src/solidity/compile.ts'
import { OFF_CHAIN } from '../../src/solidity/compression.ts'
import { verifyingKeyDigest } from '../../src/solidity/verifier.ts'
import { setupDev } from '../../src/workers/devSetup.ts'
import type { Tell } from '../support/serve.ts'
import { type Agreement, agreementOf } from './compare.ts'
import { compileFolder } from './compileFolder.ts'
import { readLabels } from './testData.ts'

export type Task = {
  readonly name: string
  /** Folder with model.onnx and test_data_set_N. */
  readonly folder: string
  /** Bits of activations; by default as `compileModel` chooses. */
  readonly bits?: number
  /** Where to prove and verify; without it the model is compiled and compared only. */
  readonly proving?: {
    /** A development chain. */
    readonly rpc: string
    /** Index of the chain's account that pays: one for each model under way. */
    readonly account: number
    /** Where the proving key may be put. */
    readonly zkey: string
    readonly threads: number
    /** What set-up and proof may take by estimate. */
    readonly seconds: number
  }
}

/** What is known of a model; stages that were not reached leave their fields out. */
export type Findings = {
  readonly ops?: Readonly<Record<string, number>>
  readonly nodes?: number
  /** Bits of activations; none for quantised models. */
  readonly bits?: number
  readonly rows?: number
  readonly publicSignals?: number
  readonly compileSeconds?: number
  readonly setupSeconds?: number
  readonly proveSeconds?: number
  readonly agreement?: Agreement
  readonly offChain?: boolean
  readonly onChain?: boolean
  /** Gas of verifying in a transaction. */
  readonly gas?: number
}

/** What a model asks for is more than the run may spend on it. */
export class BudgetError extends VeritensorError {}

/** The proof of a model is not what it must be. */
export class NonconformityError extends VeritensorError {
  constructor(what: string) {
    super('internal/nonconformity', what, { fix: 'This is a bug of Veritensor.' })
  }
}

/**
 * Imports, calibrates on the model's own inputs, compiles, compares the integers with the expected outputs, and proves and
 * verifies the first set. Tells each stage when it begins and findings as they come. Throws what the stages throw.
 */
export async function checkModel(task: Task, tell: Tell<Findings>): Promise<void> {
  const { folder, proving } = task
  tell.stage('read')
  const { nodes } = decodeModel(readFileSync(join(folder, 'model.onnx')))
  const ops: Record<string, number> = {}
  for (const { op } of nodes) ops[op] = (ops[op] ?? 0) + 1
  tell.found({ nodes: nodes.length, ops })

  tell.stage('compile')
  const start = performance.now()
  const { compiled, cases } = compileFolder(folder, {
    ...(task.bits === undefined ? {} : { bits: task.bits }),
    onProgress: (phase) => tell.stage(phase),
  })
  const { graph, model, circuit } = compiled
  tell.found({
    ...(isQuantised(graph) ? {} : { bits: compiled.scheme.bits }),
    rows: circuit.rows,
    publicSignals: circuit.publicInputs + circuit.publicOutputs,
    compileSeconds: (performance.now() - start) / 1000,
  })
  tell.stage('compare')
  const compare = comparer(graph, model, 'saturate')
  const agreement = agreementOf(
    cases,
    cases.map(({ sample }) => compare(sample)),
    readLabels(folder),
  )
  if (agreement !== undefined) tell.found({ agreement })
  if (proving !== undefined) await proveModel(compiled, cases[0]!.sample, proving, tell)
}

async function proveModel(
  compiled: Compiled,
  sample: Parameters<ReturnType<typeof comparer>>[0],
  proving: NonNullable<Task['proving']>,
  tell: Tell<Findings>,
): Promise<void> {
  const { model, circuit } = compiled
  const { threads, zkey, rpc } = proving
  tell.stage('estimate')
  const estimate = estimateCircuit(circuit, threads)
  const [seconds, bytes] = [
    estimate.setupSeconds + estimate.proveSeconds,
    Math.max(estimate.setupBytes, estimate.proveBytes),
  ]
  if (seconds > proving.seconds || bytes > freemem())
    throw new BudgetError(
      'limit/budget',
      `set-up and proof would take about ${Math.round(seconds)} s and ${(bytes / 1e9).toFixed(1)} GB of memory`,
      {
        details: { seconds, bytes, allowed: proving.seconds },
        fix: 'allow more time (--timeout), or use a machine with more memory',
      },
    )

  tell.stage('set-up')
  let start = performance.now()
  await setupDev(circuit, { path: zkey, quotientPath: quotientPath(zkey), threads })
  tell.found({ setupSeconds: (performance.now() - start) / 1000 })

  const keys = openKeys(zkey)
  const { verifyingKey: vk } = keys
  const vkDigest = verifyingKeyDigest(vk)
  const connection = await connect(rpc)
  try {
    // first: a proof of compressed tensors is for one contract
    tell.stage('deploy')
    const signer = await signerFor(connection, { account: proving.account })
    const contract = await compileContract(contractFor(compiled, vk), 'Verifier')
    const { address } = await deployVerifier(connection, signer, contract, { dev: true })

    tell.stage('prove')
    start = performance.now()
    const destination = { ...OFF_CHAIN, chainId: connection.chainId, contract: address }
    const [made] = await prove(compiled, keys, [sample], { threads: 1, destination })
    const { proof, publicSignals, compressed, statement } = made!
    tell.found({ proveSeconds: (performance.now() - start) / 1000 })
    const inputs = model.inputs.map((port) => quantiseInput(port, sample.get(port.name)!, 'refuse'))
    const expected = runInteger(model, inputs)
    const outputs = model.outputs.map(({ value }) => Array.from(expected[value]!, BigInt))
    if (statement.map(({ integers }) => integers.join()).join(';') !== outputs.map((o) => o.join()).join(';'))
      throw new NonconformityError('the statement differs from the outputs of the integer model')

    tell.stage('verify off-chain')
    const signals = compressed === undefined ? publicSignals : signalsOf(vkDigest, publicSignals, compressed)
    const valid = verify(vk, signals, proof)
    tell.found({ offChain: valid })
    if (!valid) throw new NonconformityError('the proof does not verify off-chain')
    if (verify(vk, signals.with(0, signals[0]! ^ 1n), proof))
      throw new NonconformityError('the proof verifies for other public signals')

    tell.stage('verify on-chain')
    await selfTestVerifier(connection, address, proof, publicSignals, compressed)
    const options = { vkDigest, send: signer, ...(compressed && { compressed }) }
    const answer = await verifyOnchain(connection, address, proof, publicSignals, options)
    tell.found({ onChain: answer.valid, gas: Number(answer.gasUsed ?? 0n) })
  } finally {
    connection.close()
  }
}
