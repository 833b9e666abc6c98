/**
 * Quantised models against onnxruntime, bit for bit: the integers that are proved must be those that onnxruntime gives, on the
 * stored samples of real models and on random inputs, and on random models of every quantised operator.
 *
 * usage: npx tsx scripts/conformance-ort.ts [FOLDER] [--only NAME,NAME…] [--inputs N] [--models N] [--seed N] [--json]
 *
 * FOLDER holds NAME/model.onnx and NAME/test_data_set_N, as ONNX's test data do; without one $VERITENSOR_CORPUS/models or
 * ../shared/corpus/models is taken, and only operators are compared where there is none. Of each model the circuit is made too,
 * and its witness for one sample compared. Exit code 1 where anything differs.
 *
 * onnxruntime's kernels of QLinearAdd, QLinearMul and QLinearAveragePool, which also stand in for those operators between
 * DequantizeLinear and QuantizeLinear, take other float32 steps than these: they add the zero point before they round, so that at
 * a half, or next to one, the other neighbour may result. Such elements are counted apart: onnxruntime itself must give the
 * integer that is proved when it runs DequantizeLinear, the operator and QuantizeLinear one by one.
 */
import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parseArguments, UsageError } from '../src/cli/args.ts'
import { table, thousands } from '../src/cli/format.ts'
import { VeritensorError } from '../src/errors.ts'
import { decodeTensorProto } from '../src/graph/onnx.ts'
import type { Tensor } from '../src/tensor.ts'
import { casesOf, modelFolders, openShapes, readTestSets } from './conformance/testData.ts'
import {
  circuitDifferences,
  compareSample,
  emptyTally,
  openPair,
  randomSample,
  storedDifferences,
  type Tally,
} from './ort/compare.ts'
import { draftModel, type Family } from './ort/draft.ts'
import { families } from './ort/families.ts'
import { openSession } from './ort/session.ts'
import { corpus } from './support/corpus.ts'
import { runScript } from './support/script.ts'
import { createRandom } from './training/random.ts'

/** Quantised models whose integers must be onnxruntime's. */
const wanted =
  /^(mlperf-kws-dscnn-int8|mlperf-ad-autoencoder-int8|tflm-(micro-speech|hello-world)-int8|ort-conv_qdq_.*|ort-qdq_conv.*|tract-q.*)$/

type ModelResult = Tally & {
  readonly name: string
  readonly samples: number
  /** Elements of the stored outputs that differ from the integers. */
  readonly storedDiffering: number
  readonly rows: number
  readonly circuitDiffering: number
}

type FamilyResult = Tally & { readonly name: string; readonly models: number; readonly refused: readonly string[] }

/** The output of a test set: onnxruntime's own where the author's runtime gave another. */
function storedOutput(folder: string, set: number, k: number): Tensor | undefined {
  const base = join(folder, `test_data_set_${set}`, `output_${k}`)
  const path = [`${base}.ort.pb`, `${base}.pb`].find(existsSync)
  return path === undefined ? undefined : decodeTensorProto(readFileSync(path))
}

async function checkModel(name: string, folder: string, inputs: number, seed: number): Promise<ModelResult> {
  const onnx = readFileSync(join(folder, 'model.onnx'))
  const sets = readTestSets(folder)
  const pair = await openPair(onnx, openShapes(onnx, sets[0]?.inputs ?? []))
  const cases = casesOf(pair.graph, sets)
  const tally = emptyTally()
  let storedDiffering = 0
  for (const { number, sample } of cases) {
    await compareSample(pair, sample, tally)
    const stored = pair.graph.outputs.map((_, k) => storedOutput(folder, number, k))
    storedDiffering += storedDifferences(pair, sample, stored)
  }
  const random = createRandom(seed)
  for (let i = 0; i < inputs; i++) await compareSample(pair, randomSample(pair, random), tally)
  const circuit = circuitDifferences(pair, randomSample(pair, random))
  await pair.session.close()
  return {
    name,
    samples: cases.length,
    storedDiffering,
    rows: circuit.rows,
    circuitDiffering: circuit.differing,
    ...tally,
  }
}

/** Inputs of each random model. */
const INPUTS_PER_MODEL = 10

async function checkFamily(family: Family, models: number, seed: number): Promise<FamilyResult> {
  const tally = emptyTally()
  const refused: string[] = []
  for (let m = 0; m < models; m++) {
    const random = createRandom(seed + m)
    const { recipe, apart, opset = 13 } = family
    const onnx = draftModel(recipe, opset, random)
    try {
      const pair = await openPair(onnx)
      const again = apart && (await openSession(draftModel(apart, opset, createRandom(seed + m)), 'apart'))
      for (let i = 0; i < INPUTS_PER_MODEL; i++) await compareSample(pair, randomSample(pair, random), tally, again)
      await Promise.all([pair.session.close(), again?.close()])
    } catch (error) {
      if (!(error instanceof VeritensorError)) throw error
      refused.push(error.message)
    }
  }
  return { name: family.name, models: models - refused.length, refused, ...tally }
}

const tell = ({ name, differing, fusion }: { name: string } & Tally): void => {
  process.stderr.write(`${name}: ${differing === fusion ? 'equal' : 'DIFFERS'}\n`)
}

const number = (n: number): string => thousands(n)

await runScript(async (words) => {
  const { options, positionals } = parseArguments(words, {
    only: { type: 'strings', value: 'NAME,NAME…', help: 'these models or operators' },
    inputs: { type: 'integer', min: 0, value: 'N', help: 'random inputs of each model (default 500)' },
    models: { type: 'integer', min: 0, value: 'N', help: 'random models of each operator (default 100)' },
    seed: { type: 'integer', min: 0, value: 'N', help: 'of the random inputs and models (default 1)' },
    json: { type: 'flag', help: 'print one line of JSON' },
  })
  const [given, ...rest] = positionals
  if (rest.length > 0) throw new UsageError('conformance:ort takes one FOLDER', 'npm run conformance:ort -- FOLDER')
  const { inputs = 500, models = 100, seed = 1 } = options
  const folder = resolve(given ?? join(corpus, 'models'))
  if (given !== undefined && !existsSync(folder)) throw new UsageError(`there is no folder ${given}`)
  const only = options.only.flatMap((names) => names.split(',')).filter((name) => name !== '')
  const asked = (name: string): boolean => only.length === 0 || only.includes(name)
  const real = existsSync(folder) ? modelFolders(folder).filter(({ name }) => wanted.test(name) && asked(name)) : []
  const drawn = families.filter(({ name }) => asked(name))
  const unknown = only.find((name) => ![...real, ...drawn].some((each) => each.name === name))
  if (unknown !== undefined) throw new UsageError(`"${unknown}" is no quantised model of ${folder} and no operator`)
  if (!existsSync(folder)) process.stderr.write(`models: skipped, there is no folder ${folder}\n`)

  const modelResults: ModelResult[] = []
  for (const { name, folder: own } of real) {
    modelResults.push(await checkModel(name, own, inputs, seed))
    tell(modelResults.at(-1)!)
  }
  const familyResults: FamilyResult[] = []
  for (const [k, family] of drawn.entries()) {
    familyResults.push(await checkFamily(family, models, seed + 100_000 * (k + 1)))
    tell(familyResults.at(-1)!)
  }

  if (options.json)
    console.log(
      JSON.stringify({
        schema: 'veritensor/conformance-ort@1',
        inputs,
        seed,
        models: modelResults,
        operators: familyResults,
      }),
    )
  else {
    const header = ['model', 'rows', 'stored samples', 'inputs', 'elements', 'differing', 'stored', 'circuit']
    const modelRows = modelResults.map((r) => [
      ...[r.name, number(r.rows), number(r.samples), number(r.inputs), number(r.elements)],
      ...[number(r.differing), number(r.storedDiffering), number(r.circuitDiffering)],
    ])
    if (modelRows.length > 0) console.log(`${table(header, modelRows)}\n`)
    const operatorRows = familyResults.map((r) => [
      ...[r.name, number(r.models), number(r.refused.length), number(r.inputs), number(r.elements)],
      ...[number(r.differing), number(r.fusion)],
    ])
    const operatorHeader = ['operator', 'models', 'refused', 'inputs', 'elements', 'differing', 'by fusion']
    if (operatorRows.length > 0) console.log(table(operatorHeader, operatorRows))
    for (const { name, refused } of familyResults) for (const why of new Set(refused)) console.log(`${name}: ${why}`)
  }
  const wrong =
    modelResults.some((r) => r.differing + r.storedDiffering + r.circuitDiffering > 0) ||
    familyResults.some((r) => r.differing > r.fusion || r.models === 0)
  return wrong ? 1 : 0
})
