import { attributesOf, floats } from '../attributes.ts'
import { WEIGHT_ERROR } from '../doc.ts'
import { invalid } from '../inputs.ts'
import { emitSparse, integerStats, type RealRow } from '../lowering.ts'
import type { InferContext, Op } from '../op.ts'
import { rowsOf } from './classes.ts'

/** Offset and scale of every feature: one for all, or one each. */
function scaling(context: InferContext) {
  const given = attributesOf(context.node, { offset: floats(), scale: floats() })
  const { rows, features } = rowsOf(context)
  const each = (name: 'offset' | 'scale', otherwise: number): ((k: number) => number) => {
    const list = given[name] ?? []
    if (list.length > 1 && list.length !== features)
      invalid(context, `${list.length} values of "${name}" for ${features} features`)
    return (k) => (list.length > 1 ? list[k]! : (list[0] ?? otherwise))
  }
  return { rows, features, offset: each('offset', 0), scale: each('scale', 1) }
}

/** y = (x - offset) · scale, per feature. https://onnx.ai/onnx/operators/onnx_aionnxml_Scaler.html */
export const scaler: Op = {
  type: 'Scaler',
  domain: 'ai.onnx.ml',
  opsets: [1, 5],
  arity: [1, 1],
  doc: {
    integers: 'Σ W·q + B per feature',
    rows: '0',
    error: WEIGHT_ERROR,
    example: { inputs: [[2, 3]], attributes: { offset: [1], scale: [2] } },
  },
  infer: (context) => {
    scaling(context)
    return [{ dtype: 'float32', shape: context.types[0]!.shape }]
  },
  compute: (context, [x]) => {
    const { features, offset, scale } = scaling(context)
    const data = x!.data.map((v, i) => (v - offset(i % features)) * scale(i % features))
    return [{ dtype: 'float32', shape: x!.shape, data }]
  },
  lower: (context, [input]) => {
    const { rows, features, offset, scale } = scaling(context)
    const x = context.narrow(input!)
    const target = context.target()
    const terms = Array.from({ length: rows * features }, (_, j): RealRow => {
      const k = j % features
      return {
        positions: [j],
        weights: [(scale(k) * x.scale) / target.scale],
        bias: (-offset(k) * scale(k)) / target.scale,
      }
    })
    const { value, shift } = emitSparse(context, [{ value: x.value, ...integerStats(context, x) }], terms, x.shape)
    return [{ name: '', value, shape: x.shape, scale: target.scale, shift }]
  },
}
