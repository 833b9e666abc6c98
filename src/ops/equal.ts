import { comparison } from './comparison.ts'

/** a = b, elementwise over broadcast tensors. https://onnx.ai/onnx/operators/onnx__Equal.html */
export const equal = comparison('Equal', 7, 'equal', (a, b) => a === b)
