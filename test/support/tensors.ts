import { importOnnx } from '../../src/graph/import.ts'
import { type AttributeSpec, encodeModel } from '../../src/graph/onnx.ts'
import { runFloat } from '../../src/graph/run.ts'
import { type DType, type Shape, sizeOf, type Tensor } from '../../src/tensor.ts'
import type { Random } from './random.ts'

export const tensor = (shape: Shape, values: Iterable<number>, dtype: DType = 'float32'): Tensor => ({
  dtype,
  shape,
  data: Float64Array.from(values),
})

export const int64s = (...values: number[]): Tensor => tensor([values.length], values, 'int64')

/** 0, 1, 2, … */
export const counting = (shape: Shape): Tensor => tensor(shape, Array(sizeOf(shape)).keys())

/** Standard normal values, as float32. */
export const normal = (random: Random, shape: Shape): Tensor =>
  tensor(
    shape,
    Array.from({ length: sizeOf(shape) }, () => Math.fround(random.normal())),
  )

export type SingleNode = {
  readonly op: string
  readonly opset?: number
  readonly attributes?: Readonly<Record<string, AttributeSpec>>
  /** Data inputs of the model; undefined leaves one out. */
  readonly inputs: readonly (Tensor | undefined)[]
  /** Constant inputs that follow. */
  readonly constants?: readonly (Tensor | undefined)[]
}

/** Bytes of a model of one node with output `y`. */
export function singleNode({ op, opset = 13, attributes = {}, inputs, constants = [] }: SingleNode): Uint8Array {
  const all = [...inputs, ...constants]
  const name = (i: number): string => (all[i] === undefined ? '' : `x${i}`)
  return encodeModel({
    opset,
    inputs: inputs.flatMap((t, i) => (t === undefined ? [] : [{ name: name(i), dtype: t.dtype, shape: t.shape }])),
    outputs: [{ name: 'y' }],
    nodes: [{ op, inputs: all.map((_, i) => name(i)), outputs: ['y'], attributes }],
    initializers: Object.fromEntries(
      constants.flatMap((t, i) => (t === undefined ? [] : [[name(inputs.length + i), t]])),
    ),
  })
}

/** Output of a model of one node. */
export function runNode(node: SingleNode): Tensor {
  const graph = importOnnx(singleNode(node))
  const inputs = node.inputs.flatMap((t, i) => (t === undefined ? [] : [[`x${i}`, t] as const]))
  return runFloat(graph, new Map(inputs)).get('y')!
}
