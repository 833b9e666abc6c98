import type { Circuit } from '../../../circuits/circuit.ts'
import { createField } from '../../../circuits/field.ts'
import type { Random } from '../../support/random.ts'

/** Coefficients by wire; wire 0 is the constant. */
type Terms = ReadonlyMap<number, number>

/**
 * A circuit of a few rows that nobody would write, over a tiny field: booleans, sums of digits, products, conditions, choices and
 * zero tests that share wires at random. Some wires are determined, most for no good reason.
 */
export function randomRows(random: Random): Circuit {
  const p = random.pick([3, 5, 5, 7, 7, 11, 13, 17])
  const F = createField(BigInt(p))
  const inputs = random.integer(1, 2)
  const wires = 1 + inputs + random.integer(1, 7)
  const coefficients: bigint[] = []
  const intern = (k: number): number => {
    const value = F.signed(BigInt(k))
    const known = coefficients.indexOf(value)
    return known >= 0 ? known : coefficients.push(value) - 1
  }
  const pool = new Map<string, number>()
  const [lcStart, lcWire, lcCoefficient]: [number[], number[], number[]] = [[0], [], []]
  const lc = (terms: Terms): number => {
    const sorted = [...terms].sort(([u], [v]) => u - v).map(([w, k]) => [w, intern(k)] as const)
    const key = sorted.join(' ')
    const known = pool.get(key)
    if (known !== undefined) return known
    for (const [w, k] of sorted) {
      lcWire.push(w)
      lcCoefficient.push(k)
    }
    pool.set(key, lcStart.push(lcWire.length) - 2)
    return lcStart.length - 2
  }
  const rowLC: number[] = []
  const row = (a: Terms, b: Terms, c: Terms): void => {
    rowLC.push(lc(a), lc(b), lc(c))
  }

  const inner = (): number => random.integer(1 + inputs, wires - 1)
  const any = (): number => (random.unit() < 0.25 ? random.integer(1, inputs) : inner())
  const booleans: number[] = []
  const boolean = (): number => (booleans.length > 0 && random.unit() < 0.8 ? random.pick(booleans) : inner())
  const single = (w: number, k = 1): Terms => new Map([[w, k]])
  const times = (n: number): number[] => Array.from({ length: n }, (_, i) => i)
  const one = single(0)
  const none: Terms = new Map()
  const sum = (count: number, pick: () => number): Terms => {
    const terms = times(count).map(
      () => [pick(), random.pick([1, 1, 1, -1, 2, 2, 4, -2, 3, random.integer(1, p - 1)])] as const,
    )
    return new Map([...terms, ...(random.unit() < 0.3 ? [[0, random.integer(-2, 2)] as const] : [])])
  }

  const kinds: readonly (() => void)[] = [
    // digits of any weights against a wire
    () => {
      let weight = 1
      const digits = new Map<number, number>()
      for (const w of new Set(times(random.integer(1, 4)).map(inner))) {
        digits.set(w, weight * random.pick([1, 1, 1, -1]))
        weight *= random.pick([2, 2, 2, 1, 3])
      }
      if (random.unit() < 0.2) digits.set(0, random.integer(-2, 2))
      const value = new Map([[any(), random.pick([1, 1, -1, 2])]])
      if (random.unit() < 0.4) value.set(0, random.integer(-3, 3))
      const factor = random.unit() < 0.8 ? one : single(0, random.integer(0, p - 1))
      if (random.unit() < 0.5) row(digits, factor, value)
      else row(factor, value, digits)
    },
    () => row(sum(random.integer(1, 3), any), one, sum(random.integer(1, 3), any)),
    () => row(sum(random.integer(1, 2), any), sum(random.integer(1, 2), any), sum(random.integer(0, 2), any)),
    // what can't both be 1
    () => row(single(boolean()), new Map(times(random.integer(1, 2)).map(() => [boolean(), 1])), none),
    // exactly one, or at most one
    () => {
      const chosen = times(random.integer(2, 3)).map(boolean)
      const sign = random.pick([1, -1])
      const constant = random.unit() < 0.8 ? (1 - sign) / 2 : random.integer(0, 2)
      const choice = new Map([
        ...(constant === 0 ? [] : [[0, constant] as const]),
        ...chosen.map((w) => [w, sign] as const),
      ])
      if (random.unit() < 0.5) row(new Map(chosen.map((w) => [w, 1])), one, one)
      else row(choice, choice, choice)
    },
    // a zero test
    () => {
      const x = sum(random.integer(1, 2), any)
      const [v, z] = [inner(), inner()]
      row(x, single(v), new Map([...single(0, random.pick([1, 2])), ...single(z, random.pick([-1, -2]))]))
      row(x, single(z), none)
      if (random.unit() < 0.5) row(single(v), single(z), none)
    },
    // one of two values
    () => {
      const rest = random.unit() < 0.4 ? [[inner(), random.pick([-1, 1])] as const] : []
      row(single(boolean()), sum(random.integer(1, 3), any), new Map([...rest, [inner(), 1]]))
    },
  ]
  for (let w = 1 + inputs; w < wires; w++)
    if (random.unit() < 0.6) {
      booleans.push(w)
      row(single(w), single(w), single(w))
    }
  for (let k = random.integer(1, wires - inputs); k > 0; k--) random.pick(kinds)()
  const rows = rowLC.length / 3
  return {
    ...{ prime: BigInt(p), wires, publicOutputs: 0, publicInputs: 0, privateInputs: inputs, rows },
    ...{ lcStart: Uint32Array.from(lcStart), lcWire: Uint32Array.from(lcWire) },
    ...{ lcCoefficient: Uint32Array.from(lcCoefficient), lcSafe: new Uint8Array(lcStart.length - 1), coefficients },
    ...{ rowLC: Uint32Array.from(rowLC), program: new Int32Array(0), tables: [], hintNames: [] },
    wideWire: Uint8Array.from({ length: wires }, (_, w) => (w === 0 ? 0 : 1)),
    inputRanges: Float64Array.from({ length: 2 * inputs }, (_, i) => (i % 2 === 0 ? -(p - 1) / 2 : (p - 1) / 2)),
    ...{ scopes: [''], rowScope: new Uint32Array(rows) },
  }
}
