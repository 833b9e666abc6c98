import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Arithmetic, bigints, constraints, numbers } from '../../circuits/arithmetic.ts'
import { createBuilder } from '../../circuits/builder.ts'
import { Fr } from '../../circuits/field.ts'
import type { LinearMap } from '../../circuits/linearMap.ts'
import type { ProductMap } from '../../circuits/productMap.ts'
import { solve, wireValue } from '../../circuits/solve.ts'
import { interpret, outputsOf, violatedRow } from '../support/interpret.ts'
import { type Random, seeded } from '../support/random.ts'

/** A value of a random program: what is known of its range. */
type Known = { readonly lo: number; readonly hi: number }

/** One operation: which values it takes, and the operation over any arithmetic. */
type Operation = {
  readonly known: readonly Known[]
  readonly run: <T>(A: Arithmetic<T>, values: readonly T[]) => readonly T[]
}

const sparse = (weights: readonly (readonly number[])[], bias: readonly number[]): LinearMap => ({
  outputs: weights.length,
  maxTerms: weights[0]!.length,
  terms: (j, positions, out) => {
    weights[j]!.forEach((w, i) => {
      positions[i] = i
      out[i] = w
    })
    return weights[j]!.length
  },
  bias: (j) => bias[j]!,
})

/** An operation on earlier values that keeps every value below 2^44. */
function randomOperation(random: Random, known: readonly Known[]): Operation | undefined {
  const pick = (): number => random.integer(0, known.length - 1)
  const several = (n: number): number[] => Array.from({ length: n }, pick)
  const [i, j] = [pick(), pick()]
  const [x, y] = [known[i]!, known[j]!]
  const size = Math.max(-x.lo, x.hi)
  switch (random.integer(0, 10)) {
    case 0: {
      const from = several(random.integer(1, 5))
      const weights = Array.from({ length: random.integer(1, 3) }, () => from.map(() => random.integer(-9, 9)))
      const bias = weights.map(() => random.integer(-50, 50))
      const bounds = weights.map((row, o) => {
        const ends = row.map((w, k) => [w * known[from[k]!]!.lo, w * known[from[k]!]!.hi])
        return {
          lo: ends.reduce((s, e) => s + Math.min(...e), bias[o]!),
          hi: ends.reduce((s, e) => s + Math.max(...e), bias[o]!),
        }
      })
      if (bounds.some(({ lo, hi }) => Math.max(-lo, hi) > 2 ** 44)) return undefined
      return {
        known: bounds,
        run: (A, values) =>
          Array.from(
            A.linear(
              sparse(weights, bias),
              from.map((k) => values[k]!),
            ),
          ),
      }
    }
    case 1: {
      const ends = [x.lo * y.lo, x.lo * y.hi, x.hi * y.lo, x.hi * y.hi]
      if (Math.max(...ends.map(Math.abs)) > 2 ** 44) return undefined
      return {
        known: [{ lo: Math.min(...ends), hi: Math.max(...ends) }],
        run: (A, values) => [A.mul(values[i]!, values[j]!)],
      }
    }
    case 2:
    case 3: {
      const shift = random.pick([0, 1, 2, 5, 9, 20, 43])
      const [lo, hi] = random.pick([
        [-128, 127],
        [0, 255],
        [-7, 100],
        [0, 0],
        [-(2 ** 30), 2 ** 30],
      ] as const)
      const end = (v: number): number => Math.min(Math.max(Math.floor(v / 2 ** shift + 0.5), lo), hi)
      return {
        known: [{ lo: end(x.lo), hi: end(x.hi) }],
        run: (A, values) => [A.requantise(values[i]!, shift, lo, hi)],
      }
    }
    case 4:
      return {
        known: [{ lo: Math.max(x.lo, 0), hi: Math.max(x.hi, 0) }],
        run: (A, values) => [A.relu(values[i]!)],
      }
    case 5: {
      const from = several(random.integer(1, 4))
      return {
        known: [{ lo: Math.max(...from.map((k) => known[k]!.lo)), hi: Math.max(...from.map((k) => known[k]!.hi)) }],
        run: (A, values) => [A.max(from.map((k) => values[k]!))],
      }
    }
    case 6: {
      const from = several(random.integer(1, 4))
      return {
        known: [{ lo: 0, hi: from.length - 1 }],
        run: (A, values) => [A.argmax(from.map((k) => values[k]!))],
      }
    }
    case 7: {
      if (x.hi - x.lo >= 600) return undefined
      const lo = x.lo - random.integer(0, 3)
      const table = Array.from({ length: x.hi - lo + 1 + random.integer(0, 3) }, () => random.integer(-300, 300))
      const used = table.slice(x.lo - lo, x.hi - lo + 1)
      return {
        known: [{ lo: Math.min(...used), hi: Math.max(...used) }],
        run: (A, values) => A.lookup(values[i]!, [table], lo),
      }
    }
    case 8: {
      if (x.lo < 0 || y.lo < 1) return undefined
      return {
        known: [{ lo: Math.floor(x.lo / y.hi), hi: Math.floor(x.hi / y.lo) }],
        run: (A, values) => [A.divide(values[i]!, values[j]!)],
      }
    }
    case 9: {
      const [rows, inner, columns] = [random.integer(1, 3), random.integer(1, 4), random.integer(1, 3)]
      const [xs, ws, bias] = [several(rows * inner), several(inner * columns), several(columns)]
      const hull = (from: readonly number[]): Known => ({
        lo: Math.min(...from.map((k) => known[k]!.lo)),
        hi: Math.max(...from.map((k) => known[k]!.hi)),
      })
      const [a, b, c] = [hull(xs), hull(ws), hull(bias)]
      const map: ProductMap = {
        ...{ rows, inner, columns },
        x: (r, t) => ((r + t) % 4 === 3 ? -1 : r * inner + t),
        w: (t, col) => t * columns + col,
        bias: (col) => col,
      }
      const ends = [a.lo * b.lo, a.lo * b.hi, a.hi * b.lo, a.hi * b.hi, ...(rows + inner > 4 ? [0] : [])]
      const bounds = { lo: inner * Math.min(...ends) + c.lo, hi: inner * Math.max(...ends) + c.hi }
      if (Math.max(-bounds.lo, bounds.hi) > 2 ** 44) return undefined
      const rounding = random.unit() < 0.5 ? undefined : { shift: random.integer(0, 9), lo: -50, hi: 77 }
      const end = (v: number): number =>
        rounding === undefined ? v : Math.min(Math.max(Math.floor(v / 2 ** rounding.shift + 0.5), -50), 77)
      return {
        known: new Array<Known>(rows * columns).fill({ lo: end(bounds.lo), hi: end(bounds.hi) }),
        run: (A, values) =>
          Array.from(
            A.product(
              map,
              { x: xs.map((k) => values[k]!), w: ws.map((k) => values[k]!), bias: bias.map((k) => values[k]!) },
              rounding,
            ),
          ),
      }
    }
    default: {
      const k = random.integer(-5, 9)
      return size > 2 ** 44 ? undefined : { known: [{ lo: k, hi: k }], run: (A) => [A.constant(k)] }
    }
  }
}

describe('numbers, bigints and constraints', () => {
  test('agree on random programs and inputs', () => {
    const random = seeded(2026)
    let operations = 0
    for (let k = 0; k < 150; k++) {
      const ranges = Array.from({ length: 4 }, (): Known => {
        const lo = random.pick([0, 1, -128, random.integer(-5000, 5000)])
        return { lo, hi: lo + random.pick([0, 1, 7, 255, random.integer(0, 5000)]) }
      })
      const known = [...ranges]
      const program: Operation[] = []
      for (let tries = 0; tries < 14; tries++) {
        const operation = randomOperation(random, known)
        if (operation === undefined) continue
        program.push(operation)
        known.push(...operation.known)
      }
      const run = <T>(A: Arithmetic<T>, inputs: readonly T[]): T[] => {
        const values = [...inputs]
        for (const operation of program) values.push(...operation.run(A, values))
        return values
      }
      const cs = createBuilder(Fr)
      const outs = known.map(() => cs.output())
      const inputs = ranges.map(({ lo, hi }) => {
        const [l, h] = [BigInt(lo), BigInt(hi)]
        return cs.proven(cs.input('private', { lo: l, hi: h }), l, h)
      })
      run(constraints(cs), inputs).forEach((y, i) => {
        cs.bindOutput(outs[i]!, y)
        // what interval arithmetic claims contains what the test derived on its own
        expect(y.range!.lo <= BigInt(known[i]!.lo) && BigInt(known[i]!.hi) <= y.range!.hi).toBe(true)
      })
      const circuit = cs.build()
      operations += program.length
      for (let s = 0; s < 5; s++) {
        const x = ranges.map(({ lo, hi }) => (s === 0 ? lo : s === 1 ? hi : random.integer(lo, hi)))
        const exact = run(bigints, x.map(BigInt))
        expect(run(numbers, x).map(BigInt)).toEqual(exact)
        const witness = solve(circuit, x)
        expect(outs.map((wire) => Fr.signed(wireValue(Fr, witness, wire)))).toEqual(exact)
        if (s > 1) continue
        const slow = interpret(circuit, x.map(BigInt))
        expect(outputsOf(circuit, slow)).toEqual(exact)
        expect(violatedRow(circuit, slow)).toBeUndefined()
      }
    }
    expect(operations).toBeGreaterThan(1000)
  })

  test('numbers and bigints agree up to the last exact double', () => {
    const exact = fc.oneof(
      fc.integer({ min: -1000, max: 1000 }),
      fc.maxSafeInteger(),
      fc.constantFrom(Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER, 2 ** 52, -(2 ** 52)),
    )
    fc.assert(
      fc.property(exact, fc.integer({ min: 0, max: 63 }), exact, exact, (x, shift, a, b) => {
        const [lo, hi] = a < b ? [a, b] : [b, a]
        // the sum x + 2^(shift-1) has to be exact; beyond the largest double it may round without changing the result
        const half = shift === 0 ? 0 : 2 ** (shift - 1)
        fc.pre(half > 2 ** 53 || Math.abs(x + half) <= Number.MAX_SAFE_INTEGER)
        expect(BigInt(numbers.requantise(x, shift, lo, hi))).toBe(bigints.requantise(BigInt(x), shift, lo, hi))
        expect(BigInt(numbers.relu(x))).toBe(bigints.relu(BigInt(x)))
        const ratio = { p: 7, r: -3, q: 10, even: x % 2 === 0 }
        expect(BigInt(numbers.rescale(x, ratio, -90, 77))).toBe(bigints.rescale(BigInt(x), ratio, -90, 77))
        expect(BigInt(numbers.max([x, a, b]))).toBe(bigints.max([x, a, b].map(BigInt)))
        expect(BigInt(numbers.argmax([x, a, b]))).toBe(bigints.argmax([x, a, b].map(BigInt)))
        const [n, d] = [Math.abs(x), Math.abs(a) + 1]
        expect(BigInt(numbers.divide(n, d))).toBe(bigints.divide(BigInt(n), BigInt(d)))
      }),
      { seed: 20261124, numRuns: 3000 },
    )
  })

  test('argmax takes the first of equals, max the value', () => {
    for (const xs of [[3, 3], [1, 3, 3], [0], [5, 1, 5], [-2, -1, -1, -3]]) {
      const first = xs.indexOf(Math.max(...xs))
      expect(numbers.argmax(xs)).toBe(first)
      expect(bigints.argmax(xs.map(BigInt))).toBe(BigInt(first))
      expect(numbers.max(xs)).toBe(Math.max(...xs))
    }
  })

  test('combinations that many outputs use become wires once, others do not', () => {
    const cs = createBuilder(Fr)
    const A = constraints(cs)
    const xs = Array.from({ length: 8 }, () => cs.proven(cs.input('private', { lo: 0n, hi: 9n }), 0n, 9n))
    const dense = (outputs: number): LinearMap =>
      sparse(
        Array.from({ length: outputs }, (_, j) => xs.map((_x, i) => ((i * 7 + j * 3) % 11) - 5)),
        new Array(outputs).fill(1),
      )
    const sums = A.linear(dense(8), xs)
    expect(cs.rows()).toBe(0)
    A.linear(dense(2), sums) // 7 surplus terms · 2 uses
    expect(cs.rows()).toBe(0)
    A.linear(dense(30), sums) // 7 · 30
    expect(cs.rows()).toBe(8)
    A.linear(dense(30), sums)
    expect(cs.rows()).toBe(8)
  })
})
