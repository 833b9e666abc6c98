import {
  broadcastMap,
  broadcastShapes,
  type DType,
  floatTypes,
  formatShape,
  type Shape,
  sameShape,
  sizeOf,
  type Tensor,
  type TensorType,
} from '../tensor.ts'
import { attributesOf, flag, float, int, oneOf, optional } from './attributes.ts'
import { constantInts, invalid, typeAt, typeLikeFirst, typeOf, unsupported } from './inputs.ts'
import type { InferContext, Op } from './op.ts'

/** Sizes and options of an Attention node. */
export type AttentionGeometry = {
  readonly batch: number
  /** Heads of queries, and of keys and values: each of these serves heads / kvHeads queries' heads. */
  readonly heads: number
  readonly kvHeads: number
  /** Positions of queries, of past keys, and of all keys. */
  readonly queries: number
  readonly past: number
  readonly keys: number
  /** Sizes of a head of queries and keys, and of values. */
  readonly size: number
  readonly valueSize: number
  /** Whether Q, K, V and Y are [batch, position, heads · size] and not [batch, heads, position, size]. */
  readonly flat: boolean
  readonly scale: number
  /** c in c · tanh(score / c); undefined for none. */
  readonly softcap: number | undefined
  readonly causal: boolean
  /** Keys of each batch that are there, from the first on; undefined for all. */
  readonly there: readonly number[] | undefined
  /** Columns of attn_mask: keys beyond them are masked. */
  readonly maskColumns: number
  /** What output 3 shows: scores, scores after softcap, after the mask, or probabilities. */
  readonly shown: 0 | 1 | 2 | 3
}

/** Shape of Q, K or V as [batch, heads, position, size]. */
function headed(context: InferContext, i: number, heads: number | undefined, flat: boolean): Shape {
  const { shape } = typeLikeFirst(context, i)
  if (shape.length !== (flat ? 3 : 4))
    invalid(context, `input ${i} is ${formatShape(shape)}, Q has ${flat ? 3 : 4} axes`)
  if (!flat) return shape
  if (heads === undefined) return invalid(context, 'Q, K and V of 3 axes need q_num_heads and kv_num_heads')
  const [batch, positions, width] = shape as [number, number, number]
  if (heads < 1 || width % heads !== 0) invalid(context, `${width} features are not ${heads} heads`)
  return [batch, heads, positions, width / heads]
}

/** Sizes and options of the node. Throws InvalidNodeError, UnsupportedError. */
export function attentionGeometry(context: InferContext): AttentionGeometry {
  const given = attributesOf(context.node, {
    is_causal: flag(false),
    kv_num_heads: optional(int(0)),
    q_num_heads: optional(int(0)),
    qk_matmul_output_mode: oneOf<0 | 1 | 2 | 3>([0, 1, 2, 3], 0),
    scale: optional(float(0)),
    softcap: float(0),
    softmax_precision: optional(int(0)),
  })
  const flat = typeOf(context, 0, floatTypes).shape.length === 3
  const q = headed(context, 0, given.q_num_heads, flat)
  const k = headed(context, 1, given.kv_num_heads, flat)
  const v = headed(context, 2, given.kv_num_heads, flat)
  const [batch, heads, queries, size] = q as [number, number, number, number]
  const [kvHeads, newKeys, valueSize] = [k[1]!, k[2]!, v[3]!]
  if (
    k[0] !== batch ||
    v[0] !== batch ||
    k[3] !== size ||
    v[1] !== kvHeads ||
    v[2] !== newKeys ||
    heads % kvHeads !== 0
  )
    invalid(context, `heads ${formatShape(q)}, ${formatShape(k)} and ${formatShape(v)} do not fit`)
  const [pastKey, pastValue] = [context.types[4], context.types[5]]
  if ((pastKey === undefined) !== (pastValue === undefined)) invalid(context, 'past_key and past_value go together')
  const past = pastKey?.shape[2] ?? 0
  if (pastKey !== undefined) {
    const wanted = [batch, kvHeads, past]
    if (!sameShape(pastKey.shape, [...wanted, size]) || !sameShape(pastValue!.shape, [...wanted, valueSize]))
      invalid(context, `past ${formatShape(pastKey.shape)} and ${formatShape(pastValue!.shape)} do not fit the keys`)
  }
  const keys = past + newKeys
  const there = constantInts(context, 6, 'nonpad_kv_seqlen')
  if (there !== undefined && (there.length !== batch || there.some((n) => n < 0 || n > keys)))
    invalid(context, `nonpad_kv_seqlen ${formatShape(there)} does not fit ${batch} batches of ${keys} keys`)
  if (there !== undefined && (given.is_causal || past > 0))
    unsupported(context, 'nonpad_kv_seqlen', there, 'attention without is_causal and past keys')
  const mask = context.types[3]
  const maskColumns = Math.min(keys, mask?.shape.at(-1) ?? keys)
  if (mask !== undefined) {
    const all = [batch, heads, queries, keys]
    const wide = maskColumns === 1 ? mask.shape : mask.shape.with(-1, keys)
    const sum = broadcastShapes(wide, all)
    if (sum === undefined || !sameShape(sum, all))
      unsupported(context, 'attn_mask', formatShape(mask.shape), `shapes that broadcast to ${formatShape(all)}`)
    if (mask.dtype !== 'bool') typeLikeFirst(context, 3)
  }
  return {
    ...{ batch, heads, kvHeads, queries, past, keys, size, valueSize, flat },
    scale: given.scale ?? 1 / Math.sqrt(size),
    softcap: given.softcap === 0 ? undefined : given.softcap,
    causal: given.is_causal,
    there,
    maskColumns: maskColumns === 1 ? keys : maskColumns,
    shown: given.qk_matmul_output_mode,
  }
}

/** Q, K or V as [batch, heads, position, size]. */
function heads({ data, dtype, shape }: Tensor, flat: boolean, count: number): Tensor {
  if (!flat) return { data, dtype, shape }
  const [batch, positions, width] = shape as [number, number, number]
  const size = width / count
  const to = [batch, count, positions, size]
  const moved = Float64Array.from({ length: data.length }, (_, i) => {
    const [b, h] = [Math.floor(i / (count * positions * size)), Math.floor(i / (positions * size)) % count]
    const [p, at] = [Math.floor(i / size) % positions, i % size]
    return data[(b * positions + p) * width + h * size + at]!
  })
  return { dtype, shape: to, data: moved }
}

/** A mask with a column for each key: those that it lacks are masked. */
export function widened(mask: Tensor, { keys, maskColumns }: AttentionGeometry): Tensor {
  if (maskColumns === keys) return mask
  const hides = mask.dtype === 'bool' ? 0 : Number.NEGATIVE_INFINITY
  const data = Float64Array.from({ length: (mask.data.length / maskColumns) * keys }, (_, i) =>
    i % keys < maskColumns ? mask.data[Math.floor(i / keys) * maskColumns + (i % keys)]! : hides,
  )
  return { dtype: mask.dtype, shape: mask.shape.with(-1, keys), data }
}

/** Past and new positions of keys or values. */
function joined(past: Tensor | undefined, fresh: Tensor): Tensor {
  if (past === undefined) return fresh
  const [batch, count, positions, size] = fresh.shape as [number, number, number, number]
  const before = past.shape[2]!
  const data = new Float64Array(past.data.length + fresh.data.length)
  for (let i = 0; i < batch * count; i++) {
    data.set(past.data.subarray(i * before * size, (i + 1) * before * size), i * (before + positions) * size)
    data.set(
      fresh.data.subarray(i * positions * size, (i + 1) * positions * size),
      (i * (before + positions) + before) * size,
    )
  }
  return { dtype: fresh.dtype, shape: [batch, count, before + positions, size], data }
}

/**
 * Scaled dot-product attention: softmax(softcap(scale · Q · Kᵀ) + mask) · V, for each head, with past keys and values before the
 * new ones. A boolean mask leaves out what is false, a causal one the keys after the query; a query without any key gives 0.
 *
 * Integer models have it as the nodes that it stands for (src/graph/attention.ts).
 * https://onnx.ai/onnx/operators/onnx__Attention.html
 */
export const attention: Op = {
  type: 'Attention',
  domain: '',
  opsets: [23, 25],
  arity: [3, 7],
  doc: {
    integers:
      'the nodes that it stands for: FusedMatMul, Tanh for softcap, Add of a computed mask, Softmax over the keys that masks leave, MatMul; masks of booleans, causal ones and constants of -1,000 or less leave keys out',
    rows: '2 products for each query, key and feature of a head; as Softmax for each query and key',
    error: 'that of the operators it is made of',
    refuses: 'scores after a mask as an output where it leaves keys out',
    example: {
      inputs: [
        [1, 1, 2, 2],
        [1, 1, 3, 2],
        [1, 1, 3, 2],
      ],
    },
  },
  infer: (context) => {
    const g = attentionGeometry(context)
    const { dtype } = typeAt(context, 0)
    const type = (...shape: number[]): TensorType => ({ dtype, shape })
    return [
      g.flat ? type(g.batch, g.queries, g.heads * g.valueSize) : type(g.batch, g.heads, g.queries, g.valueSize),
      type(g.batch, g.kvHeads, g.keys, g.size),
      type(g.batch, g.kvHeads, g.keys, g.valueSize),
      type(g.batch, g.heads, g.queries, g.keys),
    ]
  },
  compute: (context, [q, k, v, mask, pastKey, pastValue]) => {
    const g = attentionGeometry(context)
    const dtype: DType = q!.dtype
    const queries = heads(q!, g.flat, g.heads)
    const keys = joined(pastKey, heads(k!, g.flat, g.kvHeads))
    const values = joined(pastValue, heads(v!, g.flat, g.kvHeads))
    const all = [g.batch, g.heads, g.queries, g.keys]
    const shown = new Float64Array(sizeOf(all))
    const y = new Float64Array(g.batch * g.heads * g.queries * g.valueSize)
    const bias = mask && widened(mask, g)
    const ofMask = bias === undefined ? undefined : broadcastMap(bias.shape, all)
    const scores = new Float64Array(g.keys)
    for (let row = 0; row < g.batch * g.heads * g.queries; row++) {
      const [position, head] = [row % g.queries, Math.floor(row / g.queries) % g.heads]
      const batch = Math.floor(row / (g.queries * g.heads))
      const lane = batch * g.kvHeads + Math.floor((head * g.kvHeads) / g.heads)
      const show = (stage: number): void => {
        if (g.shown === stage) shown.set(scores, row * g.keys)
      }
      for (let t = 0; t < g.keys; t++) {
        let sum = 0
        for (let i = 0; i < g.size; i++)
          sum += queries.data[row * g.size + i]! * keys.data[(lane * g.keys + t) * g.size + i]!
        scores[t] = sum * g.scale
      }
      show(0)
      const { softcap } = g
      if (softcap !== undefined) scores.set(scores.map((s) => softcap * Math.tanh(s / softcap)))
      show(1)
      for (let t = 0; t < g.keys; t++) {
        const m = ofMask === undefined ? undefined : bias!.data[ofMask[row * g.keys + t]!]!
        if (m !== undefined && mask!.dtype !== 'bool') scores[t]! += m
        const hidden =
          (m === 0 && mask!.dtype === 'bool') ||
          (g.causal && t > position + g.past) ||
          t >= (g.there?.[batch] ?? Number.POSITIVE_INFINITY)
        if (hidden) scores[t] = Number.NEGATIVE_INFINITY
      }
      show(2)
      const most = scores.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY)
      for (let t = 0; t < g.keys; t++) scores[t] = most === Number.NEGATIVE_INFINITY ? 0 : Math.exp(scores[t]! - most)
      const total = scores.reduce((a, b) => a + b, 0) || 1
      for (let t = 0; t < g.keys; t++) scores[t]! /= total
      show(3)
      const to = g.flat ? ((batch * g.queries + position) * g.heads + head) * g.valueSize : row * g.valueSize
      for (let t = 0; t < g.keys; t++)
        for (let i = 0; i < g.valueSize; i++)
          y[to + i]! += scores[t]! * values.data[(lane * g.keys + t) * g.valueSize + i]!
    }
    const [type] = attention.infer(context)
    return [{ ...type!, data: y }, keys, values, { dtype, shape: all, data: shown }]
  },
}
