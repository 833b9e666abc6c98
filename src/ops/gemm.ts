import { broadcastMap, broadcastShapes, floatTypes, formatShape, type Shape, sameShape } from '../tensor.ts'
import { attributesOf, flag, float } from './attributes.ts'
import { addProduct } from './contract.ts'
import { constantOf, WEIGHT_ERROR } from './doc.ts'
import { invalid, typeAt, typeLikeFirst, typeOf, unsupported } from './inputs.ts'
import { lowerGemm, lowerGeneralGemm } from './lower/affine.ts'
import { lowerProduct } from './lower/product.ts'
import type { InferContext, Op } from './op.ts'

/** Factors of the product and of the summand, and which matrices are transposed. */
export const gemmAttributes = ({ node }: InferContext) =>
  attributesOf(node, { alpha: float(1), beta: float(1), transA: flag(false), transB: flag(false) })

/** Sizes [m, k, n] of A' · B'. */
function sizes(context: InferContext): readonly [m: number, k: number, n: number] {
  const { transA, transB } = gemmAttributes(context)
  const [a, b] = [typeAt(context, 0).shape, typeAt(context, 1).shape]
  const [m, k] = flipped(a, transA)
  const [k2, n] = flipped(b, transB)
  if (a.length !== 2 || b.length !== 2 || k !== k2)
    invalid(context, `matrices ${formatShape(a)} and ${formatShape(b)} do not fit`)
  return [m!, k!, n!]
}

const flipped = (shape: Shape, transposed: boolean): Shape => (transposed ? [...shape].reverse() : shape)

/** Y = alpha · A' · B' + beta · C with C [m, n] broadcast. https://onnx.ai/onnx/operators/onnx__Gemm.html */
export const gemm: Op = {
  type: 'Gemm',
  domain: '',
  opsets: [7, 25],
  arity: [2, 3],
  doc: {
    integers:
      'Σ W·q + C with W = round(alpha·w · s / sy · 2^S), S per column; of two computed matrices the exact sums of products, times round(alpha·s₁·s₂ / sy · 2^S)',
    rows: '0 for a constant B; else n·k products',
    error: WEIGHT_ERROR,
    example: { inputs: [[2, 3]], constants: [constantOf([3, 2], [1, 2, 3, 4, 5, 6])] },
  },
  infer: (context) => {
    const { dtype } = typeOf(context, 0, floatTypes)
    typeLikeFirst(context, 1)
    const [m, , n] = sizes(context)
    if (context.types[2] !== undefined) {
      const { shape } = typeLikeFirst(context, 2)
      const sum = broadcastShapes(shape, [m, n])
      if (sum === undefined || !sameShape(sum, [m, n]))
        invalid(context, `C ${formatShape(shape)} does not broadcast to ${formatShape([m, n])}`)
    }
    return [{ dtype, shape: [m, n] }]
  },
  compute: (context, [a, b, c]) => {
    const { alpha, beta, transA, transB } = gemmAttributes(context)
    const [m, k, n] = sizes(context)
    const data = new Float64Array(m * n)
    if (c !== undefined)
      broadcastMap(c.shape, [m, n]).forEach((at, i) => {
        data[i] = beta * c.data[at]!
      })
    addProduct(
      data,
      0,
      [m, k, n],
      { data: a!.data, offset: 0, row: transA ? 1 : k, column: transA ? m : 1 },
      { data: b!.data, offset: 0, row: transB ? 1 : n, column: transB ? k : 1 },
      alpha,
    )
    return [{ dtype: a!.dtype, shape: [m, n], data }]
  },
  scaling: { accumulates: true },
  parameters: (context) => {
    const { alpha, beta, transA, transB } = gemmAttributes(context)
    const [, weights, bias] = context.constants
    if (weights === undefined || transA || (context.types[2] !== undefined && bias === undefined)) return undefined
    const [m, k, n] = sizes(context)
    const at = bias && broadcastMap(bias.shape, [m, n])
    const perRow = bias?.shape.length === 2 && bias.shape[0] !== 1
    if (perRow)
      return unsupported(context, 'C', formatShape(bias.shape), 'a bias per column, for weights that are open')
    return {
      map: { type: 'matMul', rows: m, inner: k, columns: n },
      shape: [m, n],
      weights: Float64Array.from(
        { length: k * n },
        (_, i) => alpha * weights.data[transB ? (i % n) * k + Math.floor(i / n) : i]!,
      ),
      ...(at === undefined ? {} : { bias: Float64Array.from({ length: n }, (_, j) => beta * bias!.data[at[j]!]!) }),
    }
  },
  lower: (context, [a, b, c]) => {
    const parameters = context.scheme.openWeights && gemm.parameters!(context)
    if (parameters && a !== undefined) return [lowerProduct(context, a, parameters)]
    const { alpha, beta, transA, transB } = gemmAttributes(context)
    const [weights, bias] = [context.constants[1], context.constants[2]]
    const [m, k, n] = sizes(context)
    const cShape = context.types[2]?.shape
    const ofC = cShape === undefined ? undefined : broadcastMap(cShape, [m, n])
    const summand = ofC && {
      factor: beta,
      tensor: c,
      value: (result: number) => bias!.data[ofC[result]!]!,
      at: (result: number) => ofC[result]!,
    }
    const inB = (t: number, j: number): number => (transB ? j * k + t : t * n + j)
    if (a !== undefined && weights !== undefined && c === undefined && !transA)
      return [
        lowerGemm(context, a, [m, k, n], {
          weight: (t, j) => alpha * weights.data[inB(t, j)]!,
          ...(summand === undefined ? {} : { bias: (i, j) => beta * summand.value(i * n + j) }),
        }),
      ]
    const left = { tensor: a, at: (i: number, t: number) => (transA ? t * m + i : i * k + t) }
    return [lowerGeneralGemm(context, [left, { tensor: b, at: inB }], [m, k, n], alpha, summand)]
  },
}
