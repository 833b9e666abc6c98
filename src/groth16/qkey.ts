/**
 * Quotient keys (.qkey): the points of C and H of a proving key in another basis (`quotient.ts`), with which a proof takes four
 * transforms in place of six, and a sum over about as many points as the circuit has rows, in place of its whole domain. The
 * proof is the same. The format is this project's own; other provers take the .zkey, which is needed beside it anyway.
 *
 * Sections: 1 {u32 power, u32 used, u32 wires, u32 publics, 32 bytes: SHA-256 of the .zkey's sections 2 and 3}; 2 the points
 * of C for all wires; 3 those of H for the points of S. Points are those of a .zkey: affine, times 2²⁵⁶, little-endian.
 * @module
 */
import { createHash } from 'node:crypto'
import { FileFormatError, fileHeader, readSections, sectionHeader } from './binfile.ts'
import { viewOf } from './bn254.ts'
import { KeyError } from './keys.ts'
import { type QuotientCut, quotientCut } from './quotient.ts'
import type { ProvingKey } from './zkey.ts'

/** The cut of a proving key. */
export const cutOfKey = ({ power, rows, nPublic }: ProvingKey): QuotientCut => quotientCut(power, rows + nPublic + 1)

/** A quotient key, read and checked, for the proving key that it was read with. */
export type QuotientKey = {
  readonly cut: QuotientCut
  /** Points of all wires, and of S, 64 bytes each. */
  readonly c: Uint8Array
  readonly h: Uint8Array
}

const HEADER_SIZE = 48

/** SHA-256 of sections 2 and 3 of a .zkey, its verifying key. */
const bindingOf = (header: Uint8Array, ic: Uint8Array): Buffer =>
  createHash('sha256').update(header).update(ic).digest()

/** Where the sections of a quotient key go, and its size. */
export function quotientFile({ kept }: QuotientCut, nVars: number) {
  const sizes = { 1: HEADER_SIZE, 2: 64 * nVars, 3: 128 * kept } as const
  const header = 12 + 12
  const c = header + sizes[1] + 12
  const h = c + sizes[2] + 12
  return { sizes, at: { 1: header, 2: c, 3: h } as const, size: h + sizes[3] }
}

/** All of a quotient key but its points: positions, and bytes to be written there. `head` and `ic` are the .zkey's. */
export function quotientFrame(
  cut: QuotientCut,
  nVars: number,
  head: Uint8Array,
  ic: Uint8Array,
): (readonly [position: number, bytes: Uint8Array])[] {
  const { sizes, at } = quotientFile(cut, nVars)
  const header = new Uint8Array(HEADER_SIZE)
  const view = viewOf(header)
  const nPublic = ic.length / 64 - 1
  ;[cut.power, cut.used, nVars, nPublic].forEach((value, i) => {
    view.setUint32(4 * i, value, true)
  })
  header.set(bindingOf(head, ic), 16)
  return [
    [0, fileHeader('qkey', 3)],
    ...([1, 2, 3] as const).map((id) => [at[id] - 12, sectionHeader(id, sizes[id])] as const),
    [at[1], header],
  ]
}

/**
 * Reads a quotient key for a proving key. Points are not looked at: a wrong one makes invalid proofs, which the prover
 * notices.
 *
 * Throws FileFormatError `key/malformed-qkey`, and KeyError `key/other-key` if it was made with another .zkey.
 */
export function readQuotientKey(bytes: Uint8Array, key: ProvingKey): QuotientKey {
  const sections = readSections('qkey', bytes, [1, 2, 3])
  const cut = cutOfKey(key)
  const { sizes } = quotientFile(cut, key.nVars)
  const header = sections.get(1)!
  const fail = (what: string): never => {
    throw new FileFormatError('qkey', what)
  }
  if (header.length !== HEADER_SIZE) fail(`its header has ${header.length} bytes instead of ${HEADER_SIZE}`)
  const view = viewOf(header)
  const [power, used, nVars, nPublic] = [0, 4, 8, 12].map((at) => view.getUint32(at, true))
  const binding = bindingOf(key.sections.get(2)!, key.sections.get(3)!)
  if (
    power !== key.power ||
    used !== cut.used ||
    nVars !== key.nVars ||
    nPublic !== key.nPublic ||
    !binding.equals(header.subarray(16))
  )
    throw new KeyError('other-key', 'the quotient key was made with another .zkey')
  for (const id of [2, 3] as const) {
    const got = sections.get(id)!.length
    if (got !== sizes[id]) fail(`section ${id} has ${got} bytes instead of ${sizes[id]}`)
  }
  return { cut, c: sections.get(2)!, h: sections.get(3)! }
}
