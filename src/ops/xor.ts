import { logic } from './comparison.ts'

/** a ≠ b of booleans, elementwise over broadcast tensors. https://onnx.ai/onnx/operators/onnx__Xor.html */
export const xor = logic('Xor', 2, (a, b) => a !== b)
