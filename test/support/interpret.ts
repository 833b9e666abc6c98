import type { Circuit } from '../../circuits/circuit.ts'
import { createField } from '../../circuits/field.ts'
import { ASSIGN, BITS, HINT, MUL, MUL_ADD } from '../../circuits/solve.ts'

/** Wires whose values a lying prover chooses. Any integers; taken mod p. */
export type Lies = ReadonlyMap<number, bigint>

/** One step of a program, as data. */
export type Step = {
  readonly kind: 'mul' | 'mulAdd' | 'assign' | 'bits' | 'hint'
  readonly out: number
  readonly count: number
  readonly operands: readonly number[]
  readonly hint?: string
  readonly params?: readonly number[]
}

/** The program of a circuit, step by step. */
export function stepsOf({ program, hintNames, tables }: Circuit): Step[] {
  const steps: Step[] = []
  const at = (i: number): number => program[i]!
  for (let pc = 0; pc < program.length; ) {
    const out = at(pc + 1)
    const operands = (from: number, n: number): number[] => Array.from(program.subarray(pc + from, pc + from + n))
    switch (at(pc)) {
      case MUL:
        steps.push({ kind: 'mul', out, count: 1, operands: operands(2, 2) })
        pc += 4
        break
      case MUL_ADD:
        steps.push({ kind: 'mulAdd', out, count: 1, operands: operands(2, 3) })
        pc += 5
        break
      case ASSIGN:
        steps.push({ kind: 'assign', out, count: 1, operands: operands(2, 1) })
        pc += 3
        break
      case BITS:
        steps.push({ kind: 'bits', out, count: at(pc + 2), operands: operands(3, 1) })
        pc += 4
        break
      case HINT: {
        const [count, name, table, k] = [at(pc + 2), at(pc + 3), at(pc + 4), at(pc + 5)]
        steps.push({
          kind: 'hint',
          out,
          count,
          operands: operands(6, k),
          hint: hintNames[name]!,
          params: tables[table]!,
        })
        pc += 6 + k
        break
      }
      default:
        throw new Error(`unknown step ${at(pc)}`)
    }
  }
  return steps
}

/** Floor division for any signs. */
const floorDiv = (n: bigint, d: bigint): bigint => (n - (((n % d) + d) % d)) / d

/** What honest provers answer, written a second time. Inputs are signed representatives. */
function honest(step: Step, inputs: readonly bigint[], p: bigint): bigint[] {
  switch (step.hint) {
    case 'quotientOf':
      return [inputs[0] === 0n ? 0n : BigInt(step.params![0]!) / inputs[0]!]
    case 'inverse':
      return [powMod(inputs[0]!, p - 2n, p)]
    case 'isZero':
      return [inputs[0] === 0n ? 1n : 0n]
    case 'quotient':
      return [inputs[1] === 0n ? 0n : floorDiv(inputs[0]!, inputs[1]!)]
    case 'interval': {
      const [x, ...ends] = inputs
      let place = 0
      while (place < ends.length && ends[place]! <= x!) place++
      return ends.map((_, i) => (i === place - 1 ? 1n : 0n))
    }
    case 'quotientBits':
      return Array.from({ length: step.count }, (_, i) => {
        const half = floorDiv(inputs[0]!, BigInt(step.params![0]!) << BigInt(i))
        return ((half % 2n) + 2n) % 2n
      })
    case 'maximum': {
      const sorted = [...inputs].sort((a, b) => (a < b ? 1 : a > b ? -1 : 0))
      return [sorted[0]!]
    }
    case 'firstMaximum': {
      const first = inputs.findIndex((x) => inputs.every((y) => y <= x))
      return inputs.map((_, i) => (i === first ? 1n : 0n))
    }
    default:
      throw new Error(`unknown hint ${step.hint}`)
  }
}

const powMod = (base: bigint, exponent: bigint, p: bigint): bigint => {
  let [result, square, e] = [1n, ((base % p) + p) % p, exponent]
  while (e > 0n) {
    if (e & 1n) result = (result * square) % p
    square = (square * square) % p
    e >>= 1n
  }
  return result
}

/**
 * The slow twin of `runProgram`: every wire in [0, p), in bigint throughout. Wires in `lies` take those values, and
 * steps after them work with the lie, as a cheating prover's would. `from` gives the honest values where there are some
 * already.
 */
export function interpret(
  circuit: Circuit,
  inputs: readonly bigint[],
  lies: Lies = new Map(),
  from?: { readonly steps: readonly Step[]; readonly values: readonly bigint[] },
): bigint[] {
  const p = circuit.prime
  const F = createField(p)
  const steps = from?.steps ?? stepsOf(circuit)
  const values: bigint[] = from === undefined ? new Array(circuit.wires).fill(0n) : [...from.values]
  values[0] = 1n
  inputs.forEach((x, i) => {
    values[1 + circuit.publicOutputs + i] = F.mod(x)
  })
  const value = (lc: number): bigint => evaluateLC(circuit, lc, values)
  const firstLie = Math.min(...lies.keys())
  let lying = from === undefined
  for (const step of steps) {
    lying ||= step.out + step.count > firstLie
    if (!lying) continue
    const operands = step.operands.map(value)
    const results =
      step.kind === 'mul'
        ? [operands[0]! * operands[1]!]
        : step.kind === 'mulAdd'
          ? [operands[0]! * operands[1]! + operands[2]!]
          : step.kind === 'assign'
            ? [operands[0]!]
            : step.kind === 'bits'
              ? Array.from({ length: step.count }, (_, i) => (operands[0]! / (1n << BigInt(i))) % 2n)
              : honest(step, operands.map(F.signed), p)
    if (results.length !== step.count) throw new Error('a step with the wrong number of results')
    results.forEach((result, i) => {
      values[step.out + i] = F.mod(lies.get(step.out + i) ?? result)
    })
  }
  return values
}

/** ⟨lc, values⟩ in [0, p). */
export function evaluateLC(circuit: Circuit, lc: number, values: readonly bigint[]): bigint {
  let sum = 0n
  for (let i = circuit.lcStart[lc]!; i < circuit.lcStart[lc + 1]!; i++)
    sum += circuit.coefficients[circuit.lcCoefficient[i]!]! * values[circuit.lcWire[i]!]!
  const rest = sum % circuit.prime
  return rest < 0n ? rest + circuit.prime : rest
}

/** Index of the first row that these values violate, or undefined. */
export function violatedRow(circuit: Circuit, values: readonly bigint[]): number | undefined {
  for (let r = 0; r < circuit.rows; r++) {
    const [a, b, c] = [0, 1, 2].map((side) => evaluateLC(circuit, circuit.rowLC[3 * r + side]!, values)) as [
      bigint,
      bigint,
      bigint,
    ]
    if ((a * b - c) % circuit.prime !== 0n) return r
  }
  return undefined
}

/** The public outputs, as signed representatives. */
export const outputsOf = (circuit: Circuit, values: readonly bigint[]): bigint[] =>
  values.slice(1, 1 + circuit.publicOutputs).map((v) => (2n * v > circuit.prime ? v - circuit.prime : v))
