import { formatShape, sizeOf } from '../tensor.ts'
import { attributesOf, flag } from './attributes.ts'
import { movement } from './doc.ts'
import { constantScalar, invalid, typeAt } from './inputs.ts'
import { mover } from './mover.ts'
import type { Op } from './op.ts'

/** The upper or lower triangle of matrices from the k-th diagonal on, zeros elsewhere. https://onnx.ai/onnx/operators/onnx__Trilu.html */
export const trilu: Op = {
  type: 'Trilu',
  domain: '',
  opsets: [14, 25],
  arity: [1, 2],
  doc: movement({ inputs: [[2, 3]] }),
  ...mover(
    (context) => {
      const x = typeAt(context, 0)
      attributesOf(context.node, { upper: flag(true) })
      constantScalar(context, 1, 'k')
      if (x.shape.length < 2) invalid(context, `the input must be a stack of matrices, not ${formatShape(x.shape)}`)
      return x
    },
    (context) => {
      const { shape } = typeAt(context, 0)
      const { upper } = attributesOf(context.node, { upper: flag(true) })
      const k = constantScalar(context, 1, 'k') ?? 0
      const [rows, columns] = shape.slice(-2) as [number, number]
      const map = Int32Array.from({ length: sizeOf(shape) }, (_, i) => {
        const diagonal = (i % columns) - (Math.floor(i / columns) % rows)
        return (upper ? diagonal >= k : diagonal <= k) ? i : -1
      })
      return { map, fill: 0 }
    },
  ),
}
