/**
 * .wtns files: a witness as snarkjs reads it.
 * @module
 */
import type { Witness } from '../../circuits/solve.ts'
import { FileFormatError, fileHeader, readSections, sectionHeader } from './binfile.ts'
import { le32, R, readLE32, viewOf, writeLE32 } from './bn254.ts'

const HEADER = 76 // up to the values
const [R_LOW, R_NEXT] = [Number(R & 0xffffffffn), Number((R >> 32n) & 0xffffffffn)]
const R_REST = Array.from({ length: 6 }, (_, i) => Number((R >> BigInt(64 + 32 * i)) & 0xffffffffn))

/** The file of a witness whose values satisfy |v| < 2⁵³ or are in `wide`. */
export function encodeWtns(witness: Witness): Uint8Array {
  const { small, wide } = witness
  const words = new Uint32Array(HEADER / 4 + 8 * small.length)
  const bytes = new Uint8Array(words.buffer)
  const view = viewOf(bytes)
  bytes.set(fileHeader('wtns', 2))
  bytes.set(sectionHeader(1, 40), 12)
  view.setUint32(24, 32, true)
  bytes.set(le32(R), 28)
  view.setUint32(60, small.length, true)
  bytes.set(sectionHeader(2, 32 * small.length), 64)
  for (let wire = 0; wire < small.length; wire++) {
    const value = small[wire]!
    const at = HEADER / 4 + 8 * wire
    const magnitude = Math.abs(value)
    const low = magnitude >>> 0
    const high = Math.floor(magnitude / 2 ** 32)
    if (value >= 0) {
      words[at] = low
      words[at + 1] = high
    } else {
      // the second word of r exceeds 2²¹, so that no borrow passes it
      words[at] = R_LOW - low
      words[at + 1] = R_NEXT - high - (low > R_LOW ? 1 : 0)
      for (let i = 0; i < 6; i++) words[at + 2 + i] = R_REST[i]!
    }
  }
  for (const [wire, value] of wide) writeLE32(view, HEADER + 32 * wire, value)
  return bytes
}

/**
 * The values of a file, each in [0, r).
 *
 * Throws FileFormatError `input/malformed-wtns` for another prime, a value ≥ r, a value 0 that is not 1, and sizes that do
 * not fit. Whether the values satisfy a circuit is not asked here.
 */
export function readWtns(bytes: Uint8Array): bigint[] {
  const fail = (what: string): never => {
    throw new FileFormatError('wtns', what)
  }
  const sections = readSections('wtns', bytes, [1, 2])
  const [header, body] = [sections.get(1)!, sections.get(2)!]
  if (header.length !== 40) fail(`the header has ${header.length} bytes instead of 40`)
  const head = viewOf(header)
  if (head.getUint32(0, true) !== 32) fail('field elements must have 32 bytes')
  if (readLE32(head, 4) !== R) fail("the prime is not the order of BN254's groups")
  const count = head.getUint32(36, true)
  if (body.length !== 32 * count) fail(`${body.length} bytes for ${count} values`)
  if (count === 0) fail('there is no value')
  const view = viewOf(body)
  const values: bigint[] = new Array(count)
  for (let i = 0; i < count; i++) {
    const value = readLE32(view, 32 * i)
    if (value >= R) fail(`value ${i} is not below the prime`)
    values[i] = value
  }
  if (values[0] !== 1n) fail('value 0 is not 1')
  return values
}
