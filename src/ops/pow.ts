import { broadcastMap, broadcastShapes, formatShape, isFloat, type TensorType, wrapInteger } from '../tensor.ts'
import { attributesOf } from './attributes.ts'
import { constantAt, invalid, numericTypes, typeOf, unsupported } from './inputs.ts'
import { lowerTable } from './lower/activations.ts'
import { lowerProduct, lowerScale } from './lower/elementwise.ts'
import type { InferContext, Op } from './op.ts'

function resultOf(context: InferContext): TensorType {
  const [a, b] = [typeOf(context, 0, numericTypes), typeOf(context, 1, numericTypes)]
  const shape = broadcastShapes(a.shape, b.shape)
  if (shape === undefined)
    return invalid(context, `shapes ${formatShape(a.shape)} and ${formatShape(b.shape)} do not broadcast`)
  return { dtype: a.dtype, shape }
}

/** The exponent where it is constant and the same for all elements. */
function commonExponent(context: InferContext): number | undefined {
  const exponent = context.constants[1]
  return exponent?.data.every((v) => v === exponent.data[0]) ? exponent.data[0] : undefined
}

/**
 * y = xᵉ, elementwise. Computed bases take one constant exponent: 1 and 2 are products, others tables, with a maximum error of
 * half a step of the output for the rounded input (one step above 12 bits). https://onnx.ai/onnx/operators/onnx__Pow.html
 */
export const pow: Op = {
  type: 'Pow',
  domain: '',
  opsets: [7, 25],
  arity: [2, 2],
  infer: (context) => {
    attributesOf(context.node, {})
    return [resultOf(context)]
  },
  compute: (context, [x, e]) => {
    const { dtype, shape } = resultOf(context)
    const [of, by] = [broadcastMap(x!.shape, shape), broadcastMap(e!.shape, shape)]
    const data = Float64Array.from(of, (at, i) => {
      const y = x!.data[at]! ** e!.data[by[i]!]!
      return isFloat(dtype) ? y : wrapInteger(dtype, Math.trunc(y) + 0)
    })
    return [{ dtype, shape, data }]
  },
  scaling: {
    nonNegative: (context, [x]) => x === true || (commonExponent(context) ?? 1) % 2 === 0,
  },
  lower: (context, [x]) => {
    constantAt(context, 1, 'exponent')
    const { dtype, shape } = resultOf(context)
    const e = commonExponent(context)
    if (x === undefined || e === undefined)
      return unsupported(context, 'exponents', 'different for elements', 'one exponent for all elements')
    if (e === 1) return [lowerScale(context, x, { dtype, shape: [], data: Float64Array.of(1) }, shape)]
    if (e === 2) return [lowerProduct(context, x, x, shape)]
    if (!isFloat(dtype)) return unsupported(context, 'exponent', e, '1 and 2 for integers')
    if (x.shape.join() !== shape.join()) return unsupported(context, 'exponent', shape, 'a scalar exponent')
    return [lowerTable(context, x, (v) => v ** e)]
  },
}
