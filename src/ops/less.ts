import { comparison } from './comparison.ts'

/** a < b, elementwise over broadcast tensors. https://onnx.ai/onnx/operators/onnx__Less.html */
export const less = comparison('Less', 7, 'less', (a, b) => a < b)
