import { execFile } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import * as veritensor from '../src/index.ts'
import { compile, contractFor, importOnnx, prove, readSamples, setup, verify } from '../src/index.ts'
import { packageRoot } from '../src/packageRoot.ts'
import { temporaryFolder } from './cli/support.ts'

const folder = temporaryFolder()

test('model to proof to contract in a few lines', async () => {
  const example = join(packageRoot, 'examples/tabular')
  const onnx = readFileSync(join(example, 'model.onnx'))
  const graph = importOnnx(onnx)
  const samples = async (file: string) => (await readSamples(graph, [join(example, file)])).map(({ sample }) => sample)

  const compiled = compile(onnx, { calibration: await samples('calibration.npy') })
  const keys = await setup(compiled, { dev: true }) // for real use: { ptau: 'powersOfTau.ptau' }
  const flowers = (await samples('samples.npy')).slice(0, 3)
  const inferences = await prove(compiled, keys, flowers)
  for (const { proof, publicSignals, statement } of inferences) {
    const [logits] = statement
    expect(verify(keys.verifyingKey, publicSignals, proof)).toBe(true)
    expect(logits!.values).toHaveLength(3)
  }
  const solidity = contractFor(compiled, keys.verifyingKey)

  expect(solidity).toContain('contract Verifier')
  expect(inferences.map(({ statement }) => statement[0]!.values.indexOf(Math.max(...statement[0]!.values)))).toEqual([
    ...[0, 1, 2],
  ])
  expect(keys.verifyingKey.dev).toBe(true)
  const [first, second] = inferences
  expect(verify(keys.verifyingKey, first!.publicSignals, second!.proof)).toBe(false)
})

test('the example in the README runs, here on the smaller model', async () => {
  const readme = readFileSync(join(packageRoot, 'README.md'), 'utf8')
  const [, code] = /## As a library\n\n```ts\n([\s\S]*?)```/.exec(readme) ?? []
  expect(code!.trim().split('\n').length).toBeLessThanOrEqual(15)
  const path = join(folder, 'example.mts')
  const library = pathToFileURL(join(packageRoot, 'src/index.ts')).href
  writeFileSync(path, code!.replace("'veritensor'", JSON.stringify(library)).replaceAll('/mnist/', '/tabular/'))
  const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', path], {
    cwd: packageRoot,
    env: { ...process.env, NODE_OPTIONS: '' },
  })
  expect(stdout.match(/kind: 'output'/g)).toHaveLength(2)
})

test('what is exported is as stated here', () => {
  expect(Object.keys(veritensor).sort()).toMatchInlineSnapshot(`
    [
      "AbortedError",
      "CircuitError",
      "LOCAL_DESTINATION",
      "OFF_CHAIN",
      "VeritensorError",
      "challengeOf",
      "checkCompressed",
      "checkInference",
      "circuitInputs",
      "comparer",
      "compile",
      "compileContract",
      "compileShipped",
      "connect",
      "contractFor",
      "contributeDirectory",
      "decodeProof",
      "decodePublicSignals",
      "decodeSamples",
      "decodeVerifyingKey",
      "deployShared",
      "deployVerifier",
      "deprecateRequest",
      "describeVerifier",
      "encodeProof",
      "encodePublicSignals",
      "encodeVerifyingKey",
      "estimateCircuit",
      "estimateTransaction",
      "findAnvil",
      "generateVerifier",
      "generateVerifierTest",
      "importOnnx",
      "inferenceStatement",
      "layoutOf",
      "modelRecord",
      "openCompiled",
      "openDirectoryKeys",
      "openKeys",
      "openLocalVerifier",
      "openProver",
      "openVerifyingKey",
      "proofWords",
      "prove",
      "provenStatement",
      "quotientDirectory",
      "readInference",
      "readManifest",
      "readModel",
      "readSamples",
      "readSignals",
      "registerRequest",
      "runFloat",
      "saveCompiled",
      "selfTestVerifier",
      "sendInference",
      "sendRegistration",
      "sendTransaction",
      "setup",
      "setupDirectory",
      "sharedContractsOf",
      "signalLayout",
      "signalsOf",
      "signerFor",
      "startAnvil",
      "statedWeights",
      "storeKey",
      "updateRequest",
      "verifierOf",
      "verify",
      "verifyDirectoryKey",
      "verifyOnchain",
      "verifyRequest",
      "verifyingKeyDigest",
      "version",
      "weightSet",
    ]
  `)
})

test('package.json names the entry points that the build makes', () => {
  const manifest = JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8'))
  expect(manifest.exports['.']).toEqual({ types: './dist/src/index.d.ts', default: './dist/src/index.js' })
  expect(manifest.bin).toEqual({ veritensor: 'dist/src/cli/main.js' })
})
