/**
 * The examples of operators as models.
 * @module
 */
import type { Graph, Node } from '../../src/graph/graph.ts'
import { type AttributeKind, observeAttributes } from '../../src/ops/attributes.ts'
import type { Example } from '../../src/ops/doc.ts'
import type { InferContext, Op } from '../../src/ops/op.ts'
import { formatShape, type Shape, sizeOf, type Tensor, type TensorType } from '../../src/tensor.ts'

/** An input of an example: computed or constant, or left out. */
type Operand = { readonly computed: boolean; readonly tensor: Tensor }

const isTensor = (x: Shape | Tensor): x is Tensor => 'dtype' in x

/** Values of a computed input: different numbers of moderate size, the same at every run. */
function valuesOf(shape: Shape, positive: boolean, seed: number): Tensor {
  const data = Float64Array.from({ length: sizeOf(shape) }, (_, i) => {
    const unit = (((i + 1) * 0.618034 + seed * 0.414214) % 1) * 2 - 1
    return Math.fround(positive ? 1 + unit / 2 : unit)
  })
  return { dtype: 'float32', shape, data }
}

function operandsOf({ inputs, constants = [], positive, order }: Example): (Operand | undefined)[] {
  const all = [
    ...inputs.map((x, i) => ({ computed: true, tensor: isTensor(x) ? x : valuesOf(x, positive === true, i) })),
    ...constants.map((tensor) => tensor && { computed: false, tensor }),
  ]
  return order === undefined ? all : order.map((i) => all[i])
}

/** Shapes of the computed inputs: "[2, 3] and [3]". */
export const shapesOf = ({ inputs }: Example): string =>
  inputs.map((x) => formatShape(isTensor(x) ? x.shape : x)).join(' and ') || 'no inputs'

const nodeOf = (op: Op, example: Example, opset: number, operands: readonly (Operand | undefined)[]): Node => ({
  name: 'node',
  op: op.type,
  domain: op.domain,
  opset,
  inputs: operands.map((x, i) => (x === undefined ? '' : `x${i}`)),
  outputs: Array.from({ length: example.outputs ?? 1 }, (_, i) => `y${i}`),
  attributes: { ...example.attributes },
})

function contextOf(node: Node, operands: readonly (Operand | undefined)[]): InferContext {
  const types = operands.map((x): TensorType | undefined => x && { dtype: x.tensor.dtype, shape: x.tensor.shape })
  return { node, types, constants: operands.map((x) => (x?.computed === false ? x.tensor : undefined)) }
}

/** The example as a graph of one node, and its inputs. */
export function graphOf(op: Op): { readonly graph: Graph; readonly sample: ReadonlyMap<string, Tensor> } {
  const { example } = op.doc!
  const operands = operandsOf(example)
  const node = nodeOf(op, example, op.opsets[1], operands)
  const found = op.infer(contextOf(node, operands))
  const types = new Map(
    operands.flatMap((x, i) => (x ? [[`x${i}`, { dtype: x.tensor.dtype, shape: x.tensor.shape }]] : [])),
  )
  for (const [i, name] of node.outputs.entries()) types.set(name, found[i]!)
  const computed = operands.flatMap((x, i) => (x?.computed ? [[`x${i}`, x.tensor] as const] : []))
  const constants = new Map(operands.flatMap((x, i) => (x?.computed === false ? [[`x${i}`, x.tensor] as const] : [])))
  return {
    graph: {
      ...{ name: op.type, opset: op.domain === '' ? op.opsets[1] : 21, nodes: [node], types, constants },
      inputs: computed.map(([name, { dtype, shape }]) => ({ name, dtype, shape })),
      outputs: node.outputs,
    },
    sample: new Map(computed),
  }
}

/** An attribute: the first and last opset whose definition has it, and from which opsets on it has which default. */
export type Asked = {
  readonly kind: AttributeKind<unknown>
  readonly opsets: Op['opsets']
  readonly defaults: readonly (readonly [opset: number, value: unknown])[]
}

/** What an attribute is where a node leaves it out: 'required' where it may not. */
function defaultOf(kind: AttributeKind<unknown>): unknown {
  try {
    return kind.otherwise(() => {
      throw new RangeError('it is required')
    })
  } catch {
    return 'required'
  }
}

/** The attributes that an operator asks its node for, over its opsets: its example is tried in each, with fewer inputs too. */
export function attributesAsked(op: Op): Map<string, Asked> {
  const asked = new Map<string, Asked>()
  const { example } = op.doc!
  const operands = operandsOf(example)
  for (let opset = op.opsets[0]; opset <= op.opsets[1]; opset++)
    for (let count = operands.length; count >= Math.min(1, operands.length); count--) {
      const node = nodeOf(op, example, opset, operands.slice(0, count))
      observeAttributes(node.attributes, (spec) => {
        for (const [name, kind] of Object.entries(spec)) {
          const { opsets: [from] = [opset], defaults = [] } = asked.get(name) ?? {}
          const value = defaultOf(kind)
          const same = defaults.length > 0 && defaults.at(-1)![1] === value
          asked.set(name, { kind, opsets: [from, opset], defaults: same ? defaults : [...defaults, [opset, value]] })
        }
      })
      const context = contextOf(node, operands.slice(0, count))
      try {
        op.infer(context)
        op.compute(
          context,
          operands.slice(0, count).map((x) => x?.tensor),
        )
      } catch {
        // an older definition that does not fit the example has told its attributes
      }
    }
  return new Map([...asked].sort(([a], [b]) => (a < b ? -1 : 1)))
}
