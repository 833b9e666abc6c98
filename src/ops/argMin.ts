import { extremeIndex } from './argMax.ts'

/** Position of the least element along an axis. https://onnx.ai/onnx/operators/onnx__ArgMin.html */
export const argMin = extremeIndex('ArgMin', -1)
