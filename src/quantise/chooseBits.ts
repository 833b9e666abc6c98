import { VeritensorError } from '../errors.ts'
import type { Graph } from '../graph/graph.ts'
import type { IntegerModel } from '../model/model.ts'
import type { Scheme } from '../ops/lowering.ts'
import type { Sample } from '../samples/samples.ts'
import type { Ranges } from './calibrate.ts'
import { quantise, schemeOf } from './quantise.ts'
import { floatOutputs, integerOutputs, reportOn } from './report.ts'

/** Bits of activations that are tried, in order. */
const LEAST_BITS = 8
const MOST_BITS = 16
/** Samples that each trial runs. */
const MAX_SAMPLES = 32
/** Where no trial is near enough, the fewest bits that are as near as this times the best. */
const AS_GOOD = 1.1

/**
 * The integer model with the fewest bits of activations, 8 to 16, whose outputs stay within `tolerance` of the float graph's on
 * the samples: the largest error in shares of an output's range. Where none does, the nearest one.
 *
 * Throws what `quantise` throws where not even the fewest bits can be quantised.
 */
export function quantiseWithin(
  graph: Graph,
  ranges: Ranges,
  samples: readonly Sample[],
  { weightBits, tolerance }: { readonly weightBits?: number | undefined; readonly tolerance: number },
  onTrial: (bits: number) => void = () => {},
): { readonly model: IntegerModel; readonly scheme: Scheme } {
  const step = Math.ceil(samples.length / MAX_SAMPLES)
  const some = samples.filter((_, i) => i % step === 0)
  const expected = some.map((sample) => floatOutputs(graph, sample))
  const trials: { readonly model: IntegerModel; readonly scheme: Scheme; readonly error: number }[] = []
  for (let bits = LEAST_BITS; bits <= MOST_BITS; bits++) {
    onTrial(bits)
    const scheme = schemeOf(bits, weightBits)
    let model: IntegerModel
    try {
      model = quantise(graph, ranges, scheme)
    } catch (error) {
      // wider integers may leave what is supported
      if (error instanceof VeritensorError && error.category === 'model' && trials.length > 0) break
      throw error
    }
    const run = integerOutputs(model, 'saturate')
    const { relativeError } = reportOn(some.map((sample, i) => ({ float: expected[i]!, integer: run(sample) })))
    if (relativeError <= tolerance) return { model, scheme }
    trials.push({ model, scheme, error: relativeError })
  }
  const best = Math.min(...trials.map(({ error }) => error))
  return trials.find(({ error }) => error <= AS_GOOD * best)!
}
