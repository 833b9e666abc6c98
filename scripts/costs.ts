/**
 * Rows of every gadget and of whole models, and gas of verifications, pinned in test/costs.json: a change of cost shows up in a
 * diff, on purpose. Rows of real models stay as pinned where the corpus is not at hand (VERITENSOR_CORPUS names its folder).
 *
 *     npm run costs              measure and rewrite test/costs.json
 *     npm run costs -- --check   measure and compare: exit code 1 where test/costs.json says otherwise
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Builder } from '../circuits/builder.ts'
import { createBuilder } from '../circuits/builder.ts'
import { rowsByScope } from '../circuits/circuit.ts'
import { Fr } from '../circuits/field.ts'
import { argmax } from '../circuits/gadgets/argmax.ts'
import { rangeCheck } from '../circuits/gadgets/bits.ts'
import { compress } from '../circuits/gadgets/compress.ts'
import { divide } from '../circuits/gadgets/divide.ts'
import { locate } from '../circuits/gadgets/locate.ts'
import { lookup } from '../circuits/gadgets/lookup.ts'
import { maximum, maximumOf } from '../circuits/gadgets/max.ts'
import { packedProduct } from '../circuits/gadgets/packedProduct.ts'
import { poseidon } from '../circuits/gadgets/poseidon.ts'
import { requantise } from '../circuits/gadgets/requantise.ts'
import { rescale } from '../circuits/gadgets/rescale.ts'
import { relu } from '../circuits/gadgets/sign.ts'
import { isZero } from '../circuits/gadgets/zero.ts'
import type { LC } from '../circuits/lc.ts'
import { parseArguments } from '../src/cli/args.ts'
import { packageRoot } from '../src/packageRoot.ts'
import { type Compiled, type CompileModelOptions, compileModel } from '../src/pipeline/compileModel.ts'
import { decodeSamples } from '../src/samples/samples.ts'
import { gasCosts, measureGas } from './gasTable.ts'
import { circomlibMlNet, mlp32, mlp784, sparseImages } from './referenceNets.ts'
import { corpus } from './support/corpus.ts'
import { runScript } from './support/script.ts'
import { type Part, weightRows } from './weightRows.ts'

/** Rows of a model, and the part of them that bounds its inputs. */
type ModelCost = { readonly rows: number; readonly inputRange: number }

/** Rows of gadgets at typical widths, and of models. */
export type Costs = {
  readonly gadgets: Readonly<Record<string, number>>
  readonly models: Readonly<Record<string, ModelCost>>
  /** MLP 784-32-10 with committed weights, part by part, beside the formulas (weightRows.ts). */
  readonly openWeights: Readonly<Record<string, Part>>
}

/** Quantised models of the corpus whose rows are pinned; the last takes about 20 s to compile. */
export const corpusModels = [
  'tflm-hello-world-int8',
  'tflm-micro-speech-int8',
  'mlperf-ad-autoencoder-int8',
  'mlperf-kws-dscnn-int8',
] as const

export const costsPath = join(packageRoot, 'test', 'costs.json')

/** A signed value of n bits. */
const signed = (cs: Builder, n: number): LC => {
  const half = 1n << BigInt(n - 1)
  return cs.proven(cs.input('private', { lo: -half, hi: half - 1n }), -half, half - 1n)
}

/** A value in [0, 2ⁿ). */
const unsigned = (cs: Builder, n: number): LC => {
  const hi = (1n << BigInt(n)) - 1n
  return cs.proven(cs.input('private', { lo: 0n, hi }), 0n, hi)
}

function rowsOf(build: (cs: Builder) => unknown): number {
  const cs = createBuilder(Fr)
  build(cs)
  return cs.rows()
}

/** A table without structure, so that no coefficient vanishes. */
const scattered = (n: number): number[] => Array.from({ length: n }, (_, i) => (i * i * 7919 + i * 104729) % 10007)

function gadgetCosts(): Costs['gadgets'] {
  const many = (cs: Builder, count: number, bits: number): LC[] => Array.from({ length: count }, () => signed(cs, bits))
  return {
    'range check, 8 bits': rowsOf((cs) => rangeCheck(cs, cs.input('private', { lo: 0n, hi: 255n }), 0n, 255n)),
    'is zero': rowsOf((cs) => isZero(cs, signed(cs, 8))),
    'relu, 26 bits': rowsOf((cs) => relu(cs, signed(cs, 26))),
    'requantise 26 bits by 2^11 to [-128, 127]': rowsOf((cs) => requantise(cs, signed(cs, 26), 11, -128n, 127n)),
    'requantise 26 bits by 2^11 to [0, 255], relu': rowsOf((cs) => requantise(cs, signed(cs, 26), 11, 0n, 255n)),
    'rescale 20 bits by 113 / (9 · 2^14) to [-128, 127]': rowsOf((cs) =>
      rescale(cs, signed(cs, 20), { p: 113, r: 73728, q: 147456, even: false }, -128n, 127n),
    ),
    'rescale 20 bits by 2^-11 to [-128, 127], halves to even': rowsOf((cs) =>
      rescale(cs, signed(cs, 20), { p: 1, r: 1024, q: 2048, even: true }, -128n, 127n),
    ),
    'maximum of two, 8 bits': rowsOf((cs) => maximum(cs, signed(cs, 8), signed(cs, 8))),
    'maximum of four, 8 bits': rowsOf((cs) => maximumOf(cs, many(cs, 4, 8))),
    'maximum of four, 26 bits': rowsOf((cs) => maximumOf(cs, many(cs, 4, 26))),
    'argmax of ten, 22 bits': rowsOf((cs) => argmax(cs, many(cs, 10, 22))),
    'table of 256, with its index bits': rowsOf((cs) => lookup(cs, unsigned(cs, 8), scattered(256), 0n)),
    'table of 1024, with its index bits': rowsOf((cs) => lookup(cs, unsigned(cs, 10), scattered(1024), 0n)),
    'divide 16 bits by the constant 7': rowsOf((cs) => divide(cs, unsigned(cs, 16), cs.constant(7))),
    'divide 24 bits by a wire of 16 bits': rowsOf((cs) =>
      divide(cs, unsigned(cs, 24), cs.proven(cs.input('private', { lo: 1n, hi: 65535n }), 1n, 65535n)),
    ),
    'place among 8 thresholds, 32 bits, with its range check': rowsOf((cs) =>
      locate(cs, cs.input('private', { lo: 0n, hi: 2n ** 32n - 1n }), [1, 2, 3, 4, 5, 6, 7, 8], 0n, 2n ** 32n - 1n),
    ),
    'product of [1, 784] and [784, 32], 8 bits each, rounded': rowsOf((cs) => {
      const map = { rows: 1, inner: 784, columns: 32, x: (_: number, t: number) => t, w: at32, bias: (j: number) => j }
      const x = Array.from({ length: 784 }, () => unsigned(cs, 8))
      packedProduct(cs, map, { x, w: many(cs, 784 * 32, 8) }, { shift: 11, lo: 0n, hi: 255n })
    }),
    'poseidon of 1': rowsOf((cs) => poseidon(cs, [cs.input('private', null)])),
    'poseidon of 2': rowsOf((cs) =>
      poseidon(
        cs,
        [1, 2].map(() => cs.input('private', null)),
      ),
    ),
    'compress 784 bytes, without their range checks': rowsOf((cs) => {
      const elements = Array.from({ length: 784 }, () => unsigned(cs, 8))
      return compress(cs, [{ elements, form: { count: 784, lo: 0, hi: 255 } }], cs.input('private', null))
    }),
    'poseidon of 16': rowsOf((cs) =>
      poseidon(
        cs,
        Array.from({ length: 16 }, () => cs.input('private', null)),
      ),
    ),
  }
}

function cost({ circuit }: Compiled): ModelCost {
  const scopes = [...rowsByScope(circuit)].filter(([scope]) => scope.endsWith('/input range'))
  return { rows: circuit.rows, inputRange: scopes.reduce((n, [, rows]) => n + rows, 0) }
}

const at32 = (t: number, j: number): number => 32 * t + j

/** Whether a model of the corpus is at hand. */
export const inCorpus = (name: string): boolean => existsSync(join(corpus, 'models', name))

/** Rows of a quantised model of the corpus. */
export const corpusCost = (name: string): ModelCost =>
  cost(compileModel(readFileSync(join(corpus, 'models', name, 'model.onnx')), { compress: false }))

function modelCosts(): Costs['models'] {
  // without the rows that compress public outputs, which the model does not need
  const example = (name: string, options: Partial<CompileModelOptions> = { compress: false }) => {
    const folder = join(packageRoot, 'examples', name)
    const path = join(folder, 'calibration.npy')
    const calibration = { path, bytes: readFileSync(path) }
    const onnx = readFileSync(join(folder, 'model.onnx'))
    return cost(compileModel(onnx, { calibration: (graph) => decodeSamples(graph, calibration), ...options }))
  }
  const reference = ({ onnx, shape }: { onnx: Uint8Array; shape: readonly number[] }) =>
    cost(
      compileModel(onnx, { calibration: sparseImages(4, shape, 9).map((x) => new Map([['x', x]])), compress: false }),
    )
  return {
    'examples/mnist': example('mnist'),
    'examples/mnist, 784 inputs and 10 outputs public, compressed': example('mnist', { input: 'public' }),
    'examples/tabular': example('tabular'),
    'MLP 784-128-10 with argmax': reference(mlp784()),
    "circomlib-ml's MNIST network": reference(circomlibMlNet()),
  }
}

function openWeightCosts(): Costs['openWeights'] {
  const { onnx, shape } = mlp32()
  const calibration = sparseImages(4, shape, 9).map((x) => new Map([['x', x]]))
  return weightRows(compileModel(onnx, { calibration, weights: 'committed', compress: false }))
}

/** Measures everything; a few seconds. */
export const measureCosts = (): Costs => ({
  gadgets: gadgetCosts(),
  models: modelCosts(),
  openWeights: openWeightCosts(),
})

/** What test/costs.json should say. */
async function measureAll(pinned: Readonly<Record<string, unknown>>): Promise<Readonly<Record<string, unknown>>> {
  const missing = corpusModels.filter((name) => !inCorpus(name))
  if (missing.length > 0) process.stderr.write(`skipped, not in ${corpus}: ${missing.join(', ')}\n`)
  const known = pinned.corpus as Readonly<Record<string, ModelCost>> | undefined
  const real = corpusModels.flatMap((name) => {
    const rows = inCorpus(name) ? corpusCost(name) : known?.[name]
    return rows === undefined ? [] : [[name, rows] as const]
  })
  return {
    ...pinned,
    ...measureCosts(),
    corpus: Object.fromEntries(real),
    gas: gasCosts(await measureGas()),
  }
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href)
  await runScript(async (words) => {
    const { options } = parseArguments(words, { check: { type: 'flag', help: 'compare only' } })
    const before = readFileSync(costsPath, { encoding: 'utf8', flag: 'a+' })
    const after = `${JSON.stringify(await measureAll(JSON.parse(before || '{}')), null, 2)}\n`
    process.stdout.write(after)
    if (options.check) {
      if (before !== after) process.stderr.write(`${costsPath} says otherwise\n`)
      return before === after ? 0 : 1
    }
    writeFileSync(costsPath, after)
    return 0
  })
