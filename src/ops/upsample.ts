import { constantOf, type OpDoc } from './doc.ts'
import type { Op } from './op.ts'
import { resize } from './resize.ts'

const doc: OpDoc = {
  ...resize.doc!,
  example: { inputs: [[1, 1, 2, 2]], constants: [constantOf([4], [1, 1, 2, 2])], attributes: { mode: 'linear' } },
}

/** What Resize of opset 10 is, under its older name. https://onnx.ai/onnx/operators/onnx__Upsample.html */
export const upsample: Op = { ...resize, type: 'Upsample', opsets: [9, 9], doc }
