import type { Node } from '../graph/graph.ts'
import type { Tensor, TensorType } from '../tensor.ts'

/** What an operator sees of its node when types are inferred. */
export type InferContext = {
  readonly node: Node
  /** Types of the inputs, by position; undefined where an optional input is left out. */
  readonly types: readonly (TensorType | undefined)[]
  /** Values of those inputs that are constant, by position. */
  readonly constants: readonly (Tensor | undefined)[]
}

/** Everything the pipeline knows about one ONNX operator. One file per operator. */
export type Op = {
  /** ONNX op_type. */
  readonly type: string
  /** Domain, '' for ai.onnx. */
  readonly domain: string
  /** First and last opset whose definition this file implements. */
  readonly opsets: readonly [since: number, last: number]
  /** Types of the outputs. Throws `UnsupportedError` for attributes, element types and shapes that are not supported. */
  infer(context: InferContext): TensorType[]
  /** The reference meaning in floating point; integers and booleans are computed exactly. */
  compute(context: InferContext, inputs: readonly (Tensor | undefined)[]): Tensor[]
}
