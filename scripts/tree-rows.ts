/**
 * Rows of models of decision trees, beside those of one comparison per branch: the same trees, products and outputs, but each
 * branch compares its feature with its own threshold, and every element of the input has a range check.
 *
 * usage: npx tsx scripts/tree-rows.ts FOLDER…    (each with model.onnx and test_data_set_N)
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createBuilder } from '../circuits/builder.ts'
import { Fr } from '../circuits/field.ts'
import { rangeCheck } from '../circuits/gadgets/bits.ts'
import { locate } from '../circuits/gadgets/locate.ts'
import { analyse, type IntegerModel } from '../src/model/model.ts'
import { compileModel } from '../src/pipeline/compileModel.ts'
import { casesOf, openShapes, readTestSets } from './conformance/testData.ts'

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

for (const folder of process.argv.slice(2)) {
  const onnx = readFileSync(join(folder, 'model.onnx'))
  const sets = readTestSets(folder)
  const { circuit, model } = compileModel(onnx, {
    shapes: openShapes(onnx, sets[0]!.inputs),
    calibration: (graph) => casesOf(graph, sets).map(({ sample }) => sample),
  })
  const { branches, located, each } = comparisons(model)
  const naive = circuit.rows - located + each
  const name = folder.replace(/[/\\]+$/, '').replace(/^.*[/\\]/, '')
  console.log(
    `${name}: ${circuit.rows} rows, ${naive} with one comparison for each of ${branches} branches ` +
      `(${(circuit.rows / naive).toFixed(3)}); comparisons alone ${located} and ${each}`,
  )
}
