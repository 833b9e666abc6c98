import { type Comparison, firstLargest, relativeTo } from '../../src/quantise/report.ts'
import { isFloat, type Tensor } from '../../src/tensor.ts'
import type { Case } from './testData.ts'

/** Outputs against what the test sets expect, in the outputs' units. */
export type Agreement = {
  readonly sets: number
  /** Largest difference of the float model: what the importer gets wrong, float32 roundings aside. */
  readonly floatError: number
  /** Largest difference of the integer model. */
  readonly maxError: number
  /** The worst output's largest difference, in shares of the range of its expected values (`relativeTo`). */
  readonly relativeError: number
  /** Sets on which the integers' class is the expected outputs' class; null where outputs have one element. */
  readonly sameClass: number | null
  /** Labelled sets, how many of them the integers and the expected outputs get right, and on how many they are of one class. */
  readonly labelled: {
    readonly total: number
    readonly integer: number
    readonly expected: number
    readonly same: number
  } | null
}

/** The class that a first output tells: itself where it is one integer, else the position of its largest element. */
function classOf({ dtype, data }: Tensor): number | undefined {
  if (data.length === 1) return isFloat(dtype) ? undefined : data[0]!
  return firstLargest(data)
}

/** Compares outputs with expected ones. Undefined where no set has outputs that fit. */
export function agreementOf(
  cases: readonly Case[],
  comparisons: readonly Comparison[],
  labels: ReadonlyMap<number, number>,
): Agreement | undefined {
  const worst: { error: number; lo: number; hi: number }[] = []
  let [sets, floatError, same, classes] = [0, 0, 0, 0]
  const labelled = { total: 0, integer: 0, expected: 0, same: 0 }
  cases.forEach(({ number, outputs }, i) => {
    const { float, integer } = comparisons[i]!
    let compared = false
    outputs.forEach((expected, k) => {
      const [f, n] = [float[k], integer[k]]
      if (expected === undefined || f === undefined || n?.data.length !== expected.data.length) return
      compared = true
      worst[k] ??= { error: 0, lo: Number.POSITIVE_INFINITY, hi: Number.NEGATIVE_INFINITY }
      const w = worst[k]
      expected.data.forEach((v, j) => {
        floatError = Math.max(floatError, Math.abs(v - f.data[j]!))
        w.error = Math.max(w.error, Math.abs(v - n.data[j]!))
        w.lo = Math.min(w.lo, v)
        w.hi = Math.max(w.hi, v)
      })
    })
    if (!compared) return
    sets++
    const expected = outputs[0] && classOf(outputs[0])
    const integer0 = integer[0] && classOf({ ...integer[0], dtype: outputs[0]?.dtype ?? 'float32' })
    if (expected === undefined || integer0 === undefined) return
    classes++
    if (integer0 === expected) same++
    const label = labels.get(number)
    if (label === undefined) return
    labelled.total++
    if (integer0 === label) labelled.integer++
    if (expected === label) labelled.expected++
    if (integer0 === expected) labelled.same++
  })
  if (sets === 0) return undefined
  return {
    sets,
    floatError,
    maxError: Math.max(...worst.flatMap((w) => w?.error ?? [])),
    relativeError: Math.max(...worst.flatMap((w) => (w === undefined ? [] : relativeTo(w)))),
    sameClass: classes === sets ? same : null,
    labelled: labelled.total === 0 ? null : labelled,
  }
}

/** Largest share of an output's range by which integers may be off and agree. */
export const TOLERANCE = 0.01

/** Whether the integers are near the expected outputs, or of one class with them on all labelled sets. */
export const agrees = ({ relativeError, labelled }: Agreement): boolean =>
  relativeError <= TOLERANCE || (labelled !== null && labelled.same === labelled.total)
