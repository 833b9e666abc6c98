import type { Node } from '../graph/graph.ts'
import type { ProductGeometry } from '../model/layers/linear.ts'
import type { Shape, Tensor, TensorType } from '../tensor.ts'
import type { OpDoc } from './doc.ts'
import type { LowerContext, QTensor } from './lowering.ts'

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
  /** Fewest and most inputs; the first `least` may not be left out. */
  readonly arity: readonly [least: number, most: number]
  /** What docs/operators.md says of it; operators that only simplification makes have none. */
  readonly doc?: OpDoc
  /** Inputs of which only the type matters: the result is known at import where the others are constant. */
  readonly typeOnly?: readonly number[]
  /**
   * Types of the outputs that the operator computes: further ones (masks, indices) may not be used. Throws `UnsupportedError`
   * for attributes, element types and shapes that are not supported, `InvalidNodeError` for those that ONNX forbids.
   */
  infer(context: InferContext): TensorType[]
  /** The reference meaning in floating point; integers and booleans are computed exactly. */
  compute(context: InferContext, inputs: readonly (Tensor | undefined)[]): Tensor[]
  /** For operators that only move data: where each element of output 0 comes from. */
  moves?(context: InferContext): Moves
  /**
   * For linear operators with constant weights, inputs 1 and 2: these in real units. Where weights are open, such a node takes
   * them from a weight set; they are all that may differ from one set to the next. Throws UnsupportedError.
   */
  parameters?(context: InferContext): Parameters | undefined
  /** How the operator treats the scales of its tensors; nothing is assumed where it is left out. */
  readonly scaling?: Scaling
  /**
   * The operator as layers of the integer model, one result per output that is used. Inputs that are constants of the
   * graph, and optional ones left out, are undefined here: their values are in the context.
   */
  lower?(context: LowerContext, inputs: readonly (QTensor | undefined)[]): QTensor[]
}

/** A linear map of input 0, and its weights and biases laid out as layers have them. */
export type Parameters = {
  readonly map: ProductGeometry
  readonly shape: Shape
  readonly weights: Float64Array
  /** One per channel. */
  readonly bias?: Float64Array
}

/** y[i] = x[map[i]] over the concatenation of the data inputs, `fill` where map[i] is -1. */
export type Moves = { readonly map: Int32Array; readonly fill: number }

export type Scaling = {
  /** Inputs and output share one scale: data movement, maxima, clipping, averages of small windows. */
  readonly tied?: boolean
  /**
   * What happens to an input that still has fraction bits: `keeps` works on it as it is, `absorbs` requantises it into the
   * output's own range, so that the input's range does not matter.
   */
  readonly wideInput?: 'keeps' | 'absorbs'
  /** The operator uses all fraction bits of its input. */
  readonly wantsWide?: boolean
  /** The result is an exact sum in fractions of its step, which nothing clamps. */
  readonly accumulates?: boolean
  /** Adds its inputs: a sum that nothing else reads may come in with all its fraction bits, in the result's scale. */
  readonly addsWide?: boolean
  /** Real value of one step of the output where the operator's nature gives it, for activations of n bits. */
  readonly fixedScale?: (bits: number, context?: InferContext, output?: number) => number | undefined
  /** Input 0 is only compared with constants: a float input that has no other reader may be replaced by its place in order. */
  readonly ordersInput?: boolean
  /** Inputs beyond ±this make no difference to an output of n bits. */
  readonly saturatesAt?: (bits: number) => number
  /**
   * Real value of one step that an input of the model is to have for this operator, given the one that its range and the bits
   * of activations make: inputs may have more bits than others, at a row each.
   */
  readonly inputStep?: (step: number) => number
  /** Whether the output can't be negative, given whether the inputs can't. */
  readonly nonNegative?: (context: InferContext, inputs: readonly boolean[]) => boolean
}
