import { variadic } from './variadic.ts'

/** The greatest of tensors, elementwise, broadcast. https://onnx.ai/onnx/operators/onnx__Max.html */
export const max = variadic('Max', 8, 'max', (values) => values.reduce((m, v) => Math.max(m, v)))
