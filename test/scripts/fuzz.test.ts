import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { drawMutant } from '../../scripts/fuzz/draw.ts'
import { tryMutant } from '../../scripts/fuzz/outcome.ts'
import { folderTarget, type Target } from '../../scripts/fuzz/target.ts'
import { openWorker } from '../../scripts/fuzz/worker.ts'
import { draftModel } from '../../scripts/ort/draft.ts'
import { families } from '../../scripts/ort/families.ts'
import { createRandom } from '../../scripts/training/random.ts'
import { importOnnx } from '../../src/graph/import.ts'
import { packageRoot } from '../../src/packageRoot.ts'
import { decodeSamples } from '../../src/samples/samples.ts'
import type { Tensor } from '../../src/tensor.ts'
import { bundleOf } from '../support/builtModules.ts'
import { corpus, hasCorpus } from '../support/corpus.ts'
import { seeded } from '../support/random.ts'
import { randomGraph } from '../support/randomGraph.ts'

const SEED = 20261129
const LIMITS = { seconds: 10, megabytes: 1500 }

/** The bundled example, random chains of many operators, and quantised operators. */
function ownTargets(): Target[] {
  const onnx = new Uint8Array(readFileSync(join(packageRoot, 'examples', 'tabular', 'model.onnx')))
  const path = join(packageRoot, 'examples', 'tabular', 'samples.npy')
  const samples = decodeSamples(importOnnx(onnx), { path, bytes: readFileSync(path) }).slice(0, 2)
  const example = { name: 'tabular', onnx, shapes: {}, samples: samples.map((sample) => [...sample.values()]) }
  const random = seeded(SEED)
  const chains = Array.from({ length: 12 }, (_, i): Target => {
    const { onnx: bytes, samples: inputs } = randomGraph(random, 3)
    return { name: `chain ${i}`, onnx: bytes, shapes: {}, samples: inputs.map((x) => [x]) }
  })
  const quantised = families.map(
    ({ name, recipe, opset = 13 }, i): Target => ({
      ...{ name, onnx: draftModel(recipe, opset, createRandom(SEED + i)), shapes: {}, samples: [] },
    }),
  )
  return [example, ...chains, ...quantised]
}

/** Small trees, a recurrent net and others that the project has no examples of. */
const fromCorpus = ['rf-iris-ankane', 'cntk-rnn-bidir', 'voting-sklearn-ort', 'ezkl-boolean', 'logreg-iris-ort']

async function survive(
  targets: readonly Target[],
  seed: number,
  count: number,
  module?: URL,
): Promise<Record<string, number>> {
  const worker = openWorker(targets, LIMITS, module)
  const kinds: Record<string, number> = {}
  for (let k = 0; k < count; k++) {
    const { of, bytes, steps } = drawMutant(targets, seed, k)
    const ending = await worker.attempt(bytes, of)
    kinds[ending.kind] = (kinds[ending.kind] ?? 0) + 1
    if (ending.kind !== 'compiled' && ending.kind !== 'refused')
      expect.soft(ending, `mutant ${k} of ${targets[of]!.name}, seed ${seed}: ${steps.join(', ')}`).toBe(undefined)
  }
  worker.close()
  return kinds
}

describe('mutants end in a circuit or in a typed error', () => {
  test(`of the project's own models (seed ${SEED})`, async () => {
    const { compiled = 0, refused = 0 } = await survive(ownTargets(), SEED, 2000, bundleOf('scripts/fuzz/child'))
    expect(compiled).toBeGreaterThan(300)
    expect(refused).toBeGreaterThan(600)
  }, 120_000)

  test.skipIf(!hasCorpus('models'))(
    `of models of the corpus (seed ${SEED + 1})`,
    async () => {
      const targets = fromCorpus.map((name) => folderTarget(name, join(corpus, 'models', name)))
      expect((await survive(targets, SEED + 1, 300)).compiled).toBeGreaterThan(30)
    },
    120_000,
  )
})

describe('mutants', () => {
  const targets = ownTargets()

  test('are the same for the same seed and number', () => {
    for (let k = 0; k < 50; k++) expect(drawMutant(targets, 5, k)).toEqual(drawMutant(targets, 5, k))
    const bytesOf = (seed: number, k: number) => drawMutant(targets, seed, k).bytes.join()
    expect(bytesOf(5, 3)).not.toBe(bytesOf(6, 3))
    expect(bytesOf(5, 3)).not.toBe(bytesOf(5, 3 + targets.length))
  })

  test('leave their targets as they are', () => {
    const before = targets.map(({ onnx }) => onnx.slice())
    for (let k = 0; k < 500; k++) drawMutant(targets, 7, k)
    expect(targets.map(({ onnx }) => onnx)).toEqual(before)
    for (const target of targets) expect(tryMutant(target.onnx, target)).toEqual({ kind: 'compiled' })
  })
})

describe('what no file may cause is noticed', () => {
  const worker = openWorker([], { seconds: 1, megabytes: 700 }, bundleOf('test/scripts/misbehaving'))
  afterAll(() => worker.close())
  const ends = async (how: number, ending: unknown): Promise<void> => {
    expect(await worker.attempt(Uint8Array.of(how), 0)).toEqual(ending)
    expect(await worker.attempt(Uint8Array.of(0), 0)).toEqual({ kind: 'compiled' })
  }
  test('a hang', () => ends(1, { kind: 'timeout' }))
  // other systems don't tell the memory of a process
  test.skipIf(process.platform !== 'linux')('memory without end', () => ends(2, { kind: 'memory' }))
  test('an exit', () => ends(3, { kind: 'crashed', message: expect.stringContaining('exit code 7') }))
  test('an error that nobody catches', () =>
    ends(4, { kind: 'crashed', message: expect.stringContaining('of its own') }))

  test('an untyped error', () => {
    const samples = [null as unknown as Tensor[]]
    expect(tryMutant(ownTargets()[0]!.onnx, { ...ownTargets()[0]!, samples })).toMatchObject({ kind: 'untyped' })
  })
})
