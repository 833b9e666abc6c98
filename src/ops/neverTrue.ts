import { floatTypes, type TensorType } from '../tensor.ts'
import { typeOf } from './inputs.ts'
import { emitConstant } from './lower/compare.ts'
import type { InferContext, Op } from './op.ts'

/** An operator that asks floats what no number of an integer model is. */
export function neverTrue(type: string, since: number, f: (context: InferContext) => (v: number) => boolean): Op {
  const resultOf = (context: InferContext): TensorType => {
    f(context)
    return { dtype: 'bool', shape: typeOf(context, 0, floatTypes).shape }
  }
  return {
    type,
    domain: '',
    opsets: [since, 25],
    arity: [1, 1],
    doc: {
      integers: '0: numbers of integer models are finite',
      rows: '0',
      error: 'none',
      example: { inputs: [[2, 3]] },
    },
    infer: (context) => [resultOf(context)],
    compute: (context, [x]) => {
      const holds = f(context)
      return [{ ...resultOf(context), data: x!.data.map((v) => Number(holds(v))) }]
    },
    scaling: { nonNegative: () => true },
    lower: (context, [x]) => {
      const { dtype, shape } = resultOf(context)
      const value = emitConstant(context, { dtype, shape: [], data: Float64Array.of(0) }, shape, x!.value)
      return [{ name: '', value, shape, scale: 1, shift: 0 }]
    },
  }
}
