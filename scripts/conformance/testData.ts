import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Graph } from '../../src/graph/graph.ts'
import { decodeModel, decodeTensorProto } from '../../src/graph/onnx.ts'
import { joinInputs, type Sample } from '../../src/samples/samples.ts'
import { type Shape, sizeOf, type Tensor } from '../../src/tensor.ts'

/** test_data_set_N: the inputs of one run of a model, and what it must give. */
export type TestSet = {
  readonly number: number
  readonly inputs: readonly Tensor[]
  /** Output K at position K; missing where the file is missing or holds no numbers. */
  readonly outputs: readonly (Tensor | undefined)[]
}

/** A test set as a sample of the model. */
export type Case = { readonly number: number; readonly sample: Sample; readonly outputs: TestSet['outputs'] }

/** Folders below `root` (or `root` itself) that hold a model.onnx, in alphabetical order. */
export function modelFolders(root: string): { readonly name: string; readonly folder: string }[] {
  if (existsSync(join(root, 'model.onnx'))) return [{ name: root.replace(/^.*[/\\]/, ''), folder: root }]
  return readdirSync(root)
    .sort()
    .filter((name) => existsSync(join(root, name, 'model.onnx')))
    .map((name) => ({ name, folder: join(root, name) }))
}

/**
 * The test sets of a model's folder by number, those with inputs unless `any` is wanted. Throws OnnxError where an input is no
 * tensor of numbers.
 */
export function readTestSets(folder: string, which: 'any' | 'with inputs' = 'with inputs'): TestSet[] {
  const numbers = readdirSync(folder)
    .flatMap((name) => /^test_data_set_(\d+)$/.exec(name)?.[1] ?? [])
    .map(Number)
  return numbers
    .sort((a, b) => a - b)
    .map((number) => {
      const set = join(folder, `test_data_set_${number}`)
      const names = readdirSync(set)
      const count = (role: string): number =>
        Math.max(-1, ...names.map((name) => Number(new RegExp(`^${role}_(\\d+)\\.pb$`).exec(name)?.[1] ?? -1))) + 1
      const tensor = (role: string, k: number): Tensor => decodeTensorProto(readFileSync(join(set, `${role}_${k}.pb`)))
      return {
        number,
        inputs: Array.from({ length: count('input') }, (_, k) => tensor('input', k)),
        outputs: Array.from({ length: count('output') }, (_, k) => {
          try {
            return tensor('output', k)
          } catch {
            return undefined
          }
        }),
      }
    })
    .filter(({ inputs }) => which === 'any' || inputs.length > 0)
}

/** Sizes that the model leaves open, as the inputs of a test set have them. */
export function openShapes(onnx: Uint8Array, inputs: readonly Tensor[]): Record<string, Shape> {
  const { inputs: declared, initializers } = decodeModel(onnx)
  return Object.fromEntries(
    declared
      .filter(({ name }) => !initializers.has(name))
      .flatMap(({ name, dims }, i) => {
        const given = inputs[i]?.shape
        return given !== undefined && (dims === undefined || dims.some((d) => typeof d !== 'number'))
          ? [[name, given]]
          : []
      }),
  )
}

/** The sets whose inputs have the sizes that the model takes; the first one must. */
export function casesOf(graph: Graph, sets: readonly TestSet[]): Case[] {
  const fits = ({ inputs }: TestSet): boolean =>
    inputs.length === graph.inputs.length && inputs.every((x, i) => x.data.length === sizeOf(graph.inputs[i]!.shape))
  return sets.flatMap((set, i) =>
    i === 0 || fits(set)
      ? [
          {
            number: set.number,
            sample: joinInputs(graph, set.inputs, `test_data_set_${set.number}`),
            // outputs that are strings are left out of the graph, and were not read
            outputs: graph.notices === undefined ? set.outputs : set.outputs.filter((output) => output !== undefined),
          },
        ]
      : [],
  )
}

/** Classes of the test sets by number, from samples.json: [{ "set": 0, "label": 7 }, …]. */
export function readLabels(folder: string): Map<number, number> {
  const path = join(folder, 'samples.json')
  if (!existsSync(path)) return new Map()
  const list = JSON.parse(readFileSync(path, 'utf8')) as unknown
  if (!Array.isArray(list)) return new Map()
  return new Map(
    (list as readonly { readonly set?: unknown; readonly label?: unknown }[]).flatMap(({ set, label }) =>
      typeof set === 'number' && typeof label === 'number' ? [[set, label] as const] : [],
    ),
  )
}
