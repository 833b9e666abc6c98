import { logic } from './comparison.ts'

/** a ∧ b, elementwise over broadcast tensors. https://onnx.ai/onnx/operators/onnx__And.html */
export const and = logic('And', 'product', (a, b) => a === 1 && b === 1)
