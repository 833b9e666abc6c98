import type { Graph } from '../graph/graph.ts'
import { runFloat } from '../graph/run.ts'
import { type IntegerModel, prepareInteger } from '../model/model.ts'
import type { Sample } from '../samples/samples.ts'
import type { Tensor } from '../tensor.ts'
import { dequantise, type OutOfRange, quantiseInput } from './ports.ts'

/** How far the integer model is from the float model, over samples, in the outputs' real units. */
export type Report = {
  readonly samples: number
  readonly maxError: number
  readonly meanError: number
  /** Share of samples on which the first largest output is the same; null for outputs with one element. */
  readonly argmaxAgreement: number | null
}

/** Outputs of both models on one sample, in real units. */
export type Comparison = { readonly float: readonly Tensor[]; readonly integer: readonly Tensor[] }

/** A function that runs a sample through the float graph and through the integer model, with the weights that it takes. */
export function comparer(
  graph: Graph,
  model: IntegerModel,
  outOfRange: OutOfRange,
  weights: readonly ArrayLike<number>[] = [],
): (sample: Sample) => Comparison {
  const run = prepareInteger(model)
  return (sample) => {
    const float = runFloat(graph, sample)
    const inputs = model.inputs.map((port) => quantiseInput(port, sample.get(port.name)!, outOfRange))
    const values = run([...inputs, ...weights])
    return {
      float: graph.outputs.map((name) => float.get(name)!),
      integer: model.outputs.map((port) => dequantise(port, values[port.value]!)),
    }
  }
}

/** Index of the first largest element. */
export const firstLargest = (x: ArrayLike<number>): number => {
  let best = 0
  for (let i = 1; i < x.length; i++) if (x[i]! > x[best]!) best = i
  return best
}

/** Errors and agreement of the first output over samples. */
export function reportOn(comparisons: Iterable<Comparison>): Report {
  let [samples, maxError, sum, elements, agreeing, classes] = [0, 0, 0, 0, 0, 1]
  for (const { float, integer } of comparisons) {
    samples++
    float.forEach((expected, k) => {
      expected.data.forEach((v, i) => {
        const error = Math.abs(v - integer[k]!.data[i]!)
        maxError = Math.max(maxError, error)
        sum += error
        elements++
      })
    })
    classes = float[0]!.data.length
    if (firstLargest(float[0]!.data) === firstLargest(integer[0]!.data)) agreeing++
  }
  return {
    samples,
    maxError,
    meanError: elements === 0 ? 0 : sum / elements,
    argmaxAgreement: classes > 1 && samples > 0 ? agreeing / samples : null,
  }
}
