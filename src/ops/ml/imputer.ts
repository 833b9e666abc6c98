import { attributesOf, float, floats, int, ints } from '../attributes.ts'
import { movement } from '../doc.ts'
import { invalid, typeOf, unsupported } from '../inputs.ts'
import { lowerMove } from '../lower/moves.ts'
import { inOrder } from '../movement.ts'
import type { InferContext, Op } from '../op.ts'
import { mlTypes, rowsOf } from './classes.ts'

/** What replaces missing values, per feature. */
function imputed(context: InferContext): (feature: number) => number {
  const given = attributesOf(context.node, {
    imputed_value_floats: floats(),
    imputed_value_int64s: ints(),
    replaced_value_float: float(0),
    replaced_value_int64: int(0),
  })
  const { dtype } = typeOf(context, 0, mlTypes)
  if (!/float/.test(dtype)) unsupported(context, 'type of input 0', dtype, 'floats')
  // inputs of a circuit are never NaN, so that there nothing is replaced
  if (!Number.isNaN(given.replaced_value_float))
    unsupported(context, 'replaced_value_float', given.replaced_value_float, 'NaN')
  const { features } = rowsOf(context)
  const values = given.imputed_value_floats ?? []
  if (values.length !== 1 && values.length !== features)
    invalid(context, `${values.length} values for ${features} features`)
  return (feature) => (values.length === 1 ? values[0]! : values[feature]!)
}

/** Other values in the place of NaN. https://onnx.ai/onnx/operators/onnx_aionnxml_Imputer.html */
export const imputer: Op = {
  type: 'Imputer',
  domain: 'ai.onnx.ml',
  opsets: [1, 5],
  arity: [1, 1],
  doc: movement(
    { inputs: [[2, 3]], attributes: { imputed_value_floats: [0], replaced_value_float: Number.NaN } },
    'the integers as they are: inputs of integer models are never NaN',
  ),
  infer: (context) => {
    imputed(context)
    return [context.types[0]!]
  },
  moves: (context) => inOrder(context.types[0]!.shape),
  compute: (context, [x]) => {
    const value = imputed(context)
    const { features } = rowsOf(context)
    return [{ ...x!, data: x!.data.map((v, i) => (Number.isNaN(v) ? value(i % features) : v)) }]
  },
  scaling: { tied: true, wideInput: 'keeps' },
  lower: (context, [x]) => [lowerMove(context, [x!], inOrder(x!.shape), x!.shape)],
}
