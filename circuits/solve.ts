/**
 * From inputs to a witness, and the check of a witness.
 *
 * The program is a sequence of steps, each an operation code and its operands:
 *
 * | step | operands | effect |
 * |---|---|---|
 * | mul | out, a, b | wire out = ⟨a,w⟩·⟨b,w⟩ |
 * | mulAdd | out, a, b, c | wire out = ⟨a,w⟩·⟨b,w⟩ + ⟨c,w⟩ |
 * | assign | out, a | wire out = ⟨a,w⟩ |
 * | bits | out, n, a | wires out … out+n-1 = the low n bits of ⟨a,w⟩ |
 * | hint | out, count, name, table, k, a₁ … aₖ | wires out … out+count-1 = hint(⟨a₁,w⟩ …) |
 * @module
 */
import type { Circuit } from './circuit.ts'
import { CircuitError } from './error.ts'
import { createField, type Field } from './field.ts'
import { type Hint, hints } from './hints.ts'

export const MUL = 1
export const ASSIGN = 2
export const BITS = 3
export const HINT = 4
export const MUL_ADD = 5

/** All wire values: signed integers in `small`, except for the wires in `wide`, whose representatives lie in [0, p). */
export type Witness = { readonly small: Float64Array; readonly wide: ReadonlyMap<number, bigint> }

/** Value of a wire in [0, p). */
export const wireValue = (F: Field, witness: Witness, wire: number): bigint =>
  witness.wide.get(wire) ?? F.mod(BigInt(witness.small[wire]!))

type Evaluator = {
  readonly F: Field
  /** ⟨lc,w⟩ as a double; meaningful for safe combinations only. */
  number(lc: number): number
  /** ⟨lc,w⟩ as a signed representative. */
  bigint(lc: number): bigint
}

function evaluator(circuit: Circuit, small: Float64Array, wide: ReadonlyMap<number, bigint>): Evaluator {
  const { lcStart, lcWire, lcCoefficient, lcSafe, coefficients, wideWire } = circuit
  const F = createField(circuit.prime)
  const numbers = Float64Array.from(coefficients, Number)
  const number = (lc: number): number => {
    let sum = 0
    const end = lcStart[lc + 1]!
    for (let i = lcStart[lc]!; i < end; i++) sum += numbers[lcCoefficient[i]!]! * small[lcWire[i]!]!
    return sum
  }
  const bigint = (lc: number): bigint => {
    if (lcSafe[lc] === 1) return F.signed(BigInt(number(lc)))
    let sum = 0n
    const end = lcStart[lc + 1]!
    for (let i = lcStart[lc]!; i < end; i++) {
      const wire = lcWire[i]!
      sum += coefficients[lcCoefficient[i]!]! * (wideWire[wire] === 1 ? (wide.get(wire) ?? 0n) : BigInt(small[wire]!))
    }
    return F.signed(sum)
  }
  return { F, number, bigint }
}

/**
 * Fills every wire from the inputs (public inputs first, then private ones) and checks every row.
 *
 * Throws CircuitError `input/count`, `input/not-an-integer`, `input/out-of-range`, or `circuit/unsatisfied` with the index
 * and scope of the first violated row.
 */
export function solve(circuit: Circuit, inputs: ArrayLike<number | bigint>): Witness {
  const witness = runProgram(circuit, inputs)
  const row = firstViolated(circuit, witness)
  if (row !== undefined) throw unsatisfied(circuit, row)
  return witness
}

/** The error for a violated row. */
export function unsatisfied(circuit: Circuit, row: number): CircuitError {
  const scope = circuit.scopes[circuit.rowScope[row]!] ?? ''
  return new CircuitError('circuit/unsatisfied', `row ${row} (${scope || 'no scope'}) does not hold`, { row, scope })
}

/** The witness that the program makes, unchecked: for tests and for `solve`. Throws as `solve` does for bad inputs. */
export function runProgram(circuit: Circuit, inputs: ArrayLike<number | bigint>): Witness {
  const { program, wideWire, lcSafe } = circuit
  const small = new Float64Array(circuit.wires)
  const wide = new Map<number, bigint>()
  small[0] = 1
  setInputs(circuit, inputs, small, wide)
  const { F, number, bigint } = evaluator(circuit, small, wide)
  const set = (wire: number, value: bigint): void => {
    if (wideWire[wire] === 1) wide.set(wire, F.mod(value))
    else small[wire] = Number(F.signed(value))
  }
  for (let pc = 0; pc < program.length; ) {
    const code = program[pc]!
    const out = program[pc + 1]!
    if (code === BITS) {
      const n = program[pc + 2]!
      const lc = program[pc + 3]!
      if (lcSafe[lc] === 1) {
        let rest = number(lc)
        for (let i = 0; i < n; i++) {
          const half = Math.floor(rest / 2)
          small[out + i] = rest - 2 * half
          rest = half
        }
      } else {
        const value = bigint(lc)
        for (let i = 0; i < n; i++) small[out + i] = Number((value >> BigInt(i)) & 1n)
      }
      pc += 4
    } else if (code === MUL) {
      const [a, b] = [program[pc + 2]!, program[pc + 3]!]
      if (wideWire[out] === 0 && lcSafe[a] === 1 && lcSafe[b] === 1) {
        const product = number(a) * number(b)
        if (Number.isSafeInteger(product)) small[out] = product
        else set(out, bigint(a) * bigint(b))
      } else set(out, bigint(a) * bigint(b))
      pc += 4
    } else if (code === MUL_ADD) {
      const [a, b, c] = [program[pc + 2]!, program[pc + 3]!, program[pc + 4]!]
      const safe = wideWire[out] === 0 && lcSafe[a] === 1 && lcSafe[b] === 1 && lcSafe[c] === 1
      const product = safe ? number(a) * number(b) : Number.NaN
      const sum = safe ? product + number(c) : Number.NaN
      if (Number.isSafeInteger(product) && Number.isSafeInteger(sum)) small[out] = sum
      else set(out, bigint(a) * bigint(b) + bigint(c))
      pc += 5
    } else if (code === ASSIGN) {
      const lc = program[pc + 2]!
      const value = wideWire[out] === 0 && lcSafe[lc] === 1 ? number(lc) : Number.NaN
      if (Number.isSafeInteger(value)) small[out] = value
      else set(out, bigint(lc))
      pc += 3
    } else {
      const count = program[pc + 2]!
      const name = circuit.hintNames[program[pc + 3]!]!
      const table = circuit.tables[program[pc + 4]!]!
      const k = program[pc + 5]!
      const values: bigint[] = []
      for (let i = 0; i < k; i++) values.push(bigint(program[pc + 6 + i]!))
      const results = (hints as Record<string, Hint>)[name]!(F, values, table, count)
      for (let i = 0; i < count; i++) set(out + i, results[i]!)
      pc += 6 + k
    }
  }
  return { small, wide }
}

function setInputs(
  circuit: Circuit,
  inputs: ArrayLike<number | bigint>,
  small: Float64Array,
  wide: Map<number, bigint>,
): void {
  const count = circuit.publicInputs + circuit.privateInputs
  if (inputs.length !== count)
    throw new CircuitError('input/count', `the circuit takes ${count} inputs, ${inputs.length} were given`, {
      expected: count,
      got: inputs.length,
    })
  const first = 1 + circuit.publicOutputs
  for (let i = 0; i < count; i++) {
    const value = inputs[i]!
    if (typeof value === 'number' && !Number.isInteger(value))
      throw new CircuitError('input/not-an-integer', `input ${i} is ${value}; circuits take integers`, {
        input: i,
        value,
      })
    if (circuit.wideWire[first + i] === 1) {
      const big = BigInt(value)
      if (big < 0n || big >= circuit.prime)
        throw new CircuitError('input/out-of-range', `input ${i} is not in [0, p)`, { input: i, value: String(value) })
      wide.set(first + i, big)
      continue
    }
    const [lo, hi] = [circuit.inputRanges[2 * i]!, circuit.inputRanges[2 * i + 1]!]
    if (value < lo || value > hi)
      throw new CircuitError('input/out-of-range', `input ${i} is ${value}, outside [${lo}, ${hi}]`, {
        input: i,
        value: String(value),
        lo,
        hi,
      })
    small[first + i] = Number(value)
  }
}

/** Index of the first row that the witness violates, or undefined. Exact for witnesses that `runProgram` made. */
export function firstViolated(circuit: Circuit, witness: Witness): number | undefined {
  const { rowLC, lcSafe } = circuit
  const { F, number, bigint } = evaluator(circuit, witness.small, witness.wide)
  for (let r = 0; r < circuit.rows; r++) {
    const [a, b, c] = [rowLC[3 * r]!, rowLC[3 * r + 1]!, rowLC[3 * r + 2]!]
    if (lcSafe[a] === 1 && lcSafe[b] === 1 && lcSafe[c] === 1) {
      const product = number(a) * number(b)
      if (Number.isSafeInteger(product) && product === number(c)) continue
    }
    if (F.mod(bigint(a) * bigint(b) - bigint(c)) !== 0n) return r
  }
  return undefined
}

/**
 * Exact value of a combination for any assignment of field elements; the slow twin of the solver's evaluation, which also
 * serves witnesses that no program made.
 */
export function evaluate(F: Field, circuit: Circuit, lc: number, values: ArrayLike<bigint>): bigint {
  let sum = 0n
  for (let i = circuit.lcStart[lc]!; i < circuit.lcStart[lc + 1]!; i++)
    sum += circuit.coefficients[circuit.lcCoefficient[i]!]! * values[circuit.lcWire[i]!]!
  return F.mod(sum)
}

/** Whether any assignment of field elements satisfies one row. Slow and exact. */
export const rowHolds = (F: Field, circuit: Circuit, row: number, values: ArrayLike<bigint>): boolean =>
  F.mul(
    evaluate(F, circuit, circuit.rowLC[3 * row]!, values),
    evaluate(F, circuit, circuit.rowLC[3 * row + 1]!, values),
  ) === evaluate(F, circuit, circuit.rowLC[3 * row + 2]!, values)
