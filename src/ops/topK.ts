import { sizeOf, type TensorType } from '../tensor.ts'
import { attributesOf, flag, int, required } from './attributes.ts'
import { wholes } from './doc.ts'
import { atMostInputs, axisOf, constantScalar, invalid, like, numericTypes, typeOf } from './inputs.ts'
import { linesAlong } from './lower/softmax.ts'
import { lowerTopK } from './lower/sorting.ts'
import type { InferContext, Op } from './op.ts'

type Geometry = {
  readonly axis: number
  readonly k: number
  /** 1 for the greatest, -1 for the least. */
  readonly sign: 1 | -1
  readonly values: TensorType
}

function geometry(context: InferContext): Geometry {
  const { node } = context
  const x = typeOf(context, 0, numericTypes)
  if (node.opset < 10) atMostInputs(context, 1)
  const given = attributesOf(node, {
    axis: int(-1),
    ...(node.opset < 10 ? { k: required(int(0)) } : {}),
    ...(node.opset < 11 ? {} : { largest: flag(true), sorted: flag(true) }),
  })
  const axis = axisOf(context, given.axis, x.shape.length)
  const k = 'k' in given ? given.k : constantScalar(context, 1, 'K')
  if (k === undefined || !Number.isInteger(k) || k < 1 || k > x.shape[axis]!)
    invalid(context, `K = ${k} elements of an axis of ${x.shape[axis]}`)
  const greatest = 'largest' in given ? given.largest : true
  return { axis, k: k!, sign: greatest ? 1 : -1, values: like(x, x.shape.with(axis, k!)) }
}

/**
 * The K greatest or least elements along an axis and their indices, always in order, the first of equal ones first. A constant K.
 * https://onnx.ai/onnx/operators/onnx__TopK.html
 */
export const topK: Op = {
  type: 'TopK',
  domain: '',
  opsets: [1, 25],
  arity: [1, 2],
  doc: {
    integers:
      'y = ±q·2^t + 2^t - 1 - place, all different; the greatest k by tournaments in which losers a + c - max(a, c) meet again; ⌊y / 2^t⌋ and its rest',
    rows: 'K·(k - 1) maxima of b + t + 3 rows or more; a requantisation an element',
    error: 'none for the integers',
    refuses: 'a K that the model computes',
    example: { inputs: [[2, 4]], constants: [wholes(2)], outputs: 2 },
  },
  infer: (context) => {
    const { values } = geometry(context)
    return [values, { dtype: 'int64', shape: values.shape }]
  },
  compute: (context, [x]) => {
    const { axis, k, sign, values } = geometry(context)
    const [data, indices] = [new Float64Array(sizeOf(values.shape)), new Float64Array(sizeOf(values.shape))]
    const results = linesAlong(values.shape, axis)
    linesAlong(x!.shape, axis).forEach((line, j) => {
      const order = [...line.keys()].sort((a, b) => sign * (x!.data[line[b]!]! - x!.data[line[a]!]!) || a - b)
      for (let i = 0; i < k; i++) {
        data[results[j]![i]!] = x!.data[line[order[i]!]!]!
        indices[results[j]![i]!] = order[i]!
      }
    })
    return [
      { ...values, data },
      { dtype: 'int64', shape: values.shape, data: indices },
    ]
  },
  scaling: { tied: true, wantsWide: true },
  lower: (context, [x]) => {
    const { axis, k, sign, values } = geometry(context)
    return [...lowerTopK(context, x!, linesAlong(x!.shape, axis), [k, sign], values.shape)]
  },
}
