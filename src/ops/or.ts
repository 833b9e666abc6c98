import { logic } from './comparison.ts'

/** a ∨ b, elementwise over broadcast tensors. https://onnx.ai/onnx/operators/onnx__Or.html */
export const or = logic('Or', 1, (a, b) => a === 1 || b === 1)
