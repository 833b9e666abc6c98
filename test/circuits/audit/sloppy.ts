import { type Bits, type Builder, createBuilder } from '../../../circuits/builder.ts'
import type { Circuit } from '../../../circuits/circuit.ts'
import { createField } from '../../../circuits/field.ts'
import type { LC } from '../../../circuits/lc.ts'
import type { Random } from '../../support/random.ts'

/** Sums without a range, so that the builder refuses nothing. */
export const combine = (cs: Builder, terms: readonly (readonly [number | bigint, LC])[]): LC =>
  cs.combine(terms.map(([k, x]) => [k, { ...x, range: null }] as const))

/** Bits with weights. */
export const spell = (cs: Builder, bits: Bits, weights = (i: number): number => 2 ** i): LC =>
  combine(
    cs,
    Array.from({ length: bits.count }, (_, i) => [weights(i), cs.bit(bits, i)] as const),
  )

/** A wire that nothing ties to x. */
export const hint = (cs: Builder, x: LC): LC => cs.hint('inverse', [x], 1, { honest: null })[0]!

type Sloppy = (cs: Builder, random: Random, inputs: readonly LC[]) => void

/** Quotient and remainder, with widths and bounds that may or may not do. */
const division: Sloppy = (cs, random, [n, x]) => {
  const d = random.unit() < 0.3 ? cs.constant(random.integer(2, 6)) : x!
  const qBits = cs.bits(n!, random.integer(1, 3))
  const isWire = random.unit() < 0.6
  const q = isWire ? hint(cs, n!) : spell(cs, qBits)
  if (isWire && random.unit() < 0.9) cs.assertEqual(spell(cs, qBits), q)
  const product = cs.mul({ ...q, range: null }, d)
  const rest = combine(cs, [
    [1, n!],
    [-random.pick([1, 1, 1, 2]), product],
  ])
  cs.assertEqual(spell(cs, cs.bits(n!, random.integer(1, 4))), rest)
  if (random.unit() < 0.9)
    cs.assertEqual(
      spell(cs, cs.bits(n!, random.integer(1, 4))),
      combine(cs, [
        [random.pick([1, 1, 1, 2]), d],
        [-random.pick([0, 1, 1, 1, 2]), cs.ONE],
        [-1, rest],
      ]),
    )
}

/** One-hot certificate of a maximum, whose ties may or may not be broken. */
const selection: Sloppy = (cs, random, inputs) => {
  const n = random.integer(2, 3)
  const m = hint(cs, inputs[0]!)
  const e = Array.from({ length: n }, (_, i) => cs.bit(cs.bits(inputs[i % 2]!, 1), 0))
  cs.assertEqual(
    combine(
      cs,
      e.map((x) => [1, x] as const),
    ),
    cs.ONE,
  )
  const careless = random.unit() < 0.4
  const another = careless && random.unit() < 0.3 ? hint(cs, inputs[0]!) : m
  for (let i = 0; i < n; i++) {
    const bits = spell(cs, cs.bits(inputs[i % 2]!, random.integer(1, 3)))
    const later = e.flatMap((x, j) => {
      const k = careless ? random.pick([-1, 0, 0, 1]) : j > i ? -1 : 0
      return k === 0 ? [] : [[k, x] as const]
    })
    const offset = careless ? random.pick([0, 0, 1]) : 0
    const slope = careless ? random.pick([1, 1, 1, -1, 2]) : 1
    const score = combine(cs, [[slope, i === 0 ? m : another], [-1, inputs[i % 2]!], [offset, cs.ONE], ...later])
    const shifted =
      careless && random.unit() < 0.3
        ? combine(cs, [
            [1, bits],
            [-1, cs.ONE],
          ])
        : bits
    cs.assertEqual(shifted, score)
    cs.assertMul(e[i]!, shifted, cs.constant(0))
  }
}

/** Place among thresholds, whose intervals may or may not overlap. */
const place: Sloppy = (cs, random, [given]) => {
  const x = random.unit() < 0.9 ? given! : hint(cs, given!)
  const k = random.integer(1, 3)
  const e = Array.from({ length: k }, () => cs.bit(cs.bits(x, 1), 0))
  const none = combine(cs, [[1, cs.ONE], ...e.map((s) => [-1, s] as const)])
  if (k > 1 && random.unit() < 0.9) cs.assertMul(none, none, none)
  let at = random.integer(-2, 1)
  const ends = Array.from({ length: k + 1 }, () => {
    const first = at
    const last = first + random.integer(0, 4)
    at = last + random.pick([1, 1, 1, 0, 2])
    return [first, last] as const
  })
  const chosen = (side: 0 | 1): LC =>
    combine(cs, [[ends[0]![side], cs.ONE], ...e.map((s, i) => [ends[i + 1]![side] - ends[0]![side], s] as const)])
  const offset = random.unit() < 0.2 ? 1 : 0
  for (const side of [0, 1] as const) {
    const sign = side === 0 ? 1 : -1
    const bits = spell(cs, cs.bits(x, random.integer(1, 3)))
    cs.assertEqual(
      combine(cs, [
        [1, bits],
        [-offset, cs.ONE],
      ]),
      combine(cs, [
        [sign, x],
        [-sign, chosen(side)],
      ]),
    )
  }
}

/** Quotient bits, and remainder bits of which some patterns are forbidden. */
const patterns: Sloppy = (cs, random, [n]) => {
  const rest = cs.bits(n!, random.integer(2, 4))
  const quotient = cs.bits(n!, random.integer(1, 2))
  for (let k = random.integer(1, 2); k > 0; k--) {
    const top = cs.bit(rest, rest.count - 1)
    const left = random.unit() < 0.4 && rest.count > 2 ? cs.mul(top, cs.bit(rest, rest.count - 2)) : top
    const right = Array.from({ length: rest.count - 1 }, (_, i) => cs.bit(rest, i)).filter(() => random.unit() < 0.6)
    const sign = random.pick([1, 1, 1, -1])
    cs.assertMul(
      { ...left, range: null },
      combine(
        cs,
        right.map((bit, i) => [i === 0 ? 1 : sign, bit] as const),
      ),
      cs.constant(0),
    )
  }
  const q = random.integer(2, 2 ** rest.count)
  cs.assertEqual(
    combine(cs, [
      [1, spell(cs, rest)],
      [q, spell(cs, quotient)],
    ]),
    n!,
  )
}

/** x·v = k + m·z, x·z = c, v·z = c'. */
const zero: Sloppy = (cs, random, [x, y]) => {
  const [v, z] = [hint(cs, x!), hint(cs, x!)]
  const some = (): LC => cs.constant(random.pick([0, 0, 0, 1, 3]))
  const factor = random.pick([x!, x!, cs.add({ ...x!, range: null }, cs.ONE), y!])
  cs.assertMul(
    x!,
    v,
    combine(cs, [
      [random.pick([1, 1, 2, 0]), cs.ONE],
      [random.pick([-1, -1, 2]), z],
    ]),
  )
  cs.assertMul(factor, z, some())
  if (random.unit() < 0.8) cs.assertMul(random.pick([v, v, x!]), random.pick([z, z, v]), some())
}

/** Digits of any weights and widths, some of them wires of their own, some sums of one sign. */
const digits: Sloppy = (cs, random, [n]) => {
  let weight = 1
  const terms = Array.from({ length: random.integer(1, 3) }, () => {
    const width = random.integer(1, 2)
    const bits = spell(cs, cs.bits(n!, width), random.unit() < 0.8 ? undefined : () => 1)
    let digit = bits
    if (random.unit() < 0.5) {
      digit = hint(cs, n!)
      cs.assertEqual(
        bits,
        random.unit() < 0.5
          ? digit
          : combine(cs, [
              [1, digit],
              [random.integer(1, 2), cs.ONE],
            ]),
      )
    }
    const k = weight * random.pick([1, 1, -1])
    weight *= random.pick([2 ** width, 2 ** width, 2 ** width - 1, 2])
    return [k, digit] as const
  })
  cs.assertEqual(combine(cs, terms), random.unit() < 0.15 ? cs.constant(0) : n!)
}

/** Words of a private product, taken apart into slots that may or may not be bounded. */
const slots: Sloppy = (cs, random, [x, y]) => {
  const width = random.integer(1, 2)
  const place = random.pick([2 ** width, 2 ** width, 2 ** width - 1, 2 ** (width + 1)])
  const products = Array.from({ length: random.integer(1, 2) }, () =>
    cs.mul(
      combine(cs, [
        [1, x!],
        [random.integer(0, 3), y!],
      ]),
      combine(cs, [
        [1, y!],
        [random.integer(0, 2), cs.ONE],
      ]),
    ),
  )
  const results = Array.from({ length: random.integer(2, 3) }, () => {
    const bits = spell(cs, cs.bits(x!, random.pick([width, width, width + 1])))
    if (random.unit() < 0.4) return bits
    const result = hint(cs, x!)
    if (random.unit() < 0.85)
      cs.assertEqual(
        bits,
        combine(cs, [
          [1, result],
          [random.pick([0, 0, 1, 2]), cs.ONE],
        ]),
      )
    return result
  })
  const packed = combine(
    cs,
    results.map((r, i) => [place ** i, r] as const),
  )
  cs.assertEqual(
    packed,
    combine(
      cs,
      products.map((product) => [1, product] as const),
    ),
  )
}

/** A requantisation by parts: zero test of high bits, and the choice between value and bound. */
const clamp: Sloppy = (cs, random, [n]) => {
  const bits = cs.bits(n!, random.integer(2, 4))
  cs.assertEqual(
    spell(cs, bits),
    random.unit() < 0.9
      ? n!
      : combine(cs, [
          [2, n!],
          [1, cs.ONE],
        ]),
  )
  const [v, z] = [hint(cs, n!), hint(cs, n!)]
  const high = combine(
    cs,
    Array.from(
      { length: bits.count },
      (_, i) => [i === 0 ? random.integer(0, 1) : random.pick([1, 1, -1]), cs.bit(bits, i)] as const,
    ),
  )
  cs.assertMul(
    high,
    v,
    combine(cs, [
      [random.pick([1, 2, 6]), cs.ONE],
      [random.pick([-1, -2, -6]), z],
    ]),
  )
  cs.assertMul(high, z, cs.constant(0))
  if (random.unit() < 0.7) cs.assertMul(v, z, cs.constant(0))
  const y = hint(cs, n!)
  cs.assertMul(
    random.pick([z, z, cs.bit(bits, 1)]),
    combine(cs, [
      [1, spell(cs, bits)],
      [-random.integer(0, 5), cs.ONE],
    ]),
    combine(cs, [
      [1, y],
      [random.integer(-2, 2), cs.ONE],
      [random.pick([0, 0, -1]), cs.bit(bits, 0)],
    ]),
  )
}

const kinds: readonly Sloppy[] = [division, selection, place, patterns, zero, digits, slots, clamp]

/** A gadget as someone in a hurry would write it, over a small field: some such circuits are determined, some are not. */
export function sloppyCircuit(random: Random, kind: number): Circuit {
  const p = random.pick([11, 13, 17, 19, 23, 29, 31, 37, 43, 53, 61, 101])
  const cs = createBuilder(createField(BigInt(p)))
  const range = { lo: -BigInt((p - 1) / 2), hi: BigInt((p - 1) / 2) }
  const inputs = [0, 1].map(() => cs.input('private', range))
  kinds[kind % kinds.length]!(cs, random, inputs)
  return cs.build()
}
