import type { Graph } from '../../src/graph/graph.ts'
import { importOnnx } from '../../src/graph/import.ts'
import { runFloat } from '../../src/graph/run.ts'
import { simplify } from '../../src/graph/simplify.ts'
import { prepareInteger } from '../../src/model/model.ts'
import { calibrate } from '../../src/quantise/calibrate.ts'
import { dequantise, quantiseInput } from '../../src/quantise/ports.ts'
import { quantise } from '../../src/quantise/quantise.ts'
import { decodeSamples, type Sample } from '../../src/samples/samples.ts'
import type { Classifier } from './evaluate.ts'

/** Makes a classifier from the bytes of a committed model and of its calibration samples. */
export type Engine = (model: Uint8Array, calibration: Uint8Array) => Classifier

/** The ways to run an example model whose accuracy is compared; another one is another line. */
export const engines: Readonly<Record<string, Engine>> = {
  float: (model) => floatClassifier(openGraph(model)),
  integer: (model, calibration) => {
    const graph = openGraph(model)
    return integerClassifier(graph, decodeSamples(graph, { path: 'calibration.npy', bytes: calibration }))
  },
}

/** The graph that the other functions here take. */
export const openGraph = (model: Uint8Array): Graph => simplify(importOnnx(model))

/** The floating-point model of one input: the elements of its first output. */
export const floatClassifier =
  (graph: Graph): Classifier =>
  (input) =>
    runFloat(graph, sampleOf(graph, input)).get(graph.outputs[0]!)!.data

/**
 * The integer model that is proved, its scales chosen on the calibration samples, with activations of `bits` bits. Inputs
 * beyond the calibrated range are clamped.
 */
export function integerClassifier(graph: Graph, calibration: readonly Sample[], bits = 8): Classifier {
  const model = quantise(graph, calibrate(graph, calibration), { bits, weightBits: 16 })
  const run = prepareInteger(model)
  const [input, output] = [model.inputs[0]!, model.outputs[0]!]
  return (data) => {
    const values = run([quantiseInput(input, sampleOf(graph, data).get(input.name)!, 'saturate')])
    return dequantise(output, values[output.value]!).data
  }
}

/** The sample of a graph with one input. */
export function sampleOf(graph: Graph, data: Float64Array): Sample {
  const { name, dtype, shape } = graph.inputs[0]!
  return new Map([[name, { dtype, shape, data }]])
}
