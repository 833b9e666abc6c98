import { comparison } from './comparison.ts'

/** a ≥ b, elementwise over broadcast tensors. https://onnx.ai/onnx/operators/onnx__GreaterOrEqual.html */
export const greaterOrEqual = comparison('GreaterOrEqual', 12, 'greaterOrEqual', (a, b) => a >= b)
