import { floatTypes } from '../tensor.ts'
import { attributesOf, int } from './attributes.ts'
import { invalid, typeAt, typeOf, unsupported } from './inputs.ts'
import { lowerL1, lowerL2 } from './lower/reductions.ts'
import type { InferContext, Op } from './op.ts'
import { poolAttributes, poolGeometry, windowPositions } from './windows.ts'

/** Which norm, the shape of the result, and the elements of each window. */
function geometry(context: InferContext) {
  const given = attributesOf(context.node, { ...poolAttributes, p: int(2) })
  const { shape } = typeOf(context, 0, floatTypes)
  if (given.p < 1) invalid(context, `p = ${given.p} gives no norm`)
  const g = poolGeometry(context.node, shape, given)
  const groups = (): number[][] => windowPositions(shape, g)
  return { p: given.p, shape: [...shape.slice(0, 2), ...g.outSpatial], groups }
}

/** (Σ |x|ᵖ)^(1/p) of each window; integer models have p = 1 and 2. https://onnx.ai/onnx/operators/onnx__LpPool.html */
export const lpPool: Op = {
  type: 'LpPool',
  domain: '',
  opsets: [2, 25],
  arity: [1, 1],
  doc: {
    integers: 'as ReduceL1 and ReduceL2',
    rows: 'p = 1: 2·(b + 2) for each element of a window; p = 2: k products, a requantisation and a table of 16 bits',
    error: 'as ReduceL1 and ReduceL2',
    refuses: 'p other than 1 and 2',
    example: { inputs: [[1, 1, 2, 2]], attributes: { kernel_shape: [2, 2] } },
  },
  infer: (context) => [{ dtype: typeAt(context, 0).dtype, shape: geometry(context).shape }],
  compute: (context, [x]) => {
    const { p, shape, groups } = geometry(context)
    const data = Float64Array.from(groups(), (g) => g.reduce((s, at) => s + Math.abs(x!.data[at]!) ** p, 0) ** (1 / p))
    return [{ dtype: x!.dtype, shape, data }]
  },
  scaling: { nonNegative: () => true },
  lower: (context, [x]) => {
    const { p, shape, groups } = geometry(context)
    if (p > 2) return unsupported(context, 'p', p, '1 and 2')
    return [(p === 1 ? lowerL1 : lowerL2)(context, x!, groups(), shape)]
  },
}
