/**
 * One model of a conformance run, from the file to a verified proof.
 * @module
 */
import { readFileSync } from 'node:fs'
import { freemem } from 'node:os'
import { join } from 'node:path'
import { connect, signerFor } from '../../src/chain/connect.ts'
import { deployVerifier } from '../../src/chain/deploy.ts'
import { selfTestVerifier, verifyOnchain } from '../../src/chain/verifyOnchain.ts'
import { VeritensorError } from '../../src/errors.ts'
import { estimateCircuit } from '../../src/estimate.ts'
import { decodeModel } from '../../src/graph/onnx.ts'
import { R } from '../../src/groth16/bn254.ts'
import type { Proof } from '../../src/groth16/keys.ts'
import { verify } from '../../src/groth16/verify.ts'
import { runInteger } from '../../src/model/model.ts'
import type { Compiled } from '../../src/pipeline/compileModel.ts'
import { contractFor } from '../../src/pipeline/contract.ts'
import { isQuantised } from '../../src/quantise/exact.ts'
import { quantiseInput } from '../../src/quantise/ports.ts'
import { comparer } from '../../src/quantise/report.ts'
import { compileContract } from '../../src/solidity/compile.ts'
import { verifyingKeyDigest } from '../../src/solidity/verifier.ts'
import { setupDev } from '../../src/workers/devSetup.ts'
import { readShared } from '../../src/workers/files.ts'
import { openProver } from '../../src/workers/prover.ts'
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
  { onnx, model, circuit }: Compiled,
  sample: Parameters<ReturnType<typeof comparer>>[0],
  proving: NonNullable<Task['proving']>,
  tell: Tell<Findings>,
): Promise<void> {
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
  await setupDev(circuit, { path: zkey, threads })
  tell.found({ setupSeconds: (performance.now() - start) / 1000 })

  tell.stage('prove')
  const inputs = model.inputs.map((port) => quantiseInput(port, sample.get(port.name)!, 'refuse'))
  const expected = runInteger(model, inputs)
  const prover = await openProver({ circuit, zkey: readShared(zkey), threads: 1 })
  start = performance.now()
  const { proof, publicSignals } = await prover.prove(inputs.flatMap((x) => [...x])).finally(() => prover.close())
  tell.found({ proveSeconds: (performance.now() - start) / 1000 })
  const { verifyingKey: vk } = prover
  const outputs = model.outputs.flatMap(({ value }) => Array.from(expected[value]!, (v) => (BigInt(v) + R) % R))
  if (publicSignals.join() !== outputs.join())
    throw new NonconformityError('the public signals differ from the outputs of the integer model')

  tell.stage('verify off-chain')
  const valid = verify(vk, publicSignals, proof)
  tell.found({ offChain: valid })
  if (!valid) throw new NonconformityError('the proof does not verify off-chain')
  if (verify(vk, publicSignals.with(0, publicSignals[0]! ^ 1n), proof))
    throw new NonconformityError('the proof verifies for other public signals')

  tell.stage('verify on-chain')
  const { onChain, gas } = await verifyOnAnvil(
    contractFor({ onnx, model, circuit }, vk),
    { vkDigest: verifyingKeyDigest(vk), proof, publicSignals },
    { rpc, account: proving.account },
  )
  tell.found({ onChain, gas })
}

/** Deploys a verifier with a development key, tests it with corrupted proofs, and verifies in a transaction. */
async function verifyOnAnvil(
  source: string,
  claim: { readonly vkDigest: string; readonly proof: Proof; readonly publicSignals: readonly bigint[] },
  { rpc, account }: { readonly rpc: string; readonly account: number },
): Promise<{ readonly onChain: boolean; readonly gas: number }> {
  const { vkDigest, proof, publicSignals } = claim
  const connection = await connect(rpc)
  try {
    const signer = await signerFor(connection, { account })
    const contract = await compileContract(source, 'Verifier')
    const { address } = await deployVerifier(connection, signer, contract, { dev: true })
    await selfTestVerifier(connection, address, proof, publicSignals)
    const { valid, gasUsed } = await verifyOnchain(connection, address, proof, publicSignals, {
      vkDigest,
      send: signer,
    })
    return { onChain: valid, gas: Number(gasUsed ?? 0n) }
  } finally {
    connection.close()
  }
}
