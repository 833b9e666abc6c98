import { floatTypes, formatShape, type Shape, sizeOf, stridesOf } from '../tensor.ts'
import { attributesOf, int, ints, oneOf } from './attributes.ts'
import { constantOf, WEIGHT_ERROR } from './doc.ts'
import { constantAt, invalid, typeAt, typeLikeFirst, typeOf, unsupported } from './inputs.ts'
import { lowerTaps } from './lower/linear.ts'
import type { InferContext, Op } from './op.ts'

/** Most pairs of an element and a tap. */
const maxTaps = 2 ** 25

type Geometry = {
  readonly group: number
  readonly shape: Shape
  /** Position in an output plane where element i of an input plane goes by tap t, at [t · plane + i]; -1 for none. */
  readonly to: () => Int32Array
}

function geometry(context: InferContext): Geometry {
  const [x, w] = [typeOf(context, 0, floatTypes).shape, typeLikeFirst(context, 1).shape]
  const given = attributesOf(context.node, {
    auto_pad: oneOf(['NOTSET', 'SAME_UPPER', 'SAME_LOWER', 'VALID'], 'NOTSET'),
    dilations: ints(),
    group: int(1),
    kernel_shape: ints(),
    output_padding: ints(),
    output_shape: ints(),
    pads: ints(),
    strides: ints(),
  })
  const { group } = given
  const rank = x.length - 2
  if (rank < 1 || w.length !== x.length || w[0] !== x[1] || group < 1 || x[1]! % group !== 0)
    invalid(context, `weights ${formatShape(w)} in ${group} groups do not fit ${formatShape(x)}`)
  const kernel = w.slice(2)
  if (given.kernel_shape !== undefined && given.kernel_shape.join() !== kernel.join())
    invalid(context, `kernel_shape ${formatShape(given.kernel_shape)} differs from that of the weights`)
  const list = (values: readonly number[] | undefined, length: number, otherwise: number, least: number) => {
    const found = values ?? new Array<number>(length).fill(otherwise)
    if (found.length !== length || !found.every((v) => v >= least && v <= 2 ** 20))
      invalid(context, `${formatShape(found)} must be ${length} numbers of at least ${least}`)
    return found
  }
  const strides = list(given.strides, rank, 1, 1)
  const dilations = list(given.dilations, rank, 1, 1)
  const extra = list(given.output_padding, rank, 0, 0)
  const pads = list(given.pads, 2 * rank, 0, 0)
  const wanted = given.output_shape?.slice(-rank)
  const out: number[] = []
  const begins: number[] = []
  for (let i = 0; i < rank; i++) {
    const full = strides[i]! * (x[i + 2]! - 1) + extra[i]! + (kernel[i]! - 1) * dilations[i]! + 1
    const same = given.auto_pad.startsWith('SAME')
    const size = wanted?.[i] ?? (same ? x[i + 2]! * strides[i]! : undefined)
    if (size === undefined) {
      const [begin, end] = given.auto_pad === 'VALID' ? [0, 0] : [pads[i]!, pads[i + rank]!]
      begins.push(begin)
      out.push(full - begin - end)
    } else {
      // the smaller half of what is cut off goes to the front, or to the back for SAME_UPPER's opposite
      const total = Math.max(full - size, 0)
      begins.push(given.auto_pad === 'SAME_UPPER' ? Math.floor(total / 2) : total - Math.floor(total / 2))
      out.push(size)
    }
    if (!(out[i]! >= 1)) invalid(context, `nothing is left of axis ${i + 2}`)
  }
  const [plane, taps] = [sizeOf(x.slice(2)), sizeOf(kernel)]
  if (plane * taps > maxTaps) unsupported(context, 'elements and taps', plane * taps, `at most ${maxTaps}`)
  const [ofX, ofK, ofOut] = [stridesOf(x.slice(2)), stridesOf(kernel), stridesOf(out)]
  const placeOf = (_: unknown, k: number): number => {
    const [t, i] = [Math.floor(k / plane), k % plane]
    let position = 0
    for (let axis = 0; axis < rank; axis++) {
      const at = Math.floor(i / ofX[axis]!) % x[axis + 2]!
      const tap = Math.floor(t / ofK[axis]!) % kernel[axis]!
      const o = at * strides[axis]! + tap * dilations[axis]! - begins[axis]!
      if (o < 0 || o >= out[axis]!) return -1
      position += o * ofOut[axis]!
    }
    return position
  }
  const to = (): Int32Array => Int32Array.from({ length: plane * taps }, placeOf)
  return { group, shape: [x[0]!, w[1]! * group, ...out], to }
}

/** Calls `add` for every element of x, every output element that it goes to, and the weight's position. */
function spreadOut(
  context: InferContext,
  { group, shape, to: places }: Geometry,
  add: (output: number, input: number, weight: number) => void,
): void {
  const [x, w] = [typeAt(context, 0).shape, typeAt(context, 1).shape]
  const [plane, taps, out] = [sizeOf(x.slice(2)), sizeOf(w.slice(2)), sizeOf(shape.slice(2))]
  const [channels, filters] = [x[1]!, w[1]!]
  const perGroup = channels / group
  const to = places()
  for (let n = 0; n < x[0]!; n++)
    for (let c = 0; c < channels; c++)
      for (let f = 0; f < filters; f++) {
        const base = (n * shape[1]! + Math.floor(c / perGroup) * filters + f) * out
        for (let t = 0; t < taps; t++)
          for (let i = 0; i < plane; i++) {
            const at = to[t * plane + i]!
            if (at >= 0) add(base + at, (n * channels + c) * plane + i, (c * filters + f) * taps + t)
          }
      }
}

/**
 * The transpose of a convolution: every element of x [n, c, …] adds its multiples of w [c, m / group, …kernel], strides apart, plus
 * bias [m]. https://onnx.ai/onnx/operators/onnx__ConvTranspose.html
 */
export const convTranspose: Op = {
  type: 'ConvTranspose',
  domain: '',
  opsets: [1, 25],
  arity: [2, 3],
  doc: {
    integers: 'Σ W·q + B, one S',
    rows: '0',
    error: WEIGHT_ERROR,
    refuses: 'weights and biases that the model computes',
    example: { inputs: [[1, 1, 2, 2]], constants: [constantOf([1, 1, 2, 2], [1, 2, 3, 4])] },
  },
  infer: (context) => {
    const { shape } = geometry(context)
    if (context.types[2] !== undefined && typeLikeFirst(context, 2).shape.join() !== String(shape[1]))
      invalid(context, `bias ${formatShape(context.types[2].shape)} does not fit ${shape[1]} output channels`)
    return [{ dtype: typeAt(context, 0).dtype, shape }]
  },
  compute: (context, [x, w, bias]) => {
    const g = geometry(context)
    const out = sizeOf(g.shape.slice(2))
    const data = Float64Array.from({ length: sizeOf(g.shape) }, (_, j) =>
      bias === undefined ? 0 : bias.data[Math.floor(j / out) % g.shape[1]!]!,
    )
    spreadOut(context, g, (output, input, weight) => {
      data[output]! += x!.data[input]! * w!.data[weight]!
    })
    return [{ dtype: x!.dtype, shape: g.shape, data }]
  },
  scaling: { accumulates: true },
  lower: (context, [x]) => {
    const weights = constantAt(context, 1, 'W')!
    const summand = constantAt(context, 2, 'B')
    if (x === undefined) return unsupported(context, 'X', 'a constant', 'a tensor that the model computes')
    const g = geometry(context)
    const terms = sizeOf(x.shape) * sizeOf(weights.shape.slice(1))
    if (terms > maxTaps) return unsupported(context, 'terms', terms, `at most ${maxTaps}`)
    const taps = Array.from({ length: sizeOf(g.shape) }, () => new Map<number, number>())
    spreadOut(context, g, (output, input, weight) => {
      taps[output]!.set(input, (taps[output]!.get(input) ?? 0) + weights.data[weight]!)
    })
    const out = sizeOf(g.shape.slice(2))
    const biases = summand && taps.map((_, j) => summand.data[Math.floor(j / out) % g.shape[1]!]!)
    return [lowerTaps(context, x, taps, g.shape, biases)]
  },
}
