import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import onnxProto from 'onnx-proto'
import { describe, expect, test } from 'vitest'
import { deal } from '../../scripts/training/dataset.ts'
import { engines } from '../../scripts/training/engines.ts'
import { argmax, formatScore, score } from '../../scripts/training/evaluate.ts'
import type { Example, ExampleFiles, ExampleSource } from '../../scripts/training/example.ts'
import { side } from '../../scripts/training/mnist.ts'
import { mnistExample } from '../../scripts/training/mnistExample.ts'
import { encodeNpy } from '../../scripts/training/npy.ts'
import { tabularExample } from '../../scripts/training/tabularExample.ts'

const fileOf = (name: string, file: string) => readFileSync(new URL(`../../examples/${name}/${file}`, import.meta.url))
const exampleOf = (name: string) => JSON.parse(fileOf(name, 'example.json').toString()) as Example
const classifierOf = (name: string) => engines.float!(fileOf(name, 'model.onnx'), fileOf(name, 'calibration.npy'))

type Expected = {
  readonly source: ExampleSource
  readonly operators: string
  readonly input: readonly [string, ...number[]]
  readonly classes: number
  readonly sampleRounds: number
  readonly calibrationRounds: number | 'all'
  readonly leastAccuracy: number
}

const examples: readonly Expected[] = [
  {
    source: mnistExample,
    operators: 'Conv MaxPool Relu Conv Relu Flatten Gemm Relu Gemm',
    input: ['image', 1, 1, side, side],
    classes: 10,
    sampleRounds: 2,
    calibrationRounds: 6,
    leastAccuracy: 0.975,
  },
  {
    source: tabularExample,
    operators: 'Gemm Relu Gemm Relu Gemm',
    input: ['features', 1, 4],
    classes: 3,
    sampleRounds: 5,
    calibrationRounds: 'all',
    leastAccuracy: 0.94,
  },
]

describe.each(examples)('example $source.name', ({ source, operators, input, classes, leastAccuracy, ...rounds }) => {
  const { name } = source
  const example = exampleOf(name)
  const { train, test: heldOut } = source.split()

  test('the model is ONNX of opset 13 with the stated interface', () => {
    const { graph, opsetImport } = onnxProto.onnx.ModelProto.decode(fileOf(name, 'model.onnx'))
    const signature = (values: NonNullable<typeof graph>['input']) =>
      values!.map((v) => [v.name, ...v.type!.tensorType!.shape!.dim!.map((d) => Number(d.dimValue))])
    expect(opsetImport!.map((o) => [o.domain, Number(o.version)])).toEqual([['', 13]])
    expect(signature(graph!.input)).toEqual([input])
    expect(signature(graph!.output)).toEqual([['logits', 1, classes]])
    expect(graph!.node!.map((n) => n.opType).join(' ')).toBe(operators)
    expect([example.input.name, ...example.input.shape]).toEqual(input)
    expect([example.output.name, ...example.output.shape]).toEqual(['logits', 1, classes])
    expect(example.classes).toHaveLength(classes)
  })

  test('the samples are the first held-out ones of every class, in turn', () => {
    const samples = deal(heldOut, rounds.sampleRounds)
    expect(fileOf(name, 'samples.npy').equals(encodeNpy(samples.shape, samples.inputs))).toBe(true)
    expect(example.labels).toEqual(samples.labels)
  })

  test('the calibration samples are training samples', () => {
    const calibration = rounds.calibrationRounds === 'all' ? train : deal(train, rounds.calibrationRounds)
    expect(fileOf(name, 'calibration.npy').equals(encodeNpy(calibration.shape, calibration.inputs))).toBe(true)
  })

  test('the float model classifies every labelled sample', () => {
    const samples = deal(heldOut, rounds.sampleRounds)
    const classify = classifierOf(name)
    expect(samples.inputs.map((x) => argmax(classify(x)))).toEqual(example.labels)
  })

  test('accuracy is as stated in example.json and README', () => {
    const measured = score(classifierOf(name), heldOut)
    expect(measured).toEqual(example.accuracy)
    expect(measured.correct / measured.total).toBeGreaterThanOrEqual(leastAccuracy)
    expect(fileOf(name, 'README.md').toString()).toContain(formatScore(measured))
  })
})

// Later versions of V8 may round exp and cos differently in the last bit.
test.skipIf(!process.version.startsWith('v20.'))('training the tabular example again gives the committed bytes', () => {
  const files: ExampleFiles = tabularExample.build(() => {})
  for (const [file, bytes] of Object.entries(files)) expect(fileOf('tabular', file).equals(bytes), file).toBe(true)
})

const corpus = process.env.VERITENSOR_CORPUS ?? new URL('../../../shared/corpus', import.meta.url).pathname
describe.skipIf(!existsSync(corpus))('corpus: MNIST t10k 0-999', () => {
  const { train, test: heldOut } = mnistExample.split()
  const read = (file: string, header: number) => readFileSync(join(corpus, 'data/mnist', file)).subarray(header)
  const load = () => {
    const images = read('t10k-0000-0999-images-idx3-ubyte', 16)
    const labels = [...read('t10k-0000-0999-labels-idx1-ubyte', 8)]
    const inputs = labels.map((_, i) =>
      Float64Array.from(images.subarray(i * side * side, (i + 1) * side * side), (level) => Math.fround(level / 255)),
    )
    return { ...heldOut, inputs, labels }
  }

  test('the digits model holds on images of MNIST’s own test set', () => {
    expect(score(classifierOf('mnist'), load()).correct).toBeGreaterThanOrEqual(975)
  })

  test('none of those images is in the data of the example', () => {
    const known = new Set([...train.inputs, ...heldOut.inputs].map((image) => image.join()))
    expect(load().inputs.filter((image) => known.has(image.join()))).toHaveLength(0)
  })
})
