/**
 * What classifiers of ai.onnx.ml do with scores: labels and transformed scores, as onnxruntime does.
 * @module
 */
import { sizeOf, type Tensor, type TensorType } from '../../tensor.ts'
import { invalid, typeOf, unsupported } from '../inputs.ts'
import { emitClamp } from '../lower/compare.ts'
import { lowerSoftmax, probabilityScale, toWindows } from '../lower/softmax.ts'
import { type LowerContext, type QTensor, type RealRow, sparseMap } from '../lowering.ts'
import type { InferContext, Scaling } from '../op.ts'

/** Element types that operators of ai.onnx.ml take. */
export const mlTypes = ['float32', 'float64', 'int32', 'int64'] as const

/** Input [rows, features], or one row of features. */
export function rowsOf(context: InferContext, needed?: number): { readonly rows: number; readonly features: number } {
  const { shape } = typeOf(context, 0, mlTypes)
  if (shape.length < 1 || shape.length > 2) invalid(context, `the input has ${shape.length} axes instead of 1 or 2`)
  const features = shape.at(-1)!
  if (needed !== undefined && needed > features) invalid(context, `the input has ${features} features, not ${needed}`)
  return { rows: sizeOf(shape) / features, features }
}

/**
 * How scores become labels and outputs.
 *
 * `most`: the first greatest of `eligible` scores gives the label, its score first in `labels`.
 * `second`: labels[1] where score `of` is above `bar`, else labels[0].
 * `either`: labels[1] where score 1 is above score 0 or score 0 above `bar` (or reaches it), else labels[0].
 * `votes`: score p above 0 is a vote for the first class of pair p, else for the second; the first class with most votes.
 * `scores`: `all` as they are; `complement` [1 - s, s]; `opposite` [-s, s]; `sorted` [-|s|, |s|], with LOGISTIC that
 * of [-s, s].
 */
export type Classes = {
  readonly label:
    | { readonly kind: 'most'; readonly eligible: readonly number[]; readonly labels: readonly number[] }
    | { readonly kind: 'second'; readonly of: number; readonly bar: number; readonly labels: readonly [number, number] }
    | {
        readonly kind: 'either'
        readonly bar: number
        readonly reaches: boolean
        readonly labels: readonly [number, number]
      }
    | {
        readonly kind: 'votes'
        readonly versus: readonly (readonly [number, number])[]
        readonly labels: readonly number[]
      }
  readonly scores: 'all' | 'complement' | 'opposite' | 'sorted'
  readonly transform: 'NONE' | 'SOFTMAX' | 'LOGISTIC'
  /** Number of scores before and after. */
  readonly scored: number
  readonly columns: number
}

/** 1 / (1 + e^-x). */
export const logistic = (x: number): number => 1 / (1 + Math.exp(-x))

export const classTypes = (rows: number, { columns }: Classes): TensorType[] => [
  { dtype: 'int64', shape: [rows] },
  { dtype: 'float32', shape: [rows, columns] },
]

/** Labels and scores in floating point. */
export function computeClasses(
  { label, scores, transform, columns }: Classes,
  sums: readonly Float64Array[],
): Tensor[] {
  const labels = sums.map((s) => {
    if (label.kind === 'second') return label.labels[s[label.of]! > label.bar ? 1 : 0]
    if (label.kind === 'either') {
      const [first, second] = [s[0]!, s[1]!]
      const over = label.reaches ? first >= label.bar : first > label.bar
      return label.labels[second > first || over ? 1 : 0]
    }
    if (label.kind === 'votes') {
      const votes = new Float64Array(label.labels.length)
      label.versus.forEach(([a, b], p) => {
        votes[s[p]! > 0 ? a : b]!++
      })
      return label.labels[votes.indexOf(votes.reduce((m, v) => Math.max(m, v), 0))]!
    }
    let best = 0
    label.eligible.forEach((at, i) => {
      if (s[at]! > s[label.eligible[best]!]!) best = i
    })
    return label.labels[best]!
  })
  const rows = sums.map((s) => {
    if (scores === 'complement') return [1 - s[0]!, s[0]!]
    if (scores === 'opposite') return [-s[0]!, s[0]!]
    if (scores === 'sorted')
      return transform === 'LOGISTIC' ? [logistic(-s[0]!), logistic(s[0]!)] : [-Math.abs(s[0]!), Math.abs(s[0]!)]
    if (transform === 'LOGISTIC') return [...s.map(logistic)]
    if (transform === 'NONE') return [...s]
    const most = s.reduce((m, v) => Math.max(m, v))
    const exps = s.map((v) => Math.exp(v - most))
    const total = exps.reduce((a, b) => a + b)
    return [...exps.map((e) => e / total)]
  })
  return [
    { dtype: 'int64', shape: [sums.length], data: Float64Array.from(labels) },
    { dtype: 'float32', shape: [sums.length, columns], data: Float64Array.from(rows.flat()) },
  ]
}

/** Whether the scores are probabilities. */
export const probabilities = ({ scores, transform }: Classes): boolean =>
  scores === 'all' ? transform !== 'NONE' : scores === 'sorted' && transform === 'LOGISTIC'

/** Scaling of an operator with labels first and scores second. */
export const classScaling = (classesOf: (context: InferContext) => Classes): Scaling => ({
  fixedScale: (bits, context, output = 0) =>
    output === 0 ? 1 : context !== undefined && probabilities(classesOf(context)) ? probabilityScale(bits) : undefined,
})

/** Step of scores that are only read by a softmax or a logistic function. */
const LOGIT_STEP = 2 ** -6

/** Step that raw scores need: that of the output where they are the output; `otherwise` where only labels are asked for. */
export const scoreStep = <T>(context: LowerContext, classes: Classes, otherwise: T): number | T =>
  probabilities(classes) ? LOGIT_STEP : context.node.outputs[1] ? context.target(1).scale : otherwise

/** Bits of the index into the table of the logistic function, and the input where it ends: its value is 1 - 2⁻¹¹·⁵. */
const LOGISTIC_BITS = 10
const LOGISTIC_END = 8
const WIDE_BITS = 8

/**
 * Labels and scores from raw scores [rows, scored], wide with a uniform shift; scores from others where these are given. Outputs
 * that are not used take no layers.
 */
export function lowerClasses(context: LowerContext, classes: Classes, raw: QTensor, shown = raw): QTensor[] {
  const rows = sizeOf(raw.shape) / classes.scored
  return [
    context.node.outputs[0] ? lowerLabel(context, classes, raw, rows) : raw,
    context.node.outputs[1] ? lowerScores(context, classes, shown, rows) : raw,
  ]
}

const unitOf = (x: QTensor): number => x.scale / 2 ** (x.shift as number)

function linear(context: LowerContext, inputs: readonly number[], shape: readonly number[], rows: RealRow[]): number {
  return context.emit({ kind: 'linear', inputs, shape, map: sparseMap(rows, 0) })
}

function lowerLabel(context: LowerContext, { label, scored }: Classes, raw: QTensor, rows: number): QTensor {
  const result = (value: number): QTensor => ({ name: '', value, shape: [rows], scale: 1, shift: 0 })
  const each = <T>(f: (row: number) => T): T[] => Array.from({ length: rows }, (_, row) => f(row))
  let index: number
  if (label.kind === 'most') {
    const windows = toWindows(each((row) => label.eligible.map((c) => row * scored + c)))
    index = context.emit({ kind: 'argmax', inputs: [raw.value], shape: [rows], ...windows })
  } else if (label.kind === 'either') {
    const least = label.reaches ? Math.ceil(label.bar / unitOf(raw)) : Math.floor(label.bar / unitOf(raw)) + 1
    const differences = each((row) => [
      { positions: [row * scored, row * scored + 1], weights: [-1, 1], bias: 0 },
      { positions: [row * scored], weights: [1], bias: 1 - least },
    ])
    const bits = emitClamp(context, linear(context, [raw.value], [rows, 2], differences.flat()), [rows, 2], 0, 1)
    const sums = each((row) => ({ positions: [2 * row, 2 * row + 1], weights: [1, 1], bias: 0 }))
    index = emitClamp(context, linear(context, [bits], [rows], sums), [rows], 0, 1)
  } else if (label.kind === 'votes') {
    const bits = emitClamp(context, raw.value, raw.shape, 0, 1)
    const votes = each((row) =>
      label.labels.map((_, c): RealRow => {
        const terms = label.versus.flatMap(([a, b], p) => (a === c ? [[p, 1]] : b === c ? [[p, -1]] : []))
        return {
          positions: terms.map(([p]) => row * scored + p!),
          weights: terms.map(([, w]) => w!),
          bias: label.versus.filter(([, b]) => b === c).length,
        }
      }),
    )
    const n = label.labels.length
    const counts = linear(context, [bits], [rows, n], votes.flat())
    const windows = toWindows(each((row) => label.labels.map((_, c) => row * n + c)))
    index = context.emit({ kind: 'argmax', inputs: [counts], shape: [rows], ...windows })
  } else {
    // the bar first: an equal score is not above it
    const bar = Math.floor(label.bar / unitOf(raw))
    const pairs = each((row) => [
      { positions: [], weights: [], bias: bar },
      { positions: [row * scored + label.of], weights: [1], bias: 0 },
    ])
    const both = linear(context, [raw.value], [rows, 2], pairs.flat())
    index = context.emit({
      kind: 'argmax',
      inputs: [both],
      shape: [rows],
      ...toWindows(each((row) => [2 * row, 2 * row + 1])),
    })
  }
  const { labels } = label
  const rise = labels.length > 1 ? labels[1]! - labels[0]! : 0
  if (labels.every((v, i) => v === i)) return result(index)
  if (labels.every((v, i) => v === labels[0]! + i * rise))
    return result(
      linear(
        context,
        [index],
        [rows],
        each((row) => ({ positions: [row], weights: [rise], bias: labels[0]! })),
      ),
    )
  if (labels.some((v) => Math.abs(v) >= 2 ** 40) || labels.length > 4096)
    return unsupported(context, 'class labels', labels, 'at most 4,096 below 2^40')
  return result(
    context.emit({ kind: 'lookup', inputs: [index], shape: [rows], table: Float64Array.from(labels), first: 0 }),
  )
}

function lowerScores(context: LowerContext, classes: Classes, raw: QTensor, rows: number): QTensor {
  const target = context.target(1)
  const shape = [rows, classes.columns]
  const { scores, transform } = classes
  const each = (f: (row: number) => RealRow[]): RealRow[] => Array.from({ length: rows }, (_, row) => f(row)).flat()
  if (scores === 'complement') {
    const one = Math.round(1 / unitOf(raw))
    const value = linear(
      context,
      [raw.value],
      shape,
      each((row) => [
        { positions: [row], weights: [-1], bias: one },
        { positions: [row], weights: [1], bias: 0 },
      ]),
    )
    return { ...raw, name: '', value, shape }
  }
  if (scores === 'opposite') {
    const value = linear(
      context,
      [raw.value],
      shape,
      each((row) => [-1, 1].map((weight) => ({ positions: [row], weights: [weight], bias: 0 }))),
    )
    return { ...raw, name: '', value, shape }
  }
  if (scores === 'sorted' && transform !== 'LOGISTIC') {
    const positive = context.emit({ kind: 'relu', inputs: [raw.value], shape: raw.shape })
    // |s| = 2·max(s, 0) - s
    const value = linear(
      context,
      [raw.value, positive],
      shape,
      each((row) => [
        { positions: [row, rows + row], weights: [1, -2], bias: 0 },
        { positions: [row, rows + row], weights: [-1, 2], bias: 0 },
      ]),
    )
    return { ...raw, name: '', value, shape }
  }
  if (transform === 'NONE') return { ...raw, name: '', shape }
  if (transform === 'SOFTMAX') {
    const lines = Array.from({ length: rows }, (_, row) =>
      Array.from({ length: classes.scored }, (_c, c) => row * classes.scored + c),
    )
    return { ...lowerSoftmax({ ...context, target: () => target }, { ...raw, shape }, lines), shape }
  }
  const unit = unitOf(raw)
  const reach = 2 ** (LOGISTIC_BITS - 1)
  const drop = Math.max(0, Math.ceil(Math.log2(LOGISTIC_END / (reach - 1) / unit)))
  const index = context.emit({
    kind: 'requantise',
    inputs: [raw.value],
    shape: raw.shape,
    shifts: Uint8Array.of(drop),
    inner: sizeOf(raw.shape),
    lo: -reach,
    hi: reach - 1,
  })
  const { lo, hi } = context.boundsOf(index)
  const shift = target.wide ? WIDE_BITS : 0
  const one = Math.round((1 / target.scale) * 2 ** shift)
  const table = Float64Array.from({ length: hi - lo + 1 }, (_, i) =>
    Math.round(logistic((lo + i) * unit * 2 ** drop) * one),
  )
  const values = context.emit({ kind: 'lookup', inputs: [index], shape: raw.shape, table, first: lo })
  const value =
    scores === 'all'
      ? values
      : linear(
          context,
          [values],
          shape,
          each((row) => [
            { positions: [row], weights: [-1], bias: one },
            { positions: [row], weights: [1], bias: 0 },
          ]),
        )
  return { name: '', value, shape, scale: target.scale, shift }
}
