/**
 * The binary container that circuits and integer models are saved in: a JSON header and typed arrays that are read in
 * place.
 *
 * | offset | bytes | content |
 * |---|---|---|
 * | 0 | 8 | 89 56 54 42 0D 0A 1A 0A: "VTB" between bytes that text tools would change |
 * | 8 | 4 | version of this layout, unsigned, little-endian: 1 |
 * | 12 | 4 | length L of the header in bytes, unsigned, little-endian |
 * | 16 | 32 | SHA-256 of everything from byte 48 on |
 * | 48 | L | UTF-8 JSON `{ kind, version, header, arrays: [{ name, type, length, offset }] }`, then spaces to a multiple of 8 |
 * | … | … | the arrays in that order, little-endian, each followed by zeros to a multiple of 8 |
 *
 * Offsets count from the first array; they follow from the lengths and are stored for readers without this code. Equal
 * content has equal bytes, so the digest names the content.
 * @module
 */
import { createHash } from 'node:crypto'
import { CircuitError } from './error.ts'

const MAGIC = [0x89, 0x56, 0x54, 0x42, 0x0d, 0x0a, 0x1a, 0x0a]
const LAYOUT = 1
const HEADER_AT = 48
/** Longest header that is read, in bytes. */
const MAX_HEADER = 1 << 28
/** Deepest nesting of the header's JSON, so that readers may recurse over it. */
const MAX_DEPTH = 64

const types = {
  u8: Uint8Array,
  i8: Int8Array,
  u16: Uint16Array,
  i16: Int16Array,
  u32: Uint32Array,
  i32: Int32Array,
  f32: Float32Array,
  f64: Float64Array,
} as const

type TypeName = keyof typeof types

export type TypedArray =
  | Uint8Array
  | Int8Array
  | Uint16Array
  | Int16Array
  | Uint32Array
  | Int32Array
  | Float32Array
  | Float64Array

/** What a container holds. `digest` is the SHA-256 of its content in hex. */
export type Container = {
  readonly kind: string
  readonly version: number
  /** JSON as the writer gave it; the reader checks it. */
  readonly header: unknown
  /** Views into the bytes where these are aligned to 8, else into one copy. An object without a prototype. */
  readonly arrays: Readonly<Record<string, TypedArray>>
  readonly digest: string
}

const aligned = (n: number): number => Math.ceil(n / 8) * 8

const typeOf = (array: TypedArray): TypeName => {
  for (const name of Object.keys(types) as TypeName[]) if (array instanceof types[name]) return name
  throw new TypeError(`a container can't hold a ${Object.prototype.toString.call(array)}`)
}

/**
 * Bytes of a container. `header` is JSON of at most 64 levels; the keys of `arrays` name them. Typed arrays are
 * little-endian as on every platform that Node supports.
 */
export function encodeContainer(
  kind: string,
  version: number,
  header: unknown,
  arrays: Readonly<Record<string, TypedArray>>,
): Uint8Array {
  const names = Object.keys(arrays)
  const sizes = names.map((name) => arrays[name]!.byteLength)
  let offset = 0
  const list = names.map((name, i) => {
    const entry = { name, type: typeOf(arrays[name]!), length: arrays[name]!.length, offset }
    offset += aligned(sizes[i]!)
    return entry
  })
  const text = new TextEncoder().encode(JSON.stringify({ kind, version, header, arrays: list }))
  const start = HEADER_AT + aligned(text.length)
  const bytes = new Uint8Array(start + offset)
  bytes.set(MAGIC)
  const view = new DataView(bytes.buffer)
  view.setUint32(8, LAYOUT, true)
  view.setUint32(12, text.length, true)
  bytes.fill(0x20, HEADER_AT, start)
  bytes.set(text, HEADER_AT)
  names.forEach((name, i) => {
    const { buffer, byteOffset, byteLength } = arrays[name]!
    bytes.set(new Uint8Array(buffer, byteOffset, byteLength), start + list[i]!.offset)
  })
  bytes.set(createHash('sha256').update(bytes.subarray(HEADER_AT)).digest(), 16)
  return bytes
}

/** Whether bytes begin as those of a container do. */
export const isContainer = (bytes: Uint8Array): boolean =>
  bytes.length >= MAGIC.length && MAGIC.every((byte, i) => bytes[i] === byte)

/**
 * Reads a container of one kind and version. The bytes may be hostile, and may lie on a SharedArrayBuffer.
 *
 * Throws CircuitError `input/not-a-container`, `input/unsupported-version`, `input/truncated`, `input/corrupt` (the
 * digest does not match), `input/wrong-kind` or `input/malformed-container`.
 */
export function decodeContainer(kind: string, bytes: Uint8Array, version: number): Container {
  const fail = (code: `input/${string}`, what: string, details: Readonly<Record<string, unknown>> = {}): never => {
    throw new CircuitError(code, `${kind}: ${what}`, { kind, ...details })
  }
  const malformed = (what: string): never => fail('input/malformed-container', what)
  if (!isContainer(bytes)) fail('input/not-a-container', 'the file does not start as a Veritensor file does')
  if (bytes.length < HEADER_AT)
    fail('input/truncated', `the file ends after ${bytes.length} bytes, inside its preamble`)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const layout = view.getUint32(8, true)
  if (layout !== LAYOUT)
    fail('input/unsupported-version', `the file has layout ${layout}, this program reads ${LAYOUT}`, { layout })
  const headerLength = view.getUint32(12, true)
  if (headerLength > MAX_HEADER) malformed(`a header of ${headerLength} bytes is too long`)
  const start = HEADER_AT + aligned(headerLength)
  if (start > bytes.length) fail('input/truncated', `the file ends after ${bytes.length} bytes, inside its header`)

  // a copy, since decoders of text refuse shared memory
  const text = bytes.slice(HEADER_AT, start)
  const { arrays: list, ...found } = parseHeader(text.subarray(0, headerLength), malformed)
  if (text.subarray(headerLength).some((byte) => byte !== 0x20)) malformed('the header is followed by more than spaces')

  let end = 0
  for (const { name, type, length, offset } of list) {
    if (offset !== end) malformed(`array "${name}" starts at ${offset} instead of ${end}`)
    end += aligned(length * types[type].BYTES_PER_ELEMENT)
    if (!Number.isSafeInteger(end)) malformed(`array "${name}" is too long`)
  }
  const surplus = bytes.length - start - end
  if (surplus < 0) fail('input/truncated', `the file lacks ${-surplus} of ${start + end} bytes`)
  if (surplus > 0) malformed(`${surplus} bytes follow the last array`)
  const digest = createHash('sha256').update(bytes.subarray(HEADER_AT)).digest('hex')
  if (digest !== Buffer.from(bytes.slice(16, HEADER_AT)).toString('hex'))
    fail('input/corrupt', 'the content does not match its digest; the file is damaged: make it again')
  if (found.kind !== kind)
    fail('input/wrong-kind', `the file holds ${JSON.stringify(found.kind)}`, { found: found.kind })
  if (found.version !== version)
    fail('input/unsupported-version', `the file has version ${found.version}, this program reads ${version}`, {
      version: found.version,
    })

  const base = bytes.byteOffset % 8 === 0 ? bytes : bytes.slice()
  const arrays: Record<string, TypedArray> = Object.create(null)
  for (const { name, type, length, offset } of list) {
    const size = length * types[type].BYTES_PER_ELEMENT
    const padding = base.subarray(start + offset + size, start + offset + aligned(size))
    if (padding.some((byte) => byte !== 0)) malformed(`array "${name}" is followed by more than zeros`)
    arrays[name] = new types[type](base.buffer as ArrayBuffer, base.byteOffset + start + offset, length)
  }
  return { ...found, arrays, digest }
}

type ArrayEntry = { readonly name: string; readonly type: TypeName; readonly length: number; readonly offset: number }
type Header = Pick<Container, 'kind' | 'version' | 'header'> & { readonly arrays: readonly ArrayEntry[] }

function parseHeader(text: Uint8Array, malformed: (what: string) => never): Header {
  let depth = 0
  let inString = false
  for (let i = 0; i < text.length; i++) {
    const c = text[i]!
    if (inString) {
      if (c === 0x5c) i++
      else if (c === 0x22) inString = false
    } else if (c === 0x22) inString = true
    else if (c === 0x5b || c === 0x7b) {
      if (++depth > MAX_DEPTH) malformed(`the header is nested deeper than ${MAX_DEPTH} levels`)
    } else if (c === 0x5d || c === 0x7d) depth--
  }
  let parsed: Partial<Header> | null = null
  try {
    parsed = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(text))
  } catch (error) {
    malformed(`the header is no JSON (${(error as Error).message})`)
  }
  const { kind, version, header, arrays } = parsed ?? {}
  if (typeof kind !== 'string' || !Number.isSafeInteger(version) || header === undefined || !Array.isArray(arrays))
    return malformed('the header lacks kind, version, header or arrays')
  const seen = new Set<string>()
  for (const entry of arrays as readonly (Partial<ArrayEntry> | null)[]) {
    const { name, type, length, offset } = entry ?? {}
    if (typeof name !== 'string' || seen.has(name)) return malformed(`an array has no name of its own`)
    seen.add(name)
    if (typeof type !== 'string' || !Object.hasOwn(types, type)) malformed(`array "${name}" has no known type`)
    if (!Number.isSafeInteger(length) || length! < 0) malformed(`array "${name}" has no length`)
    if (!Number.isSafeInteger(offset) || offset! < 0) malformed(`array "${name}" has no offset`)
  }
  return { kind, version: version!, header, arrays }
}

/** The digest that a container carries, in hex, unchecked. */
export const containerDigest = (bytes: Uint8Array): string => Buffer.from(bytes.slice(16, HEADER_AT)).toString('hex')
