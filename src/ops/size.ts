import { sizeOf } from '../tensor.ts'
import { attributesOf } from './attributes.ts'
import { known } from './doc.ts'
import { typeAt } from './inputs.ts'
import type { Op } from './op.ts'

/** Number of the input's elements, known at import. https://onnx.ai/onnx/operators/onnx__Size.html */
export const size: Op = {
  type: 'Size',
  domain: '',
  opsets: [1, 25],
  arity: [1, 1],
  doc: known({ inputs: [[2, 3]] }),
  typeOnly: [0],
  infer: (context) => {
    attributesOf(context.node, {})
    return [{ dtype: 'int64', shape: [] }]
  },
  compute: (context) => [{ dtype: 'int64', shape: [], data: Float64Array.of(sizeOf(typeAt(context, 0).shape)) }],
}
