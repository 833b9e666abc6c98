/**
 * Passes that put nodes in the place of others.
 * @module
 */
import type { Tensor, TensorType } from '../tensor.ts'
import type { Graph, Node } from './graph.ts'

/** A graph while nodes are replaced. */
export type Draft = {
  readonly types: Map<string, TensorType>
  readonly constants: Map<string, Tensor>
  /** The node that makes a value which only one node uses and which is no output of the graph. */
  soleProducer(name: string): Node | undefined
  remove(node: Node): void
  /** Adds a value under a free name like `hint`, and returns the name. */
  addConstant(hint: string, tensor: Tensor): string
  addValue(hint: string, type: TensorType): string
  /** A free name for a node. */
  nodeName(base: string, suffix: string): string
}

/** Goes through the nodes in order and puts others in the place of those for which `replace` gives some. */
export function rewrite(graph: Graph, replace: (node: Node, draft: Draft) => Node[] | undefined): Graph {
  const types = new Map(graph.types)
  const constants = new Map(graph.constants)
  const names = new Set(graph.nodes.map((node) => node.name))
  const uses = new Map<string, number>()
  for (const name of [...graph.outputs, ...graph.nodes.flatMap((node) => node.inputs)])
    uses.set(name, (uses.get(name) ?? 0) + 1)
  const outputs = new Set(graph.outputs)
  const producers = new Map<string, Node>()
  const nodes = new Set<Node>()
  const free = (hint: string, taken: { has(name: string): boolean }): string => {
    let name = hint
    for (let n = 2; taken.has(name); n++) name = `${hint}_${n}`
    return name
  }
  const addValue = (hint: string, type: TensorType): string => {
    const name = free(hint, types)
    types.set(name, type)
    return name
  }
  const draft: Draft = {
    types,
    constants,
    soleProducer: (name) => (uses.get(name) === 1 && !outputs.has(name) ? producers.get(name) : undefined),
    remove: (node) => nodes.delete(node),
    addConstant: (hint, tensor) => {
      const name = addValue(hint, { dtype: tensor.dtype, shape: tensor.shape })
      constants.set(name, tensor)
      return name
    },
    addValue,
    nodeName: (base, suffix) => {
      const name = free(`${base}.${suffix}`, names)
      names.add(name)
      return name
    },
  }
  for (const node of graph.nodes)
    for (const next of replace(node, draft) ?? [node]) {
      nodes.add(next)
      for (const output of next.outputs) {
        producers.set(output, next)
        if (!uses.has(output)) uses.set(output, 1)
      }
    }
  return { ...graph, nodes: [...nodes], types, constants }
}
