/**
 * What writes a node as several: nodes, constants and names for them.
 * @module
 */
import { findOp } from '../ops/index.ts'
import type { Tensor, TensorType } from '../tensor.ts'
import type { Attribute, Node } from './graph.ts'
import { contextOf, inferNode } from './infer.ts'
import type { Draft } from './rewrite.ts'

/** Domains of operators that are not ONNX's own. */
const domains: Readonly<Record<string, string>> = {
  FusedMatMul: 'com.microsoft',
  LinearSum: 'veritensor',
  MaskedSoftmax: 'veritensor',
  ProductSum: 'veritensor',
}

/** Opset of the nodes that are made; each node has its own. */
const opsets: Readonly<Record<string, number>> = { '': 21, 'com.microsoft': 1, veritensor: 1 }

type Attributes = Readonly<Record<string, Attribute>>

/** Makes nodes in place of one; computes at once those whose inputs are all constant. */
export type Maker = {
  readonly nodes: Node[]
  /** Name of the value that a new node makes. */
  make(role: string, op: string, inputs: readonly string[], attributes?: Attributes): string
  /** The same with a given name of the value, as a node in any case. */
  output(name: string, op: string, inputs: readonly string[], attributes?: Attributes): void
  constant(role: string, tensor: Tensor): string
  ints(role: string, values: readonly number[]): string
  /** Type of a value that is there or was made. */
  typeOf(name: string): TensorType
  valueOf(name: string): Tensor | undefined
}

export function makerFor(draft: Draft, owner: Node): Maker {
  const nodes: Node[] = []
  const known = new Map<string, string>()
  const nodeOf = (
    role: string,
    op: string,
    inputs: readonly string[],
    outputs: readonly string[],
    attributes: Attributes,
  ): Node => {
    const domain = domains[op] ?? ''
    const name = role === '' ? owner.name : draft.nodeName(owner.name, role)
    // what calibration saw at one step is as likely at another
    const place = /^(forward|reverse)\.\d+\.(.*)$/.exec(role)
    return {
      ...{ name, op, domain, opset: opsets[domain]!, inputs, outputs, attributes },
      ...(place === null ? {} : { role: `${owner.name}.${place[1]}.${place[2]}` }),
    }
  }
  const constant: Maker['constant'] = (role, tensor) => draft.addConstant(`${owner.name}.${role}`, tensor)
  return {
    nodes,
    constant,
    make(role, op, inputs, attributes = {}) {
      const node = nodeOf(role, op, inputs, [], attributes)
      const found = findOp(node.domain, op, node.opset, owner.name)
      const context = contextOf(node, draft)
      const [type] = inferNode(found, context)
      if (inputs.every((name) => name === '' || draft.constants.has(name)))
        return constant(role, found.compute(context, context.constants)[0]!)
      const name = draft.addValue(`${owner.name}.${role}`, type!)
      nodes.push({ ...node, outputs: [name] })
      return name
    },
    output: (name, op, inputs, attributes = {}) => {
      nodes.push(nodeOf(nodes.some((n) => n.name === owner.name) ? 'output' : '', op, inputs, [name], attributes))
    },
    ints(role, values) {
      const key = values.join()
      const name =
        known.get(key) ?? constant(role, { dtype: 'int64', shape: [values.length], data: Float64Array.from(values) })
      known.set(key, name)
      return name
    },
    valueOf: (name) => draft.constants.get(name),
    typeOf: (name) => draft.types.get(name)!,
  }
}
