import { describe, expect, test } from 'vitest'
import { createBuilder } from '../../../circuits/builder.ts'
import { createField, Fr } from '../../../circuits/field.ts'
import { bitsOfRange, rangeCheck, toBits } from '../../../circuits/gadgets/bits.ts'
import { atFullWidth, codeOf, type GadgetCase, onSmallFields } from '../../support/gadgetSuite.ts'
import { randomBetween } from '../../support/lies.ts'

/** Bits of any field element, each an output. */
const bits = (n: number): GadgetCase => ({
  name: `toBits, ${n} bits`,
  inputs: [null],
  rows: n + 1,
  build: (cs, [x]) => {
    const made = toBits(cs, x!, n)
    return Array.from({ length: n }, (_, i) => cs.bit(made, i))
  },
  expected: ([x]) => {
    if (x! < 0n || x! >= 2n ** BigInt(n)) return undefined
    return [...x!.toString(2).padStart(n, '0')].reverse().map(BigInt)
  },
  sample: (random) => [randomBetween(random, 0n, 2n ** BigInt(n) - 1n)],
})

const range = (lo: number, hi: number, rows: number): GadgetCase => ({
  name: `rangeCheck [${lo}, ${hi}]`,
  inputs: [null],
  rows,
  build: (cs, [x]) => {
    const y = rangeCheck(cs, x!, BigInt(lo), BigInt(hi))
    expect(y.range).toEqual({ lo: BigInt(lo), hi: BigInt(hi) })
    return y
  },
  expected: ([x]) => (x! >= lo && x! <= hi ? x! : undefined),
  sample: (random) => [Fr.mod(BigInt(random.integer(lo - 3, hi + 3)))],
})

describe('toBits', () => {
  onSmallFields(bits(4))
  onSmallFields(bits(5))
  onSmallFields(bits(3))
  onSmallFields(bits(1))
  atFullWidth(bits(24), 1)
  atFullWidth(bits(252), 2, { samples: 10, liars: 3, lies: 60 })

  test('refuses widths at which x + p has bits too, and half the field', () => {
    const refuse = (p: bigint, n: number): string =>
      codeOf(() => {
        const cs = createBuilder(createField(p))
        toBits(cs, cs.input('private', null), n)
      })
    expect(refuse(17n, 3)).toBe('no error')
    expect(refuse(17n, 4)).toBe('circuit/aliasing')
    expect(refuse(31n, 4)).toBe('no error')
    expect(refuse(31n, 5)).toBe('circuit/aliasing')
    expect(refuse(Fr.p, 252)).toBe('no error')
    for (const n of [253, 254, 255, 300]) expect(refuse(Fr.p, n)).toBe('circuit/aliasing')
  })
})

describe('bitsOfRange', () => {
  onSmallFields({
    name: 'bitsOfRange of [0, 9]',
    inputs: [[0, 9]],
    rows: 5,
    build: (cs, [x]) => {
      const made = bitsOfRange(cs, x!)
      return [3, 2, 1, 0].map((i) => cs.bit(made, i))
    },
    expected: ([x]) => [...x!.toString(2).padStart(4, '0')].map(BigInt),
  })
  test('refuses unproven and negative ranges', () => {
    const cs = createBuilder(Fr)
    const x = cs.input('private', { lo: 0n, hi: 9n })
    expect(codeOf(() => bitsOfRange(cs, x))).toBe('circuit/overflow')
    expect(codeOf(() => bitsOfRange(cs, cs.proven(x, -1n, 9n)))).toBe('circuit/overflow')
  })
})

describe('rangeCheck', () => {
  onSmallFields(range(0, 7, 4))
  onSmallFields(range(-4, 3, 4))
  onSmallFields(range(0, 0, 1))
  onSmallFields(range(5, 5, 1))
  onSmallFields(range(-3, 6, 10))
  onSmallFields(range(2, 4, 6))
  onSmallFields(range(0, 4, 8))
  onSmallFields(range(-9, -2, 4))
  atFullWidth(range(0, 255, 9), 3)
  atFullWidth(range(-128, 127, 9), 4)
  atFullWidth(range(-5, 200, 18), 5)

  test('refuses ranges at which the second decomposition could wrap, and empty ones', () => {
    const refuse = (p: bigint, lo: bigint, hi: bigint): string =>
      codeOf(() => {
        const cs = createBuilder(createField(p))
        rangeCheck(cs, cs.input('private', null), lo, hi)
      })
    expect(refuse(17n, 0n, 7n)).toBe('no error')
    expect(refuse(17n, 0n, 8n)).toBe('circuit/overflow')
    expect(refuse(17n, 3n, 2n)).toBe('circuit/overflow')
    expect(refuse(17n, 3n, 10n)).toBe('circuit/overflow') // 10 is not the signed representative of its residue
    expect(refuse(Fr.p, 0n, 2n ** 252n - 1n)).toBe('no error')
    expect(refuse(Fr.p, 0n, 2n ** 252n)).toBe('circuit/overflow')
  })
})
