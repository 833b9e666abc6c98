import { findOp } from '../ops/index.ts'
import { UnsupportedError } from '../ops/unsupported.ts'
import { formatShape, isSaneShape, type Shape, sizeOf, type Tensor, type TensorType } from '../tensor.ts'
import type { Graph, Node } from './graph.ts'
import { contextOf, createFolder, inferNode } from './infer.ts'
import { decodeModel, duplicate, OnnxError, type OnnxInput, type OnnxModel, type OnnxNode } from './onnx.ts'
import { withoutStrings } from './strings.ts'

/** Versions of ai.onnx whose definitions of the operators have been read: which of them an operator takes, it says itself. */
export const opsetRange = [1, 25] as const

export type ImportOptions = {
  /** Shapes of inputs whose file leaves sizes open, by name. */
  readonly shapes?: Readonly<Record<string, Shape>>
  /** Inputs that are fixed to a value and so become constants, by name. */
  readonly constants?: Readonly<Record<string, Tensor>>
  /** Most elements of the inputs and of what nodes make of them, in all; default 2²⁶. */
  readonly maxElements?: number
}

/** Each element takes about a hundred bytes on the way to a circuit. */
const MAX_ELEMENTS = 2 ** 26

/**
 * Reads an ONNX model: nodes in topological order, all types inferred, everything that depends on constants only computed.
 *
 * An open first dimension of an input (the batch) becomes 1. Whatever the bytes hold, the result is a graph or an error:
 * - OnnxError `model/not-onnx`, `model/tensor`, `model/cycle`, … where the file is malformed;
 * - UnsupportedError `model/unsupported` naming node, operator and attribute;
 * - InvalidNodeError `model/invalid-node` where a node contradicts its operator's definition;
 * - ImportError `input/shape` or `model/open-shape` where a shape is needed or given wrongly, `limit/elements` where the values
 *   are too large.
 */
export function importOnnx(bytes: Uint8Array, options: ImportOptions = {}): Graph {
  const { model, notices } = withoutStrings(decodeModel(bytes))
  const opset = opsetOf(model)
  const constants = new Map(model.initializers)
  const inputs = inputsOf(model, options, constants)
  const types = new Map<string, TensorType>()
  let elements = 0
  const { maxElements = MAX_ELEMENTS } = options
  const count = (made: readonly TensorType[]): void => {
    elements += made.reduce((n, { shape }) => n + sizeOf(shape), 0)
    if (elements > maxElements)
      throw new ImportError('limit/elements', `the model computes more than ${maxElements} numbers`, {
        details: { elements, maxElements },
        fix: 'give smaller shapes for its inputs, or allow more',
      })
  }
  count(inputs)
  for (const { name, dtype, shape } of inputs) types.set(name, { dtype, shape })
  for (const [name, { dtype, shape }] of constants) types.set(name, { dtype, shape })

  const consumed = new Set([...model.outputs, ...model.nodes.flatMap((node) => node.inputs)])
  // quantised models need the integers of their weights; `simplify` computes what others have
  const fold = createFolder(['DequantizeLinear'])
  const nodes: Node[] = []
  for (const node of sorted(named(model), new Set(types.keys()))) {
    const op = findOp(node.domain, node.op, node.opset, node.name)
    const context = contextOf(node, { types, constants })
    const found = inferNode(op, context)
    const extra = node.outputs.slice(found.length).find((name) => name !== '' && consumed.has(name))
    if (extra !== undefined)
      throw new UnsupportedError({
        node: node.name,
        op: node.op,
        attribute: `use of output ${node.outputs.indexOf(extra)}`,
        got: extra,
        supported: `only the first ${found.length === 1 ? 'output' : `${found.length} outputs`}`,
      })
    const outputs = node.outputs.slice(0, found.length)
    outputs.forEach((name, i) => {
      if (name !== '') types.set(name, found[i]!)
    })
    const folded = fold(op, context, found)
    if (folded === undefined) {
      count(found)
      nodes.push({ ...node, outputs })
    } else
      outputs.forEach((name, i) => {
        if (name !== '') constants.set(name, folded[i]!)
      })
  }

  const outputs = model.outputs
  if (outputs.length === 0) throw new OnnxError('model/no-outputs', 'the model has no outputs')
  for (const name of outputs) if (!types.has(name)) throw missing(name, 'an output of the model')
  const repeated = firstRepeated(outputs)
  if (repeated !== undefined) throw duplicate(repeated)
  const graph = { name: model.graph, opset, inputs, outputs, nodes, constants, types }
  return notices.length === 0 ? graph : { ...graph, notices }
}

/** An input's shape can't be settled, or values are too large. */
export class ImportError extends OnnxError {}

function opsetOf({ opsets, functions, nodes }: OnnxModel): number {
  const opset = opsets.get('')
  const [first, last] = opsetRange
  if (opset === undefined && nodes.some((node) => node.domain === ''))
    throw new OnnxError('model/opset', 'the model does not say which version of ai.onnx it uses')
  if (opset !== undefined && (opset < first || opset > last))
    throw new OnnxError('model/opset', `the model uses opset ${opset} of ai.onnx; ${first} to ${last} are supported`, {
      details: { opset },
      fix: `convert it (onnx.version_converter.convert_version(model, 13))`,
    })
  const own = nodes.find((node) => functions.has(`${node.domain}:${node.op}`))
  if (own !== undefined)
    throw new UnsupportedError({
      node: own.name,
      op: own.op,
      attribute: 'definition',
      got: 'a function of the model',
      supported: 'operators of ai.onnx; inline the functions (onnx.inliner)',
    })
  return opset ?? 0
}

/** Inputs that are not constant, with settled shapes; adds those that the options fix to `constants`. */
function inputsOf(model: OnnxModel, options: ImportOptions, constants: Map<string, Tensor>): Graph['inputs'] {
  const names = model.inputs.map((input) => input.name)
  const repeated = firstRepeated(names)
  if (repeated !== undefined) throw duplicate(repeated)
  const declared = new Set(names)
  for (const name of [...Object.keys(options.shapes ?? {}), ...Object.keys(options.constants ?? {})])
    if (!declared.has(name))
      throw new ImportError('input/unknown', `the model has no input "${name}"`, {
        details: { input: name },
        fix: `its inputs are ${[...declared].map((x) => `"${x}"`).join(', ')}`,
      })
  const inputs: Graph['inputs'][number][] = []
  for (const input of model.inputs) {
    // before IR version 4 initializers are listed as inputs too
    if (constants.has(input.name)) continue
    const fixed = own(options.constants, input.name)
    const shape = settle(input, fixed?.shape ?? own(options.shapes, input.name))
    if (fixed === undefined) inputs.push({ name: input.name, dtype: input.dtype, shape })
    else if (fixed.dtype === input.dtype) constants.set(input.name, fixed)
    else throw new ImportError('input/dtype', `input "${input.name}" is ${input.dtype}, its value is ${fixed.dtype}`)
  }
  return inputs
}

function firstRepeated(names: readonly string[]): string | undefined {
  const seen = new Set<string>()
  return names.find((name) => seen.size === seen.add(name).size)
}

const own = <T>(record: Readonly<Record<string, T>> | undefined, key: string): T | undefined =>
  record !== undefined && Object.hasOwn(record, key) ? record[key] : undefined

/** The shape of an input: as declared, with open sizes from a given shape or, for the batch, 1. */
function settle({ name, dims }: OnnxInput, given: Shape | undefined): Shape {
  const declared = dims === undefined ? 'of any shape' : `[${dims.map((d) => d ?? '?').join(', ')}]`
  if (given !== undefined) {
    const fits =
      dims === undefined ||
      (dims.length === given.length && dims.every((d, i) => typeof d !== 'number' || d === given[i]))
    if (!fits || !isSaneShape(given))
      throw new ImportError(
        'input/shape',
        `input "${name}" is ${declared}; the shape ${formatShape(given)} does not fit`,
      )
    return given
  }
  const shape = dims?.map((d, i) => (typeof d === 'number' ? d : i === 0 ? 1 : undefined))
  if (shape === undefined || shape.includes(undefined))
    throw new ImportError('model/open-shape', `input "${name}" is ${declared}: its shape is not known`, {
      details: { input: name, dims: dims ?? null },
      fix: `give the shape of "${name}" (--shape ${name}=${dims?.map((d, i) => d ?? (i === 0 ? 1 : 'N')).join(',') || '1,N'})`,
    })
  if (!isSaneShape(shape as number[]))
    throw new ImportError('model/open-shape', `input "${name}" is ${declared}, which is too large`)
  return shape as number[]
}

/** Nodes with unique names and the opset of their domain. */
function named({ nodes, opsets }: OnnxModel): Node[] {
  const given = new Set(nodes.map((node) => node.name))
  const taken = new Set<string>()
  /** Last number tried for a name: many nodes may share one. */
  const numbers = new Map<string, number>()
  return nodes.map((node: OnnxNode, i) => {
    let name = node.name
    if (name === '' || taken.has(name)) {
      const base = name === '' ? `${node.op}_${i}` : name
      let n = numbers.get(base) ?? 1
      for (name = base; taken.has(name) || given.has(name); name = `${base}_${n}`) n++
      numbers.set(base, n)
    }
    taken.add(name)
    // a domain that is not imported has no operators either: findOp refuses them
    return { ...node, name, opset: opsets.get(node.domain) ?? 0 }
  })
}

/** Nodes so that every value stands before its uses; in the file's order where that is so already. */
function sorted(nodes: readonly Node[], known: ReadonlySet<string>): Node[] {
  const producer = new Map<string, number>()
  nodes.forEach((node, i) => {
    for (const output of node.outputs) {
      if (output === '') continue
      if (producer.has(output) || known.has(output)) throw duplicate(output)
      producer.set(output, i)
    }
  })
  const order: Node[] = []
  const state = new Uint8Array(nodes.length) // 0 new, 1 begun, 2 done
  const stack: { readonly at: number; next: number }[] = []
  for (let start = 0; start < nodes.length; start++) {
    if (state[start] !== 0) continue
    stack.push({ at: start, next: 0 })
    state[start] = 1
    while (stack.length > 0) {
      const top = stack.at(-1)!
      const node = nodes[top.at]!
      const input = node.inputs[top.next++]
      if (input === undefined) {
        state[top.at] = 2
        order.push(node)
        stack.pop()
        continue
      }
      if (input === '' || known.has(input)) continue
      const from = producer.get(input)
      if (from === undefined) throw missing(input, `an input of ${node.op} "${node.name}"`)
      if (state[from] === 1)
        throw new OnnxError('model/cycle', `the graph has a cycle through ${node.op} "${node.name}"`, {
          details: { node: node.name, value: input },
        })
      if (state[from] === 0) {
        state[from] = 1
        stack.push({ at: from, next: 0 })
      }
    }
  }
  return order
}

const missing = (name: string, role: string): OnnxError =>
  new OnnxError('model/missing-value', `"${name}", ${role}, is not defined`, { details: { value: name } })
