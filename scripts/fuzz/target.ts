/**
 * Models that are mutated, with what compiling them takes.
 * @module
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { VeritensorError } from '../../src/errors.ts'
import type { Graph } from '../../src/graph/graph.ts'
import { compileModel } from '../../src/pipeline/compileModel.ts'
import { joinInputs, type Sample } from '../../src/samples/samples.ts'
import { isFloat, type Shape, sizeOf, type Tensor } from '../../src/tensor.ts'
import { openShapes, readTestSets } from '../conformance/testData.ts'
import { createRandom } from '../training/random.ts'

export type Target = {
  readonly name: string
  readonly onnx: Uint8Array
  readonly shapes: Readonly<Record<string, Shape>>
  /** Inputs of samples, in the order of the graph's inputs. */
  readonly samples: readonly (readonly Tensor[])[]
}

/** Samples that are enough to calibrate. */
const SAMPLES = 3

/** What mutants may ask for: what compiles in seconds. */
const limits = { elements: 2 ** 17, rows: 2 ** 19 }

/** The model of a folder with model.onnx and test_data_set_N. */
export function folderTarget(name: string, folder: string): Target {
  const onnx = new Uint8Array(readFileSync(join(folder, 'model.onnx')))
  const samples = readTestSets(folder).map(({ inputs }) => inputs)
  return { name, onnx, shapes: openShapes(onnx, samples[0] ?? []), samples: samples.slice(0, SAMPLES) }
}

/**
 * Compiles a mutant of a target, on the target's samples where they fit, else on random ones. Throws what compiling throws.
 */
export function compileMutant(bytes: Uint8Array, { shapes, samples }: Target): void {
  const attempt = (given: Target['shapes']): void => {
    compileModel(bytes, { shapes: given, bits: 8, limits, calibration: (graph) => fitting(graph, samples) })
  }
  try {
    attempt(shapes)
  } catch (error) {
    const misfit = error instanceof VeritensorError && ['input/shape', 'input/unknown'].includes(error.code)
    if (!misfit) throw error
    attempt({})
  }
}

function fitting(graph: Graph, samples: Target['samples']): Sample[] {
  try {
    return samples.map((inputs, i) => joinInputs(graph, inputs, `sample ${i}`))
  } catch (error) {
    if (!(error instanceof VeritensorError)) throw error
    const random = createRandom(1)
    const draw = (dtype: Tensor['dtype']): number => (isFloat(dtype) ? random.normal() : random.below(2))
    return [
      new Map(
        graph.inputs.map(({ name, dtype, shape }) => [
          name,
          { dtype, shape, data: Float64Array.from({ length: sizeOf(shape) }, () => draw(dtype)) },
        ]),
      ),
    ]
  }
}
