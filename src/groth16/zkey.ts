/**
 * .zkey files: Groth16 proving keys as snarkjs and rapidsnark read them.
 * @module
 */
import { bn254 } from '@noble/curves/bn254.js'
import type { ErrorDetails } from '../errors.ts'
import { FileFormatError, readSections } from './binfile.ts'
import { DOUBLE_MONTGOMERY, MAX_POWER, Q, R, readG1, readG2, readLE32, viewOf } from './bn254.ts'
import {
  checkG1,
  checkG2,
  checkVerifyingKey,
  type Fail,
  type G1,
  type G2,
  KeyError,
  type VerifyingKey,
} from './keys.ts'
import { coefficientWords, type R1cs, r1csDigest } from './r1cs.ts'

/** Sections in the order in which snarkjs writes them. */
export const SECTION_ORDER = [1, 2, 4, 3, 9, 8, 5, 6, 7, 10] as const

/** Bytes of section 2, up to and with delta2. */
export const HEADER_SIZE = 660

/** Bytes of one entry of section 4: matrix, row, wire, value. */
export const COEFFICIENT_SIZE = 44

const HASH_SIZE = 64
const CONTRIBUTION_SIZE = 3 * 64 + 128 + 64 + 8 // without its parameters

/** First half of the circuit hash in a key whose toxic waste was known. snarkjs and rapidsnark do not read the hash. */
const DEV_MARK = 'veritensor: UNSAFE dev key'

/** The 64 bytes in place of snarkjs' circuit hash: the mark, padded with zeros to 32 bytes, then the circuit's digest. */
export function devMark(circuitDigest: string): Uint8Array {
  const bytes = new Uint8Array(HASH_SIZE)
  bytes.set(Buffer.from(DEV_MARK, 'latin1'))
  bytes.set(Buffer.from(circuitDigest, 'hex'), 32)
  return bytes
}

/** Smallest domain for a circuit: N = 2^power ≥ rows + nPublic + 1, and at least 2, as snarkjs chooses it. */
export function domainPower(rows: number, nPublic: number): number {
  return rows + nPublic < 2 ? 1 : 32 - Math.clz32(rows + nPublic)
}

/** What a proving key says about itself, read and checked. */
export type ProvingKey = {
  readonly nVars: number
  readonly nPublic: number
  /** Rows of the circuit, without the extra rows of the public signals. */
  readonly rows: number
  readonly power: number
  readonly domainSize: number
  /** Entries of section 4, the extra rows among them. */
  readonly coefficients: number
  readonly verifyingKey: VerifyingKey
  /** SHA-256 of the circuit's .r1cs file, in hex, if the key names it. */
  readonly circuitDigest: string | undefined
  /** Names and kinds of the contributions of phase 2, the first one first. */
  readonly contributions: readonly { readonly name: string; readonly beacon: boolean }[]
  /** Sections 1 to 10, as views on the file. */
  readonly sections: ReadonlyMap<number, Uint8Array>
}

/**
 * Whether somebody knew the key's toxic waste, and so can forge proofs for it: the key bears the mark, or it has no
 * contribution of a phase 2.
 */
export const isDevKey = (key: ProvingKey): boolean => key.verifyingKey.dev

/**
 * Reads a key and checks all that does not need work for each of its points: container, counts and sizes, the range of
 * every coefficient, the extra rows of the public signals, the verifying key (`checkVerifyingKey`), that beta and delta
 * are the same numbers in both groups, and the form of the contributions. Points of sections 5 to 9 are not looked at: a
 * wrong one makes invalid proofs, which the prover notices.
 *
 * Throws FileFormatError `key/malformed-zkey`, or KeyError `key/unsafe`.
 */
export function readZkey(bytes: Uint8Array): ProvingKey {
  const fail = (what: string, details?: ErrorDetails): never => {
    throw new FileFormatError('zkey', what, details)
  }
  const sections = readSections('zkey', bytes, SECTION_ORDER)
  const section = (id: number): Uint8Array => sections.get(id)!
  const size = (id: number, expected: number): void => {
    const got = section(id).length
    if (got !== expected) fail(`section ${id} has ${got} bytes instead of ${expected}`, { section: id, got, expected })
  }
  size(1, 4)
  if (viewOf(section(1)).getUint32(0, true) !== 1) fail('the protocol is not Groth16')
  size(2, HEADER_SIZE)
  const head = viewOf(section(2))
  if (head.getUint32(0, true) !== 32 || readLE32(head, 4) !== Q) fail("the base field is not BN254's")
  if (head.getUint32(36, true) !== 32 || readLE32(head, 40) !== R) fail("the scalar field is not BN254's")
  const [nVars, nPublic, domainSize] = [72, 76, 80].map((at) => head.getUint32(at, true)) as [number, number, number]
  const power = 31 - Math.clz32(domainSize)
  if (domainSize < 2 || domainSize !== 2 ** power || power > MAX_POWER)
    fail(`the domain's size ${domainSize} is no power of two between 2 and 2^${MAX_POWER}`)
  if (nPublic + 1 > nVars) fail(`${nPublic} public signals, but ${nVars} wires`)
  if (nPublic + 1 > domainSize) fail(`${nPublic} public signals do not fit a domain of ${domainSize}`)
  size(3, 64 * (nPublic + 1))
  for (const id of [5, 6]) size(id, 64 * nVars)
  size(7, 128 * nVars)
  size(8, 64 * (nVars - nPublic - 1))
  size(9, 64 * domainSize)

  const { rows, count } = readCoefficients(section(4), nVars, nPublic, domainSize, fail)

  const point1 = (id: number, at: number, what: string): G1 =>
    readG1(viewOf(section(id)), at) ?? fail(`${what} has a coordinate that is not below q`)
  const point2 = (id: number, at: number, what: string): G2 =>
    readG2(viewOf(section(id)), at) ?? fail(`${what} has a coordinate that is not below q`)
  const [alpha1, beta1, delta1] = [point1(2, 84, 'alpha1'), point1(2, 148, 'beta1'), point1(2, 468, 'delta1')]
  const [beta2, gamma2, delta2] = [point2(2, 212, 'beta2'), point2(2, 340, 'gamma2'), point2(2, 532, 'delta2')]
  const history = readHistory(section(10), fail)
  const verifyingKey: VerifyingKey = {
    nPublic,
    alpha: alpha1,
    beta: beta2,
    gamma: gamma2,
    delta: delta2,
    ic: Array.from({ length: nPublic + 1 }, (_, s) => point1(3, 64 * s, `IC ${s}`)),
    // delta differs from the generator: without a contribution somebody must have chosen it
    dev: history.dev || history.contributions.length === 0,
  }
  try {
    checkVerifyingKey(verifyingKey)
  } catch (error) {
    if (error instanceof KeyError && error.code === 'key/malformed') fail(error.message)
    throw error
  }
  sameScalar(beta1, beta2, 'beta', fail)
  sameScalar(delta1, delta2, 'delta', fail)
  const last = history.deltaAfter
  if (last !== undefined && (last.x !== delta1.x || last.y !== delta1.y))
    fail('the last contribution ends with another delta than the key')
  return {
    ...{ nVars, nPublic, rows, power, domainSize, coefficients: count, verifyingKey },
    ...{ circuitDigest: history.circuitDigest, contributions: history.contributions, sections },
  }
}

/** Checks section 4. Returns the rows of the circuit and the number of entries. */
function readCoefficients(
  section: Uint8Array,
  nVars: number,
  nPublic: number,
  domainSize: number,
  fail: Fail,
): { readonly rows: number; readonly count: number } {
  if (section.length < 4) fail('section 4 has no count')
  const view = viewOf(section)
  const count = view.getUint32(0, true)
  if (section.length !== 4 + COEFFICIENT_SIZE * count)
    fail(`section 4 has ${section.length} bytes for ${count} coefficients`)
  if (count < nPublic + 1) fail('section 4 lacks the extra rows of the public signals')
  const inner = count - nPublic - 1
  // the extra rows are the last entries, one after the other
  const rows = view.getUint32(4 + COEFFICIENT_SIZE * inner + 4, true)
  if (rows + nPublic + 1 > domainSize) fail(`${rows} rows and ${nPublic} public signals do not fit the domain`)
  const high = Number(R >> 224n)
  for (let i = 0; i < inner; i++) {
    const at = 4 + COEFFICIENT_SIZE * i
    if (view.getUint32(at, true) > 1) fail(`coefficient ${i} belongs to no matrix`)
    if (view.getUint32(at + 4, true) >= rows) fail(`coefficient ${i} belongs to no row`)
    if (view.getUint32(at + 8, true) >= nVars) fail(`coefficient ${i} belongs to no wire`)
    if (view.getUint32(at + 40, true) >= high && readLE32(view, at + 12) >= R)
      fail(`coefficient ${i} is not below the prime`)
  }
  for (let s = 0; s <= nPublic; s++) {
    const at = 4 + COEFFICIENT_SIZE * (inner + s)
    const [matrix, row, wire] = [0, 4, 8].map((field) => view.getUint32(at + field, true))
    if (matrix !== 0 || row !== rows + s || wire !== s || readLE32(view, at + 12) !== DOUBLE_MONTGOMERY)
      fail(`the extra row of public signal ${s} is missing`)
  }
  return { rows, count }
}

/** e(p, G2) = e(G1, q), or fail. */
function sameScalar(p: G1, q: G2, what: string, fail: Fail): void {
  const [left, right] = [checkG1(p, `${what}1`, fail), checkG2(q, `${what}2`, fail)]
  const { G1: Group1, G2: Group2 } = bn254
  const one = bn254.pairingBatch([
    { g1: left, g2: Group2.Point.BASE },
    { g1: Group1.Point.BASE.negate(), g2: right },
  ])
  if (!bn254.fields.Fp12.eql(one, bn254.fields.Fp12.ONE)) fail(`${what}1 and ${what}2 are different numbers`)
}

function readHistory(section: Uint8Array, fail: Fail) {
  if (section.length < HASH_SIZE + 4) return fail('section 10 is too short')
  const text = (from: number, to: number): string => Buffer.from(section.slice(from, to)).toString('latin1')
  const hex = (from: number, to: number): string => Buffer.from(section.slice(from, to)).toString('hex')
  const dev = text(0, 32) === DEV_MARK.padEnd(32, '\0')
  let circuitDigest = dev ? hex(32, HASH_SIZE) : undefined
  const view = viewOf(section)
  const count = view.getUint32(HASH_SIZE, true)
  const contributions: { name: string; beacon: boolean }[] = []
  let deltaAfter: G1 | undefined
  let at = HASH_SIZE + 4
  for (let i = 0; i < count; i++) {
    if (at + CONTRIBUTION_SIZE > section.length) fail(`contribution ${i} is cut off`)
    deltaAfter = readG1(view, at) ?? fail(`contribution ${i} has a coordinate that is not below q`)
    const type = view.getUint32(at + CONTRIBUTION_SIZE - 8, true)
    const length = view.getUint32(at + CONTRIBUTION_SIZE - 4, true)
    if (type > 1) fail(`contribution ${i} is of an unknown kind`)
    at += CONTRIBUTION_SIZE
    if (length > section.length - at) fail(`contribution ${i} is cut off`)
    const end = at + length
    let name = ''
    for (let last = 0; at < end; ) {
      const kind = section[at++]!
      if (kind <= last || kind > 3) fail(`contribution ${i} has an unknown parameter`)
      last = kind
      const bytes = kind === 2 ? 1 : 1 + (section[at] ?? 0)
      if (bytes > end - at) fail(`contribution ${i} is cut off`)
      if (kind === 1) name = Buffer.from(section.slice(at + 1, at + bytes)).toString('utf8')
      at += bytes
    }
    // keys of ours name the circuit in their first contribution
    if (circuitDigest === undefined && /^[0-9a-f]{64}$/.test(name)) circuitDigest = name
    contributions.push({ name, beacon: type === 1 })
  }
  if (at !== section.length) fail('section 10 has bytes after the last contribution')
  return { dev, circuitDigest, contributions, deltaAfter }
}

/**
 * Refuses a key that was set up for other rows: compares counts, every coefficient of the matrices A and B, and the
 * circuit's digest if the key names it. Matrix C is in no key; a difference there alone goes unnoticed without a digest,
 * until a proof turns out invalid.
 *
 * Throws KeyError `key/other-circuit`.
 */
export function checkKeyOfCircuit(key: ProvingKey, circuit: R1cs): void {
  const fail = (what: string, details: ErrorDetails = {}): never => {
    throw new KeyError('other-circuit', `the proving key belongs to another circuit: ${what}`, details)
  }
  const nPublic = circuit.publicOutputs + circuit.publicInputs
  const counts: readonly (readonly [string, number, number])[] = [
    ['wires', key.nVars, circuit.wires],
    ['public signals', key.nPublic, nPublic],
    ['rows', key.rows, circuit.rows],
    ['points in the domain', key.domainSize, 2 ** domainPower(circuit.rows, nPublic)],
  ]
  for (const [what, inKey, inCircuit] of counts)
    if (inKey !== inCircuit) fail(`it has ${inKey} ${what}, the circuit ${inCircuit}`, { what, inKey, inCircuit })

  const { lcStart, lcWire, lcCoefficient, rowLC } = circuit
  const words = coefficientWords(circuit.coefficients, DOUBLE_MONTGOMERY)
  const view = viewOf(key.sections.get(4)!)
  const entries = key.coefficients - nPublic - 1
  let entry = 0
  for (let row = 0; row < circuit.rows; row++)
    for (let matrix = 0; matrix < 2; matrix++) {
      const lc = rowLC[3 * row + matrix]!
      for (let t = lcStart[lc]!; t < lcStart[lc + 1]!; t++, entry++) {
        const at = 4 + COEFFICIENT_SIZE * entry
        let same = entry < entries
        same &&= view.getUint32(at, true) === matrix && view.getUint32(at + 4, true) === row
        same &&= view.getUint32(at + 8, true) === lcWire[t]!
        const from = 8 * lcCoefficient[t]!
        for (let w = 0; w < 8; w++) same &&= view.getUint32(at + 12 + 4 * w, true) === words[from + w]!
        if (!same) fail(`row ${row} differs`, { row })
      }
    }
  if (entry !== entries) fail('it has more coefficients')
  if (key.circuitDigest !== undefined) {
    const digest = r1csDigest(circuit)
    if (digest !== key.circuitDigest)
      fail(`it names circuit ${key.circuitDigest}, not ${digest}`, { inKey: key.circuitDigest, inCircuit: digest })
  }
}
