/**
 * The container that .r1cs, .wtns, .zkey and .ptau share: magic, version, then sections {u32 id, u64 size, data}, all
 * little-endian. Source: iden3's r1cs_bin_format.md and files that snarkjs 0.7.6 writes.
 * @module
 */
import { type ErrorCode, type ErrorDetails, VeritensorError } from '../errors.ts'
import { viewOf } from './bn254.ts'

/** A binary file is malformed. `details.file` is the kind of file, `details.section` the section if one is to blame. */
export class FileFormatError extends VeritensorError {
  constructor(kind: FileKind, what: string, details: ErrorDetails = {}) {
    const { code, fix } = kinds[kind]
    super(code, `malformed .${kind} file: ${what}`, { details: { file: kind, ...details }, fix })
  }
}

export type FileKind = 'r1cs' | 'wtns' | 'zkey' | 'qkey' | 'ptau'

const kinds: Readonly<Record<FileKind, { readonly code: ErrorCode; readonly version: number; readonly fix: string }>> =
  {
    r1cs: { code: 'circuit/malformed-r1cs', version: 1, fix: 'Compile the model again.' },
    wtns: { code: 'input/malformed-wtns', version: 2, fix: 'Make the witness again.' },
    zkey: { code: 'key/malformed-zkey', version: 1, fix: 'Copy the key again or run the setup again.' },
    qkey: { code: 'key/malformed-qkey', version: 1, fix: 'Remove the file, or run the setup again.' },
    ptau: { code: 'key/malformed-ptau', version: 1, fix: 'Download the ceremony file again and compare its hash.' },
  }

/** Where a section's data lies in its file. */
export type Section = { readonly offset: number; readonly size: number }

const MAX_SECTIONS = 64

/**
 * The table of sections, by id. `read` gives `length` bytes at a position; `fileSize` bounds everything.
 *
 * Throws FileFormatError for a wrong magic or version, a section that is repeated, missing or not in `allowed` (default:
 * `required`), data past the end of the file, and bytes after the last section.
 */
export function readSectionTable(
  kind: FileKind,
  fileSize: number,
  read: (position: number, length: number) => Uint8Array,
  required: readonly number[],
  allowed: readonly number[] = required,
): Map<number, Section> {
  const fail = (what: string, details?: ErrorDetails): never => {
    throw new FileFormatError(kind, what, details)
  }
  if (fileSize < 12) fail(`${fileSize} bytes are too few for a header`)
  const head = read(0, 12)
  const magic = String.fromCharCode(...head.subarray(0, 4))
  if (magic !== kind) fail('it does not begin with the letters of its kind')
  const version = viewOf(head).getUint32(4, true)
  if (version !== kinds[kind].version) fail(`version ${version} instead of ${kinds[kind].version}`)
  const count = viewOf(head).getUint32(8, true)
  if (count > MAX_SECTIONS) fail(`${count} sections`)
  const sections = new Map<number, Section>()
  let position = 12
  for (let i = 0; i < count; i++) {
    if (position + 12 > fileSize) fail('the file ends within the table of sections')
    const view = viewOf(read(position, 12))
    const id = view.getUint32(0, true)
    const size = Number(view.getBigUint64(4, true))
    position += 12
    if (size > fileSize - position) fail(`section ${id} ends past the end of the file`, { section: id })
    if (sections.has(id)) fail(`section ${id} occurs twice`, { section: id })
    if (!allowed.includes(id)) fail(`section ${id} is not expected`, { section: id })
    sections.set(id, { offset: position, size })
    position += size
  }
  if (position !== fileSize) fail(`${fileSize - position} bytes after the last section`)
  for (const id of required) if (!sections.has(id)) fail(`section ${id} is missing`, { section: id })
  return sections
}

/** All sections of a file in memory, as views on it. Throws as `readSectionTable`. */
export function readSections(
  kind: FileKind,
  bytes: Uint8Array,
  required: readonly number[],
  allowed: readonly number[] = required,
): Map<number, Uint8Array> {
  const read = (position: number, length: number) => bytes.subarray(position, position + length)
  const table = readSectionTable(kind, bytes.length, read, required, allowed)
  return new Map([...table].map(([id, { offset, size }]) => [id, bytes.subarray(offset, offset + size)]))
}

/** The 12 bytes before the sections. */
export function fileHeader(kind: FileKind, sections: number): Uint8Array {
  const bytes = new Uint8Array(12)
  for (let i = 0; i < 4; i++) bytes[i] = kind.charCodeAt(i)
  viewOf(bytes).setUint32(4, kinds[kind].version, true)
  viewOf(bytes).setUint32(8, sections, true)
  return bytes
}

/** The 12 bytes before a section's data. */
export function sectionHeader(id: number, size: number): Uint8Array {
  const bytes = new Uint8Array(12)
  viewOf(bytes).setUint32(0, id, true)
  viewOf(bytes).setBigUint64(4, BigInt(size), true)
  return bytes
}
