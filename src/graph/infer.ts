import type { InferContext, Op } from '../ops/op.ts'
import { InvalidNodeError, UnsupportedError } from '../ops/unsupported.ts'
import { isSaneShape, maxElements, sizeOf, type Tensor, type TensorType } from '../tensor.ts'
import type { Graph, Node } from './graph.ts'

/** What an operator sees of a node of the graph. */
export const contextOf = (
  node: Node,
  { types, constants }: Pick<Graph, 'types' | 'constants'>,
): InferContext & { readonly node: Node } => ({
  node,
  types: node.inputs.map((name) => types.get(name)),
  constants: node.inputs.map((name) => constants.get(name)),
})

/**
 * Types of the outputs that the operator computes; checks the number of inputs and the size of the results.
 *
 * Throws InvalidNodeError or UnsupportedError.
 */
export function inferNode(op: Op, context: InferContext): TensorType[] {
  const { node } = context
  const [least, most] = op.arity
  if (node.inputs.length > most || node.inputs.length < least || node.inputs.slice(0, least).includes(''))
    throw new InvalidNodeError(
      node,
      `it has inputs (${node.inputs.join(', ')}), but takes ${least === most ? least : `${least} to ${most}`}`,
    )
  const types = op.infer(context)
  for (const { shape } of types)
    if (!isSaneShape(shape))
      throw new UnsupportedError({
        node: node.name,
        op: node.op,
        attribute: 'output shape',
        got: shape,
        supported: `at most ${maxElements} elements`,
      })
  return types
}

/** Most elements of a folded result, of all results, and most multiplications of one: a file may not ask for more. */
const foldLimits = { elements: 2 ** 24, total: 2 ** 25, work: 2 ** 28 } as const

/** Operators whose work is up to (elements of the output) × (elements of an input). */
const contracting = new Set([
  'Attention',
  'AveragePool',
  'Conv',
  'ConvTranspose',
  'CumSum',
  'Einsum',
  'FusedMatMul',
  'GRU',
  'Gemm',
  'LinearSum',
  'LpPool',
  'LRN',
  'LSTM',
  'MatMul',
  'MaxPool',
  'RNN',
])

/**
 * Computes nodes whose inputs are all constant, or whose results have no elements, until so many elements are made that the rest is better left alone. `keep`
 * names operators to leave alone.
 */
export function createFolder(
  keep: readonly string[] = [],
): (op: Op, context: InferContext, outputs: readonly TensorType[]) => Tensor[] | undefined {
  let total = 0
  return (op, context, outputs) => {
    const known = context.types.every(
      (type, i) => type === undefined || context.constants[i] !== undefined || op.typeOnly?.includes(i),
    )
    const empty = outputs.length > 0 && outputs.every(({ shape }) => sizeOf(shape) === 0)
    if (empty) return outputs.map(({ dtype, shape }) => ({ dtype, shape, data: new Float64Array() }))
    if (!known || keep.includes(op.type)) return undefined
    const made = outputs.reduce((n, { shape }) => n + sizeOf(shape), 0)
    const read = Math.max(...context.types.map((type) => (type === undefined ? 0 : sizeOf(type.shape))), 1)
    if (made > foldLimits.elements || total + made > foldLimits.total) return undefined
    if (contracting.has(op.type) && made * read > foldLimits.work) return undefined
    total += made
    return op.compute(context, context.constants)
  }
}
