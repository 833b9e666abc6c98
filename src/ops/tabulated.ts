import { type DType, floatTypes } from '../tensor.ts'
import { type Example, tabulation } from './doc.ts'
import { mapTensor } from './elementwise.ts'
import { typeOf } from './inputs.ts'
import { lowerTable } from './lower/activations.ts'
import type { InferContext, Op, Scaling } from './op.ts'

/** An operator y = f(x), elementwise, that becomes a table over the integers of its input. */
export const tabulated = (
  type: string,
  opsets: Op['opsets'],
  /** f for the node's attributes, which it checks. */
  f: (context: InferContext) => (x: number) => number,
  scaling: Scaling = {},
  types: readonly DType[] = floatTypes,
  example: Example = { inputs: [[2, 3]] },
): Op => ({
  type,
  domain: '',
  opsets,
  arity: [1, 1],
  doc: tabulation(example),
  infer: (context) => {
    f(context)
    return [typeOf(context, 0, types)]
  },
  compute: (context, [x]) => [mapTensor(x!, f(context))],
  scaling,
  lower: (context, [x]) => [lowerTable(context, x!, f(context))],
})
