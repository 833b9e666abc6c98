import { formatShape, sizeOf } from '../tensor.ts'
import { attributesOf, flag } from './attributes.ts'
import { movement, wholes } from './doc.ts'
import { constantInts, invalid, like, typeAt } from './inputs.ts'
import { lowerMove } from './lower/moves.ts'
import { inOrder } from './movement.ts'
import type { Op } from './op.ts'

/** Another shape; 0 copies the axis (unless `allowzero`), one -1 takes what is left. https://onnx.ai/onnx/operators/onnx__Reshape.html */
export const reshape: Op = {
  type: 'Reshape',
  domain: '',
  opsets: [5, 25],
  arity: [2, 2],
  doc: movement({ inputs: [[2, 3]], constants: [wholes(3, 2)] }),
  infer: (context) => {
    const x = typeAt(context, 0)
    const { allowzero } = attributesOf(context.node, { allowzero: flag(false) })
    const wanted = constantInts(context, 1, 'shape')!
    const misfit = (): never => invalid(context, `${formatShape(x.shape)} can't take the shape ${formatShape(wanted)}`)
    const shape = wanted.map((d, i) => (d === 0 && !allowzero ? (x.shape[i] ?? misfit()) : d))
    const unknown = shape.indexOf(-1)
    if (unknown >= 0) {
      const rest = sizeOf(shape.toSpliced(unknown, 1))
      if (rest === 0) misfit()
      shape[unknown] = sizeOf(x.shape) / rest
    }
    if (!shape.every((d) => Number.isInteger(d) && d >= 0) || sizeOf(shape) !== sizeOf(x.shape)) misfit()
    return [like(x, shape)]
  },
  moves: (context) => inOrder(typeAt(context, 0).shape),
  compute: (context, [x]) => [{ ...reshape.infer(context)[0]!, data: x!.data }],
  scaling: { tied: true, wideInput: 'keeps' },
  lower: (context, [x]) => [lowerMove(context, [x!], reshape.moves!(context), reshape.infer(context)[0]!.shape)],
}
