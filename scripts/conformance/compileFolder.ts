import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { VeritensorError } from '../../src/errors.ts'
import { type Compiled, type CompileModelOptions, compileModel } from '../../src/pipeline/compileModel.ts'
import { type Case, casesOf, openShapes, readTestSets } from './testData.ts'

/** Compiles the model of a folder, calibrated on its own test sets. Throws VeritensorError, also where there are none. */
export function compileFolder(
  folder: string,
  options: Omit<CompileModelOptions, 'calibration' | 'shapes'>,
): { readonly compiled: Compiled; readonly cases: readonly Case[] } {
  const onnx = readFileSync(join(folder, 'model.onnx'))
  const sets = readTestSets(folder)
  if (sets.length === 0) throw new VeritensorError('input/no-samples', `${folder} has no test_data_set_N/input_K.pb`)
  const compiled = compileModel(onnx, {
    ...options,
    shapes: openShapes(onnx, sets[0]!.inputs),
    calibration: (graph) => casesOf(graph, sets).map(({ sample }) => sample),
  })
  return { compiled, cases: casesOf(compiled.graph, sets) }
}
