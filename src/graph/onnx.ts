/**
 * The only place that knows the package `onnx-proto`: ONNX's protobuf messages as plain objects of ours, and back.
 * Bytes are not trusted: whatever they hold, the result is an object or an OnnxError. https://onnx.ai/onnx/repo-docs/IR.html
 * @module
 */
import type { onnx as Onnx } from 'onnx-proto'
import onnxProto from 'onnx-proto'
import { VeritensorError } from '../errors.ts'
import { UnsupportedError } from '../ops/unsupported.ts'
import {
  type DType,
  dtypeCodes,
  dtypeOf,
  exponentOf,
  formatShape,
  integerRange,
  isSaneShape,
  maxElements,
  roundToFloat,
  type Shape,
  sizeOf,
  type Tensor,
} from '../tensor.ts'
import type { Attribute } from './graph.ts'

const { onnx } = onnxProto // the package is CommonJS, its names hidden from ESM
const { AttributeType } = onnx.AttributeProto
const { DataType } = onnx.TensorProto

/** A node as in the file. */
export type OnnxNode = {
  /** May be empty or repeated. */
  readonly name: string
  readonly op: string
  /** '' for ai.onnx. */
  readonly domain: string
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
  readonly attributes: Readonly<Record<string, Attribute>>
}

/** An input as declared; a dimension is a size, the name of an unknown size, or undefined. */
export type OnnxInput = {
  readonly name: string
  readonly dtype: DType
  readonly dims: readonly (number | string | undefined)[] | undefined
}

export type OnnxModel = {
  /** Opset version per domain ('' for ai.onnx). */
  readonly opsets: ReadonlyMap<string, number>
  readonly graph: string
  readonly nodes: readonly OnnxNode[]
  readonly initializers: ReadonlyMap<string, Tensor>
  /** Initializers that are made of strings: their values are not kept. */
  readonly strings: ReadonlySet<string>
  readonly inputs: readonly OnnxInput[]
  readonly outputs: readonly string[]
  /** Operators that the model defines itself, as `domain:name`. */
  readonly functions: ReadonlySet<string>
}

/** The bytes are not an ONNX model or tensor, or hold something malformed or unsupported outside of operators. */
export class OnnxError extends VeritensorError {}

/** Decodes a model. Throws OnnxError, or UnsupportedError for attributes that hold graphs and the like. */
export function decodeModel(bytes: Uint8Array): OnnxModel {
  const model = parse('model', bytes, () => onnx.ModelProto.decode(bytes))
  const { graph } = model
  if (!graph) throw new OnnxError('model/not-onnx', 'the file holds no ONNX graph', { fix: 'give an ONNX model' })
  const opsets = new Map<string, number>()
  for (const { domain, version } of model.opsetImport ?? []) {
    const key = domainOf(domain)
    const number = toNumber(version)
    if ((opsets.get(key) ?? number) !== number)
      throw new OnnxError('model/opset', `the model imports two versions of the operator set "${key || 'ai.onnx'}"`)
    opsets.set(key, number)
  }
  if (graph.sparseInitializer?.length)
    throw new OnnxError('model/sparse-tensor', 'the model has sparse initializers', {
      fix: 'export the model with dense weights',
    })
  const initializers = new Map<string, Tensor>()
  const strings = new Set<string>()
  for (const proto of graph.initializer ?? []) {
    const name = proto.name ?? ''
    if (name === '') throw new OnnxError('model/unnamed-value', 'an initializer has no name')
    if (initializers.has(name) || strings.has(name)) throw duplicate(name)
    if (proto.dataType === DataType.STRING) strings.add(name)
    else initializers.set(name, tensorOf(proto, `initializer "${name}"`))
  }
  return {
    opsets,
    graph: graph.name ?? '',
    nodes: (graph.node ?? []).map(nodeOf),
    initializers,
    strings,
    inputs: (graph.input ?? []).map(inputOf),
    outputs: (graph.output ?? []).map(({ name }) => name ?? ''),
    functions: new Set((model.functions ?? []).map((f) => `${domainOf(f.domain)}:${f.name ?? ''}`)),
  }
}

/** Decodes a TensorProto, as in ONNX's test data. Throws OnnxError. */
export const decodeTensorProto = (bytes: Uint8Array): Tensor => {
  const proto = parse('tensor', bytes, () => onnx.TensorProto.decode(bytes))
  return tensorOf(proto, proto.name ? `tensor "${proto.name}"` : 'tensor')
}

/** Two values of a graph have the same name. */
export const duplicate = (name: string): OnnxError =>
  new OnnxError('model/duplicate-value', `the value "${name}" is defined twice`, { details: { value: name } })

const domainOf = (domain: string | null | undefined): string => (!domain || domain === 'ai.onnx' ? '' : domain)

/** protobufjs throws on truncated bytes, and overflows the stack on deep nesting; both are the bytes' fault. */
function parse<T>(what: 'model' | 'tensor', bytes: Uint8Array, decode: () => T): T {
  try {
    return decode()
  } catch (cause) {
    throw new OnnxError('model/not-onnx', `the ${bytes.length} bytes are not an ONNX ${what}`, {
      cause,
      fix: `give an ONNX ${what} file; a large one may have been cut short`,
    })
  }
}

/** protobufjs gives 64-bit integers as Long; beyond 2⁵³ the nearest double. */
const toNumber = (value: unknown): number =>
  typeof value === 'number' ? value : value == null ? 0 : Number(`${value}`)

function nodeOf(proto: Onnx.INodeProto, position: number): OnnxNode {
  const [name, op] = [proto.name ?? '', proto.opType ?? '']
  const where = { name: name || String(position), op }
  const attributes = new Map<string, Attribute>()
  for (const attribute of proto.attribute ?? []) {
    const key = attribute.name ?? ''
    if (attributes.has(key))
      throw new OnnxError('model/duplicate-attribute', `${op} "${where.name}": attribute "${key}" is given twice`)
    attributes.set(key, attributeOf(attribute, where))
  }
  return {
    name,
    op,
    domain: domainOf(proto.domain),
    inputs: proto.input ?? [],
    outputs: proto.output ?? [],
    attributes: Object.fromEntries(attributes),
  }
}

function attributeOf(proto: Onnx.IAttributeProto, node: { readonly name: string; readonly op: string }): Attribute {
  const refuse = (got: string): never => {
    throw new UnsupportedError({
      node: node.name,
      op: node.op,
      attribute: proto.name ?? '',
      got,
      supported: 'numbers, strings, tensors',
    })
  }
  if (proto.refAttrName) refuse('reference to a function attribute')
  switch (proto.type || guessType(proto)) {
    case AttributeType.FLOAT:
      return proto.f ?? 0
    case AttributeType.INT:
      return toNumber(proto.i)
    case AttributeType.STRING:
      return text(proto.s)
    case AttributeType.TENSOR:
      return tensorOf(proto.t ?? {}, `${node.op} "${node.name}": attribute "${proto.name}"`)
    case AttributeType.FLOATS:
      return [...(proto.floats ?? [])]
    case AttributeType.INTS:
      return (proto.ints ?? []).map(toNumber)
    case AttributeType.STRINGS:
      return (proto.strings ?? []).map(text)
    default:
      return refuse(AttributeType[proto.type ?? 0]?.toLowerCase() ?? `type ${proto.type}`)
  }
}

/** Files of the first IR version give attributes no type. */
function guessType(proto: Onnx.IAttributeProto): Onnx.AttributeProto.AttributeType {
  const { UNDEFINED, INTS, FLOATS, STRINGS, TENSOR, INT, FLOAT, STRING, GRAPH } = AttributeType
  if (proto.ints?.length) return INTS
  if (proto.floats?.length) return FLOATS
  if (proto.strings?.length) return STRINGS
  if (proto.g || proto.graphs?.length) return GRAPH
  if (proto.t) return TENSOR
  for (const [field, type] of [
    ['i', INT],
    ['f', FLOAT],
    ['s', STRING],
  ] as const)
    if (Object.hasOwn(proto, field)) return type
  return UNDEFINED
}

const text = (bytes: Uint8Array | null | undefined): string => new TextDecoder().decode(bytes ?? new Uint8Array())

function inputOf(proto: Onnx.IValueInfoProto): OnnxInput {
  const name = proto.name ?? ''
  if (name === '') throw new OnnxError('model/unnamed-value', 'an input of the model has no name')
  const type = proto.type?.tensorType
  if (!type)
    throw new OnnxError('model/input-type', `input "${name}" is not a tensor`, {
      fix: 'export the model so that its inputs are tensors, not sequences, maps or optional values',
    })
  const dims = type.shape?.dim?.map((d) => {
    if (d.dimParam) return d.dimParam
    // a size that is not given decodes to 0 as well; both mean unknown
    const size = toNumber(d.dimValue)
    return size > 0 ? size : undefined
  })
  return {
    name,
    dtype: supportedType(type.elemType ?? 0, `input "${name}"`),
    dims: type.shape ? (dims ?? []) : undefined,
  }
}

function supportedType(code: number, what: string): DType {
  const dtype = dtypeOf(code)
  if (dtype !== undefined) return dtype
  const given = (DataType[code] ?? `number ${code}`).toLowerCase()
  throw new OnnxError('model/element-type', `${what} has the element type ${given}, which is not supported`, {
    details: { type: code },
    fix: `use one of ${Object.keys(dtypeCodes).join(', ')}`,
  })
}

/** Bytes of one element in `raw_data`. */
const widths: Readonly<Record<DType, number>> = {
  bool: 1,
  int8: 1,
  uint8: 1,
  int16: 2,
  uint16: 2,
  float16: 2,
  bfloat16: 2,
  int32: 4,
  uint32: 4,
  float32: 4,
  int64: 8,
  uint64: 8,
  float64: 8,
}

function tensorOf(proto: Onnx.ITensorProto, what: string): Tensor {
  const bad = (why: string): never => {
    throw new OnnxError('model/tensor', `${what} ${why}`)
  }
  if (proto.dataLocation === onnx.TensorProto.DataLocation.EXTERNAL || proto.externalData?.length)
    throw new OnnxError('model/external-data', `${what} keeps its data in another file`, {
      fix: 'save the model with its weights inside (onnx.save_model(model, path, save_as_external_data=False))',
    })
  if (proto.segment) bad('is stored in segments, which is not supported')
  const dtype = supportedType(proto.dataType ?? 0, what)
  const shape = (proto.dims ?? []).map(toNumber)
  if (!isSaneShape(shape)) bad(`has the shape ${formatShape(shape)} (at most ${maxElements} elements are supported)`)
  const size = sizeOf(shape)
  if (proto.rawData?.length) {
    const { rawData } = proto
    if (rawData.length !== size * widths[dtype])
      bad(`has ${rawData.length} bytes; ${formatShape(shape)} ${dtype} takes ${size * widths[dtype]}`)
    return { dtype, shape, data: decodeRaw(dtype, rawData, size) }
  }
  const values = typedField(proto, dtype)
  if (values.length !== size) bad(`has ${values.length} values; its shape ${formatShape(shape)} takes ${size}`)
  const data = Float64Array.from(values, toNumber)
  if (dtype === 'float16' || dtype === 'bfloat16') {
    const decode = dtype === 'float16' ? halfFromBits : bfloatFromBits
    for (let i = 0; i < size; i++) data[i] = decode(data[i]! & 0xffff)
    return { dtype, shape, data }
  }
  const range = integerRange(dtype)
  const outside = range === undefined ? -1 : data.findIndex((v) => v < range[0] || v > range[1])
  if (outside >= 0) bad(`has the value ${data[outside]}, outside the range of ${dtype}`)
  return { dtype, shape, data }
}

/** The repeated field that holds values of a type where there is no `raw_data` (onnx.proto, TensorProto). */
function typedField(proto: Onnx.ITensorProto, dtype: DType): readonly unknown[] {
  switch (dtype) {
    case 'float32':
      return proto.floatData ?? []
    case 'float64':
      return proto.doubleData ?? []
    case 'int64':
      return proto.int64Data ?? []
    case 'uint32':
    case 'uint64':
      return proto.uint64Data ?? []
    default:
      return proto.int32Data ?? []
  }
}

/** Little-endian elements. */
function decodeRaw(dtype: DType, bytes: Uint8Array, size: number): Float64Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const read = readers[dtype]
  const width = widths[dtype]
  const data = new Float64Array(size)
  for (let i = 0; i < size; i++) data[i] = read(view, i * width)
  return data
}

const readers: Readonly<Record<DType, (view: DataView, at: number) => number>> = {
  bool: (view, at) => (view.getUint8(at) === 0 ? 0 : 1),
  int8: (view, at) => view.getInt8(at),
  uint8: (view, at) => view.getUint8(at),
  int16: (view, at) => view.getInt16(at, true),
  uint16: (view, at) => view.getUint16(at, true),
  int32: (view, at) => view.getInt32(at, true),
  uint32: (view, at) => view.getUint32(at, true),
  int64: (view, at) => Number(view.getBigInt64(at, true)),
  uint64: (view, at) => Number(view.getBigUint64(at, true)),
  float16: (view, at) => halfFromBits(view.getUint16(at, true)),
  bfloat16: (view, at) => bfloatFromBits(view.getUint16(at, true)),
  float32: (view, at) => view.getFloat32(at, true),
  float64: (view, at) => view.getFloat64(at, true),
}

const writers: Readonly<Record<DType, (view: DataView, at: number, value: number) => void>> = {
  bool: (view, at, v) => view.setUint8(at, v === 0 ? 0 : 1),
  int8: (view, at, v) => view.setInt8(at, v),
  uint8: (view, at, v) => view.setUint8(at, v),
  int16: (view, at, v) => view.setInt16(at, v, true),
  uint16: (view, at, v) => view.setUint16(at, v, true),
  int32: (view, at, v) => view.setInt32(at, v, true),
  uint32: (view, at, v) => view.setUint32(at, v, true),
  int64: (view, at, v) => view.setBigInt64(at, BigInt(v), true),
  uint64: (view, at, v) => view.setBigUint64(at, BigInt(v), true),
  float16: (view, at, v) => view.setUint16(at, halfBits(v), true),
  bfloat16: (view, at, v) => view.setUint16(at, bfloatBits(v), true),
  float32: (view, at, v) => view.setFloat32(at, v, true),
  float64: (view, at, v) => view.setFloat64(at, v, true),
}

/** IEEE 754 binary16. */
function halfFromBits(bits: number): number {
  const [sign, exponent, fraction] = [bits & 0x8000 ? -1 : 1, (bits >> 10) & 31, bits & 1023]
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN
  return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1024 + fraction) * 2 ** (exponent - 25)
}

function halfBits(value: number): number {
  if (Number.isNaN(value)) return 0x7e00
  const x = roundToFloat('float16', value)
  const sign = x < 0 || Object.is(x, -0) ? 0x8000 : 0
  const size = Math.abs(x)
  if (size === Number.POSITIVE_INFINITY) return sign | 0x7c00
  if (size < 2 ** -14) return sign | (size * 2 ** 24)
  const exponent = exponentOf(size)
  return sign | ((exponent + 15) << 10) | (size * 2 ** (10 - exponent) - 1024)
}

const scratch = new DataView(new ArrayBuffer(4))

/** bfloat16: the upper half of a binary32. */
function bfloatFromBits(bits: number): number {
  scratch.setUint32(0, bits << 16)
  return scratch.getFloat32(0)
}

function bfloatBits(value: number): number {
  scratch.setFloat32(0, roundToFloat('bfloat16', value))
  return scratch.getUint16(0)
}

/** A tensor as a TensorProto message. */
function tensorProto({ dtype, shape, data }: Tensor, name: string): Onnx.ITensorProto {
  if (data.length !== sizeOf(shape))
    throw new OnnxError('input/tensor', `tensor "${name}" has ${data.length} values for ${formatShape(shape)}`)
  const bytes = new DataView(new ArrayBuffer(data.length * widths[dtype]))
  data.forEach((v, i) => {
    writers[dtype](bytes, i * widths[dtype], v)
  })
  return { name, dims: [...shape], dataType: dtypeCodes[dtype], rawData: new Uint8Array(bytes.buffer) }
}

/** protobufjs gives a Buffer, whose `slice` shares memory, unlike that of the Uint8Array that is promised. */
const plainBytes = (bytes: Uint8Array): Uint8Array => new Uint8Array(bytes)

/** Encodes a tensor as ONNX's test data do; floats are rounded to the element type. */
export const encodeTensorProto = (tensor: Tensor, name = ''): Uint8Array =>
  plainBytes(onnx.TensorProto.encode(tensorProto(tensor, name)).finish())

/** An attribute with its ONNX type, which its value alone does not tell. */
export type AttributeSpec =
  | { readonly int: number }
  | { readonly ints: readonly number[] }
  | { readonly float: number }
  | { readonly floats: readonly number[] }
  | { readonly string: string }
  | { readonly strings: readonly string[] }
  | { readonly tensor: Tensor }

/** A model to be written. */
export type ModelSpec = {
  readonly name?: string
  /** Version of ai.onnx; 13 unless given. */
  readonly opset?: number
  /** Versions of further domains. */
  readonly opsets?: Readonly<Record<string, number>>
  /** IR version; 8 unless given. */
  readonly irVersion?: number
  readonly inputs: readonly {
    readonly name: string
    /** float32 unless given. */
    readonly dtype?: DType
    /** Sizes, or names of unknown ones. */
    readonly shape: readonly (number | string)[]
  }[]
  readonly outputs: readonly { readonly name: string; readonly dtype?: DType; readonly shape?: Shape }[]
  readonly nodes: readonly {
    readonly op: string
    readonly name?: string
    readonly domain?: string
    readonly inputs: readonly string[]
    readonly outputs: readonly string[]
    readonly attributes?: Readonly<Record<string, AttributeSpec>>
  }[]
  readonly initializers?: Readonly<Record<string, Tensor>>
}

/** Writes an ONNX file. What the specification holds is not checked: tests write invalid models too. */
export function encodeModel(spec: ModelSpec): Uint8Array {
  const valueInfo = (name: string, dtype: DType, shape?: readonly (number | string)[]): Onnx.IValueInfoProto => {
    const dim = shape?.map((d) => (typeof d === 'number' ? { dimValue: d } : { dimParam: d }))
    return {
      name,
      type: { tensorType: { elemType: dtypeCodes[dtype], ...(dim === undefined ? {} : { shape: { dim } }) } },
    }
  }
  const message = onnx.ModelProto.encode({
    irVersion: spec.irVersion ?? 8,
    producerName: 'veritensor',
    opsetImport: [
      { domain: '', version: spec.opset ?? 13 },
      ...Object.entries(spec.opsets ?? {}).map(([domain, version]) => ({ domain, version })),
    ],
    graph: {
      name: spec.name ?? 'graph',
      node: spec.nodes.map(({ op, name, domain, inputs, outputs, attributes }) => ({
        opType: op,
        name: name ?? '',
        domain: domain ?? '',
        input: [...inputs],
        output: [...outputs],
        attribute: Object.entries(attributes ?? {}).map(([key, value]) => attributeProto(key, value)),
      })),
      initializer: Object.entries(spec.initializers ?? {}).map(([name, tensor]) => tensorProto(tensor, name)),
      input: spec.inputs.map(({ name, dtype, shape }) => valueInfo(name, dtype ?? 'float32', shape)),
      output: spec.outputs.map(({ name, dtype, shape }) => valueInfo(name, dtype ?? 'float32', shape)),
    },
  })
  return plainBytes(message.finish())
}

function attributeProto(name: string, value: AttributeSpec): Onnx.IAttributeProto {
  const utf8 = new TextEncoder()
  if ('int' in value) return { name, type: AttributeType.INT, i: value.int }
  if ('ints' in value) return { name, type: AttributeType.INTS, ints: [...value.ints] }
  if ('float' in value) return { name, type: AttributeType.FLOAT, f: value.float }
  if ('floats' in value) return { name, type: AttributeType.FLOATS, floats: [...value.floats] }
  if ('string' in value) return { name, type: AttributeType.STRING, s: utf8.encode(value.string) }
  if ('strings' in value)
    return { name, type: AttributeType.STRINGS, strings: value.strings.map((s) => utf8.encode(s)) }
  return { name, type: AttributeType.TENSOR, t: tensorProto(value.tensor, '') }
}
