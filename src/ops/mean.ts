import { variadic } from './variadic.ts'

/** Mean of tensors, elementwise, broadcast. https://onnx.ai/onnx/operators/onnx__Mean.html */
export const mean = variadic('Mean', 8, 'mean', (values) => values.reduce((s, v) => s + v, 0) / values.length)
