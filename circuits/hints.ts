/**
 * Every computation that a prover runs outside the constraints, by name. Names and meanings are part of the circuit's file
 * format: a saved circuit is solved by looking its hints up here. A hint promises nothing: the gadget that asks for it pins
 * the result with constraints.
 * @module
 */
import type { Field } from './field.ts'

/** Values are signed representatives; `params` are integers fixed when the circuit was built; `count` results are due. */
export type Hint = (F: Field, inputs: readonly bigint[], params: readonly number[], count: number) => bigint[]

const inverses = new Map<bigint, bigint>()

export const hints = {
  /** params[0] / x as an integer where x divides it; 0 for x = 0. */
  quotientOf: (_, [x = 0n], [numerator = 0]) => [x === 0n ? 0n : BigInt(numerator) / x],

  /** 1/x in the field; 0 for x = 0. */
  inverse: (F, [x = 0n]) => {
    if (x === 0n) return [0n]
    const key = x * F.p
    const known = inverses.get(key)
    if (known !== undefined) return [known]
    const inverse = F.inv(x)
    if (inverses.size < 4096) inverses.set(key, inverse)
    return [inverse]
  },

  /** 1 for x = 0, else 0. */
  isZero: (_, [x = 0n]) => [x === 0n ? 1n : 0n],

  /** ⌊n/d⌋; 0 for d = 0. */
  quotient: (_, [n = 0n, d = 0n]) => {
    if (d === 0n) return [0n]
    const q = n / d
    return [q * d !== n && n < 0n !== d < 0n ? q - 1n : q]
  },

  /** The lowest bits of ⌊n / params[0]⌋, least significant first. */
  quotientBits: (_, [n = 0n], [divisor = 1], count) => {
    const d = BigInt(divisor)
    const q = n >= 0n ? n / d : -((d - 1n - n) / d)
    return Array.from({ length: count }, (_bit, i) => (q >> BigInt(i)) & 1n)
  },

  /** The largest of the inputs. */
  maximum: (_, inputs) => [inputs.reduce((m, x) => (x > m ? x : m))],

  /** A one for the first largest input, zeros for the others. */
  firstMaximum: (_, inputs) => {
    let best = 0
    for (let i = 1; i < inputs.length; i++) if (inputs[i]! > inputs[best]!) best = i
    return inputs.map((_x, i) => (i === best ? 1n : 0n))
  },

  /** A one at place i - 1 where i > 0 of the further inputs are at most the first one, zeros elsewhere. */
  interval: (_, [x = 0n, ...ends], _params, count) => {
    const at = ends.filter((end) => end <= x).length
    return Array.from({ length: count }, (_e, i) => (i + 1 === at ? 1n : 0n))
  },
} as const satisfies Record<string, Hint>

export type HintName = keyof typeof hints

/** What a hint needs to be called: that many inputs, parameters and results; `any` means one or more. */
export type HintShape = {
  readonly inputs: number | 'any'
  readonly params: number
  readonly results: number | 'asInputs' | 'any'
}

/** The shape of every hint, by which programs from files are checked. */
export const hintShapes: Readonly<Record<HintName, HintShape>> = {
  quotientOf: { inputs: 1, params: 1, results: 1 },
  inverse: { inputs: 1, params: 0, results: 1 },
  isZero: { inputs: 1, params: 0, results: 1 },
  quotient: { inputs: 2, params: 0, results: 1 },
  quotientBits: { inputs: 1, params: 1, results: 'any' },
  maximum: { inputs: 'any', params: 0, results: 1 },
  firstMaximum: { inputs: 'any', params: 0, results: 'asInputs' },
  interval: { inputs: 'any', params: 0, results: 'any' },
}
