import type { Shape } from '../../src/tensor.ts'
import type { Random } from './random.ts'
import { shuffle } from './random.ts'

/** Labelled samples; `inputs[i]` has the model's input shape without the batch axis and belongs to class `labels[i]`. */
export type Dataset = {
  readonly shape: Shape
  readonly classes: readonly string[]
  readonly inputs: readonly Float64Array[]
  readonly labels: readonly number[]
}

/** The samples at these positions, in this order. */
export const select = (data: Dataset, positions: readonly number[]): Dataset => ({
  ...data,
  inputs: positions.map((i) => data.inputs[i]!),
  labels: positions.map((i) => data.labels[i]!),
})

/**
 * Splits at random, `testShare` of every class going to the test part (rounded so that the total is exact), and
 * shuffles both parts.
 */
export function splitByClass(data: Dataset, testShare: number, random: Random): { train: Dataset; test: Dataset } {
  const train: number[] = []
  const test: number[] = []
  let seen = 0
  data.classes.forEach((_, label) => {
    const members = shuffle(
      random,
      data.labels.flatMap((l, i) => (l === label ? [i] : [])),
    )
    seen += members.length
    const tests = Math.round(seen * testShare) - test.length
    test.push(...members.slice(0, tests))
    train.push(...members.slice(tests))
  })
  return { train: select(data, shuffle(random, train)), test: select(data, shuffle(random, test)) }
}

/** The first `rounds` samples of every class, dealt class by class: 0, 1, 2, …, 0, 1, 2, … */
export function deal(data: Dataset, rounds: number): Dataset {
  const members = data.classes.map((_, label) => data.labels.flatMap((l, i) => (l === label ? [i] : [])))
  return select(data, Array.from({ length: rounds }, (_, round) => members.map((m) => m[round]!)).flat())
}
