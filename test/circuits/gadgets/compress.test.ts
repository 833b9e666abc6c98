import { describe, expect, test } from 'vitest'
import { createBuilder } from '../../../circuits/builder.ts'
import { digestOf, encodeTensors, evaluate, type TensorForm } from '../../../circuits/compression.ts'
import { Fr } from '../../../circuits/field.ts'
import { compress, type Digits, horner, packWords } from '../../../circuits/gadgets/compress.ts'
import { PARTIAL_ROUNDS } from '../../../circuits/gadgets/poseidonConstants.ts'
import type { LC } from '../../../circuits/lc.ts'
import { solve, wireValue } from '../../../circuits/solve.ts'
import { atFullWidth, codeOf, type GadgetCase, type InputRange, onSmallFields } from '../../support/gadgetSuite.ts'
import { seeded } from '../../support/random.ts'

/** Values of so many units each, packed; expected by shifting one long integer. */
const packing = (
  values: readonly { readonly hi: number; readonly units: number }[],
  perWord: number,
  unitBits: number,
  rows: number,
): GadgetCase => ({
  name: `[${values.map(({ hi, units }) => `${hi}:${units}`)}] in words of ${perWord} × ${unitBits} bits`,
  inputs: values.map(({ hi }): InputRange => [0, hi]),
  rows,
  build: (cs, xs) => {
    const words = packWords(
      cs,
      xs.map((value, i): Digits => ({ value, units: values[i]!.units })),
      perWord,
      unitBits,
    )
    for (const { range } of words) expect(range!.hi).toBeLessThan(1n << BigInt(perWord * unitBits))
    return words
  },
  expected: (xs) => {
    const used = values.reduce((n, { units }) => n + units, 0)
    const count = Math.ceil(used / perWord)
    let all = xs.reduce((sum, x, i) => (sum << BigInt(unitBits * values[i]!.units)) | x, 0n)
    all <<= BigInt(unitBits * (count * perWord - used))
    const word = BigInt(unitBits * perWord)
    return Array.from({ length: count }, (_, w) => (all >> (word * BigInt(count - 1 - w))) & ((1n << word) - 1n))
  },
})

describe('packWords', () => {
  onSmallFields(packing([{ hi: 3, units: 1 }], 1, 2, 0))
  // one sum for the word
  const pair = [
    { hi: 3, units: 1 },
    { hi: 2, units: 1 },
  ]
  onSmallFields(packing(pair, 2, 2, 1))
  // the second value across two words: its three bits and their sum; both words are sums
  const across = [
    { hi: 1, units: 1 },
    { hi: 6, units: 3 },
  ]
  onSmallFields(packing(across, 3, 1, 3 + 1 + 2))
  // split at bit 2 of a value whose upper bits are zero: one part is empty
  const upper = [
    { hi: 1, units: 1 },
    { hi: 2, units: 2 },
  ]
  onSmallFields(packing(upper, 2, 2, 2 + 1 + 2))
  // 140 bytes in five words; values of 23, 46, 46 and 32 bits lie across two
  atFullWidth(
    packing(
      Array.from({ length: 40 }, (_, i) => ({
        hi: [255, 2 ** 22, 2 ** 45, 2 ** 32 - 1][i % 4]!,
        units: [1, 3, 6, 4][i % 4]!,
      })),
      31,
      8,
      5 + 24 + 47 + 47 + 33,
    ),
    3,
    { samples: 10, liars: 2, lies: 80 },
  )

  test('values without a range, or too wide for their units, are refused', () => {
    const cs = createBuilder(Fr)
    const x = cs.input('private', { lo: 0n, hi: 300n })
    const code = (value: LC, units: number): string => codeOf(() => packWords(cs, [{ value, units }]))
    expect(code(x, 2)).toBe('circuit/compression')
    expect(code(cs.proven(x, -1n, 300n), 2)).toBe('circuit/compression')
    expect(code(cs.proven(x, 0n, 256n), 1)).toBe('circuit/compression')
    expect(code(cs.proven(x, 0n, 255n), 32)).toBe('circuit/compression')
    expect(code(cs.proven(x, 0n, 255n), 1)).toBe('no error')
  })
})

describe('horner', () => {
  const evaluation = (count: number): GadgetCase => ({
    name: `horner of ${count}`,
    inputs: [null, ...Array.from({ length: count }, (): InputRange => [0, 2])],
    rows: count - 1,
    build: (cs, [r, ...words]) => horner(cs, 5, words, r!),
    expected: ([r, ...words], F) => F.signed(words.reduce((sum, w) => F.mod(sum * r! + w), 5n)),
  })
  for (const count of [1, 2, 3]) onSmallFields(evaluation(count), { above: 3 })
  atFullWidth(evaluation(9), 8, { samples: 12 })
})

describe('compress', () => {
  const forms: readonly TensorForm[] = [
    { count: 13, lo: -300, hi: 900_000 },
    { count: 9, lo: 0, hi: 255 },
    { count: 2, lo: -(2 ** 31), hi: 2 ** 31 - 1 },
  ]
  const split = <T>(xs: readonly T[]): T[][] => [xs.slice(0, 13), xs.slice(13, 22), xs.slice(22, 24)]
  const inputs = forms.flatMap(({ count, lo, hi }) => Array.from({ length: count }, (): InputRange => [lo, hi]))
  const build = (cs: Parameters<typeof compress>[0], xs: readonly LC[], r: LC) =>
    compress(
      cs,
      split(xs).map((elements, i) => ({ elements, form: forms[i]! })),
      r,
    )
  // 13·3 + 9 + 2·4 = 56 bytes: two words; the eleventh element of the first tensor (20 bits) lies across them
  atFullWidth(
    {
      name: 'compress',
      inputs: [...inputs, null],
      rows: 2 + (20 + 1) + 3 * (8 * 4 + PARTIAL_ROUNDS[2]! - 2) + 1,
      build: (cs, xs) => {
        const { y, e } = build(cs, xs.slice(0, 24), xs[24]!)
        return [y, e]
      },
      expected: (xs) => {
        const bytes = encodeTensors(forms, split(xs.slice(0, 24)))
        return [Fr.signed(digestOf(bytes)), Fr.signed(evaluate(bytes, Fr.mod(xs[24]!)))]
      },
    },
    21,
    { samples: 10, liars: 2, lies: 80 },
  )

  test('equals its twin on random forms', () => {
    const random = seeded(12)
    for (let k = 0; k < 12; k++) {
      const some = Array.from({ length: random.integer(1, 4) }, (): TensorForm => {
        const lo = -random.integer(0, 2 ** random.integer(1, 40))
        return { count: random.integer(1, 40), lo, hi: lo + random.integer(0, 2 ** random.integer(1, 40)) }
      })
      const values = some.map(({ count, lo, hi }) => Array.from({ length: count }, () => random.integer(lo, hi)))
      const cs = createBuilder(Fr)
      const outputs = [cs.output(), cs.output()]
      const tensors = some.map((form) => {
        const [lo, hi] = [BigInt(form.lo), BigInt(form.hi)]
        const element = (): LC => cs.proven(cs.input('private', { lo, hi }), lo, hi)
        return { form, elements: Array.from({ length: form.count }, element) }
      })
      const { y, e } = compress(cs, tensors, cs.input('private', null))
      cs.bindOutput(outputs[0]!, y)
      cs.bindOutput(outputs[1]!, e)
      const r = Fr.mod(3n ** 170n)
      const witness = solve(cs.build(), [...values.flat(), r])
      const bytes = encodeTensors(some, values)
      expect(wireValue(Fr, witness, 1)).toBe(digestOf(bytes))
      expect(wireValue(Fr, witness, 2)).toBe(evaluate(bytes, r))
    }
  })

  test('elements without a proven range within the bounds are refused', () => {
    const cs = createBuilder(Fr)
    const x = cs.input('private', { lo: 0n, hi: 7n })
    const code = (element: LC, lo: number, hi: number, count = 1): string =>
      codeOf(() => compress(cs, [{ elements: [element], form: { count, lo, hi } }], cs.ONE))
    expect(code(x, 0, 7)).toBe('circuit/compression')
    const proven = cs.proven(x, 0n, 7n)
    expect(code(proven, 0, 6)).toBe('circuit/compression')
    expect(code(proven, 1, 7)).toBe('circuit/compression')
    expect(code(proven, 0, 7, 2)).toBe('circuit/compression')
    expect(code(proven, -1, 8)).toBe('no error')
  })
})
