import type { Graph } from '../graph/graph.ts'
import { contextOf } from '../graph/infer.ts'
import { findOp } from '../ops/index.ts'
import { isFloat } from '../tensor.ts'

/**
 * Inputs of floats of which only the order matters, and what is made of them by moving elements: every reader compares them
 * with constants, as decision trees do. Their integers are numbers of floats (model/floatOrder.ts), so that comparisons are
 * those of the float model for every input.
 */
export function orderedTensors(graph: Graph): Set<string> {
  const parent = new Map<string, string>()
  const root = (name: string): string => {
    let at = name
    while (parent.has(at)) at = parent.get(at)!
    return at
  }
  const join = (a: string, b: string): void => {
    const [x, y] = [root(a), root(b)]
    if (x !== y) parent.set(x, y)
  }
  const other = new Set(graph.outputs)
  const made = new Set<string>()
  for (const node of graph.nodes) {
    const op = findOp(node.domain, node.op, node.opset)
    const data = node.inputs.filter((name) => name !== '' && !graph.constants.has(name))
    const context = contextOf(node, graph)
    const float = (name: string): boolean => isFloat(graph.types.get(name)?.dtype ?? 'int64')
    const moved =
      op.scaling?.tied === true &&
      [...data, ...node.outputs].every(float) &&
      ((op.type === 'Cast' && op.domain === '') ||
        (op.type !== 'Concat' || data.length === node.inputs.length
          ? (op.moves?.(context).map.every((at) => at >= 0) ?? false)
          : false))
    if (moved) for (const name of [...data, ...node.outputs]) join(name, node.outputs[0]!)
    else if (op.scaling?.ordersInput !== true) for (const name of data) other.add(name)
    for (const name of node.outputs) if (!moved) made.add(name)
  }
  const excluded = new Set([...other, ...made].map(root))
  const names = [...graph.inputs.map(({ name }) => name), ...graph.nodes.flatMap((node) => node.outputs)]
  const read = new Set(
    graph.nodes
      .filter((node) => findOp(node.domain, node.op, node.opset).scaling?.ordersInput === true)
      .flatMap((node) => node.inputs.map(root)),
  )
  return new Set(
    names.filter(
      (name) => read.has(root(name)) && !excluded.has(root(name)) && isFloat(graph.types.get(name)?.dtype ?? 'int64'),
    ),
  )
}
