import { formatShape, stridedMap, stridesOf } from '../tensor.ts'
import { attributesOf, ints, required } from './attributes.ts'
import { movement, wholes } from './doc.ts'
import { atMostInputs, axesOf, constantInts, invalid, like, typeAt } from './inputs.ts'
import { lowerMove } from './lower/moves.ts'
import { gather } from './movement.ts'
import type { InferContext, Moves, Op } from './op.ts'

/** First position, step and number of elements along each axis of the input. */
type Range = { readonly start: number; readonly step: number; readonly count: number }

/** What the node asks for: attributes before opset 10, inputs since. */
function request(context: InferContext): {
  readonly starts: readonly number[]
  readonly ends: readonly number[]
  readonly axes: readonly number[]
  readonly steps: readonly number[]
} {
  const rank = typeAt(context, 0).shape.length
  if (context.node.opset < 10) {
    atMostInputs(context, 1)
    const given = attributesOf(context.node, { axes: ints(), ends: required(ints()), starts: required(ints()) })
    const { starts, ends, axes } = given
    return { starts, ends, axes: axesOf(context, axes ?? [...starts.keys()], rank), steps: starts.map(() => 1) }
  }
  attributesOf(context.node, {})
  typeAt(context, 2)
  const starts = constantInts(context, 1, 'starts')!
  return {
    starts,
    ends: constantInts(context, 2, 'ends')!,
    axes: axesOf(context, constantInts(context, 3, 'axes') ?? [...starts.keys()], rank),
    steps: constantInts(context, 4, 'steps') ?? starts.map(() => 1),
  }
}

function ranges(context: InferContext): Range[] {
  const { starts, ends, axes, steps } = request(context)
  if ([ends, axes, steps].some((list) => list.length !== starts.length) || steps.includes(0))
    invalid(context, `starts ${formatShape(starts)}, ends ${formatShape(ends)} and steps do not fit`)
  const found = typeAt(context, 0).shape.map((count): Range => ({ start: 0, step: 1, count }))
  axes.forEach((axis, i) => {
    found[axis] = rangeOf(found[axis]!.count, starts[i]!, ends[i]!, steps[i]!)
  })
  return found
}

/** Python's slice [start:end:step] of an axis of `size` elements. */
function rangeOf(size: number, start: number, end: number, step: number): Range {
  const [least, most] = step > 0 ? [0, size] : [-1, size - 1]
  const clamp = (at: number): number => Math.min(Math.max(at < 0 ? at + size : at, least), most)
  const first = clamp(start)
  const count = Math.max(0, Math.ceil((clamp(end) - first) / step))
  return { start: count === 0 ? 0 : first, step: count <= 1 ? 1 : step, count }
}

const moves = (context: InferContext): Moves => {
  const strides = stridesOf(typeAt(context, 0).shape)
  const found = ranges(context)
  const offset = found.reduce((sum, { start }, axis) => sum + start * strides[axis]!, 0)
  const steps = found.map(({ step }, axis) => step * strides[axis]!)
  return {
    map: stridedMap(
      found.map((r) => r.count),
      steps,
      offset,
    ),
    fill: 0,
  }
}

/** Every step-th element between start and end, along some axes. https://onnx.ai/onnx/operators/onnx__Slice.html */
export const slice: Op = {
  type: 'Slice',
  domain: '',
  opsets: [1, 25],
  arity: [1, 5],
  doc: movement({ inputs: [[2, 3]], constants: [wholes(0), wholes(2), wholes(1)] }),
  infer: (context) => [
    like(
      typeAt(context, 0),
      ranges(context).map((r) => r.count),
    ),
  ],
  moves,
  compute: (context, [x]) => [gather(slice.infer(context)[0]!, moves(context), [x!])],
  scaling: { tied: true, wideInput: 'keeps' },
  lower: (context, [x]) => [lowerMove(context, [x!], slice.moves!(context), slice.infer(context)[0]!.shape)],
}
