/**
 * .ptau files: the powers of tau of a ceremony, phase 1 of a setup.
 * @module
 */
import { VeritensorError } from '../errors.ts'
import { FileFormatError, readSectionTable, type Section } from './binfile.ts'
import { MAX_POWER, Q, readLE32, viewOf } from './bn254.ts'
import type { R1cs } from './r1cs.ts'
import { domainPower } from './zkey.ts'

/** The ceremony is too small for the circuit. */
export class PtauTooSmallError extends VeritensorError {
  constructor(power: number, needed: number) {
    super('key/ptau-too-small', `the ceremony file is of power ${power}; the circuit needs power ${needed}`, {
      details: { power, needed },
      fix: `Use a prepared ceremony file of power ${needed} or more.`,
    })
  }
}

/** The file lacks the Lagrange sections. */
export class PtauNotPreparedError extends VeritensorError {
  constructor() {
    super('key/ptau-not-prepared', 'the ceremony file is not prepared for phase 2', {
      fix: 'Run `snarkjs powersoftau prepare phase2`, or take the prepared file of the ceremony.',
    })
  }
}

/** What a file says about itself, and where its sections are. */
export type PtauInfo = {
  readonly power: number
  readonly prepared: boolean
  readonly sections: ReadonlyMap<number, Section>
}

/**
 * Reads the header of a file and checks the size of each section; the points are not looked at. `read` gives `length`
 * bytes at a position.
 *
 * Throws FileFormatError `key/malformed-ptau`.
 */
export function readPtauInfo(fileSize: number, read: (position: number, length: number) => Uint8Array): PtauInfo {
  const fail = (what: string): never => {
    throw new FileFormatError('ptau', what)
  }
  const lagrange = [12, 13, 14, 15]
  const table = readSectionTable('ptau', fileSize, read, [1, 2, 3, 4, 5, 6, 7], [1, 2, 3, 4, 5, 6, 7, ...lagrange])
  const header = table.get(1)!
  if (header.size !== 44) fail(`the header has ${header.size} bytes instead of 44`)
  const head = viewOf(read(header.offset, 44))
  if (head.getUint32(0, true) !== 32 || readLE32(head, 4) !== Q) fail("the field is not BN254's base field")
  const power = head.getUint32(36, true)
  if (power < 1 || power > MAX_POWER) fail(`power ${power} is not between 1 and ${MAX_POWER}`)
  const n = 2 ** power
  // a ceremony of the largest power has no Lagrange block of the doubled domain
  const doubled = power === MAX_POWER ? [2 * n - 1, 4 * n - 1] : [4 * n - 1]
  const expected: Readonly<Record<number, readonly number[]>> = {
    ...{ 2: [64 * (2 * n - 1)], 3: [128 * n], 4: [64 * n], 5: [64 * n], 6: [128] },
    ...{ 12: doubled.map((points) => 64 * points), 13: [128 * (2 * n - 1)] },
    ...{ 14: [64 * (2 * n - 1)], 15: [64 * (2 * n - 1)] },
  }
  for (const [id, sizes] of Object.entries(expected)) {
    const section = table.get(Number(id))
    if (section && !sizes.includes(section.size)) fail(`section ${id} has ${section.size} bytes`)
  }
  return { power, prepared: lagrange.every((id) => table.has(id)), sections: table }
}

/**
 * Refuses a ceremony that can't serve a circuit.
 *
 * Throws PtauTooSmallError and PtauNotPreparedError.
 */
export function checkPtau({ power, prepared }: Pick<PtauInfo, 'power' | 'prepared'>, circuit: R1cs): void {
  const needed = domainPower(circuit.rows, circuit.publicOutputs + circuit.publicInputs)
  if (power < needed) throw new PtauTooSmallError(power, needed)
  if (!prepared) throw new PtauNotPreparedError()
}
