/**
 * Circuits as files. The container's header holds the numbers and names, its arrays are those of `Circuit`; coefficients are
 * residues of 32 bytes, little-endian.
 *
 * Version 1. Opcodes of the program (solve.ts) and names of hints (hints.ts) are part of the format.
 * @module
 */
import type { Circuit } from './circuit.ts'
import { decodeContainer, encodeContainer, type TypedArray } from './container.ts'
import { CircuitError } from './error.ts'
import { createField, Fr } from './field.ts'
import { hintShapes } from './hints.ts'
import { ASSIGN, BITS, HINT, MUL, MUL_ADD } from './solve.ts'

const KIND = 'veritensor-circuit'
const VERSION = 1
/** Bytes of a coefficient. */
const WIDTH = 32

/** A circuit as bytes; equal circuits have equal bytes. Its digest is `containerDigest` of them. */
export function encodeCircuit(circuit: Circuit): Uint8Array {
  const { prime, wires, publicOutputs, publicInputs, privateInputs, rows, hintNames, scopes, tables } = circuit
  if (prime >= 1n << BigInt(8 * WIDTH)) throw new RangeError(`encodeCircuit: the prime exceeds ${WIDTH} bytes`)
  const coefficients = new Uint8Array(WIDTH * circuit.coefficients.length)
  const view = new DataView(coefficients.buffer)
  circuit.coefficients.forEach((k, i) => {
    let rest = k < 0n ? k + prime : k
    for (let at = WIDTH * i; at < WIDTH * (i + 1); at += 8) {
      view.setBigUint64(at, BigInt.asUintN(64, rest), true)
      rest >>= 64n
    }
  })
  return encodeContainer(
    KIND,
    VERSION,
    {
      ...{ prime: String(prime), wires, publicOutputs, publicInputs, privateInputs, rows },
      ...{ hintNames, scopes, tables },
    },
    {
      lcStart: circuit.lcStart,
      lcWire: circuit.lcWire,
      lcCoefficient: circuit.lcCoefficient,
      lcSafe: circuit.lcSafe,
      coefficients,
      rowLC: circuit.rowLC,
      rowScope: circuit.rowScope,
      program: circuit.program,
      wideWire: circuit.wideWire,
      inputRanges: circuit.inputRanges,
    },
  )
}

/**
 * The circuit of such bytes over the field of order `prime`. Its arrays are views into the bytes where these are aligned to
 * 8, so the bytes must not change afterwards.
 *
 * Everything that solving and proving index by is checked, so that a hostile file can make neither of them fail in unforeseen
 * ways; what the circuit states is not judged. Throws CircuitError `circuit/malformed`, `circuit/wrong-field`, or what
 * `decodeContainer` throws.
 */
export function decodeCircuit(bytes: Uint8Array, prime: bigint = Fr.p): Circuit {
  const { header, arrays } = decodeContainer(KIND, bytes, VERSION)
  const circuit = readParts(header, arrays, prime)
  checkWires(circuit)
  checkCombinations(circuit)
  checkRows(circuit)
  checkProgram(circuit)
  return circuit
}

const malformed = (what: string, details: Readonly<Record<string, unknown>> = {}): CircuitError =>
  new CircuitError('circuit/malformed', `the circuit file is malformed: ${what}`, details)

const isCount = (x: unknown): x is number => Number.isSafeInteger(x) && (x as number) >= 0

function readParts(header: unknown, arrays: Readonly<Record<string, TypedArray>>, prime: bigint): Circuit {
  if (typeof header !== 'object' || header === null) throw malformed('the header is no record')
  const fields = header as Readonly<Record<string, unknown>>
  if (fields.prime !== String(prime))
    throw new CircuitError('circuit/wrong-field', `the circuit is not over the field of order ${prime}`, {
      expected: String(prime),
    })
  const count = (name: string): number => {
    const value = fields[name]
    if (!isCount(value)) throw malformed(`"${name}" is no count`, { name })
    return value
  }
  const list = <T>(value: unknown, name: string, valid: (x: unknown) => x is T): readonly T[] => {
    if (!Array.isArray(value) || !value.every(valid)) throw malformed(`"${name}" is no list of its kind`, { name })
    return value
  }
  const isString = (x: unknown): x is string => typeof x === 'string'
  const isIntegers = (x: unknown): x is number[] => Array.isArray(x) && x.every(Number.isSafeInteger)
  let taken = 0
  const take = <T extends TypedArray>(name: string, type: abstract new (...args: never[]) => T): T => {
    const array = arrays[name]
    if (!(array instanceof type)) throw malformed(`array "${name}" is missing or of another type`, { name })
    taken++
    return array
  }
  const circuit: Circuit = {
    prime,
    wires: count('wires'),
    publicOutputs: count('publicOutputs'),
    publicInputs: count('publicInputs'),
    privateInputs: count('privateInputs'),
    rows: count('rows'),
    lcStart: take('lcStart', Uint32Array),
    lcWire: take('lcWire', Uint32Array),
    lcCoefficient: take('lcCoefficient', Uint32Array),
    lcSafe: take('lcSafe', Uint8Array),
    coefficients: readCoefficients(take('coefficients', Uint8Array), prime),
    rowLC: take('rowLC', Uint32Array),
    program: take('program', Int32Array),
    tables: list(fields.tables, 'tables', isIntegers),
    hintNames: list(fields.hintNames, 'hintNames', isString),
    wideWire: take('wideWire', Uint8Array),
    inputRanges: take('inputRanges', Float64Array),
    scopes: list(fields.scopes, 'scopes', isString),
    rowScope: take('rowScope', Uint32Array),
  }
  if (taken !== Object.keys(arrays).length) throw malformed('there are arrays that no circuit has')
  const unknown = circuit.hintNames.find((name) => !Object.hasOwn(hintShapes, name))
  if (unknown !== undefined)
    throw malformed(`this program has no hint ${JSON.stringify(unknown)}; a newer one may`, { hint: unknown })
  return circuit
}

function readCoefficients(bytes: Uint8Array, prime: bigint): bigint[] {
  if (bytes.length % WIDTH !== 0) throw malformed(`coefficients have ${bytes.length} bytes, no multiple of ${WIDTH}`)
  const F = createField(prime)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return Array.from({ length: bytes.length / WIDTH }, (_, i) => {
    let residue = 0n
    for (let at = WIDTH * (i + 1) - 8; at >= WIDTH * i; at -= 8)
      residue = (residue << 64n) | view.getBigUint64(at, true)
    if (residue >= prime) throw malformed(`coefficient ${i} is not below the field order`, { coefficient: i })
    return F.signed(residue)
  })
}

function checkWires({ wires, publicOutputs, publicInputs, privateInputs, wideWire, inputRanges }: Circuit): void {
  const inputs = publicInputs + privateInputs
  if (1 + publicOutputs + inputs > wires) throw malformed('there are more inputs and outputs than wires')
  if (wideWire.length !== wires) throw malformed('wideWire does not fit the wires')
  if (wideWire.some((w) => w > 1) || wideWire[0] !== 0) throw malformed('wideWire holds more than 0 and 1')
  if (inputRanges.length !== 2 * inputs) throw malformed('inputRanges does not fit the inputs')
  for (let i = 0; i < inputs; i++) {
    const [lo, hi] = [inputRanges[2 * i]!, inputRanges[2 * i + 1]!]
    const valid =
      wideWire[1 + publicOutputs + i] === 1
        ? lo === Number.NEGATIVE_INFINITY && hi === Number.POSITIVE_INFINITY
        : Number.isSafeInteger(lo) && Number.isSafeInteger(hi) && lo <= hi
    if (!valid) throw malformed(`input ${i} has no valid range`, { input: i })
  }
}

function checkCombinations(circuit: Circuit): void {
  const { wires, coefficients, lcStart, lcWire, lcCoefficient, lcSafe, wideWire } = circuit
  const combinations = lcSafe.length
  if (lcStart.length !== combinations + 1) throw malformed('lcStart and lcSafe do not fit')
  if (lcWire.length !== lcCoefficient.length) throw malformed('lcWire and lcCoefficient do not fit')
  if (lcStart[0] !== 0 || lcStart[combinations] !== lcWire.length) throw malformed('lcStart does not fit the terms')
  for (let lc = 0; lc < combinations; lc++)
    if (lcStart[lc]! > lcStart[lc + 1]!) throw malformed(`combination ${lc} ends before it starts`, { lc })
  const safe = Uint8Array.from(coefficients, (k) => (Number.isSafeInteger(Number(k)) ? 1 : 0))
  for (let lc = 0; lc < combinations; lc++) {
    if (lcSafe[lc]! > 1) throw malformed('lcSafe holds more than 0 and 1')
    let last = -1
    for (let i = lcStart[lc]!; i < lcStart[lc + 1]!; i++) {
      const [wire, coefficient] = [lcWire[i]!, lcCoefficient[i]!]
      if (wire >= wires) throw malformed(`combination ${lc} has wire ${wire} of ${wires}`, { lc, wire })
      if (wire <= last) throw malformed(`the wires of combination ${lc} do not ascend`, { lc, wire })
      last = wire
      if (coefficient >= coefficients.length)
        throw malformed(`combination ${lc} has coefficient ${coefficient} of ${coefficients.length}`, { lc })
      if (lcSafe[lc] === 1 && (wideWire[wire] === 1 || safe[coefficient] === 0))
        throw malformed(`combination ${lc} is not exact in doubles as it claims`, { lc })
    }
  }
}

function checkRows({ rows, rowLC, rowScope, lcSafe, scopes }: Circuit): void {
  if (rowLC.length !== 3 * rows || rowScope.length !== rows) throw malformed('rowLC or rowScope does not fit the rows')
  const lc = rowLC.findIndex((id) => id >= lcSafe.length)
  if (lc >= 0) throw malformed(`row ${Math.floor(lc / 3)} has no such combination`, { row: Math.floor(lc / 3) })
  const row = rowScope.findIndex((scope) => scope >= scopes.length)
  if (row >= 0) throw malformed(`row ${row} has no such scope`, { row })
}

/** Every step is whole, reads wires that earlier steps or inputs set, and sets each of the other wires exactly once. */
function checkProgram(circuit: Circuit): void {
  const { program, wires, publicOutputs, publicInputs, privateInputs, hintNames, tables, wideWire } = circuit
  const { lcStart, lcWire, lcSafe } = circuit
  const firstInput = 1 + publicOutputs
  const written = new Uint8Array(wires)
  written[0] = 1
  written.fill(1, firstInput, firstInput + publicInputs + privateInputs)
  const readable = new Uint8Array(lcSafe.length)
  for (let pc = 0; pc < program.length; ) {
    const fail = (what: string): CircuitError => malformed(`step at ${pc} ${what}`, { step: pc })
    const word = (i: number, below: number, what: string): number => {
      const value = program[pc + i]
      if (value === undefined) throw fail('is cut off')
      if (value < 0 || value >= below) throw fail(`has no valid ${what}`)
      return value
    }
    const read = (i: number): void => {
      const lc = word(i, lcSafe.length, 'combination')
      if (readable[lc] === 1) return
      for (let t = lcStart[lc]!; t < lcStart[lc + 1]!; t++)
        if (written[lcWire[t]!] !== 1) throw fail(`reads wire ${lcWire[t]} before it is set`)
      readable[lc] = 1
    }
    const write = (count: number): void => {
      const out = word(1, wires - count + 1, 'wires to set')
      for (let wire = out; wire < out + count; wire++) {
        if (written[wire] === 1) throw fail(`sets wire ${wire}, an input or set before`)
        written[wire] = 1
      }
    }
    const code = word(0, 256, 'code')
    if (code === MUL || code === MUL_ADD || code === ASSIGN) {
      const operands = code === MUL ? 2 : code === MUL_ADD ? 3 : 1
      for (let i = 0; i < operands; i++) read(2 + i)
      write(1)
      pc += 2 + operands
    } else if (code === BITS) {
      const count = word(2, wires, 'number of bits')
      read(3)
      write(count)
      const out = program[pc + 1]!
      for (let wire = out; wire < out + count; wire++) if (wideWire[wire] === 1) throw fail('makes a bit a wide wire')
      pc += 4
    } else if (code === HINT) {
      const count = word(2, wires, 'number of results')
      const shape = hintShapes[hintNames[word(3, hintNames.length, 'hint')] as keyof typeof hintShapes]
      const params = tables[word(4, tables.length, 'table')]!.length
      const inputs = word(5, program.length, 'number of inputs')
      if (inputs < 1 || (shape.inputs !== 'any' && inputs !== shape.inputs))
        throw fail('has the wrong number of inputs')
      if (params !== shape.params) throw fail('has the wrong number of parameters')
      if (shape.results === 'any' ? count < 1 : count !== (shape.results === 'asInputs' ? inputs : shape.results))
        throw fail('has the wrong number of results')
      for (let i = 0; i < inputs; i++) read(6 + i)
      write(count)
      pc += 6 + inputs
    } else throw fail(`has the unknown code ${code}`)
  }
  const unset = written.indexOf(0)
  if (unset >= 0) throw malformed(`no step sets wire ${unset}`, { wire: unset })
}
