import {
  broadcastMap,
  broadcastShapes,
  type DType,
  formatShape,
  integerRange,
  isFloat,
  type Tensor,
  type TensorType,
  wrapInteger,
} from '../tensor.ts'
import { attributesOf } from './attributes.ts'
import { constantOf } from './doc.ts'
import { constantAt, invalid, numericTypes, typeOf, unsupported } from './inputs.ts'
import { lowerTable } from './lower/activations.ts'
import { emitConstant } from './lower/compare.ts'
import { lowerProduct, lowerScale, lowerWholePower } from './lower/elementwise.ts'
import { lowerMove, lowerTaken } from './lower/moves.ts'
import type { LowerContext, QTensor } from './lowering.ts'
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

/** xᵉ for one exponent: 0, 1 and 2 without a table, whole powers of integers by products. */
function power(context: LowerContext, x: QTensor, e: number, dtype: DType): QTensor {
  const { scale } = context.target()
  const one: Tensor = { dtype, shape: [], data: Float64Array.of(1) }
  if (e === 0) {
    const value = emitConstant(context, { ...one, data: Float64Array.of(1 / scale) }, x.shape, x.value)
    return { name: '', value, shape: x.shape, scale, shift: 0 }
  }
  if (e === 1) return lowerScale(context, x, one, x.shape)
  if (!isFloat(dtype)) return lowerWholePower(context, x, e, integerRange(dtype)![1])
  if (e === 2) return lowerProduct(context, x, x, x.shape)
  return lowerTable(context, x, (v) => v ** e)
}

/**
 * y = xᵉ, elementwise over broadcast tensors. Computed bases take constant exponents: 0, 1 and 2 are linear or products, others
 * tables, with a maximum error of half a step of the output for the rounded input (one step above 12 bits). Integers take whole
 * exponents and saturate where the result leaves its type. A computed exponent takes one constant base.
 * https://onnx.ai/onnx/operators/onnx__Pow.html
 */
export const pow: Op = {
  type: 'Pow',
  domain: '',
  opsets: [7, 25],
  arity: [2, 2],
  doc: {
    integers:
      'for exponents 0, 1 and 2 exact powers, times a factor as in Mul; else f(s·q) / sy from a table, as for Exp; integers by squaring and multiplying, saturated where the result leaves its type',
    rows: 'n products for the exponent 2; else n tables of the input',
    error: 'as Mul, or as Exp; integers none',
    refuses: 'exponents that the model computes, unless the base is one constant; fractional ones of integers',
    example: { inputs: [[2, 3]], constants: [constantOf([], [3])] },
  },
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
  lower: (context, [x, computed]) => {
    const { dtype, shape } = resultOf(context)
    const [base] = context.constants
    if (x === undefined && computed !== undefined && base !== undefined) {
      const [k] = base.data
      if (!base.data.every((v) => v === k) || !isFloat(dtype) || computed.shape.join() !== shape.join())
        return unsupported(
          context,
          'base',
          formatShape(base.shape),
          'one float for all elements of a computed exponent',
        )
      return [lowerTable(context, computed, (v) => k! ** v)]
    }
    const exponents = constantAt(context, 1, 'exponent')!
    if (x === undefined) return unsupported(context, 'base', 'a constant', 'a tensor that the model computes')
    const [of, by] = [broadcastMap(x.shape, shape), broadcastMap(exponents.shape, shape)]
    /** Elements of the result by exponent. */
    const groups = new Map<number, number[]>()
    by.forEach((at, j) => {
      const e = exponents.data[at]!
      const group = groups.get(e)
      if (group === undefined) groups.set(e, [j])
      else group.push(j)
    })
    const map = new Int32Array(of.length)
    let start = 0
    const parts = [...groups].map(([e, elements]) => {
      elements.forEach((j, i) => {
        map[j] = start + i
      })
      start += elements.length
      const taken = elements.map((j) => of[j]!)
      return power(context, lowerTaken(context, x, taken, groups.size === 1 ? shape : [taken.length]), e, dtype)
    })
    return groups.size === 1 ? [parts[0]!] : [lowerMove(context, parts, { map, fill: 0 }, shape)]
  },
}
