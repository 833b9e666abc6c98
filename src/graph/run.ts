import { VeritensorError } from '../errors.ts'
import { findOp } from '../ops/index.ts'
import { formatShape, isFloat, sameShape, sizeOf, type Tensor } from '../tensor.ts'
import type { Graph } from './graph.ts'
import { contextOf } from './infer.ts'

/** The tensors given do not fit the graph's inputs. */
export class RunInputError extends VeritensorError {}

/**
 * Runs a graph in floating point: the reference that quantisation is compared with. Sums are made in doubles, so results
 * differ from a float32 runtime's by its roundings; integers are exact.
 *
 * @param inputs one tensor per input of the graph; any float type does for a float input
 * @param observe called with every value that a node makes, in order
 * @returns the graph's outputs, by name
 *
 * Throws RunInputError `input/missing`, `input/unknown`, `input/wrong-shape` or `input/wrong-type`.
 */
export function runFloat(
  graph: Graph,
  inputs: ReadonlyMap<string, Tensor>,
  observe?: (name: string, tensor: Tensor) => void,
): Map<string, Tensor> {
  checkInputs(graph, inputs)
  const values = new Map([...graph.constants, ...inputs])
  for (const node of graph.nodes) {
    const op = findOp(node.domain, node.op, node.opset, node.name)
    const results = op.compute(
      contextOf(node, graph),
      node.inputs.map((name) => (name === '' ? undefined : values.get(name))),
    )
    node.outputs.forEach((name, i) => {
      if (name === '') return
      values.set(name, results[i]!)
      observe?.(name, results[i]!)
    })
  }
  return new Map(graph.outputs.map((name) => [name, values.get(name)!]))
}

function checkInputs(graph: Graph, inputs: ReadonlyMap<string, Tensor>): void {
  const known = graph.inputs.map(({ name }) => `"${name}"`).join(', ')
  for (const name of inputs.keys())
    if (!graph.inputs.some((input) => input.name === name))
      throw new RunInputError('input/unknown', `the model has no input "${name}"`, { fix: `its inputs are ${known}` })
  for (const { name, dtype, shape } of graph.inputs) {
    const given = inputs.get(name)
    if (given === undefined)
      throw new RunInputError('input/missing', `input "${name}" is missing`, { fix: `the inputs are ${known}` })
    if (!sameShape(given.shape, shape) || given.data.length !== sizeOf(shape))
      throw new RunInputError(
        'input/wrong-shape',
        `input "${name}" has shape ${formatShape(given.shape)}, the model takes ${formatShape(shape)}`,
        { details: { input: name, got: given.shape, expected: shape } },
      )
    if (given.dtype !== dtype && !(isFloat(given.dtype) && isFloat(dtype)))
      throw new RunInputError('input/wrong-type', `input "${name}" is ${given.dtype}, the model takes ${dtype}`, {
        details: { input: name, got: given.dtype, expected: dtype },
      })
  }
}
