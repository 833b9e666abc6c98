import { formatShape, sizeOf } from '../tensor.ts'
import { attributesOf, int, oneOf, required } from './attributes.ts'
import { movement } from './doc.ts'
import { invalid, like, typeAt } from './inputs.ts'
import { mover } from './mover.ts'
import type { InferContext, Op } from './op.ts'

/** [n, c · b², h, w] to [n, c, h · b, w · b]; which of the channel's axes is outermost depends on the mode. */
function geometry(context: InferContext) {
  const { blocksize: b, mode } = attributesOf(context.node, {
    blocksize: required(int(0)),
    mode: oneOf(['DCR', 'CRD'], 'DCR'),
  })
  const x = typeAt(context, 0)
  const [n, channels, h, w] = x.shape as [number, number, number, number]
  if (x.shape.length !== 4 || b < 1 || channels % (b * b) !== 0)
    invalid(context, `${formatShape(x.shape)} does not fall into blocks of ${b} × ${b}`)
  const c = channels / (b * b)
  return { x, n, channels, c, h, w, b, mode, shape: [n, c, h * b, w * b] }
}

/** Channels spread over blocks of space. https://onnx.ai/onnx/operators/onnx__DepthToSpace.html */
export const depthToSpace: Op = {
  type: 'DepthToSpace',
  domain: '',
  opsets: [1, 25],
  arity: [1, 1],
  doc: movement({ inputs: [[1, 4, 1, 1]], attributes: { blocksize: 2 } }),
  ...mover(
    (context) => {
      const { x, shape } = geometry(context)
      return like(x, shape)
    },
    (context) => {
      const { channels, c, h, w, b, mode, shape } = geometry(context)
      const map = Int32Array.from({ length: sizeOf(shape) }, (_, i) => {
        const [column, row] = [i % (w * b), Math.floor(i / (w * b)) % (h * b)]
        const channel = Math.floor(i / (w * b * h * b)) % c
        const batch = Math.floor(i / (w * b * h * b * c))
        const block = (row % b) * b + (column % b)
        const from = mode === 'DCR' ? block * c + channel : channel * b * b + block
        return ((batch * channels + from) * h + Math.floor(row / b)) * w + Math.floor(column / b)
      })
      return { map, fill: 0 }
    },
  ),
}
