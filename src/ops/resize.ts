import { formatShape, maxElements, sizeOf, type TensorType } from '../tensor.ts'
import { attributesOf, flag, float, ints, oneOf } from './attributes.ts'
import { constantOf } from './doc.ts'
import { atMostInputs, axesOf, constantAt, constantInts, invalid, like, typeAt, unsupported } from './inputs.ts'
import { lowerTaps } from './lower/linear.ts'
import { lowerMove } from './lower/moves.ts'
import { gather, lookupMap } from './movement.ts'
import type { InferContext, Op } from './op.ts'
import { applyTaps, type Taps, tapsOfAxes } from './taps.ts'

const coordinateModes = [
  'half_pixel',
  'half_pixel_symmetric',
  'pytorch_half_pixel',
  'align_corners',
  'asymmetric',
] as const

const nearestModes = ['round_prefer_floor', 'round_prefer_ceil', 'floor', 'ceil'] as const

/** Since opset 11 the default is half_pixel; opset 10 knows only asymmetric. */
function attributes(context: InferContext) {
  const { node } = context
  if (node.opset < 11) {
    atMostInputs(context, 2)
    const { mode } = attributesOf(node, { mode: oneOf(['nearest', 'linear'], 'nearest') })
    return {
      mode,
      coordinate: 'asymmetric' as const,
      nearest: 'floor' as const,
      cubic: -0.75,
      exclude: false,
      policy: 'stretch' as const,
      axes: undefined,
    }
  }
  const given = attributesOf(node, {
    mode: oneOf(['nearest', 'linear', 'cubic'], 'nearest'),
    coordinate_transformation_mode: oneOf(coordinateModes, 'half_pixel'),
    nearest_mode: oneOf(nearestModes, 'round_prefer_floor'),
    cubic_coeff_a: float(-0.75),
    exclude_outside: flag(false),
    extrapolation_value: float(0),
    antialias: flag(false),
    keep_aspect_ratio_policy: oneOf(['stretch', 'not_larger', 'not_smaller'], 'stretch'),
    axes: ints(),
  })
  return {
    mode: given.mode,
    coordinate: given.coordinate_transformation_mode,
    nearest: given.nearest_mode,
    cubic: given.cubic_coeff_a,
    exclude: given.exclude_outside,
    policy: given.keep_aspect_ratio_policy,
    axes: given.axes,
    antialias: given.antialias,
  }
}

/** Size of the result and scale along each axis. */
function sizes(context: InferContext): { readonly out: number[]; readonly scales: number[] } {
  const { shape } = typeAt(context, 0)
  const { axes, policy } = attributes(context)
  const chosen = axes === undefined ? [...shape.keys()] : axesOf(context, axes, shape.length)
  const old = context.node.opset < 11
  const list = constantAt(context, old ? 1 : 2, 'scales')
  const given = list !== undefined && list.data.length > 0 ? [...list.data] : undefined
  const wanted = old ? undefined : constantInts(context, 3, 'sizes')
  const [out, scales] = [[...shape], shape.map(() => 1)]
  if ((given === undefined) === (wanted === undefined)) invalid(context, 'either scales or sizes must be given')
  if ((given ?? wanted)!.length !== chosen.length)
    invalid(context, `${(given ?? wanted)!.length} scales or sizes do not fit ${chosen.length} axes`)
  const ratios = wanted?.map((n, i) => n / shape[chosen[i]!]!)
  const ratio =
    ratios === undefined || policy === 'stretch'
      ? undefined
      : policy === 'not_larger'
        ? Math.min(...ratios)
        : Math.max(...ratios)
  chosen.forEach((axis, i) => {
    scales[axis] = given?.[i] ?? ratio ?? ratios![i]!
    const size =
      wanted === undefined
        ? Math.floor(shape[axis]! * scales[axis]!)
        : ratio === undefined
          ? wanted[i]!
          : Math.floor(ratio * shape[axis]! + 0.5)
    if (!(scales[axis]! > 0) || !(size >= 1 && size <= maxElements))
      invalid(context, `scales or sizes ${formatShape((given ?? wanted)!)} are not positive`)
    out[axis] = size
  })
  return { out, scales }
}

/** Place in the input, in steps of its elements, of each element of an axis of the result. */
function coordinates(context: InferContext, size: number, out: number, scale: number): number[] {
  const { coordinate } = attributes(context)
  const place = {
    asymmetric: (i: number) => i / scale,
    align_corners: (i: number) => (out === 1 ? 0 : (i * (size - 1)) / (scale * size - 1)),
    pytorch_half_pixel: (i: number) => (out === 1 ? 0 : (i + 0.5) / scale - 0.5),
    half_pixel_symmetric: (i: number) => (size / 2) * (1 - out / (scale * size)) + (i + 0.5) / scale - 0.5,
    half_pixel: (i: number) => (i + 0.5) / scale - 0.5,
  }[coordinate]
  return Array.from({ length: out }, (_, i) => place(i))
}

const rounding = {
  floor: Math.floor,
  ceil: Math.ceil,
  round_prefer_floor: (x: number) => Math.ceil(x - 0.5),
  round_prefer_ceil: (x: number) => Math.floor(x + 0.5),
} as const

/** For the mode `nearest`: the element of each axis that each element of the result repeats. */
function nearestSources(context: InferContext): Int32Array[] {
  const { shape } = typeAt(context, 0)
  const { out, scales } = sizes(context)
  const round = rounding[attributes(context).nearest]
  return shape.map((size, axis) =>
    Int32Array.from(coordinates(context, size, out[axis]!, scales[axis]!), (x) =>
      Math.min(Math.max(round(x), 0), size - 1),
    ),
  )
}

/** Weights of the elements around x at distance d: straight lines, or Keys' cubic with parameter a. */
function kernel(mode: 'linear' | 'cubic', a: number, d: number): number {
  const t = Math.abs(d)
  if (mode === 'linear') return Math.max(0, 1 - t)
  if (t <= 1) return ((a + 2) * t - (a + 3)) * t * t + 1
  return t < 2 ? a * (((t - 5) * t + 8) * t - 4) : 0
}

/** For the other modes: which elements of each axis make up each element of the result. */
function axisTaps(context: InferContext): Taps[] {
  const { shape } = typeAt(context, 0)
  const { mode, cubic, exclude } = attributes(context)
  const { out, scales } = sizes(context)
  const reach = mode === 'cubic' ? 2 : 1
  return shape.map((size, axis) =>
    coordinates(context, size, out[axis]!, scales[axis]!).map((x) => {
      if (scales[axis] === 1 && out[axis] === size) return new Map([[Math.round(x), 1]])
      const taps = new Map<number, number>()
      for (let i = Math.floor(x) - reach + 1; i <= Math.floor(x) + reach; i++) {
        const at = Math.min(Math.max(i, 0), size - 1)
        const weight = kernel(mode as 'linear' | 'cubic', cubic, x - i)
        if ((exclude && at !== i) || weight === 0) continue
        taps.set(at, (taps.get(at) ?? 0) + weight)
      }
      const total = exclude ? [...taps.values()].reduce((s, w) => s + w, 0) : 1
      return new Map([...taps].map(([at, w]) => [at, w / total]))
    }),
  )
}

const resultOf = (context: InferContext): TensorType => like(typeAt(context, 0), sizes(context).out)

/**
 * Another size along each axis: nearest elements (data movement), or linear and cubic interpolation (a linear map with
 * constant weights). https://onnx.ai/onnx/operators/onnx__Resize.html
 */
export const resize: Op = {
  type: 'Resize',
  domain: '',
  opsets: [10, 25],
  arity: [1, 4],
  doc: {
    integers: 'nearest: the integers as they are; linear and cubic: Σ round(w · 2^S)·q',
    rows: '0',
    error: 'none, or that of rounding the weights',
    refuses:
      'sizes and scales that the model computes, smoothing (antialias), and parts of the image (tf_crop_and_resize)',
    example: {
      inputs: [[1, 1, 2, 2]],
      constants: [undefined, constantOf([4], [1, 1, 2, 2])],
      attributes: { mode: 'linear' },
    },
  },
  infer: (context) => {
    if (attributes(context).antialias) unsupported(context, 'antialias', 1, '0')
    if (typeAt(context, 0).shape.includes(0)) invalid(context, 'the input has no elements')
    return [resultOf(context)]
  },
  compute: (context, [x]) => {
    const type = resultOf(context)
    if (attributes(context).mode === 'nearest')
      return [gather(type, { map: lookupMap(x!.shape, nearestSources(context)), fill: 0 }, [x!])]
    return [{ ...type, data: applyTaps(x!, axisTaps(context)) }]
  },
  scaling: { tied: true, nonNegative: (context, [x]) => x === true && attributes(context).mode !== 'cubic' },
  lower: (context, [x]) => {
    const { shape } = resultOf(context)
    if (attributes(context).mode === 'nearest')
      return [lowerMove(context, [x!], { map: lookupMap(x!.shape, nearestSources(context)), fill: 0 }, shape)]
    const elements = sizeOf(shape)
    if (elements > 2 ** 20) return unsupported(context, 'output shape', shape, `at most ${2 ** 20} elements`)
    return [lowerTaps(context, x!, tapsOfAxes(x!.shape, axisTaps(context)), shape)]
  },
}
