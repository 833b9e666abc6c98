import type { Dataset } from './dataset.ts'

/** Any model of one input sample: logits of floats, of the integer model, of proofs. */
export type Classifier = (input: Float64Array) => ArrayLike<number>

/** How many of how many samples got their label. */
export type Score = { readonly correct: number; readonly total: number }

/** Position of the largest value, the first of equals, as in ONNX's ArgMax. */
export function argmax(values: ArrayLike<number>): number {
  let best = 0
  for (let i = 1; i < values.length; i++) if (values[i]! > values[best]!) best = i
  return best
}

export function score(classify: Classifier, data: Dataset): Score {
  const correct = data.inputs.filter((input, i) => argmax(classify(input)) === data.labels[i]).length
  return { correct, total: data.labels.length }
}

/** '97.85 % (1957 of 2000)' */
export const formatScore = ({ correct, total }: Score): string =>
  `${((100 * correct) / total).toFixed(2)} % (${correct} of ${total})`
