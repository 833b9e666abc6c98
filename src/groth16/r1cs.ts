/**
 * .r1cs files: the rows of a circuit as snarkjs and circom's tools read them.
 * @module
 */
import { createHash } from 'node:crypto'
import type { Circuit } from '../../circuits/circuit.ts'
import { VeritensorError } from '../errors.ts'
import { FileFormatError, fileHeader, readSections, sectionHeader } from './binfile.ts'
import { le32, R, readLE32, viewOf } from './bn254.ts'

/** The part of a circuit that keys depend on. Every `Circuit` is one. */
export type R1cs = Pick<
  Circuit,
  | 'prime'
  | 'wires'
  | 'publicOutputs'
  | 'publicInputs'
  | 'privateInputs'
  | 'rows'
  | 'lcStart'
  | 'lcWire'
  | 'lcCoefficient'
  | 'coefficients'
  | 'rowLC'
>

/** Only circuits over BN254's scalar field have keys. */
export class WrongFieldError extends VeritensorError {
  constructor(prime: bigint) {
    super('circuit/wrong-field', `the circuit is over the field of order ${prime}, not BN254's scalar field`, {
      details: { prime: String(prime) },
      fix: 'Compile the circuit over Fr.',
    })
  }
}

const CHUNK = 1 << 20

/** Coefficients as residues, 8 words of 32 bits each. */
export function coefficientWords(coefficients: readonly bigint[], factor = 1n): Uint32Array {
  const words = new Uint32Array(8 * coefficients.length)
  const view = viewOf(new Uint8Array(words.buffer))
  coefficients.forEach((k, i) => {
    const residue = (k * factor) % R
    let rest = residue < 0n ? residue + R : residue
    for (let limb = 0; limb < 4; limb++) {
      view.setBigUint64(32 * i + 8 * limb, BigInt.asUintN(64, rest), true)
      rest >>= 64n
    }
  })
  return words
}

/**
 * The file in pieces of about a megabyte, for streaming. A piece is overwritten by the next one: write or copy it first.
 *
 * Throws WrongFieldError.
 */
export function* r1csChunks(circuit: R1cs): Generator<Uint8Array, void, undefined> {
  const { prime, wires, rows, lcStart, lcWire, lcCoefficient, rowLC } = circuit
  if (prime !== R) throw new WrongFieldError(prime)
  let terms = 0
  for (let i = 0; i < 3 * rows; i++) terms += lcStart[rowLC[i]! + 1]! - lcStart[rowLC[i]!]!

  const header = new Uint8Array(64)
  header.set(le32(prime), 4)
  const view = viewOf(header)
  view.setUint32(0, 32, true)
  const counts = [wires, circuit.publicOutputs, circuit.publicInputs, circuit.privateInputs]
  for (let i = 0; i < 4; i++) view.setUint32(36 + 4 * i, counts[i]!, true)
  view.setBigUint64(52, BigInt(wires), true)
  view.setUint32(60, rows, true)
  yield fileHeader('r1cs', 3)
  yield sectionHeader(1, header.length)
  yield header

  yield sectionHeader(2, 12 * rows + 36 * terms)
  const words = coefficientWords(circuit.coefficients)
  const out = new Uint32Array(CHUNK / 4)
  const bytes = new Uint8Array(out.buffer)
  let at = 0
  for (let i = 0; i < 3 * rows; i++) {
    const lc = rowLC[i]!
    const [start, end] = [lcStart[lc]!, lcStart[lc + 1]!]
    if (at + 10 > out.length) {
      yield bytes.subarray(0, 4 * at)
      at = 0
    }
    out[at++] = end - start
    for (let t = start; t < end; t++) {
      if (at + 9 > out.length) {
        yield bytes.subarray(0, 4 * at)
        at = 0
      }
      out[at++] = lcWire[t]!
      const from = 8 * lcCoefficient[t]!
      for (let w = 0; w < 8; w++) out[at++] = words[from + w]!
    }
  }
  yield bytes.subarray(0, 4 * at)

  yield sectionHeader(3, 8 * wires)
  for (let from = 0; from < wires; from += CHUNK / 8) {
    const count = Math.min(CHUNK / 8, wires - from)
    for (let i = 0; i < count; i++) {
      out[2 * i] = from + i
      out[2 * i + 1] = 0
    }
    yield bytes.subarray(0, 8 * count)
  }
}

/** The whole file. For circuits whose file exceeds memory use `r1csChunks`. */
export function encodeR1cs(circuit: R1cs): Uint8Array {
  return Buffer.concat([...mapChunks(circuit, (chunk) => chunk.slice())])
}

function* mapChunks<T>(circuit: R1cs, f: (chunk: Uint8Array) => T): Generator<T> {
  for (const chunk of r1csChunks(circuit)) yield f(chunk)
}

/** SHA-256 of the .r1cs file, in hex: names the rows that a key belongs to, whatever makes the witness. */
export function r1csDigest(circuit: R1cs): string {
  const hash = createHash('sha256')
  for (const chunk of r1csChunks(circuit)) hash.update(chunk)
  return hash.digest('hex')
}

/**
 * Reads a file strictly. Coefficients come as signed representatives; every combination stands for itself, so equal ones
 * are not shared.
 *
 * Throws FileFormatError `circuit/malformed-r1cs` for another prime, custom gates, wires that do not exist or do not
 * ascend, coefficients ≥ r, more public and private inputs than wires, and sizes that do not fit the counts.
 */
export function readR1cs(bytes: Uint8Array): R1cs {
  const fail = (what: string): never => {
    throw new FileFormatError('r1cs', what)
  }
  const sections = readSections('r1cs', bytes, [1, 2, 3])
  const [header, body, labels] = [sections.get(1)!, sections.get(2)!, sections.get(3)!]
  if (header.length !== 64) fail(`the header has ${header.length} bytes instead of 64`)
  const head = viewOf(header)
  if (head.getUint32(0, true) !== 32) fail('field elements must have 32 bytes')
  const prime = readLE32(head, 4)
  if (prime !== R) fail("the prime is not the order of BN254's groups")
  const [wires, publicOutputs, publicInputs, privateInputs] = [36, 40, 44, 48].map((at) =>
    head.getUint32(at, true),
  ) as [number, number, number, number]
  const labelCount = head.getBigUint64(52, true)
  const rows = head.getUint32(60, true)
  if (publicOutputs + publicInputs + privateInputs + 1 > wires) fail('more inputs and outputs than wires')
  if (labels.length !== 8 * wires) fail('the section of labels does not fit the number of wires')
  if (labelCount < BigInt(wires)) fail('fewer labels than wires')
  if (body.length < 12 * rows) fail('the section of rows is too short for their number')
  if ((body.length - 12 * rows) % 36 !== 0) fail('the section of rows has a size that no rows have')

  const view = viewOf(body)
  const terms = (body.length - 12 * rows) / 36
  const lcStart = new Uint32Array(3 * rows + 1)
  const lcWire = new Uint32Array(terms)
  const lcCoefficient = new Uint32Array(terms)
  const index = new Map<bigint, number>()
  const coefficients: bigint[] = []
  let [at, next] = [0, 0]
  for (let i = 0; i < 3 * rows; i++) {
    if (at + 4 > body.length) fail(`row ${Math.floor(i / 3)} ends past its section`)
    const count = view.getUint32(at, true)
    at += 4
    if (count > (body.length - at) / 36) fail(`row ${Math.floor(i / 3)} ends past its section`)
    let last = -1
    for (let t = 0; t < count; t++, at += 36) {
      const wire = view.getUint32(at, true)
      if (wire >= wires) fail(`row ${Math.floor(i / 3)} uses wire ${wire} of ${wires}`)
      if (wire <= last) fail(`the wires of row ${Math.floor(i / 3)} do not ascend`)
      last = wire
      const value = readLE32(view, at + 4)
      if (value >= R) fail(`row ${Math.floor(i / 3)} has a coefficient that is not below the prime`)
      let k = index.get(value)
      if (k === undefined) {
        k = coefficients.push(value > R / 2n ? value - R : value) - 1
        index.set(value, k)
      }
      lcWire[next] = wire
      lcCoefficient[next++] = k
    }
    lcStart[i + 1] = next
  }
  if (at !== body.length) fail(`${body.length - at} bytes after the last row`)
  return {
    ...{ prime, wires, publicOutputs, publicInputs, privateInputs, rows, lcStart, lcWire, lcCoefficient, coefficients },
    rowLC: Uint32Array.from({ length: 3 * rows }, (_, i) => i),
  }
}
