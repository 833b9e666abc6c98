import { variadic } from './variadic.ts'

/** The least of tensors, elementwise, broadcast. https://onnx.ai/onnx/operators/onnx__Min.html */
export const min = variadic('Min', 8, 'min', (values) => values.reduce((m, v) => Math.min(m, v)))
