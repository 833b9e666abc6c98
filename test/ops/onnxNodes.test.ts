import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { readNodeIndex } from '../../scripts/conformance/nodeIndex.ts'
import { VeritensorError } from '../../src/errors.ts'
import type { Graph } from '../../src/graph/graph.ts'
import { importOnnx } from '../../src/graph/import.ts'
import { decodeModel } from '../../src/graph/onnx.ts'
import { runFloat } from '../../src/graph/run.ts'
import { ops } from '../../src/ops/index.ts'
import type { Tensor } from '../../src/tensor.ts'
import { corpus, difference, hasCorpus, tensorsIn } from '../support/corpus.ts'

const folders = ['onnx-node-tests', 'onnx-node-tests-opset11']

/** Tests of our operators that are refused, and why: each must give a typed error. */
const refused: readonly [RegExp, string][] = [
  [/test_cast.*(FLOAT4|FLOAT8|INT4|INT2)/, 'element types of fewer than 8 bits, and floats of 8 bits'],
  [/test_cast.*STRING|test_equal_string/, 'strings'],
  [/test_(de)?quantizelinear_(u?int[24]|float4|e[45]m)/, 'element types of fewer than 8 bits, and floats of 8 bits'],
  [/test_batchnorm.*training_mode/, 'training of BatchNormalization'],
  [/test_training_dropout(_default|_default_mask)?$/, 'training of Dropout, which is random'],
  [/test_causal_conv_with_state|test_range_b?float|_ver26$/, 'opsets after 25'],
  [/test_resize_.*antialias/, 'smoothing before Resize makes an image smaller'],
  [/test_resize_tf_crop_and_resize/, 'Resize of a part of the image'],
  [/label_encoder_(string|tensor)/, 'labels that are strings'],
]

/** Where float32 rounds an intermediate result and our doubles do not. */
const rounded = ['onnx-node-tests/test_dynamicquantizelinear_expanded']

type Result = {
  readonly test: string
  readonly ops: readonly string[]
  readonly problem?: string
  readonly refusal?: string
}

/**
 * Imports a test's model. Node tests give shapes, axes and bounds as inputs: where the operator wants constants, all inputs
 * but the first become constants, or all.
 */
function load(
  bytes: Uint8Array,
  inputs: readonly Tensor[],
): { readonly graph: Graph; readonly run: Map<string, Tensor> } {
  const names = decodeModel(bytes).inputs.map(({ name }) => name)
  const shapes = Object.fromEntries(names.map((name, i) => [name, inputs[i]!.shape]))
  try {
    return { graph: importOnnx(bytes, { shapes }), run: new Map(names.map((name, i) => [name, inputs[i]!])) }
  } catch (error) {
    if (!(error instanceof VeritensorError) || !/^input "/.test(String(error.details.attribute))) throw error
    const constants = Object.fromEntries(names.slice(1).map((name, i) => [name, inputs[i + 1]!]))
    const { [names[0]!]: first } = shapes
    try {
      return {
        graph: importOnnx(bytes, { shapes: { [names[0]!]: first! }, constants }),
        run: new Map([[names[0]!, inputs[0]!]]),
      }
    } catch (again) {
      if (!(again instanceof VeritensorError) || !/^input "/.test(String(again.details.attribute))) throw again
      const all = Object.fromEntries(names.map((name, i) => [name, inputs[i]!]))
      return { graph: importOnnx(bytes, { constants: all }), run: new Map() }
    }
  }
}

function attempt(folder: string, name: string, used: readonly string[]): Result {
  const at = join(corpus, folder, name)
  const result = { test: `${folder}/${name}`, ops: used }
  try {
    const { graph, run } = load(readFileSync(join(at, 'model.onnx')), tensorsIn(at, 'input'))
    const got = runFloat(graph, run)
    const expected = tensorsIn(at, 'output')
    const problem = graph.outputs.map((output, i) => difference(got.get(output)!, expected[i]!)).find(Boolean)
    return problem === undefined ? result : { ...result, problem }
  } catch (error) {
    if (error instanceof VeritensorError) return { ...result, refusal: `${error.code}: ${error.message}` }
    return { ...result, problem: error instanceof Error ? String(error.stack) : String(error) }
  }
}

describe.skipIf(!folders.every(hasCorpus))("ONNX's own operator tests", () => {
  let results: Result[]
  const reasonFor = (name: string): string | undefined => refused.find(([pattern]) => pattern.test(name))?.[1]

  beforeAll(() => {
    const ours = new Set(ops.map((op) => (op.domain === '' ? op.type : `${op.domain}::${op.type}`)))
    results = folders.flatMap((folder) =>
      readNodeIndex(join(corpus, folder))
        .filter((t) => t.ops.every((type) => ours.has(type)))
        .map((t) => attempt(folder, t.name, t.ops)),
    )
  })

  test('give the expected outputs', () => {
    expect(
      results.flatMap((r) => (r.problem === undefined || rounded.includes(r.test) ? [] : [`${r.test}: ${r.problem}`])),
    ).toEqual([])
  })

  test('are refused only where the list says so', () => {
    const unexpected = results.filter((r) => (r.refusal !== undefined) !== (reasonFor(r.test) !== undefined))
    expect(unexpected.map((r) => `${r.test}: ${r.refusal ?? 'not refused'}`)).toEqual([])
  })

  test('cover every operator', () => {
    const passed = results.filter((r) => r.problem === undefined && r.refusal === undefined)
    const counts = Object.fromEntries(
      ops
        .filter((op) => op.domain === '')
        .map((op) => [op.type, passed.filter((r) => r.ops.includes(op.type)).length] as const),
    )
    console.log(`${passed.length} of ${results.length} node tests pass, the others are refused; per operator:`, counts)
    for (const [, why] of refused)
      console.log(`refused: ${results.filter((r) => reasonFor(r.test) === why).length} (${why})`)
    expect(Object.entries(counts).filter(([, n]) => n === 0)).toEqual([])
  })
})
