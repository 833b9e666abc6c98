import { attributesOf, int, optional } from './attributes.ts'
import { known } from './doc.ts'
import { typeAt } from './inputs.ts'
import type { InferContext, Op } from './op.ts'

/** The sizes that the node asks for: axes start to end, both as in Python's slices (opset 15). */
function sizes(context: InferContext): readonly number[] {
  const given = attributesOf(context.node, context.node.opset < 15 ? {} : { start: int(0), end: optional(int(0)) })
  const { shape } = typeAt(context, 0)
  return 'start' in given ? shape.slice(given.start, given.end) : shape
}

/** Sizes of the input's axes. They are known at import, whatever the input holds. https://onnx.ai/onnx/operators/onnx__Shape.html */
export const shape: Op = {
  type: 'Shape',
  domain: '',
  opsets: [1, 25],
  arity: [1, 1],
  doc: known({ inputs: [[2, 3]] }),
  typeOnly: [0],
  infer: (context) => [{ dtype: 'int64', shape: [sizes(context).length] }],
  compute: (context) => [{ ...shape.infer(context)[0]!, data: Float64Array.from(sizes(context)) }],
}
