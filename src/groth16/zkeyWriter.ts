/**
 * Writing .zkey files: what does not depend on where the points come from.
 * @module
 */
import { VeritensorError } from '../errors.ts'
import { fileHeader, sectionHeader } from './binfile.ts'
import { DOUBLE_MONTGOMERY, le32, MAX_POWER, Q, R, viewOf } from './bn254.ts'
import { coefficientWords, type R1cs, WrongFieldError } from './r1cs.ts'
import { COEFFICIENT_SIZE, domainPower, HEADER_SIZE, SECTION_ORDER } from './zkey.ts'

/** The two groups, and the size of an affine point of each in a key file. */
export type Group = 'g1' | 'g2'
export const POINT_SIZE: Readonly<Record<Group, number>> = { g1: 64, g2: 128 }

/** Writes bytes at a position of the key file, in any order. The bytes may be overwritten after the call. */
export type Write = (position: number, bytes: Uint8Array) => void

/** The largest domain of a key: H needs the roots of unity of the doubled domain. */
const LARGEST_POWER = MAX_POWER - 1

/** The circuit has more rows than the field has roots of unity. */
export class CircuitTooLargeError extends VeritensorError {
  constructor(rows: number) {
    super('limit/circuit-too-large', `${rows} rows exceed the largest domain, 2^${LARGEST_POWER}`, {
      details: { rows, maxPower: LARGEST_POWER },
      fix: 'Split the model.',
    })
  }
}

/** Position and size of each section's data, and the size of the file. */
function places(sizes: Readonly<Record<number, number>>) {
  const at: Record<number, number> = {}
  let position = 12
  for (const id of SECTION_ORDER) {
    at[id] = position + 12
    position += 12 + sizes[id]!
  }
  return { at, size: position }
}

/**
 * Shape of the key of a circuit: domain, entries of section 4, and where each section's data goes. `history` is the size of
 * section 10.
 *
 * Throws WrongFieldError and CircuitTooLargeError.
 */
export function keyFile(circuit: R1cs, history = 68) {
  const { wires: nVars, rows } = circuit
  const nPublic = circuit.publicOutputs + circuit.publicInputs
  if (circuit.prime !== R) throw new WrongFieldError(circuit.prime)
  const power = domainPower(rows, nPublic)
  if (power > LARGEST_POWER) throw new CircuitTooLargeError(rows)
  const N = 2 ** power
  const coefficients = countCoefficients(circuit) + nPublic + 1
  const sizes = {
    ...{ 1: 4, 2: HEADER_SIZE, 3: 64 * (nPublic + 1), 4: 4 + COEFFICIENT_SIZE * coefficients, 5: 64 * nVars },
    ...{ 6: 64 * nVars, 7: 128 * nVars, 8: 64 * (nVars - nPublic - 1), 9: 64 * N, 10: history },
  }
  return { power, coefficients, sizes, ...places(sizes) }
}

/** Everything between the sections, and section 1. */
export function writeSectionHeaders(
  write: Write,
  at: Readonly<Record<number, number>>,
  sizes: Readonly<Record<number, number>>,
): void {
  write(0, fileHeader('zkey', SECTION_ORDER.length))
  for (const id of SECTION_ORDER) write(at[id]! - 12, sectionHeader(id, sizes[id]!))
  write(at[1]!, Uint8Array.of(1, 0, 0, 0))
}

/** Section 2 without its points. */
export function headerBytes(circuit: R1cs, N: number): Uint8Array {
  const bytes = new Uint8Array(HEADER_SIZE)
  const view = viewOf(bytes)
  view.setUint32(0, 32, true)
  bytes.set(le32(Q), 4)
  view.setUint32(36, 32, true)
  bytes.set(le32(R), 40)
  view.setUint32(72, circuit.wires, true)
  view.setUint32(76, circuit.publicOutputs + circuit.publicInputs, true)
  view.setUint32(80, N, true)
  return bytes
}

function countCoefficients({ rows, rowLC, lcStart }: R1cs): number {
  let count = 0
  for (let row = 0; row < rows; row++)
    for (let matrix = 0; matrix < 2; matrix++) {
      const lc = rowLC[3 * row + matrix]!
      count += lcStart[lc + 1]! - lcStart[lc]!
    }
  return count
}

/** Rows of work between two looks at the event loop. */
export const BREATH = 1 << 14

/** Section 4: per row A then B, then the extra rows. */
export async function writeCoefficients(
  circuit: R1cs,
  count: number,
  write: Write,
  position: number,
  breathe: () => Promise<void>,
): Promise<void> {
  const { rows, rowLC, lcStart, lcWire, lcCoefficient } = circuit
  const values = coefficientWords(circuit.coefficients, DOUBLE_MONTGOMERY)
  const one = coefficientWords([1n], DOUBLE_MONTGOMERY)
  const out = new Uint32Array(11 * BREATH)
  const bytes = new Uint8Array(out.buffer)
  let at = 0
  write(position, new Uint8Array(Uint32Array.of(count).buffer))
  position += 4
  const flush = async (): Promise<void> => {
    write(position, bytes.subarray(0, 4 * at))
    position += 4 * at
    at = 0
    await breathe()
  }
  for (let row = 0; row < rows; row++)
    for (let matrix = 0; matrix < 2; matrix++) {
      const lc = rowLC[3 * row + matrix]!
      for (let t = lcStart[lc]!; t < lcStart[lc + 1]!; t++) {
        out[at++] = matrix
        out[at++] = row
        out[at++] = lcWire[t]!
        const from = 8 * lcCoefficient[t]!
        for (let w = 0; w < 8; w++) out[at++] = values[from + w]!
        if (at === out.length) await flush()
      }
    }
  for (let s = 0; s <= circuit.publicOutputs + circuit.publicInputs; s++) {
    out[at++] = 0
    out[at++] = rows + s
    out[at++] = s
    for (let w = 0; w < 8; w++) out[at++] = one[w]!
    if (at === out.length) await flush()
  }
  await flush()
}
