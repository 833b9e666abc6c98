import { formatShape, sizeOf, type TensorType } from '../tensor.ts'
import { attributesOf, int, ints, optional } from './attributes.ts'
import { movement, wholes } from './doc.ts'
import { atMostInputs, axisOf, constantInts, invalid, like, typeAt } from './inputs.ts'
import { lowerMove } from './lower/moves.ts'
import { gather, lookupMap } from './movement.ts'
import type { InferContext, Moves, Op } from './op.ts'

/** The parts: axis, and how many elements of it each takes. */
function parts(context: InferContext): { readonly axis: number; readonly sizes: readonly number[] } {
  const { node } = context
  const { shape } = typeAt(context, 0)
  const given = attributesOf(node, {
    axis: int(0),
    ...(node.opset < 13 ? { split: ints() } : {}),
    ...(node.opset < 18 ? {} : { num_outputs: optional(int(0)) }),
  })
  if (node.opset < 13) atMostInputs(context, 1)
  const axis = axisOf(context, given.axis, shape.length)
  const total = shape[axis]!
  const sizes = ('split' in given ? given.split : undefined) ?? constantInts(context, 1, 'split')
  if (sizes !== undefined) {
    if (sizes.some((s) => s < 0) || sizes.reduce((n, s) => n + s, 0) !== total)
      invalid(context, `parts ${formatShape(sizes)} do not make up ${total} elements`)
    if (sizes.length !== node.outputs.length)
      invalid(context, `there are ${sizes.length} parts but ${node.outputs.length} outputs`)
    return { axis, sizes }
  }
  const count = ('num_outputs' in given ? given.num_outputs : undefined) ?? node.outputs.length
  if (count < 1 || count !== node.outputs.length) invalid(context, `${count} parts but ${node.outputs.length} outputs`)
  // the last part is the smaller one
  const most = Math.ceil(total / count)
  const equal = Array.from({ length: count }, (_, i) => Math.max(0, Math.min(most, total - i * most)))
  return { axis, sizes: equal }
}

const resultsOf = (context: InferContext): TensorType[] => {
  const { axis, sizes } = parts(context)
  const x = typeAt(context, 0)
  return sizes.map((s) => like(x, x.shape.with(axis, s)))
}

/** The map of each part. */
function mapsOf(context: InferContext): Moves[] {
  const { axis, sizes } = parts(context)
  const { shape } = typeAt(context, 0)
  let first = 0
  return sizes.map((s) => {
    const sources = shape.map((d, i) =>
      Int32Array.from({ length: i === axis ? s : d }, (_, at) => (i === axis ? first + at : at)),
    )
    first += s
    return { map: sizeOf(shape) === 0 ? new Int32Array() : lookupMap(shape, sources), fill: 0 }
  })
}

/** The tensor cut along an axis into parts of given or equal sizes. https://onnx.ai/onnx/operators/onnx__Split.html */
export const split: Op = {
  type: 'Split',
  domain: '',
  opsets: [2, 25],
  arity: [1, 2],
  doc: movement({ inputs: [[2, 3]], constants: [wholes(1, 2)], attributes: { axis: 1 }, outputs: 2 }),
  infer: resultsOf,
  compute: (context, [x]) => {
    const maps = mapsOf(context)
    return resultsOf(context).map((type, i) => gather(type, maps[i]!, [x!]))
  },
  scaling: { tied: true, wideInput: 'keeps' },
  lower: (context, [x]) => {
    const maps = mapsOf(context)
    // a part that nothing uses has no name and no scale of its own
    return resultsOf(context).map(({ shape }, i) =>
      context.node.outputs[i] === '' ? x! : lowerMove(context, [x!], maps[i]!, shape, i),
    )
  },
}
