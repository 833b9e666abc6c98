import { describe, expect, test } from 'vitest'
import { type Builder, createBuilder } from '../../../circuits/builder.ts'
import { createField } from '../../../circuits/field.ts'
import type { LC } from '../../../circuits/lc.ts'
import { everyWitness } from '../../support/everyWitness.ts'
import { combine, hint, spell } from './sloppy.ts'
import { openOf } from './support.ts'

/** A circuit over a small field that a lemma without one of its conditions would misjudge, and inputs that show it. */
type Attack = {
  readonly p: number
  readonly inputs: readonly number[]
  readonly build: (cs: Builder, inputs: readonly LC[]) => void
}

const bit = (cs: Builder, x: LC): LC => ({ ...cs.bit(cs.bits(x, 1), 0), range: null })
const bits = (cs: Builder, x: LC, count: number): LC[] => Array.from({ length: count }, () => bit(cs, x))
const sum = (cs: Builder, ...xs: readonly LC[]): LC =>
  combine(
    cs,
    xs.map((x) => [1, x] as const),
  )
/** Σ k·x. */
const weighted = (cs: Builder, ks: readonly number[], xs: readonly LC[]): LC =>
  combine(
    cs,
    xs.map((x, i) => [ks[i]!, x] as const),
  )
/** x lies in [0, 2ⁿ). */
const bound = (cs: Builder, x: LC, n: number): void => cs.assertEqual(spell(cs, cs.bits(x, n)), x)

/** n = q·d + rest with bits of q, of the rest and of d - offset - rest. */
function divide(cs: Builder, n: LC, d: LC, widths: readonly [q: number, rest: number], offset: number): void {
  const q = spell(cs, cs.bits(n, widths[0]))
  const rest = weighted(cs, [1, -1], [n, cs.mul({ ...q, range: null }, d)])
  bound(cs, rest, widths[1])
  bound(cs, weighted(cs, [1, -offset, -1], [d, cs.ONE, rest]), widths[1])
}
/** Bits of n's remainder by q, which other rows are meant to bound, and two bits of the quotient. */
function remainder(cs: Builder, n: LC, count: number, q: number): LC[] {
  const r = bits(cs, n, count)
  cs.assertEqual(combine(cs, [...r.map((b, i) => [2 ** i, b] as const), [q, spell(cs, cs.bits(n, 2))]]), n)
  return r
}
/** Booleans of which exactly one is 1. */
function choice(cs: Builder, n: LC, count: number): LC[] {
  const e = bits(cs, n, count)
  cs.assertEqual(sum(cs, ...e), cs.ONE)
  return e
}
/** Two bits, less a number, are a score, which must be 0 if it is chosen. */
function score(cs: Builder, e: LC, value: LC, less = 0): void {
  const spelled = weighted(cs, [1, -less], [spell(cs, cs.bits(e, 2)), cs.ONE])
  cs.assertEqual(spelled, value)
  cs.assertMul(e, spelled, cs.constant(0))
}
/** first ≤ x ≤ last, both differences below 2ⁿ. */
function within(cs: Builder, x: LC, first: LC, last: LC, n = 2): void {
  bound(cs, weighted(cs, [1, -1], [x, first]), n)
  bound(cs, weighted(cs, [1, -1], [last, x]), n)
}

const attacks: Readonly<Record<string, Attack>> = {
  'digits that reach around the field': {
    p: 13,
    inputs: [1],
    build: (cs, [n]) => bound(cs, n!, 4),
  },
  'a digit as large as what the others reach': {
    p: 101,
    inputs: [3],
    build: (cs, [n]) => {
      const digits = bits(cs, n!, 3).map((b, i) => [i + 1, b] as const)
      cs.assertEqual(combine(cs, digits), n!)
    },
  },
  'a remainder that may be the divisor': {
    p: 1021,
    inputs: [6, 3],
    build: (cs, [n, d]) => divide(cs, n!, d!, [3, 3], 0),
  },
  'a quotient that reaches around the field': {
    p: 61,
    inputs: [6, 5],
    build: (cs, [n, d]) => divide(cs, n!, d!, [5, 3], 1),
  },
  'a pattern of bits of both signs': {
    p: 101,
    inputs: [7],
    build: (cs, [n]) => {
      const [a, b, c] = remainder(cs, n!, 3, 5) as [LC, LC, LC]
      const signed = weighted(cs, [1, -1], [b, a])
      cs.assertMul(c, signed, cs.constant(0))
    },
  },
  'a pattern whose sum is the field’s order': {
    p: 101,
    inputs: [15],
    build: (cs, [n]) => {
      const [a, b, c, d] = remainder(cs, n!, 4, 9) as [LC, LC, LC, LC]
      const whole = weighted(cs, [34, 34, 33], [a, b, c])
      cs.assertMul(d, whole, cs.constant(0))
    },
  },
  'a pattern with a part of a product': {
    p: 101,
    inputs: [7],
    build: (cs, [n]) => {
      const [a, b, c] = remainder(cs, n!, 3, 7) as [LC, LC, LC]
      const [part, other] = [hint(cs, n!), hint(cs, n!)]
      cs.assertMul(a, b, sum(cs, part, other))
      cs.assertMul(part, c, cs.constant(0))
    },
  },
  'as many choices as the field has elements': {
    p: 3,
    inputs: [0],
    build: (cs, [n]) => {
      const e = bits(cs, n!, 3)
      const any = sum(cs, ...e)
      cs.assertMul(any, any, any)
      cs.assertEqual(hint(cs, n!), sum(cs, e[0]!, e[1]!))
    },
  },
  'at least one instead of at most one': {
    p: 101,
    inputs: [0],
    build: (cs, [n]) => {
      const e = bits(cs, n!, 2)
      const missing = combine(cs, [[2, cs.ONE], ...e.map((b) => [-1, b] as const)])
      cs.assertMul(missing, missing, missing)
      cs.assertEqual(hint(cs, n!), sum(cs, ...e))
    },
  },
  'a choice of two out of three': {
    p: 101,
    inputs: [0],
    build: (cs, [n]) => {
      const e = bits(cs, n!, 3)
      cs.assertEqual(sum(cs, ...e), cs.constant(2))
      cs.assertEqual(hint(cs, n!), sum(cs, e[0]!, e[1]!))
    },
  },
  'the place of a value that is open itself': {
    p: 101,
    inputs: [0],
    build: (cs, [n]) => {
      const e = bit(cs, n!)
      within(cs, hint(cs, n!), weighted(cs, [4], [e]), weighted(cs, [3, 4], [cs.ONE, e]))
    },
  },
  'places that touch': {
    p: 101,
    inputs: [3],
    build: (cs, [x]) => {
      const e = bit(cs, x!)
      within(cs, x!, weighted(cs, [3], [e]), weighted(cs, [3, 3], [cs.ONE, e]))
    },
  },
  'the place of nothing': {
    p: 101,
    inputs: [3],
    build: (cs, [x]) => {
      // either interval or none of them
      const [a, b] = bits(cs, x!, 2) as [LC, LC]
      const any = sum(cs, a, b)
      cs.assertMul(any, any, any)
      within(cs, x!, weighted(cs, [4], [b]), weighted(cs, [7, -4], [cs.ONE, a]), 3)
    },
  },
  'a selection whose scores run against each other': {
    p: 101,
    inputs: [53],
    build: (cs, [c]) => {
      const [a, b] = choice(cs, c!, 2) as [LC, LC]
      const m = hint(cs, c!)
      score(cs, a, weighted(cs, [1, 50], [m, b]))
      score(cs, b, weighted(cs, [1, -1, 50], [c!, m, a]))
    },
  },
  'a selection of two maxima': {
    p: 101,
    inputs: [0],
    build: (cs, [n]) => {
      const [a, b] = choice(cs, n!, 2) as [LC, LC]
      score(cs, a, weighted(cs, [1, 50], [hint(cs, n!), b]))
      score(cs, b, weighted(cs, [1, 50], [hint(cs, n!), a]))
    },
  },
  'a selection that two tie for': {
    p: 101,
    inputs: [2],
    build: (cs, [x]) => {
      const m = hint(cs, x!)
      for (const e of choice(cs, x!, 2)) score(cs, e, weighted(cs, [1, -1], [m, x!]))
    },
  },
  'a selection by scores that may be negative': {
    p: 101,
    inputs: [0],
    build: (cs, [n]) => {
      const [a, b] = choice(cs, n!, 2) as [LC, LC]
      const m = hint(cs, n!)
      score(cs, a, weighted(cs, [1, -1], [m, b]), 2)
      score(cs, b, m, 2)
    },
  },
  'a factor that may be the field’s order': {
    p: 7,
    inputs: [0],
    build: (cs, [n]) => {
      const [a, b, c] = bits(cs, n!, 3) as [LC, LC, LC]
      cs.assertEqual(sum(cs, a, b, c), cs.constant(3))
      // 1 + 3 + 2 + 1
      cs.assertMul(weighted(cs, [1, 3, 2, 1], [cs.ONE, a, b, c]), hint(cs, n!), cs.constant(0))
    },
  },
  'what follows from a boolean that is 1, around the field': {
    p: 7,
    inputs: [0],
    build: (cs, [n]) => {
      const [v, a, b, c] = bits(cs, n!, 4) as [LC, LC, LC, LC]
      cs.assertMul(weighted(cs, [3, 3, 1], [a, b, c]), v, cs.constant(0))
      cs.assertMul(v, a, hint(cs, n!))
      cs.assertMul(v, b, hint(cs, n!))
    },
  },
  'the same below 0': {
    p: 7,
    inputs: [0],
    build: (cs, [n]) => {
      const [v, a, b, c] = bits(cs, n!, 4) as [LC, LC, LC, LC]
      cs.assertMul(weighted(cs, [-3, -3, -1], [a, b, c]), v, cs.constant(0))
      cs.assertMul(v, a, hint(cs, n!))
    },
  },
  'what follows from a product that is 1 of factors that are none': {
    p: 7,
    inputs: [0],
    build: (cs, [n]) => {
      // v = 1 for a = b = 0: 2·4
      const [v, a, b] = bits(cs, n!, 3) as [LC, LC, LC]
      cs.assertMul(weighted(cs, [2, 2], [cs.ONE, a]), weighted(cs, [4, -1], [cs.ONE, b]), v)
      cs.assertMul(v, weighted(cs, [1, -1], [cs.ONE, a]), hint(cs, n!))
      bit(cs, n!)
    },
  },
  'a sum in other words that leaves the field': {
    p: 11,
    inputs: [0],
    build: (cs, [n]) => {
      const [x, ...digits] = bits(cs, n!, 4) as [LC, LC, LC, LC]
      const value = hint(cs, n!)
      bound(cs, sum(cs, value, cs.ONE), 2)
      const threefold = digits.map((b) => [3, b] as const)
      cs.assertEqual(combine(cs, [[1, x], ...threefold]), value)
      cs.assertMul(x, combine(cs, threefold), hint(cs, n!))
    },
  },
  'a zero test whose inverse is free where it is 0': {
    p: 13,
    inputs: [0],
    build: (cs, [x]) => {
      const [v, z] = [hint(cs, x!), hint(cs, x!)]
      cs.assertMul(x!, v, weighted(cs, [1, -1], [cs.ONE, z]))
      cs.assertMul(x!, z, cs.constant(0))
    },
  },
  'a small zero test whose inverse is free where it is 0': {
    p: 101,
    inputs: [0],
    build: (cs, [x]) => {
      bound(cs, x!, 1)
      const [v, z] = [hint(cs, x!), hint(cs, x!)]
      cs.assertMul(x!, v, weighted(cs, [2, -2], [cs.ONE, z]))
      cs.assertMul(x!, z, cs.constant(0))
    },
  },
  'two zero tests of different values': {
    p: 13,
    inputs: [0, 5],
    build: (cs, [x, y]) => {
      const z = hint(cs, x!)
      cs.assertMul(x!, z, cs.constant(0))
      cs.assertMul(y!, hint(cs, y!), weighted(cs, [1, -1], [cs.ONE, z]))
    },
  },
  'pinned by either of two that may both be 0': {
    p: 13,
    inputs: [0, 0],
    build: (cs, [x, y]) => {
      const v = hint(cs, x!)
      cs.assertMul(x!, v, y!)
      cs.assertMul(y!, v, cs.constant(0))
    },
  },
  'a condition that is not 0 or 1': {
    p: 13,
    inputs: [0],
    build: (cs, [n]) => cs.assertMul(spell(cs, cs.bits(n!, 2)), bit(cs, n!), hint(cs, n!)),
  },
}

describe.each(Object.entries(attacks))('%s', (_, { p, inputs, build }) => {
  const F = createField(BigInt(p))
  const cs = createBuilder(F)
  const half = BigInt((p - 1) / 2)
  build(
    cs,
    inputs.map(() => cs.input('private', { lo: -half, hi: half })),
  )
  const circuit = cs.build()
  const witnesses = everyWitness(circuit, inputs, 500)
  const { open, ranges } = openOf(circuit)
  const first = 1 + circuit.privateInputs
  const values = (w: number): number[] => [...new Set(witnesses.map((values) => values[w]!))]

  test('has two witnesses, and the audit doesn’t deny it', () => {
    const free: number[] = []
    for (let w = first; w < circuit.wires; w++) if (values(w).length > 1) free.push(w)
    expect(free.length).toBeGreaterThan(0)
    expect(free.filter((w) => open[w] === 0)).toEqual([])
  })

  test('takes no value outside its ranges', () => {
    for (let w = first; w < circuit.wires; w++) {
      const range = ranges.of(w)
      const signed = values(w).map((v) => F.signed(BigInt(v)))
      if (range !== undefined) expect(signed.filter((v) => v < range.lo || v > range.hi)).toEqual([])
    }
  })
})
