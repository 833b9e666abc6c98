import type { Shape, Tensor, TensorType } from '../tensor.ts'

/** Value of a node attribute, decoded from ONNX. */
export type Attribute = number | string | Tensor | readonly number[] | readonly string[]

/** One application of an operator. */
export type Node = {
  /** Unique within the graph; made from op and position where the file gives none. */
  readonly name: string
  /** ONNX op_type. */
  readonly op: string
  /** '' for ai.onnx. */
  readonly domain: string
  /** Opset version of the node's domain. */
  readonly opset: number
  /** Names of values; '' marks an optional input that is left out. */
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
  readonly attributes: Readonly<Record<string, Attribute>>
  /** Outputs of nodes of one role have one scale: the same place in each step of a network that was unrolled. */
  readonly role?: string
}

/** A typed ONNX graph: nodes in topological order, every value's element type and shape known. */
export type Graph = {
  readonly name: string
  readonly opset: number
  /** Inputs without those that an initializer fixes. */
  readonly inputs: readonly { readonly name: string; readonly dtype: TensorType['dtype']; readonly shape: Shape }[]
  readonly outputs: readonly string[]
  readonly nodes: readonly Node[]
  /** Initializers and folded values, by name. */
  readonly constants: ReadonlyMap<string, Tensor>
  /** Type of every value: inputs, constants and node outputs. */
  readonly types: ReadonlyMap<string, TensorType>
  /** What the importer left out, in sentences. */
  readonly notices?: readonly string[]
}
