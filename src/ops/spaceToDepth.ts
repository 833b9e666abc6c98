import { formatShape, sizeOf } from '../tensor.ts'
import { attributesOf, int, required } from './attributes.ts'
import { movement } from './doc.ts'
import { invalid, like, typeAt } from './inputs.ts'
import { mover } from './mover.ts'
import type { InferContext, Op } from './op.ts'

/** [n, c, h · b, w · b] to [n, b² · c, h, w]. */
function geometry(context: InferContext) {
  const { blocksize: b } = attributesOf(context.node, { blocksize: required(int(0)) })
  const x = typeAt(context, 0)
  const [n, c, height, width] = x.shape as [number, number, number, number]
  if (x.shape.length !== 4 || b < 1 || height % b !== 0 || width % b !== 0)
    invalid(context, `${formatShape(x.shape)} does not fall into blocks of ${b} × ${b}`)
  return { x, c, b, height, width, shape: [n, c * b * b, height / b, width / b] }
}

/** Blocks of space become channels. https://onnx.ai/onnx/operators/onnx__SpaceToDepth.html */
export const spaceToDepth: Op = {
  type: 'SpaceToDepth',
  domain: '',
  opsets: [1, 25],
  arity: [1, 1],
  doc: movement({ inputs: [[1, 1, 2, 2]], attributes: { blocksize: 2 } }),
  ...mover(
    (context) => {
      const { x, shape } = geometry(context)
      return like(x, shape)
    },
    (context) => {
      const { c, b, height, width, shape } = geometry(context)
      const [, channels, h, w] = shape as [number, number, number, number]
      const map = Int32Array.from({ length: sizeOf(shape) }, (_, i) => {
        const [column, row] = [i % w, Math.floor(i / w) % h]
        const [to, batch] = [Math.floor(i / (w * h)) % channels, Math.floor(i / (w * h * channels))]
        const block = Math.floor(to / c)
        return ((batch * c + (to % c)) * height + row * b + Math.floor(block / b)) * width + column * b + (block % b)
      })
      return { map, fill: 0 }
    },
  ),
}
