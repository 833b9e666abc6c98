import { attributesOf, oneOf } from '../attributes.ts'
import { unsupported } from '../inputs.ts'
import { emitAbs, emitAffine, emitClamp, spread } from '../lower/compare.ts'
import { emitRoundedQuotient } from '../lower/quotient.ts'
import { toWindows } from '../lower/softmax.ts'
import { sparseMap } from '../lowering.ts'
import type { InferContext, Op } from '../op.ts'
import { rowsOf } from './classes.ts'

const normOf = (context: InferContext): 'MAX' | 'L1' | 'L2' =>
  attributesOf(context.node, { norm: oneOf(['MAX', 'L1', 'L2'] as const, 'MAX') }).norm

/** Fraction bits of a quotient that the graph reads with all its bits. */
const WIDE_BITS = 8

/**
 * Each row divided by its norm: its greatest element, the sum of magnitudes, or the root of the sum of squares; a row of norm 0
 * stays as it is. https://onnx.ai/onnx/operators/onnx_aionnxml_Normalizer.html
 */
export const normalizer: Op = {
  type: 'Normalizer',
  domain: 'ai.onnx.ml',
  opsets: [1, 5],
  arity: [1, 1],
  doc: {
    integers: 'MAX: q / max |q|; L1: q / Σ |q|, as Div',
    rows: 'as Div, and 2·(b + 2) or b + 3 an element',
    error: 'as Div',
    refuses: 'L2 to be proved',
    example: { inputs: [[2, 3]], attributes: { norm: 'L1' }, positive: true },
  },
  infer: (context) => {
    normOf(context)
    rowsOf(context)
    return [{ dtype: 'float32', shape: context.types[0]!.shape }]
  },
  compute: (context, [x]) => {
    const norm = normOf(context)
    const { rows, features } = rowsOf(context)
    const data = Float64Array.from(x!.data)
    for (let row = 0; row < rows; row++) {
      const line = data.subarray(row * features, (row + 1) * features)
      const by =
        norm === 'MAX'
          ? line.reduce((m, v) => Math.max(m, v), Number.NEGATIVE_INFINITY)
          : norm === 'L1'
            ? line.reduce((s, v) => s + Math.abs(v), 0)
            : Math.sqrt(line.reduce((s, v) => s + v * v, 0))
      if (by !== 0) for (let k = 0; k < features; k++) line[k]! /= by
    }
    return [{ dtype: 'float32', shape: x!.shape, data }]
  },
  scaling: { wantsWide: true, nonNegative: (_, [x]) => x === true },
  lower: (context, [input]) => {
    const norm = normOf(context)
    const { rows, features } = rowsOf(context)
    const x = typeof input!.shift === 'number' ? input! : context.narrow(input!)
    const { lo } = context.boundsOf(x.value)
    if (norm === 'L2' || (norm === 'MAX' && lo < 0))
      return unsupported(context, 'norm', norm, lo < 0 ? 'L1 for values of either sign' : 'L1, MAX')
    const target = context.target()
    const shift = target.wide ? WIDE_BITS : 0
    const lines = Array.from({ length: rows }, (_, row) =>
      Array.from({ length: features }, (_k, k) => row * features + k),
    )
    let by: number
    if (norm === 'MAX') by = context.emit({ kind: 'max', inputs: [x.value], shape: [rows, 1], ...toWindows(lines) })
    else {
      const sizes = lo < 0 ? emitAbs(context, x.value, x.shape) : x.value
      const sums = lines.map((positions) => ({ positions, weights: positions.map(() => 1), bias: 0 }))
      by = context.emit({ kind: 'linear', inputs: [sizes], shape: [rows, 1], map: sparseMap(sums, 0) })
    }
    // a norm of 0 is that of zeros, which any divisor keeps
    by = emitClamp(context, by, [rows, 1], 1, Math.max(1, context.boundsOf(by).hi))
    const steps = Math.round((1 / target.scale) * 2 ** shift)
    const dividend = emitAffine(context, [[steps, x.value]], 0, [rows, features])
    const divisor = spread(context, by, [rows, 1], [rows, features])
    const value = emitRoundedQuotient(context, dividend, divisor, x.shape)
    return [{ name: '', value, shape: x.shape, scale: target.scale, shift }]
  },
}
