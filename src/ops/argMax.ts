import { sizeOf, type TensorType } from '../tensor.ts'
import { attributesOf, flag, int } from './attributes.ts'
import { axisOf, invalid, numericTypes, typeAt, typeOf } from './inputs.ts'
import { lowerNegative } from './lower/compare.ts'
import { lowerArgMax } from './lower/pools.ts'
import type { InferContext, Op } from './op.ts'

/** Axis in [0, rank), whether it stays with size 1, and which of equal elements counts. */
export function argMaxAttributes(context: InferContext): {
  readonly axis: number
  readonly keepdims: boolean
  readonly lastOfEqual: boolean
} {
  const given = attributesOf(context.node, { axis: int(0), keepdims: flag(true), select_last_index: flag(false) })
  const axis = axisOf(context, given.axis, typeAt(context, 0).shape.length)
  return { axis, keepdims: given.keepdims, lastOfEqual: given.select_last_index }
}

/** The operator for the greatest (sign 1) or least (sign -1) element. */
export function extremeIndex(type: string, sign: 1 | -1): Op {
  const resultOf = (context: InferContext): TensorType => {
    const { shape } = typeOf(context, 0, numericTypes)
    const { axis, keepdims } = argMaxAttributes(context)
    if (shape[axis] === 0) invalid(context, `axis ${axis} has no elements`)
    return { dtype: 'int64', shape: shape.toSpliced(axis, 1, ...(keepdims ? [1] : [])) }
  }
  return {
    type,
    domain: '',
    opsets: [1, 25],
    arity: [1, 1],
    doc: {
      integers: 'index of the first largest integer (of the last, where the node says so), of the negatives for ArgMin',
      rows: 'k·(B + 3) + 1 an element, with all fraction bits of the input',
      error: 'none for the integers',
      example: { inputs: [[2, 3]], attributes: { axis: 1 } },
    },
    infer: (context) => [resultOf(context)],
    compute: (context, [x]) => {
      const { axis, lastOfEqual } = argMaxAttributes(context)
      const { shape } = x!
      const [outer, size, inner] = [sizeOf(shape.slice(0, axis)), shape[axis]!, sizeOf(shape.slice(axis + 1))]
      const data = new Float64Array(outer * inner)
      for (let o = 0; o < outer; o++)
        for (let j = 0; j < inner; j++) {
          const at = (i: number): number => sign * x!.data[(o * size + i) * inner + j]!
          let best = 0
          for (let i = 1; i < size; i++) if (lastOfEqual ? at(i) >= at(best) : at(i) > at(best)) best = i
          data[o * inner + j] = best
        }
      return [{ ...resultOf(context), data }]
    },
    scaling: { wantsWide: true, fixedScale: () => 1, nonNegative: () => true },
    lower: (context, [input]) => {
      const { axis, lastOfEqual } = argMaxAttributes(context)
      const x = typeof input!.shift === 'number' ? input! : context.narrow(input!)
      const source = sign === 1 ? x : lowerNegative(context, x)
      return [lowerArgMax(context, source, axis, lastOfEqual, resultOf(context).shape)]
    },
  }
}

/** Position of the greatest element along an axis. https://onnx.ai/onnx/operators/onnx__ArgMax.html */
export const argMax: Op = extremeIndex('ArgMax', 1)
