import { comparison } from './comparison.ts'

/** a ≤ b, elementwise over broadcast tensors. https://onnx.ai/onnx/operators/onnx__LessOrEqual.html */
export const lessOrEqual = comparison('LessOrEqual', 12, 'lessOrEqual', (a, b) => a <= b)
