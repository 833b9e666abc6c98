/**
 * Sample inputs from files: ONNX TensorProto (.pb), NumPy (.npy), JSON.
 * @module
 */
import type { Graph } from '../graph/graph.ts'
import { decodeTensorProto } from '../graph/onnx.ts'
import { isFloat, type Shape, sizeOf, type Tensor } from '../tensor.ts'
import { SampleError } from './error.ts'
import { decodeNpy } from './npy.ts'

/** What a graph takes. */
export type Inputs = Pick<Graph, 'inputs'>

/** One tensor per input of the graph, by name. */
export type Sample = ReadonlyMap<string, Tensor>

/** A file's content and where it came from. */
export type SampleFile = { readonly path: string; readonly bytes: Uint8Array }

/**
 * The samples of one file for a graph.
 *
 * - .pb and .npy hold one tensor for the graph's only input: of the input's shape, or a stack of such along a first axis.
 * - .json holds nested arrays likewise, or an object { inputName: nested arrays, … } for any number of inputs; each may also
 *   be { "shape": […], "data": […] }.
 *
 * Throws SampleError `input/format`, `input/npy`, `input/json`, `input/wrong-shape`, and `input/not-an-integer` for a fraction
 * where the graph takes integers.
 */
export function decodeSamples(graph: Inputs, { path, bytes }: SampleFile): Sample[] {
  const kind = /\.([a-z0-9]+)$/i.exec(path)?.[1]?.toLowerCase()
  if (kind === 'json') return fromJson(graph, path, bytes)
  const decode =
    kind === 'pb'
      ? (b: Uint8Array) => decodeTensorProto(b)
      : kind === 'npy'
        ? (b: Uint8Array) => decodeNpy(b, path)
        : undefined
  if (decode === undefined)
    throw new SampleError('input/format', `${path}: files of sample inputs are .pb (ONNX TensorProto), .npy or .json`)
  return stack(graph, path, new Map([[onlyInput(graph, path), decode(bytes)]]))
}

/** Samples of files that each hold one input of one sample, in the order of the graph's inputs. */
export function joinInputs(graph: Inputs, tensors: readonly Tensor[], where: string): Sample {
  if (tensors.length !== graph.inputs.length)
    throw new SampleError(
      'input/count',
      `${where}: the model takes ${graph.inputs.length} inputs, ${tensors.length} were given`,
    )
  const named = new Map(graph.inputs.map(({ name }, i) => [name, tensors[i]!]))
  return stack(graph, where, named)[0]!
}

function onlyInput(graph: Inputs, path: string): string {
  if (graph.inputs.length !== 1)
    throw new SampleError(
      'input/count',
      `${path}: the model has ${graph.inputs.length} inputs (${graph.inputs.map((x) => x.name).join(', ')}), this file holds one tensor`,
      { fix: 'give a .json file: { "inputName": [...], ... }' },
    )
  return graph.inputs[0]!.name
}

/** Cuts stacked tensors into samples. */
function stack(graph: Inputs, path: string, tensors: ReadonlyMap<string, Tensor>): Sample[] {
  let count: number | undefined
  const parts = graph.inputs.map(({ name, shape, dtype }) => {
    const tensor = tensors.get(name)
    if (tensor === undefined) throw new SampleError('input/count', `${path}: input "${name}" is missing`)
    const n = stackSize(tensor.shape, shape)
    if (n === undefined || (count !== undefined && n !== count))
      throw new SampleError(
        'input/wrong-shape',
        `${path}: input "${name}" has shape [${tensor.shape.join(', ')}], the model takes [${shape.join(', ')}] or a stack of such`,
        { details: { input: name, got: tensor.shape, expected: shape } },
      )
    const fraction = isFloat(dtype) ? -1 : tensor.data.findIndex((x) => Number.isFinite(x) && !Number.isInteger(x))
    if (fraction >= 0)
      throw new SampleError(
        'input/not-an-integer',
        `${path}: input "${name}" is of type ${dtype}, and element ${fraction} is ${tensor.data[fraction]}`,
        { details: { input: name, element: fraction, value: tensor.data[fraction] }, fix: 'round it first' },
      )
    count = n
    const size = sizeOf(shape)
    return Array.from(
      { length: n },
      (_, i): Tensor => ({ dtype, shape, data: tensor.data.slice(i * size, (i + 1) * size) }),
    )
  })
  return Array.from({ length: count ?? 0 }, (_, i) => new Map(graph.inputs.map(({ name }, k) => [name, parts[k]![i]!])))
}

/** How many tensors of shape `inner` a tensor holds along a first axis; undefined if it is none. */
function stackSize(outer: Shape, inner: Shape): number | undefined {
  const same = (a: Shape, b: Shape): boolean => a.length === b.length && a.every((d, i) => d === b[i])
  if (same(outer, inner)) return 1
  if (outer.length === inner.length + 1 && same(outer.slice(1), inner)) return outer[0]
  if (inner[0] === 1 && same(outer.slice(1), inner.slice(1)) && outer.length === inner.length) return outer[0]
  if (inner[0] === 1 && same(outer, inner.slice(1))) return 1
  return undefined
}

function fromJson(graph: Inputs, path: string, bytes: Uint8Array): Sample[] {
  let value: unknown
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch (cause) {
    throw new SampleError('input/json', `${path}: not JSON: ${(cause as Error).message}`, { cause })
  }
  const isTensor = (v: object): boolean => 'shape' in v && 'data' in v
  if (typeof value === 'object' && value !== null && !Array.isArray(value) && !isTensor(value)) {
    const known = new Set(graph.inputs.map((x) => x.name))
    const unknown = Object.keys(value).find((name) => !known.has(name))
    if (unknown !== undefined)
      throw new SampleError(
        'input/json',
        `${path}: the model has no input "${unknown}" (it has ${[...known].join(', ')})`,
      )
    return stack(
      graph,
      path,
      new Map(Object.entries(value).map(([name, v]) => [name, toTensor(v, `${path}: ${name}`)])),
    )
  }
  return stack(graph, path, new Map([[onlyInput(graph, path), toTensor(value, path)]]))
}

function toTensor(value: unknown, where: string): Tensor {
  const fail = (why: string): SampleError => new SampleError('input/json', `${where}: ${why}`)
  const numbers: number[] = []
  const collect = (v: unknown, depth: number, shape: number[]): void => {
    if (typeof v === 'number') {
      if (depth !== shape.length) throw fail('nested arrays are ragged')
      numbers.push(v)
      return
    }
    if (!Array.isArray(v) || depth > 16) throw fail(`expected numbers, found ${v === null ? 'null' : typeof v}`)
    if (depth === shape.length && numbers.length === 0) shape.push(v.length)
    if (v.length !== shape[depth]) throw fail('nested arrays are ragged')
    for (const item of v) collect(item, depth + 1, shape)
  }
  if (typeof value === 'object' && value !== null && 'shape' in value && 'data' in value) {
    const { shape, data } = value as { shape: unknown; data: unknown }
    if (!Array.isArray(shape) || !shape.every((d) => Number.isInteger(d) && d > 0))
      throw fail('"shape" is no list of sizes')
    if (!Array.isArray(data) || !data.every((v) => typeof v === 'number') || data.length !== sizeOf(shape))
      throw fail('"data" is no list of numbers that fits "shape"')
    return { dtype: 'float32', shape, data: Float64Array.from(data) }
  }
  const shape: number[] = []
  collect(value, 0, shape)
  return { dtype: 'float32', shape, data: Float64Array.from(numbers) }
}
