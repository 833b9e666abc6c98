import { VeritensorError } from '../errors.ts'
import type { Graph } from '../graph/graph.ts'
import { runFloat } from '../graph/run.ts'
import type { Stats } from '../ops/lowering.ts'
import type { Tensor } from '../tensor.ts'

/** Statistics of every tensor that is not constant, by name. */
export type Ranges = ReadonlyMap<string, Stats>

/** Calibration can't give ranges. */
export class CalibrationError extends VeritensorError {}

/**
 * Runs the graph in floating point on samples and notes how each tensor's values are distributed.
 *
 * Throws CalibrationError `input/no-samples`, or `input/not-finite` naming the first tensor with an infinity or NaN.
 */
export function calibrate(graph: Graph, samples: Iterable<ReadonlyMap<string, Tensor>>): Ranges {
  const sums = new Map<string, { min: number; max: number; sum: number; squares: number; count: number }>()
  const observe = (name: string, { data }: Tensor): void => {
    let s = sums.get(name)
    if (s === undefined) {
      s = { min: Number.POSITIVE_INFINITY, max: Number.NEGATIVE_INFINITY, sum: 0, squares: 0, count: 0 }
      sums.set(name, s)
    }
    for (let i = 0; i < data.length; i++) {
      const v = data[i]!
      if (v < s.min) s.min = v
      if (v > s.max) s.max = v
      s.sum += v
      s.squares += v * v
    }
    s.count += data.length
    if (!Number.isFinite(s.squares))
      throw new CalibrationError('input/not-finite', `calibration: tensor "${name}" has values that are not finite`, {
        fix: 'check the samples; the model must give finite numbers on them',
      })
  }
  let count = 0
  for (const sample of samples) {
    count++
    for (const [name, tensor] of sample) observe(name, tensor)
    runFloat(graph, sample, observe)
  }
  if (count === 0)
    throw new CalibrationError('input/no-samples', 'calibration needs at least one sample input', {
      fix: 'give --calibrate one or more files with typical inputs',
    })
  return new Map(
    [...sums].map(([name, { min, max, sum, squares, count: n }]) => [
      name,
      { min, max, mean: sum / n, rms: Math.sqrt(squares / n) },
    ]),
  )
}
