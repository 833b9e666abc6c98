/**
 * One quantised model against onnxruntime, element by element.
 * @module
 */
import { solve } from '../../circuits/solve.ts'
import { compile } from '../../src/compile.ts'
import type { Graph } from '../../src/graph/graph.ts'
import { type IntegerModel, prepareInteger } from '../../src/model/model.ts'
import { importGraph } from '../../src/pipeline/compileModel.ts'
import { quantiseExactly } from '../../src/quantise/exact.ts'
import { quantiseInput } from '../../src/quantise/ports.ts'
import type { Sample } from '../../src/samples/samples.ts'
import type { Shape, Tensor } from '../../src/tensor.ts'
import type { Random } from '../training/random.ts'
import { drawInput } from './draft.ts'
import { openSession, type Session } from './session.ts'

/** What comparing a model on some inputs found. */
export type Tally = {
  inputs: number
  elements: number
  differing: number
  /** Of those that differ: where onnxruntime gives our integer itself, when it runs the operators one by one. */
  fusion: number
}

export const emptyTally = (): Tally => ({ inputs: 0, elements: 0, differing: 0, fusion: 0 })

/** A model as integers and in onnxruntime. */
export type Pair = {
  readonly graph: Graph
  readonly model: IntegerModel
  readonly session: Session
  /** The outputs of the integer model as a float32 runtime would give them. */
  readonly outputs: (sample: Sample) => Float64Array[]
}

/** Opens a quantised model. Throws VeritensorError where it has no exact integers. */
export async function openPair(onnx: Uint8Array, shapes: Readonly<Record<string, Shape>> = {}): Promise<Pair> {
  const graph = importGraph(onnx, shapes)
  const model = quantiseExactly(graph)
  const run = prepareInteger(model)
  const outputs = (sample: Sample): Float64Array[] => {
    const values = run(model.inputs.map((port) => quantiseInput(port, sample.get(port.name)!, 'refuse')))
    // a whole number, then a float where the output is one: scales of quantised models are float32
    return model.outputs.map(({ value, scale }) =>
      Float64Array.from(values[value]!, (v) => (scale === 1 ? Number(v) : Math.fround(Math.fround(Number(v)) * scale))),
    )
  }
  return { graph, model, session: await openSession(onnx), outputs }
}

/** A random input for every input of the model. */
export const randomSample = ({ graph, model }: Pair, random: Random): Sample =>
  new Map(graph.inputs.map((input, i) => [input.name, drawInput(random, input, model.inputs[i]!)]))

/** Compares one sample, adding to the tally. `apart` is the same model in operators that are run one by one. */
export async function compareSample(pair: Pair, sample: Sample, tally: Tally, apart?: Session): Promise<void> {
  const expected = await pair.session.run(sample)
  tally.inputs++
  for (const [k, got] of pair.outputs(sample).entries()) {
    const { data } = expected.get(pair.model.outputs[k]!.name)!
    const wrong = differences(got, data)
    tally.elements += data.length
    tally.differing += wrong.length
    if (wrong.length === 0 || apart === undefined) continue
    const again = [...(await apart.run(sample)).values()][k]!
    tally.fusion += wrong.filter((j) => got[j] === again.data[j]).length
  }
}

/** Positions at which two lists differ; all, where their lengths do. */
export function differences(got: Float64Array, expected: Float64Array): number[] {
  if (got.length !== expected.length) return [...expected.keys()]
  // -0 and 0 are one number
  return [...got.keys()].filter((j) => got[j] !== expected[j])
}

/** Elements in which a stored output differs from the integers. */
export const storedDifferences = (pair: Pair, sample: Sample, stored: readonly (Tensor | undefined)[]): number =>
  pair
    .outputs(sample)
    .reduce((n, got, k) => n + (stored[k] === undefined ? 0 : differences(got, stored[k].data).length), 0)

/** Rows of the model's circuit, and the outputs of its witness for one sample that are not the integer model's. */
export function circuitDifferences(
  { model }: Pair,
  sample: Sample,
): { readonly rows: number; readonly differing: number } {
  const circuit = compile(model, { input: 'private', output: 'public' })
  const inputs = model.inputs.map((port) => quantiseInput(port, sample.get(port.name)!, 'refuse'))
  const values = prepareInteger(model)(inputs)
  const expected = model.outputs.flatMap(({ value }) => Array.from(values[value]!, Number))
  const { small } = solve(circuit, Float64Array.from(inputs.flatMap((x) => [...x])))
  return { rows: circuit.rows, differing: expected.filter((v, i) => small[1 + i] !== v).length }
}
