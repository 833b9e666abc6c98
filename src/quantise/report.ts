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
  /** Largest error of an output in shares of its range over the samples (`relativeTo`), the worst output's. */
  readonly relativeError: number
  /** Share of samples on which the first largest output is the same; null for outputs with one element. */
  readonly argmaxAgreement: number | null
}

/** What an output may be compared with: how far its values spread, or their magnitude where all are one. */
export type Spread = { readonly error: number; readonly lo: number; readonly hi: number }

/** Error in shares of the spread; 0 for no error, and 1 for an error where all values are 0. */
export const relativeTo = ({ error, lo, hi }: Spread): number =>
  error === 0 ? 0 : error / (hi > lo ? hi - lo : Math.abs(hi) || error)

/** Outputs of both models on one sample, in real units. */
export type Comparison = { readonly float: readonly Tensor[]; readonly integer: readonly Tensor[] }

/** Outputs of the float graph on a sample. */
export function floatOutputs(graph: Graph, sample: Sample): Tensor[] {
  const values = runFloat(graph, sample)
  return graph.outputs.map((name) => values.get(name)!)
}

/** A function from a sample to the outputs, in real units, of the integer model with the weights that it takes. */
export function integerOutputs(
  model: IntegerModel,
  outOfRange: OutOfRange,
  weights: readonly ArrayLike<number>[] = [],
): (sample: Sample) => Tensor[] {
  const run = prepareInteger(model)
  return (sample) => {
    const inputs = model.inputs.map((port) => quantiseInput(port, sample.get(port.name)!, outOfRange))
    const values = run([...inputs, ...weights])
    return model.outputs.map((port) => dequantise(port, values[port.value]!))
  }
}

/** A function that runs a sample through the float graph and through the integer model, with the weights that it takes. */
export function comparer(
  graph: Graph,
  model: IntegerModel,
  outOfRange: OutOfRange,
  weights: readonly ArrayLike<number>[] = [],
): (sample: Sample) => Comparison {
  const integers = integerOutputs(model, outOfRange, weights)
  return (sample) => ({ float: floatOutputs(graph, sample), integer: integers(sample) })
}

/** Index of the first largest element. */
export const firstLargest = (x: ArrayLike<number>): number => {
  let best = 0
  for (let i = 1; i < x.length; i++) if (x[i]! > x[best]!) best = i
  return best
}

/** Errors of all outputs, and agreement of the first one, over samples. */
export function reportOn(comparisons: Iterable<Comparison>): Report {
  let [samples, sum, elements, agreeing, classes] = [0, 0, 0, 0, 1]
  const spreads: { error: number; lo: number; hi: number }[] = []
  for (const { float, integer } of comparisons) {
    samples++
    float.forEach((expected, k) => {
      spreads[k] ??= { error: 0, lo: Number.POSITIVE_INFINITY, hi: Number.NEGATIVE_INFINITY }
      const spread = spreads[k]
      expected.data.forEach((v, i) => {
        const error = Math.abs(v - integer[k]!.data[i]!)
        spread.error = Math.max(spread.error, error)
        spread.lo = Math.min(spread.lo, v)
        spread.hi = Math.max(spread.hi, v)
        sum += error
        elements++
      })
    })
    classes = float[0]!.data.length
    if (firstLargest(float[0]!.data) === firstLargest(integer[0]!.data)) agreeing++
  }
  return {
    samples,
    maxError: Math.max(0, ...spreads.map(({ error }) => error)),
    relativeError: Math.max(0, ...spreads.map(relativeTo)),
    meanError: elements === 0 ? 0 : sum / elements,
    argmaxAgreement: classes > 1 && samples > 0 ? agreeing / samples : null,
  }
}
