/**
 * Rows of models of decision trees, beside those of one comparison per branch: the same trees, products and outputs, but each
 * branch compares its feature with its own threshold, and every element of the input has a range check.
 *
 * usage: npx tsx scripts/tree-rows.ts FOLDER… [--most PERCENT] [--json]    (each with model.onnx and test_data_set_N)
 *
 * Exit code 1 if a model takes more than PERCENT (25) of the rows that one comparison per branch takes.
 */
import { existsSync, readFileSync } from 'node:fs'
import { basename, join, resolve } from 'node:path'
import { createBuilder } from '../circuits/builder.ts'
import { Fr } from '../circuits/field.ts'
import { rangeCheck } from '../circuits/gadgets/bits.ts'
import { locate } from '../circuits/gadgets/locate.ts'
import { parseArguments, UsageError } from '../src/cli/args.ts'
import { table, thousands } from '../src/cli/format.ts'
import { analyse, type IntegerModel } from '../src/model/model.ts'
import { compileModel } from '../src/pipeline/compileModel.ts'
import { casesOf, openShapes, readTestSets } from './conformance/testData.ts'
import { runScript } from './support/script.ts'

/** Rows that finding places and comparing by branch take for the layers of a model that look at thresholds. */
function comparisons(model: IntegerModel): {
  readonly branches: number
  readonly located: number
  readonly each: number
} {
  const infos = analyse(model)
  let [branches, located, each] = [0, 0, 0]
  for (const layer of model.layers) {
    if (layer.kind !== 'locate') continue
    const used = model.layers.filter(
      (l) => l.kind === 'forest' && l.inputs[0] === model.inputs.length + model.layers.indexOf(layer),
    )
    const [lo, hi] = [BigInt(layer.lo), BigInt(layer.hi)]
    const fromInput = layer.inputs[0]! < model.inputs.length
    const count = (build: (cs: ReturnType<typeof createBuilder>) => void): number => {
      const cs = createBuilder(Fr)
      build(cs)
      return cs.rows()
    }
    const rows = infos[layer.inputs[0]!]!.size
    const listOf = (i: number): number[] => [...layer.thresholds.subarray(layer.starts[i]!, layer.starts[i + 1]!)]
    located += count((cs) => {
      const xs = Array.from({ length: rows }, () => cs.input('private', { lo, hi }))
      xs.forEach((x, i) => {
        locate(cs, fromInput ? x : cs.proven(x, lo, hi), listOf(i), lo, hi)
      })
    })
    // every flip of every branch of the trees, once per row of features
    const flips = used.flatMap((l) => {
      const { trees } = l as Extract<typeof l, { kind: 'forest' }>
      const width = trees.groupStarts.at(-1)!
      return Array.from({ length: layer.thresholds.length / width }, (_, row) =>
        [...trees.flips].map((bit) => row * width + bit),
      ).flat()
    })
    branches += flips.length
    each += count((cs) => {
      const given = Array.from({ length: rows }, () => cs.input('private', { lo, hi }))
      const xs = given.map((x) => (fromInput ? rangeCheck(cs, x, lo, hi) : cs.proven(x, lo, hi)))
      for (const at of flips) {
        const i = layer.starts.findLastIndex((start) => start <= at)
        locate(cs, xs[i]!, [layer.thresholds[at]!], lo, hi, 'each')
      }
    })
  }
  return { branches, located, each }
}

await runScript((words) => {
  const { options, positionals: folders } = parseArguments(words, {
    most: { type: 'integer', min: 1, max: 100, value: 'PERCENT', help: 'of the rows of one comparison per branch' },
    json: { type: 'flag', help: 'print one line of JSON' },
  })
  const { most = 25 } = options
  const missing = folders.find((folder) => !existsSync(join(folder, 'model.onnx')))
  if (folders.length === 0 || missing !== undefined)
    throw new UsageError(
      missing === undefined ? 'tree-rows takes folders' : `there is no ${join(missing, 'model.onnx')}`,
    )
  const models = folders.map((folder) => {
    const onnx = readFileSync(join(folder, 'model.onnx'))
    const sets = readTestSets(folder)
    const { circuit, model } = compileModel(onnx, {
      shapes: openShapes(onnx, sets[0]?.inputs ?? []),
      calibration: (graph) => casesOf(graph, sets).map(({ sample }) => sample),
    })
    const { branches, located, each } = comparisons(model)
    return { name: basename(resolve(folder)), rows: circuit.rows, each: circuit.rows - located + each, branches }
  })
  const header = ['model', 'branches', 'rows', 'one comparison per branch', 'share']
  const percent = (part: number, whole: number): string => `${((100 * part) / whole).toFixed(1)} %`
  if (options.json) console.log(JSON.stringify({ schema: 'veritensor/tree-rows@1', most, models }))
  else
    console.log(
      table(
        header,
        models.map(({ name, rows, each, branches }) => [
          ...[name, thousands(branches), thousands(rows), thousands(each), percent(rows, each)],
        ]),
      ),
    )
  return models.some(({ rows, each }) => 100 * rows > most * each) ? 1 : 0
})
