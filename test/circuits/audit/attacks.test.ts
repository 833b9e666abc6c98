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
const times = (cs: Builder, k: number, x: LC): LC => combine(cs, [[k, x]])
const sum = (cs: Builder, ...xs: readonly LC[]): LC =>
  combine(
    cs,
    xs.map((x) => [1, x] as const),
  )
/** x lies in [0, 2ⁿ). */
const bound = (cs: Builder, x: LC, n: number): void => cs.assertEqual(spell(cs, cs.bits(x, n)), x)

const attacks: Readonly<Record<string, Attack>> = {
  'digits that reach around the field': {
    p: 13,
    inputs: [1],
    build: (cs, [n]) => cs.assertEqual(spell(cs, cs.bits(n!, 4)), n!),
  },
  'a digit as large as what the others reach': {
    p: 101,
    inputs: [3],
    build: (cs, [n]) => {
      const [a, b, c] = bits(cs, n!, 3) as [LC, LC, LC]
      cs.assertEqual(
        combine(cs, [
          [1, a],
          [2, b],
          [3, c],
        ]),
        n!,
      )
    },
  },
  'a remainder that may be the divisor': {
    p: 1021,
    inputs: [6, 3],
    build: (cs, [n, d]) => {
      const q = spell(cs, cs.bits(n!, 3))
      const rest = combine(cs, [
        [1, n!],
        [-1, cs.mul({ ...q, range: null }, d!)],
      ])
      bound(cs, rest, 3)
      bound(
        cs,
        combine(cs, [
          [1, d!],
          [-1, rest],
        ]),
        3,
      )
    },
  },
  'a quotient that reaches around the field': {
    p: 61,
    inputs: [6, 5],
    build: (cs, [n, d]) => {
      const q = spell(cs, cs.bits(n!, 5))
      const rest = combine(cs, [
        [1, n!],
        [-1, cs.mul({ ...q, range: null }, d!)],
      ])
      bound(cs, rest, 3)
      bound(
        cs,
        combine(cs, [
          [1, d!],
          [-1, cs.ONE],
          [-1, rest],
        ]),
        3,
      )
    },
  },
  'a pattern of bits of both signs': {
    p: 101,
    inputs: [7],
    build: (cs, [n]) => {
      const r = bits(cs, n!, 3)
      cs.assertMul(
        r[2]!,
        combine(cs, [
          [1, r[1]!],
          [-1, r[0]!],
        ]),
        cs.constant(0),
      )
      const q = spell(cs, cs.bits(n!, 2))
      cs.assertEqual(combine(cs, [...r.map((b, i) => [2 ** i, b] as const), [5, q]]), n!)
    },
  },
  'a pattern whose sum is the field’s order': {
    p: 101,
    inputs: [15],
    build: (cs, [n]) => {
      const r = bits(cs, n!, 4)
      cs.assertMul(
        r[3]!,
        combine(cs, [
          [34, r[0]!],
          [34, r[1]!],
          [33, r[2]!],
        ]),
        cs.constant(0),
      )
      const q = spell(cs, cs.bits(n!, 2))
      cs.assertEqual(combine(cs, [...r.map((b, i) => [2 ** i, b] as const), [9, q]]), n!)
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
      const missing = combine(cs, [
        [2, cs.ONE],
        [-1, e[0]!],
        [-1, e[1]!],
      ])
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
      const [e, x] = [bit(cs, n!), hint(cs, n!)]
      bound(
        cs,
        combine(cs, [
          [1, x],
          [-4, e],
        ]),
        2,
      )
      bound(
        cs,
        combine(cs, [
          [3, cs.ONE],
          [4, e],
          [-1, x],
        ]),
        2,
      )
    },
  },
  'places that touch': {
    p: 101,
    inputs: [3],
    build: (cs, [x]) => {
      const e = bit(cs, x!)
      bound(
        cs,
        combine(cs, [
          [1, x!],
          [-3, e],
        ]),
        2,
      )
      bound(
        cs,
        combine(cs, [
          [3, cs.ONE],
          [3, e],
          [-1, x!],
        ]),
        2,
      )
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
      bound(
        cs,
        combine(cs, [
          [1, x!],
          [-4, b],
        ]),
        3,
      )
      bound(
        cs,
        combine(cs, [
          [7, cs.ONE],
          [-4, a],
          [-1, x!],
        ]),
        3,
      )
    },
  },
  'a selection whose scores run against each other': {
    p: 101,
    inputs: [53],
    build: (cs, [c]) => {
      const [a, b] = bits(cs, c!, 2) as [LC, LC]
      cs.assertEqual(sum(cs, a, b), cs.ONE)
      const m = hint(cs, c!)
      for (const [e, score] of [
        [
          a,
          combine(cs, [
            [1, m],
            [50, b],
          ]),
        ],
        [
          b,
          combine(cs, [
            [1, c!],
            [-1, m],
            [50, a],
          ]),
        ],
      ] as const) {
        const spelled = spell(cs, cs.bits(c!, 2))
        cs.assertEqual(spelled, score)
        cs.assertMul(e, spelled, cs.constant(0))
      }
    },
  },
  'a selection of two maxima': {
    p: 101,
    inputs: [0],
    build: (cs, [n]) => {
      const [a, b] = bits(cs, n!, 2) as [LC, LC]
      cs.assertEqual(sum(cs, a, b), cs.ONE)
      for (const [e, other] of [
        [a, b],
        [b, a],
      ] as const) {
        const spelled = spell(cs, cs.bits(n!, 2))
        cs.assertEqual(
          spelled,
          combine(cs, [
            [1, hint(cs, n!)],
            [50, other],
          ]),
        )
        cs.assertMul(e, spelled, cs.constant(0))
      }
    },
  },
  'a selection that two tie for': {
    p: 101,
    inputs: [2],
    build: (cs, [x]) => {
      const [a, b] = bits(cs, x!, 2) as [LC, LC]
      cs.assertEqual(sum(cs, a, b), cs.ONE)
      const m = hint(cs, x!)
      for (const e of [a, b]) {
        const spelled = spell(cs, cs.bits(x!, 2))
        cs.assertEqual(
          spelled,
          combine(cs, [
            [1, m],
            [-1, x!],
          ]),
        )
        cs.assertMul(e, spelled, cs.constant(0))
      }
    },
  },
  'a selection by scores that may be negative': {
    p: 101,
    inputs: [0],
    build: (cs, [n]) => {
      const [a, b] = bits(cs, n!, 2) as [LC, LC]
      cs.assertEqual(sum(cs, a, b), cs.ONE)
      const m = hint(cs, n!)
      for (const [e, later] of [
        [a, b],
        [b, cs.constant(0)],
      ] as const) {
        const score = combine(cs, [
          [1, spell(cs, cs.bits(n!, 2))],
          [-2, cs.ONE],
        ])
        cs.assertEqual(
          score,
          combine(cs, [
            [1, m],
            [-1, later],
          ]),
        )
        cs.assertMul(e, score, cs.constant(0))
      }
    },
  },
  'a factor that may be the field’s order': {
    p: 7,
    inputs: [0],
    build: (cs, [n]) => {
      const [a, b, c] = bits(cs, n!, 3) as [LC, LC, LC]
      cs.assertEqual(sum(cs, a, b, c), cs.constant(3))
      // 1 + 3a + 2b + c is 7
      cs.assertMul(
        combine(cs, [
          [1, cs.ONE],
          [3, a],
          [2, b],
          [1, c],
        ]),
        hint(cs, n!),
        cs.constant(0),
      )
    },
  },
  'what follows from a boolean that is 1, around the field': {
    p: 7,
    inputs: [0],
    build: (cs, [n]) => {
      const [v, a, b, c] = bits(cs, n!, 4) as [LC, LC, LC, LC]
      cs.assertMul(
        combine(cs, [
          [3, a],
          [3, b],
          [1, c],
        ]),
        v,
        cs.constant(0),
      )
      cs.assertMul(v, a, hint(cs, n!))
      cs.assertMul(v, times(cs, 1, b), hint(cs, n!))
    },
  },
  'the same below 0': {
    p: 7,
    inputs: [0],
    build: (cs, [n]) => {
      const [v, a, b, c] = bits(cs, n!, 4) as [LC, LC, LC, LC]
      cs.assertMul(
        combine(cs, [
          [-3, a],
          [-3, b],
          [-1, c],
        ]),
        v,
        cs.constant(0),
      )
      cs.assertMul(v, a, hint(cs, n!))
    },
  },
  'what follows from a product that is 1 of factors that are none': {
    p: 7,
    inputs: [0],
    build: (cs, [n]) => {
      // (2 + 2a)·(4 - b) = v has v = 1 for a = b = 0: 2·4
      const [v, a, b] = bits(cs, n!, 3) as [LC, LC, LC]
      cs.assertMul(
        combine(cs, [
          [2, cs.ONE],
          [2, a],
        ]),
        combine(cs, [
          [4, cs.ONE],
          [-1, b],
        ]),
        v,
      )
      cs.assertMul(
        v,
        combine(cs, [
          [1, cs.ONE],
          [-1, a],
        ]),
        hint(cs, n!),
      )
      bit(cs, n!)
    },
  },
  'a pattern with a part of a product': {
    p: 101,
    inputs: [7],
    build: (cs, [n]) => {
      const [a, b, c] = bits(cs, n!, 3) as [LC, LC, LC]
      const [part, other] = [hint(cs, n!), hint(cs, n!)]
      cs.assertMul(a, b, sum(cs, part, other))
      cs.assertMul(part, c, cs.constant(0))
      const q = spell(cs, cs.bits(n!, 2))
      cs.assertEqual(
        combine(cs, [
          [1, a],
          [2, b],
          [4, c],
          [7, q],
        ]),
        n!,
      )
    },
  },
  'a sum in other words that leaves the field': {
    p: 11,
    inputs: [0],
    build: (cs, [n]) => {
      const [x, a, b, c] = bits(cs, n!, 4) as [LC, LC, LC, LC]
      const value = hint(cs, n!)
      bound(
        cs,
        combine(cs, [
          [1, value],
          [1, cs.ONE],
        ]),
        2,
      )
      const threefold = combine(cs, [
        [3, a],
        [3, b],
        [3, c],
      ])
      cs.assertEqual(
        combine(cs, [
          [1, x],
          [3, a],
          [3, b],
          [3, c],
        ]),
        value,
      )
      cs.assertMul(x, threefold, hint(cs, n!))
    },
  },
  'a zero test whose inverse is free where it is 0': {
    p: 13,
    inputs: [0],
    build: (cs, [x]) => {
      const [v, z] = [hint(cs, x!), hint(cs, x!)]
      cs.assertMul(
        x!,
        v,
        combine(cs, [
          [1, cs.ONE],
          [-1, z],
        ]),
      )
      cs.assertMul(x!, z, cs.constant(0))
    },
  },
  'a small zero test whose inverse is free where it is 0': {
    p: 101,
    inputs: [0],
    build: (cs, [x]) => {
      bound(cs, x!, 1)
      const [v, z] = [hint(cs, x!), hint(cs, x!)]
      cs.assertMul(
        x!,
        v,
        combine(cs, [
          [2, cs.ONE],
          [-2, z],
        ]),
      )
      cs.assertMul(x!, z, cs.constant(0))
    },
  },
  'two zero tests of different values': {
    p: 13,
    inputs: [0, 5],
    build: (cs, [x, y]) => {
      const [v, z] = [hint(cs, x!), hint(cs, x!)]
      cs.assertMul(
        x!,
        v,
        combine(cs, [
          [1, cs.ONE],
          [-1, hint(cs, x!)],
        ]),
      )
      cs.assertMul(x!, z, cs.constant(0))
      cs.assertMul(
        y!,
        hint(cs, y!),
        combine(cs, [
          [1, cs.ONE],
          [-1, z],
        ]),
      )
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
    build: (cs, [n]) => {
      const [x, a] = [spell(cs, cs.bits(n!, 2)), bit(cs, n!)]
      cs.assertMul({ ...x, range: null }, a, hint(cs, n!))
    },
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
