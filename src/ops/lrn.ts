import { floatTypes, formatShape, sizeOf } from '../tensor.ts'
import { attributesOf, float, int, required } from './attributes.ts'
import { invalid, typeAt, typeOf, unsupported } from './inputs.ts'
import { emitSums } from './lower/reductions.ts'
import { lowerScaled } from './lower/scaled.ts'
import type { InferContext, Op } from './op.ts'

/** The neighbours along the channels of each element, and the numbers of y = x / (bias + alpha / size · Σ x²)^beta. */
function neighbours(context: InferContext) {
  const given = attributesOf(context.node, {
    alpha: float(1e-4),
    beta: float(0.75),
    bias: float(1),
    size: required(int(0)),
  })
  const { shape } = typeOf(context, 0, floatTypes)
  if (shape.length < 3 || given.size < 1)
    invalid(context, `windows of ${given.size} channels do not fit ${formatShape(shape)}`)
  const [channels, plane] = [shape[1]!, sizeOf(shape.slice(2))]
  const groups = (): number[][] =>
    Array.from({ length: sizeOf(shape) }, (_, at) => {
      const c = Math.floor(at / plane) % channels
      const first = Math.max(0, c - Math.floor((given.size - 1) / 2))
      const last = Math.min(channels - 1, c + Math.ceil((given.size - 1) / 2))
      return Array.from({ length: last - first + 1 }, (_v, i) => at + (first + i - c) * plane)
    })
  return { ...given, groups }
}

/** Elements divided by a power of the mean square of their neighbours in other channels. https://onnx.ai/onnx/operators/onnx__LRN.html */
export const lrn: Op = {
  type: 'LRN',
  domain: '',
  opsets: [1, 25],
  arity: [1, 1],
  doc: {
    integers:
      'V = Σ q² over the neighbours, exact; its upper 16 bits index a table of the factor in steps of 1/1,024 of a typical one; the product with q is exact',
    rows: '2·N products, a requantisation and a table of 16 bits an element',
    error: '1/1,024 of a typical factor, and that of the upper 16 bits of V',
    example: { inputs: [[1, 3, 2, 2]], attributes: { size: 3 } },
  },
  infer: (context) => {
    neighbours(context)
    return [typeAt(context, 0)]
  },
  compute: (context, [x]) => {
    const { alpha, beta, bias, size, groups: groupsOf } = neighbours(context)
    const groups = groupsOf()
    const data = x!.data.map((v, j) => {
      const squares = groups[j]!.reduce((s, at) => s + x!.data[at]! ** 2, 0)
      return v / (bias + (alpha / size) * squares) ** beta
    })
    return [{ ...x!, data }]
  },
  scaling: { nonNegative: (_, [x]) => x === true },
  lower: (context, [input]) => {
    const { alpha, beta, bias, size, groups: groupsOf } = neighbours(context)
    const groups = groupsOf()
    if (bias <= 0 || alpha < 0) return unsupported(context, 'bias', bias, 'a positive bias and an alpha of at least 0')
    const x = context.narrow(input!)
    const squares = context.emit({ kind: 'multiply', inputs: [x.value, x.value], shape: x.shape })
    const { rms, max, min } = context.stats(x.name)
    const most = Math.max(Math.abs(min), Math.abs(max)) / x.scale
    const scaled = {
      value: x.value,
      sums: emitSums(context, squares, groups),
      count: groups.length,
      sumOf: (j: number) => j,
      f: (sum: number) => x.scale / (bias + (alpha / size) * sum * x.scale * x.scale) ** beta,
      limit: 2 * size * most * most,
      typical: size * (rms / x.scale) ** 2,
      weight: () => 1,
      bias: () => 0,
      rms,
    }
    return [lowerScaled(context, scaled, x.shape).result]
  },
}
