import { constantOf } from './doc.ts'
import { typeAt } from './inputs.ts'
import { trailingGroups } from './layerNormalization.ts'
import { computeNormalisation, lowerNormalisation } from './normalisation.ts'
import type { Op } from './op.ts'

/** x / √(mean of x² + epsilon) over the axes from `axis` on, times scale. https://onnx.ai/onnx/operators/onnx__RMSNormalization.html */
export const rmsNormalization: Op = {
  type: 'RMSNormalization',
  domain: '',
  opsets: [23, 25],
  arity: [2, 2],
  doc: {
    integers: 'as LayerNormalization',
    rows: '2·N products, a requantisation and a table of 16 bits for each group',
    error: 'as LayerNormalization',
    refuses: 'scales and biases that the model computes',
    example: { inputs: [[2, 4]], constants: [constantOf([4], [1, 1, 2, 2])] },
  },
  infer: (context) => {
    trailingGroups(context, false)
    return [typeAt(context, 0)]
  },
  compute: (context, [x, scale]) => [
    { ...x!, data: computeNormalisation(x!, trailingGroups(context, false), scale, undefined).data },
  ],
  lower: (context, [x]) => lowerNormalisation(context, x!, trailingGroups(context, false)),
}
