import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { corpus } from '../../scripts/support/corpus.ts'
import type { Graph } from '../../src/graph/graph.ts'
import { decodeTensorProto } from '../../src/graph/onnx.ts'
import type { Tensor } from '../../src/tensor.ts'

/** Folder of real models and ONNX's own tests; tests that need it are skipped where it is absent. */
export { corpus }

export const hasCorpus = (folder: string): boolean => existsSync(join(corpus, folder))

/** Tensors `input_0.pb`, … or `output_0.pb`, … of a test data set. */
export function tensorsIn(folder: string, role: 'input' | 'output'): Tensor[] {
  const set = join(folder, 'test_data_set_0')
  const names = readdirSync(set).filter((f) => new RegExp(`^${role}_\\d+\\.pb$`).test(f))
  return names.map((_, i) => decodeTensorProto(readFileSync(join(set, `${role}_${i}.pb`))))
}

/** Tensors by the names of the graph's inputs, in their order. */
export const byName = (graph: Graph, tensors: readonly Tensor[]): Map<string, Tensor> =>
  new Map(graph.inputs.map(({ name }, i) => [name, tensors[i]!]))

/**
 * What makes a tensor differ from the expected one; undefined where nothing does. Integers must be equal, floats closer
 * than absolute + relative · |expected|.
 */
export function difference(got: Tensor, expected: Tensor, relative = 1e-3, absolute = 1e-5): string | undefined {
  if (got.dtype !== expected.dtype) return `${got.dtype} instead of ${expected.dtype}`
  if (got.shape.join() !== expected.shape.join()) return `[${got.shape}] instead of [${expected.shape}]`
  if (got.data.length !== expected.data.length) return `${got.data.length} elements instead of ${expected.data.length}`
  const exact = !/float/.test(got.dtype)
  const at = got.data.findIndex((v, i) => {
    const e = expected.data[i]!
    if (Object.is(v, e) || v === e) return false
    return exact || !(Math.abs(v - e) <= absolute + relative * Math.abs(e))
  })
  return at < 0 ? undefined : `element ${at} is ${got.data[at]} instead of ${expected.data[at]}`
}
