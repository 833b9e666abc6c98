import { comparison } from './comparison.ts'

/** a > b, elementwise over broadcast tensors. https://onnx.ai/onnx/operators/onnx__Greater.html */
export const greater = comparison('Greater', 7, 'greater', (a, b) => a > b)
