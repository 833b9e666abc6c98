import { VeritensorError } from '../errors.ts'
import { sizeOf } from '../tensor.ts'
import type { Graph } from './graph.ts'

/** A model is larger than it may be. */
export class SizeError extends VeritensorError {}

/** Elements of the inputs and of all values that depend on them. */
export const elementsOf = ({ inputs, nodes, types, constants }: Graph): number =>
  [...inputs.map(({ name }) => name), ...nodes.flatMap(({ outputs }) => outputs)]
    .filter((name) => !constants.has(name))
    .reduce((n, name) => n + sizeOf(types.get(name)?.shape ?? [0]), 0)

/** Throws SizeError `limit/elements` where a graph computes with more elements than `most`. */
export function checkElements(graph: Graph, most: number): void {
  const elements = elementsOf(graph)
  if (elements <= most) return
  throw new SizeError('limit/elements', `the model computes ${elements} numbers; at most ${most} are allowed`, {
    details: { elements, most },
    fix: 'give smaller shapes for its inputs, or allow more',
  })
}
