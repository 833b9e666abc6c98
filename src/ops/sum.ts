import { variadic } from './variadic.ts'

/** Σ of tensors, elementwise, broadcast. https://onnx.ai/onnx/operators/onnx__Sum.html */
export const sum = variadic('Sum', 8, 'sum', (values) => values.reduce((s, v) => s + v, 0))
