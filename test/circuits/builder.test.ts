import { describe, expect, test } from 'vitest'
import { createBuilder } from '../../circuits/builder.ts'
import { rowsByScope } from '../../circuits/circuit.ts'
import { createField, Fr } from '../../circuits/field.ts'
import type { LC } from '../../circuits/lc.ts'
import type { LinearMap } from '../../circuits/linearMap.ts'
import { solve, wireValue } from '../../circuits/solve.ts'
import { atFullWidth, codeOf, onSmallFields } from '../support/gadgetSuite.ts'
import { randomBetween } from '../support/lies.ts'
import { type Random, seeded } from '../support/random.ts'

/** A dense linear map given by its rows of weights. */
const mapOf = (weights: readonly (readonly number[])[], bias: readonly number[]): LinearMap => ({
  outputs: weights.length,
  maxTerms: Math.max(0, ...weights.map((row) => row.length)),
  terms: (j, positions, out) => {
    weights[j]!.forEach((w, i) => {
      positions[i] = i
      out[i] = w
    })
    return weights[j]!.length
  },
  bias: (j) => bias[j]!,
})

/** Interval of Σ w·x + b, plainly. */
function intervalOf(weights: readonly number[], ranges: readonly (readonly [bigint, bigint])[], bias: number) {
  let [lo, hi] = [BigInt(bias), BigInt(bias)]
  weights.forEach((w, i) => {
    const ends = ranges[i]!.map((end) => BigInt(w) * end) as [bigint, bigint]
    lo += ends[0] < ends[1] ? ends[0] : ends[1]
    hi += ends[0] < ends[1] ? ends[1] : ends[0]
  })
  return { lo, hi }
}

describe('products', () => {
  onSmallFields({
    name: 'mul',
    inputs: [
      [-2, 3],
      [-1, 2],
    ],
    rows: 1,
    build: (cs, [x, y]) => {
      const z = cs.mul(x!, y!)
      expect(z.range).toEqual({ lo: -4n, hi: 6n })
      return z
    },
    expected: ([x, y]) => x! * y!,
  })
  onSmallFields({
    name: 'mulAdd',
    inputs: [
      [-2, 3],
      [-1, 2],
      [0, 4],
    ],
    rows: 1,
    build: (cs, [x, y, z]) => {
      const sum = cs.mulAdd(x!, cs.add(y!, cs.constant(1)), cs.sub(z!, x!))
      expect(sum.range).toEqual({ lo: -6n - 3n, hi: 9n + 6n })
      return sum
    },
    expected: ([x, y, z]) => x! * (y! + 1n) + z! - x!,
  })
  onSmallFields(
    {
      name: 'mul of elements',
      inputs: [null, null],
      rows: 1,
      build: (cs, [x, y]) => cs.mul(x!, y!),
      expected: ([x, y], F) => F.signed(x! * y!),
    },
    { fields: 1, above: 4 },
  )
  onSmallFields({
    name: 'materialise',
    inputs: [
      [-2, 3],
      [0, 2],
    ],
    rows: 1,
    build: (cs, [x, y]) => {
      const sum = cs.materialise(cs.add(x!, cs.scale(-3, y!), cs.constant(2)))
      expect(sum.wires.length).toBe(1)
      expect(sum.range).toEqual({ lo: -6n, hi: 5n })
      expect(cs.materialise(sum)).toBe(sum)
      return sum
    },
    expected: ([x, y]) => x! - 3n * y! + 2n,
  })
  atFullWidth(
    {
      name: 'products beyond 2^53',
      inputs: [
        [-(2 ** 40), 2 ** 40],
        [-(2 ** 30), 2 ** 30],
      ],
      build: (cs, [x, y]) => {
        const z = cs.mul(x!, y!)
        return [z, cs.mulAdd(z, y!, x!), cs.mulAdd(x!, x!, cs.scale(-1, cs.mul(x!, x!)))]
      },
      expected: ([x, y]) => [x! * y!, x! * y! * y! + x!, 0n],
    },
    1,
  )
  atFullWidth(
    {
      name: 'products of elements',
      inputs: [null, null],
      build: (cs, [x, y]) => cs.mul(x!, y!),
      expected: ([x, y], F) => F.signed(x! * y!),
    },
    2,
  )

  test('with constants are free', () => {
    const cs = createBuilder(Fr)
    const x = cs.proven(cs.input('private', null), -2n, 3n)
    const known = cs.proven(cs.input('private', null), 4n, 4n) // a wire whose range is one integer
    expect(cs.mul(x, cs.constant(-3)).range).toEqual({ lo: -9n, hi: 6n })
    expect(cs.mul(known, x).range).toEqual({ lo: -8n, hi: 12n })
    expect(cs.mulAdd(cs.constant(0), x, x).range).toEqual({ lo: -2n, hi: 3n })
    expect(cs.constantValue(cs.mul(cs.constant(0), x))).toBe(0n)
    expect(cs.constantValue(cs.sub(x, x))).toBe(0n)
    expect(cs.materialise(cs.constant(5)).wires).toEqual([0])
    expect(cs.rows()).toBe(0)
  })
})

describe('combinations', () => {
  test('equal plain sums, on random terms', () => {
    const random = seeded(3)
    for (let k = 0; k < 200; k++) {
      const cs = createBuilder(Fr)
      const out = cs.output()
      const ranges = Array.from({ length: 4 }, () => {
        const lo = BigInt(random.integer(-300, 300))
        return [lo, lo + BigInt(random.integer(0, 500))] as const
      })
      const xs = ranges.map(([lo, hi]) => cs.proven(cs.input('private', { lo, hi }), lo, hi))
      const terms = Array.from({ length: random.integer(1, 9) }, () => ({
        k: random.pick([0n, 1n, -1n, randomBetween(random, -(2n ** 60n), 2n ** 60n), BigInt(random.integer(-9, 9))]),
        i: random.integer(0, 3),
      }))
      const constant = BigInt(random.integer(-5, 5))
      const sum = cs.add(cs.combine(terms.map(({ k, i }) => [k, xs[i]!] as const)), cs.constant(constant))
      cs.bindOutput(out, sum)
      expect([...sum.wires].sort((a, b) => a - b)).toEqual([...sum.wires])
      const x = ranges.map(([lo, hi]) => randomBetween(random, lo, hi))
      const expected = terms.reduce((s, { k, i }) => s + k * x[i]!, constant)
      expect(Fr.signed(wireValue(Fr, solve(cs.build(), x), out))).toBe(expected)
      expect(sum.range!.lo <= expected && expected <= sum.range!.hi).toBe(true)
    }
  })

  test('coefficients that vanish mod p leave no term, and no wrong range', () => {
    const F = createField(17n)
    const cs = createBuilder(F)
    const x = cs.input('private', null)
    expect(cs.scale(17, x)).toEqual({ wires: [], coefficients: [], range: null })
    expect(cs.scale(34n, x).wires).toEqual([])
    expect(cs.add(cs.scale(9, x), cs.scale(8, x)).wires).toEqual([])
    // 17·[0, 1] is {0, 17} as an integer and 0 as a residue
    expect(codeOf(() => cs.scale(17, cs.proven(x, 0n, 1n)))).toBe('circuit/overflow')
    expect(cs.scale(0, x)).toEqual({ wires: [], coefficients: [], range: { lo: 0n, hi: 0n } })
  })

  test('constants beyond half the field are elements without a range', () => {
    const cs = createBuilder(createField(17n))
    expect(cs.constant(8).range).toEqual({ lo: 8n, hi: 8n })
    expect(cs.constant(-8).range).toEqual({ lo: -8n, hi: -8n })
    expect(cs.constant(9).range).toBeNull()
    expect(cs.constantValue(cs.constant(9))).toBe(-8n)
    expect(cs.constantValue(cs.constant(17))).toBe(0n)
    // times an integer it might be any integer: refused
    expect(codeOf(() => cs.mul(cs.constant(9), cs.constant(2)))).toBe('circuit/overflow')
  })

  test('a range that leaves half the field is refused wherever it arises', () => {
    const cs = createBuilder(createField(17n))
    const [x, y] = [cs.input('private', null), cs.input('private', null)]
    expect(codeOf(() => cs.proven(x, 0n, 9n))).toBe('circuit/overflow')
    expect(codeOf(() => cs.proven(x, -9n, 0n))).toBe('circuit/overflow')
    expect(codeOf(() => cs.proven(x, 20n, 21n))).toBe('circuit/overflow')
    const [a, b] = [cs.proven(x, -4n, 4n), cs.proven(y, 0n, 5n)]
    expect(codeOf(() => cs.add(a, b))).toBe('circuit/overflow')
    expect(codeOf(() => cs.mul(a, b))).toBe('circuit/overflow')
    expect(codeOf(() => cs.mulAdd(a, a, b, { lo: 0n, hi: 21n }))).toBe('circuit/overflow')
    expect(codeOf(() => cs.scale(3, a))).toBe('circuit/overflow')
    expect(codeOf(() => cs.fromBits(cs.bits(x, 4)))).toBe('circuit/overflow')
    const fr = createBuilder(Fr)
    const z = fr.input('private', null)
    expect(codeOf(() => fr.proven(z, 0n, Fr.p))).toBe('circuit/overflow')
    expect(codeOf(() => fr.proven(z, 0n, Fr.p >> 1n))).toBe('no error')
    expect(codeOf(() => fr.proven(z, 0n, (Fr.p >> 1n) + 1n))).toBe('circuit/overflow')
    expect(codeOf(() => fr.proven(z, -(Fr.p >> 1n), 0n))).toBe('no error')
    expect(codeOf(() => fr.proven(z, -(Fr.p >> 1n) - 1n, 0n))).toBe('circuit/overflow')
  })
})

describe('linear maps', () => {
  type Prepared = {
    readonly lc: (cs: ReturnType<typeof createBuilder>, wires: readonly LC[]) => LC
    readonly at: (x: readonly bigint[]) => bigint
  }

  /** Inputs of a map: plain wires, repeated wires, sums, scaled wires, constants. */
  const operand = (random: Random, wires: number): Prepared => {
    const [i, j] = [random.integer(0, wires - 1), random.integer(0, wires - 1)]
    const k = random.integer(-9, 9)
    return random.pick<Prepared>([
      { lc: (_, w) => w[i]!, at: (x) => x[i]! },
      { lc: (_, w) => w[i]!, at: (x) => x[i]! },
      { lc: (_, w) => w[i]!, at: (x) => x[i]! },
      { lc: (cs, w) => cs.add(w[i]!, w[j]!), at: (x) => x[i]! + x[j]! },
      { lc: (cs, w) => cs.scale(k, w[i]!), at: (x) => BigInt(k) * x[i]! },
      { lc: (cs) => cs.constant(k), at: () => BigInt(k) },
    ])
  }

  test('equal a plain loop for plain, repeated, summed, scaled and constant inputs', () => {
    const random = seeded(11)
    for (let k = 0; k < 300; k++) {
      const wires = random.integer(1, 6)
      const plain = random.unit() < 0.4
      const operands = plain
        ? Array.from({ length: wires }, (_, i): Prepared => ({ lc: (_, w) => w[i]!, at: (x) => x[i]! }))
        : Array.from({ length: random.integer(1, 8) }, () => operand(random, wires))
      if (plain && random.unit() < 0.3) operands.reverse()
      const outputs = random.integer(1, 4)
      const weights = Array.from({ length: outputs }, () => operands.map(() => random.integer(-20, 20)))
      const bias = weights.map(() => random.pick([0, random.integer(-1000, 1000)]))
      const cs = createBuilder(Fr)
      const outs = weights.map(() => cs.output())
      const unproven = random.unit() < 0.2
      const range = { lo: -100n, hi: 155n }
      const xs = Array.from({ length: wires }, () => {
        const x = cs.input('private', range)
        return unproven ? x : cs.proven(x, range.lo, range.hi)
      })
      const ys = cs.linear(
        mapOf(weights, bias),
        operands.map(({ lc }) => lc(cs, xs)),
      )
      ys.forEach((y, j) => {
        cs.bindOutput(outs[j]!, y)
        expect(y.wires.every((wire, i) => i === 0 || wire > y.wires[i - 1]!)).toBe(true)
      })
      expect(cs.rows()).toBe(outputs)
      const circuit = cs.build()
      for (const x of [
        xs.map(() => range.lo),
        xs.map(() => range.hi),
        xs.map(() => randomBetween(random, range.lo, range.hi)),
      ]) {
        const witness = solve(circuit, x)
        weights.forEach((row, j) => {
          const y = row.reduce((sum, w, i) => sum + BigInt(w) * operands[i]!.at(x), BigInt(bias[j]!))
          expect(Fr.signed(wireValue(Fr, witness, outs[j]!))).toBe(y)
          const { range: claimed } = ys[j]!
          if (claimed !== null) expect(claimed.lo <= y && y <= claimed.hi).toBe(true)
        })
      }
    }
  })

  test('ranges are exact also where doubles are not', () => {
    // each product needs more than 53 bits, their differences few: rounded ends would be wrong
    const cases: { weights: number[]; ranges: [bigint, bigint][]; bias: number }[] = [
      {
        weights: [3, -3],
        ranges: [
          [2n ** 52n + 1n, 2n ** 52n + 2n],
          [2n ** 52n, 2n ** 52n + 1n],
        ],
        bias: 0,
      },
      {
        weights: [2 ** 30 + 1, -(2 ** 30)],
        ranges: [
          [2n ** 30n + 1n, 2n ** 30n + 3n],
          [2n ** 30n, 2n ** 30n + 5n],
        ],
        bias: 7,
      },
      {
        weights: [1, 1],
        ranges: [
          [2n ** 53n - 2n, 2n ** 53n - 1n],
          [2n ** 53n - 2n, 2n ** 53n - 1n],
        ],
        bias: -(2 ** 53 - 1),
      },
    ]
    const random = seeded(5)
    for (let k = 0; k < 300; k++) {
      const ranges = Array.from({ length: 3 }, (): [bigint, bigint] => {
        const lo = randomBetween(random, -(2n ** 52n), 2n ** 52n)
        return [lo, lo + BigInt(random.integer(0, 9))]
      })
      cases.push({ weights: ranges.map(() => random.integer(-4, 4)), ranges, bias: random.integer(-9, 9) })
    }
    for (const { weights, ranges, bias } of cases) {
      const cs = createBuilder(Fr)
      const xs = ranges.map(([lo, hi]) => cs.proven(cs.input('private', { lo, hi }), lo, hi))
      const [y] = cs.linear(mapOf([weights], [bias]), xs)
      expect(y!.range).toEqual(intervalOf(weights, ranges, bias))
    }
  })
})

describe('order', () => {
  test('outputs, public inputs, private inputs, then gadgets', () => {
    const fresh = () => createBuilder(Fr)
    const order = 'circuit/order'
    {
      const cs = fresh()
      cs.input('public', null)
      expect(codeOf(() => cs.output())).toBe(order)
    }
    {
      const cs = fresh()
      cs.input('private', null)
      expect(codeOf(() => cs.input('public', null))).toBe(order)
      expect(codeOf(() => cs.output())).toBe(order)
    }
    {
      const cs = fresh()
      cs.bits(cs.input('private', null), 2)
      expect(codeOf(() => cs.input('private', null))).toBe(order)
    }
    {
      const cs = fresh()
      const x = cs.input('public', null)
      cs.mul(x, x)
      expect(codeOf(() => cs.input('private', null))).toBe(order)
    }
  })

  test('every output is bound once', () => {
    const cs = createBuilder(Fr)
    const [a, b] = [cs.output(), cs.output()]
    const x = cs.input('private', null)
    cs.bindOutput(a, x)
    expect(codeOf(() => cs.bindOutput(a, x))).toBe('circuit/order')
    expect(codeOf(() => cs.build())).toBe('circuit/order')
    for (const wire of [0, 3, 99, -1]) expect(codeOf(() => cs.bindOutput(wire, x))).toBe('circuit/order')
    cs.bindOutput(b, cs.constant(5))
    expect(wireValue(Fr, solve(cs.build(), [7n]), b)).toBe(5n)
  })

  test('wires are numbered one, outputs, public, private, the rest', () => {
    const cs = createBuilder(Fr)
    const out = cs.output()
    const x = cs.input('public', null)
    const y = cs.input('private', { lo: 0n, hi: 3n })
    const z = cs.mul(x, y)
    cs.bindOutput(out, z)
    expect([out, x.wires, y.wires, z.wires]).toEqual([1, [2], [3], [4]])
    const { publicOutputs, publicInputs, privateInputs, wires, rows } = cs.build()
    expect({ publicOutputs, publicInputs, privateInputs, wires, rows }).toEqual({
      publicOutputs: 1,
      publicInputs: 1,
      privateInputs: 1,
      wires: 5,
      rows: 2,
    })
  })
})

describe('scopes', () => {
  test('nest, label rows and end also after an error', () => {
    const cs = createBuilder(Fr)
    const x = cs.input('private', null)
    cs.scope('conv1', () => {
      cs.mul(x, x)
      cs.scope('requantise', () => cs.bits(x, 3))
      expect(() =>
        cs.scope('broken', () => {
          throw new Error('inside')
        }),
      ).toThrow('inside')
      cs.mul(x, x)
    })
    cs.scope('conv1', () => cs.assertEqual(x, x))
    cs.assertEqual(x, x)
    expect(rowsByScope(cs.build())).toEqual(
      new Map([
        ['', 1],
        ['conv1', 3],
        ['conv1/requantise', 3],
        ['conv1/broken', 0],
      ]),
    )
  })

  test('name the place where a range overflows', () => {
    const cs = createBuilder(createField(17n))
    const x = cs.input('private', null)
    expect(() => cs.scope('fc1', () => cs.proven(x, 0n, 9n))).toThrow(
      expect.objectContaining({ code: 'circuit/overflow', details: expect.objectContaining({ scope: 'fc1' }) }),
    )
  })
})
