import { buildPoseidon } from 'circomlibjs'
import fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import {
  compressedLength,
  decodeTensors,
  digestOf,
  elementBytes,
  encodeTensors,
  evaluate,
  type TensorForm,
  wordsOf,
} from '../../circuits/compression.ts'
import { Fr } from '../../circuits/field.ts'
import { codeOf } from '../support/gadgetSuite.ts'

let reference: (inputs: readonly bigint[]) => bigint

beforeAll(async () => {
  const hash = await buildPoseidon()
  reference = (inputs) => hash.F.toObject(hash(inputs))
})

const form = (count: number, lo: number, hi: number): TensorForm => ({ count, lo, hi })

/** Tensors of up to four forms with elements within their bounds. */
const tensors = fc
  .array(
    fc
      .tuple(fc.integer({ min: -(2 ** 40), max: 2 ** 40 }), fc.integer({ min: 0, max: 40 }), fc.nat(12))
      .chain(([lo, bits, count]) =>
        fc
          .tuple(fc.integer({ min: lo, max: lo + 2 ** bits - 1 }), fc.constant(form(count, lo, lo + 2 ** bits - 1)))
          .chain(([, f]) => fc.tuple(fc.constant(f), fc.array(fc.integer({ min: f.lo, max: f.hi }), fixed(f.count)))),
      ),
    { minLength: 1, maxLength: 4 },
  )
  .map((list) => ({ forms: list.map(([f]) => f), values: list.map(([, v]) => v) }))
const fixed = (n: number) => ({ minLength: n, maxLength: n })

describe('the codec', () => {
  test('widths are the bytes of hi - lo', () => {
    for (const [lo, hi, bytes] of [
      [0, 0, 1],
      [-5, 250, 1],
      [-5, 251, 2],
      [0, 65_535, 2],
      [0, 65_536, 3],
      [-(2 ** 31), 2 ** 31 - 1, 4],
      [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER, 7],
    ] as const)
      expect(elementBytes({ lo, hi })).toBe(bytes)
    for (const [lo, hi] of [
      [1, 0],
      [0, 2 ** 53],
      [0.5, 1],
      [Number.NaN, 1],
    ] as const)
      expect(codeOf(() => elementBytes({ lo, hi }))).toBe('circuit/compression')
  })

  test('elements are element - lo, most significant byte first', () => {
    const forms = [form(2, -300, 300), form(3, 0, 255)]
    const values = [
      [-300, 211],
      [1, 0, 255],
    ]
    expect([...encodeTensors(forms, values)]).toEqual([0, 0, 1, 255, 1, 0, 255])
    expect(decodeTensors(forms, Uint8Array.of(0, 0, 1, 255, 1, 0, 255))).toEqual(values.map((v) => v.map(BigInt)))
  })

  test('decoding undoes encoding, and bytes that decode are encoded again', () => {
    fc.assert(
      fc.property(tensors, ({ forms, values }) => {
        const bytes = encodeTensors(forms, values)
        expect(bytes.length).toBe(compressedLength(forms))
        expect(decodeTensors(forms, bytes)).toEqual(values.map((v) => v.map(BigInt)))
      }),
      { seed: 1, numRuns: 100 },
    )
    fc.assert(
      fc.property(fc.uint8Array(fixed(6)), (bytes) => {
        const forms = [form(2, -7, 500), form(2, 3, 100)]
        let decoded: bigint[][]
        try {
          decoded = decodeTensors(forms, bytes)
        } catch {
          const digits = [256 * bytes[0]! + bytes[1]!, 256 * bytes[2]! + bytes[3]!]
          expect(digits.some((d) => d > 507) || bytes[4]! > 97 || bytes[5]! > 97).toBe(true)
          return
        }
        expect(encodeTensors(forms, decoded)).toEqual(bytes)
      }),
      { seed: 2, numRuns: 500 },
    )
  })

  test('refuses what is not of its form', () => {
    const forms = [form(2, -4, 3)]
    const code = (values: readonly (readonly (number | bigint)[])[]): string =>
      codeOf(() => encodeTensors(forms, values))
    expect(code([[3, -4]])).toBe('no error')
    for (const values of [[[3]], [[3, 3, 3]], [[4, 0]], [[0, -5]], [[0.5, 0]], [[Number.NaN, 0]], [[4n, 0n]], []])
      expect(code(values), String(values)).toBe('circuit/compression')
    for (const bytes of [[0], [0, 0, 0], [0, 8], [255, 0]])
      expect(codeOf(() => decodeTensors(forms, Uint8Array.from(bytes)))).toBe('circuit/compression')
  })
})

describe('digest and evaluation', () => {
  test('are what the specification says, made from circomlibjs', () => {
    const bytes = Uint8Array.from({ length: 16 * 31 + 2 }, (_, i) => (i * 37) % 256)
    const words = Array.from({ length: 17 }, (_, w) =>
      Array.from({ length: 31 }, (_b, k) => BigInt(bytes[31 * w + k] ?? 0)).reduce((sum, b) => 256n * sum + b, 0n),
    )
    expect(wordsOf(bytes)).toEqual(words)
    const first = reference([(0x56545831n << 64n) + 498n, ...words.slice(0, 15)])
    expect(digestOf(bytes)).toBe(reference([first, ...words.slice(15)]))
    const r = 1234567890123456789n
    const powers = [498n, ...words].map((c, i) => c * r ** BigInt(17 - i))
    expect(evaluate(bytes, r)).toBe(Fr.mod(powers.reduce((a, b) => a + b)))
  })

  test('change with every byte and with the length, trailing zeros too', () => {
    const bytes = Uint8Array.from({ length: 40 }, (_, i) => i)
    const others = [
      ...[...bytes.keys()].map((i) => bytes.with(i, bytes[i]! ^ 1)),
      bytes.subarray(0, 39),
      Uint8Array.of(...bytes, 0),
    ]
    const all = [bytes, ...others]
    expect(new Set(all.map(digestOf)).size).toBe(all.length)
    expect(new Set(all.map((b) => evaluate(b, 77n))).size).toBe(all.length)
  })
})
