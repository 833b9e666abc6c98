import { formatShape, maxElements } from '../tensor.ts'
import { attributesOf, float, ints, oneOf, required } from './attributes.ts'
import { movement, wholes } from './doc.ts'
import { atMostInputs, axesOf, constantInts, constantScalar, invalid, like, typeAt, typeLikeFirst } from './inputs.ts'
import { lowerMove } from './lower/moves.ts'
import { gather, lookupMap } from './movement.ts'
import type { InferContext, Moves, Op } from './op.ts'

type Padding = {
  readonly mode: (typeof modes)[number]
  /** Elements added before and after, per axis of the input; negative ones are cut off. */
  readonly before: readonly number[]
  readonly after: readonly number[]
  readonly value: number
}

const modes = ['constant', 'reflect', 'edge', 'wrap'] as const

/** Padding from attributes before opset 11, from inputs since. */
function padding(context: InferContext): Padding {
  const { node } = context
  const rank = typeAt(context, 0).shape.length
  const before = new Array<number>(rank).fill(0)
  const after = new Array<number>(rank).fill(0)
  const place = (pads: readonly number[], axes: readonly number[]): void => {
    if (pads.length !== 2 * axes.length || pads.some((p) => Math.abs(p) > maxElements))
      invalid(context, `pads ${formatShape(pads)} do not fit ${axes.length} axes`)
    axes.forEach((axis, i) => {
      before[axis] = pads[i]!
      after[axis] = pads[i + axes.length]!
    })
  }
  const all = [...Array(rank).keys()]
  if (node.opset < 11) {
    atMostInputs(context, 1)
    const given = attributesOf(node, { mode: oneOf(modes, 'constant'), pads: required(ints()), value: float(0) })
    place(given.pads, all)
    return { mode: given.mode, before, after, value: given.value }
  }
  if (node.opset < 18) atMostInputs(context, 3)
  const { mode } = attributesOf(node, { mode: oneOf(modes, 'constant') })
  const axes = constantInts(context, 3, 'axes')
  place(constantInts(context, 1, 'pads')!, axes === undefined ? all : axesOf(context, axes, rank))
  return { mode, before, after, value: constantScalar(context, 2, 'constant_value') ?? 0 }
}

/** Position in an axis of `size` elements that a position outside stands for; -1 for none. */
function sourceOf(mode: Padding['mode'], size: number, at: number): number {
  if (at >= 0 && at < size) return at
  if (mode === 'constant') return -1
  if (mode === 'edge') return at < 0 ? 0 : size - 1
  const period = mode === 'wrap' ? size : Math.max(2 * (size - 1), 1)
  const within = ((at % period) + period) % period
  return within < size ? within : period - within
}

const moves = (context: InferContext): Moves => {
  const { shape } = typeAt(context, 0)
  const { mode, before, after, value } = padding(context)
  const sources = shape.map((size, axis) =>
    Int32Array.from({ length: size + before[axis]! + after[axis]! }, (_, i) => sourceOf(mode, size, i - before[axis]!)),
  )
  return { map: lookupMap(shape, sources), fill: value }
}

/** Elements added around a tensor (or cut off): constant, mirrored, repeated or periodic. https://onnx.ai/onnx/operators/onnx__Pad.html */
export const pad: Op = {
  type: 'Pad',
  domain: '',
  opsets: [2, 25],
  arity: [1, 4],
  doc: movement(
    { inputs: [[2, 3]], constants: [wholes(0, 1, 0, 1)] },
    'the integers as they are; constants round(c / s)',
  ),
  infer: (context) => {
    const x = typeAt(context, 0)
    if (context.node.opset >= 11) typeAt(context, 1)
    if (context.types[2] !== undefined) typeLikeFirst(context, 2)
    const { mode, before, after } = padding(context)
    const shape = x.shape.map((d, i) => d + before[i]! + after[i]!)
    if (shape.some((d, i) => d < 0 || (mode !== 'constant' && x.shape[i] === 0 && d > 0)))
      invalid(
        context,
        `pads before ${formatShape(before)} and after ${formatShape(after)} do not fit ${formatShape(x.shape)}`,
      )
    return [like(x, shape)]
  },
  moves,
  compute: (context, [x]) => [gather(pad.infer(context)[0]!, moves(context), [x!])],
  scaling: { tied: true, wideInput: 'keeps' },
  lower: (context, [x]) => [lowerMove(context, [x!], pad.moves!(context), pad.infer(context)[0]!.shape)],
}
