/**
 * Field arithmetic for machines without a fused multiply-add: nine limbs of 29 bits in unsigned integers, R = 2²⁶¹. The
 * lanes of a pair lie one after the other.
 *
 * Every result is carried: limbs 0 to 7 in [0, 2²⁹), limb 8 holds the rest. Bounds: products are below 1.4p for operands
 * below 8p (64p²/2²⁶¹ < 0.4p, as p < 2²⁶¹/169); reduced values are below 1.01p; a lazy sum of such values is below 2.8p, a
 * lazy difference x - y + 4p below 6p. A column of a product sums 18 products below 2⁵⁸ and a carry: below 2⁶³.
 * @module
 */
import { ELEMENT, type FieldKernels, invert, type Scattered } from './field.ts'
import {
  type Address,
  addressOf,
  at,
  type Code,
  call,
  type Func,
  type FunctionBuilder,
  get,
  i32,
  i64,
  ifElse,
  type Local,
  type ModuleBuilder,
  plus,
  set,
} from './wasm.ts'

const COUNT = 9
const WIDTH = 29n
const MASK = (1n << WIDTH) - 1n
const INDEX = Array.from({ length: COUNT }, (_, i) => i)

/** Nine limbs of an integer in [0, 2²⁶¹). */
export const intLimbs = (value: bigint): number[] => INDEX.map((i) => Number((value >> (WIDTH * BigInt(i))) & MASK))

/** The field of order p, 2²⁵³ < p < 2²⁵⁴. */
export function intField(module: ModuleBuilder, p: bigint): FieldKernels {
  const EIGHT_P = intLimbs(8n * p)
  const P = INDEX.map((i) => (p >> (WIDTH * BigInt(i))) & MASK)
  const limb = (a: Local, i: number): Code => i64.load32U(at(a, 4 * i))
  const locals = (f: FunctionBuilder, name: string): Local[] => INDEX.map((i) => f.scratch(`${name}${i}`, 'i64'))
  const c = i64.const

  /** Carries limbs that may be negative and stores them; the value must not be negative. */
  const carryAndStore = (z: Local, t: readonly Local[]): Code =>
    INDEX.map((i) => [
      i < COUNT - 1 ? set(t[i + 1]!, i64.add(get(t[i + 1]!), i64.shrS(get(t[i]!), c(WIDTH)))) : [],
      i64.store32(at(z, 4 * i), i < COUNT - 1 ? i64.and(get(t[i]!), c(MASK)) : get(t[i]!)),
    ])
  /**
   * Takes off k·p, k = ⌊(t₈ - 1)/(p₈ + 1)⌋, where t₈ is not carried and at most 1 too large: the result is in
   * [0, p + (k + 3)·2²³²).
   */
  const reduce = (f: FunctionBuilder, t: readonly Local[]): Code => {
    const k = f.scratch('k', 'i64')
    const reciprocal = (1n << 40n) / (P[8]! + 1n)
    return [
      set(k, i64.shrS(i64.mul(i64.sub(get(t[8]!), c(1n)), c(reciprocal)), c(40n))),
      t.map((local, i) => set(local, i64.sub(get(local), i64.mul(get(k), c(P[i]!))))),
    ]
  }
  /** A function of elements (z, x, y) and one of pairs that calls it for both lanes. */
  const forBoth = (operands: number, element: Func): Func =>
    module.func(undefined, new Array(operands).fill('i32'), [], (_, ...params) => [
      call(element, ...params.map(get)),
      call(element, ...params.map((param) => i32.add(get(param), i32.const(ELEMENT)))),
    ])
  const binary = (body: (f: FunctionBuilder, x: Local, y: Local, t: Local[]) => Code): Func =>
    module.func(undefined, ['i32', 'i32', 'i32'], [], (f, z, x, y) => {
      const t = locals(f, 't')
      return [body(f, x!, y!, t), carryAndStore(z!, t)]
    })
  const sums = (x: Local, y: Local, t: readonly Local[]): Code =>
    t.map((local, i) => set(local, i64.add(limb(x, i), limb(y, i))))
  const differences = (x: Local, y: Local, t: readonly Local[]): Code =>
    t.map((local, i) => set(local, i64.add(i64.sub(limb(x, i), limb(y, i)), c(4n * P[i]!))))

  /** z = (Σ ±x·y)/R for one or two products; minus is plus 8p - x, whose limbs may be negative. */
  const products = (f: FunctionBuilder, z: Local, factors: readonly (readonly [Local, Local, '+' | '-'])[]): Code => {
    const t = locals(f, 't')
    const ys = factors.map((_, k) => locals(f, k === 0 ? 'y' : 'v'))
    const xs = factors.map((_, k) => f.scratch(`x${k}`, 'i64'))
    const [q, carry] = [f.scratch('q', 'i64'), f.scratch('c', 'i64')]
    const minusInverse = (1n << WIDTH) - invert(p & MASK, 1n << WIDTH)
    const round = (i: number): Code => {
      const column = (j: number): Code =>
        factors
          .map((_, k) => i64.mul(get(xs[k]!), get(ys[k]![j]!)))
          .reduce((sum, term) => i64.add(sum, term), i === 0 ? c(0n) : get(t[j]!))
      return [
        factors.map(([x, , sign], k) =>
          set(xs[k]!, sign === '+' ? limb(x, i) : i64.sub(c(BigInt(EIGHT_P[i]!)), limb(x, i))),
        ),
        set(t[0]!, column(0)),
        set(q, i64.and(i64.mul(i64.and(get(t[0]!), c(MASK)), c(minusInverse)), c(MASK))),
        set(carry, i64.shrS(i64.add(get(t[0]!), i64.mul(get(q), c(P[0]!))), c(WIDTH))),
        INDEX.slice(1).map((j) => {
          const next = i64.add(column(j), i64.mul(get(q), c(P[j]!)))
          return set(t[j - 1]!, j === 1 ? i64.add(get(carry), next) : next)
        }),
        set(t[8]!, c(0n)),
      ]
    }
    return [
      factors.map(([, y], k) => ys[k]!.map((local, j) => set(local, limb(y, j)))),
      INDEX.map(round),
      carryAndStore(z, t),
    ]
  }
  const mulElement = module.func(undefined, ['i32', 'i32', 'i32'], [], (f, z, x, y) => products(f, z!, [[x!, y!, '+']]))
  const twoProducts = (sign: '+' | '-'): Func =>
    module.func(undefined, ['i32', 'i32', 'i32', 'i32', 'i32'], [], (f, z, x0, y0, x1, y1) =>
      products(f, z!, [
        [x0!, y0!, '+'],
        [x1!, y1!, sign],
      ]),
    )
  const addElement = binary((_, x, y, t) => sums(x, y, t))
  const subElement = binary((_, x, y, t) => differences(x, y, t))
  const addReduceElement = binary((f, x, y, t) => [sums(x, y, t), reduce(f, t)])
  const subReduceElement = binary((f, x, y, t) => [differences(x, y, t), reduce(f, t)])
  const [mul, add, sub, addReduce, subReduce] = [
    mulElement,
    addElement,
    subElement,
    addReduceElement,
    subReduceElement,
  ].map((element) => forBoth(3, element)) as [Func, Func, Func, Func, Func]
  /** (x, y, t): y = x - t, then x = x + t; t lies elsewhere. */
  const butterflyPair = module.func(undefined, ['i32', 'i32', 'i32'], [], (_, x, y, t) => [
    call(subReduce, get(y!), get(x!), get(t!)),
    call(addReduce, get(x!), get(x!), get(t!)),
  ])
  const [mulAdd, mulSub] = (['+', '-'] as const).map((sign) => forBoth(5, twoProducts(sign))) as [Func, Func]
  const sqr = module.func(undefined, ['i32', 'i32'], [], (_, z, x) => call(mul, get(z!), get(x!), get(x!)))

  const words = [0, 8, 16, 24, 32] // an element and its padding
  const copyElement = (z: Address, x: Address): Code => words.map((w) => i64.store(plus(z, w), i64.load(plus(x, w))))
  const lane = (x: Address, i: 0 | 1): Address => plus(x, ELEMENT * i)
  const laneOffset = (i: Local): Code => i32.mul(get(i), i32.const(ELEMENT))

  const fromDouble = module.func(undefined, ['i32', 'i32', 'f64'], [], (f, z, i, value) => {
    const t = locals(f, 't')
    const [v, negative] = [f.local('i64'), f.local('i64')]
    return [
      set(z!, i32.add(get(z!), laneOffset(i!))),
      set(v, i64.truncF64(get(value!))),
      set(negative, i64.shrS(get(v), c(63n))),
      t.map((local, j) => set(local, i64.and(get(negative), c(P[j]!)))),
      set(t[0]!, i64.add(get(t[0]!), get(v))),
      carryAndStore(z!, t),
    ]
  })

  const fromBytes = module.func(undefined, ['i32', 'i32', 'i32'], [], (_, z, a, b) => {
    const element = (from: Local, offset: number): Code =>
      INDEX.map((i) => {
        const bit = 29 * i
        // 8 bytes that hold the limb, and do not pass the end of the 32
        const byte = Math.min(bit >> 3, 24)
        const value = i64.shrU(i64.loadUnaligned(at(from, byte)), c(BigInt(bit - 8 * byte)))
        return i64.store32(at(z!, offset + 4 * i), i64.and(value, c(MASK)))
      })
    return [element(a!, 0), element(b!, ELEMENT)]
  })

  const toBytes = module.func(undefined, ['i32', 'i32', 'i32'], [], (f, x, i, out) => {
    const [v, t] = [locals(f, 'v'), locals(f, 't')]
    const word = (w: number): Code =>
      INDEX.filter((j) => 29 * j + 29 > 64 * w && 29 * j < 64 * (w + 1))
        .map((j) => {
          const shift = 29 * j - 64 * w
          return shift >= 0 ? i64.shl(get(v[j]!), c(BigInt(shift))) : i64.shrU(get(v[j]!), c(BigInt(-shift)))
        })
        .reduce((whole, part) => i64.or(whole, part))
    return [
      set(x!, i32.add(get(x!), laneOffset(i!))),
      v.map((local, j) => set(local, limb(x!, j))),
      // once less p, if that is not negative
      t.map((local, j) => set(local, i64.sub(get(v[j]!), c(P[j]!)))),
      INDEX.slice(1).map((j) => [
        set(t[j]!, i64.add(get(t[j]!), i64.shrS(get(t[j - 1]!), c(WIDTH)))),
        set(t[j - 1]!, i64.and(get(t[j - 1]!), c(MASK))),
      ]),
      ifElse(
        i32.eqz(i64.ltS(get(t[8]!), c(0n))),
        v.map((local, j) => set(local, get(t[j]!))),
      ),
      [0, 1, 2, 3].map((w) => i64.store(at(out!, 8 * w), word(w))),
    ]
  })

  const copyLane = module.func(undefined, ['i32', 'i32', 'i32'], [], (_, z, x, i) => [
    set(z!, i32.add(get(z!), laneOffset(i!))),
    set(x!, i32.add(get(x!), laneOffset(i!))),
    copyElement(at(z!), at(x!)),
  ])

  /** (z, x, negative): copies an element, or 2p - x for x ≤ 2p. */
  const copySigned = module.func(undefined, ['i32', 'i32', 'i32'], [], (f, z, x, negative) => {
    const t = locals(f, 't')
    return ifElse(
      get(negative!),
      [t.map((local, j) => set(local, i64.sub(c(2n * P[j]!), limb(x!, j)))), carryAndStore(z!, t)],
      copyElement(at(z!), at(x!)),
    )
  })
  const gatherSigned = (z: Address, a: Scattered): Code =>
    ([a.first, a.second] as const).map((from, i) => {
      const [to, source] = [lane(z, i as 0 | 1), at(from, a.offset)]
      return a.signs === undefined
        ? copyElement(to, source)
        : call(copySigned, addressOf(to), addressOf(source), get(a.signs[i]!))
    })

  const triple = (fn: Func) => (_: FunctionBuilder, z: Address, x: Address, y: Address) =>
    call(fn, addressOf(z), addressOf(x), addressOf(y))
  return {
    p,
    montgomery: 1n << 261n,
    ...{ mul, sqr, mulAdd, mulSub, fromDouble, fromBytes, toBytes, copyLane },
    add: triple(add),
    sub: triple(sub),
    addReduce: triple(addReduce),
    subReduce: triple(subReduce),
    copy: (_, z, x) => [copyElement(z, x), copyElement(plus(z, ELEMENT), plus(x, ELEMENT))],
    constant: (_, z, value) =>
      [0, ELEMENT].map((offset) =>
        intLimbs(((value % p) + p) % p).map((v, i) => i32.store(plus(z, offset + 4 * i), i32.const(v))),
      ),
    swap: (_, z, x) => [copyElement(z, lane(x, 1)), copyElement(lane(z, 1), x)],
    gather: (_, z, a) => gatherSigned(z, a),
    scatter: (_, z, x) => [
      copyElement(at(z.first, z.offset), lane(x, 0)),
      copyElement(at(z.second, z.offset), lane(x, 1)),
    ],
    gatherDifference: (_, from, to, out, isReduced) => {
      // the second operand passes through the place of the difference
      const [a, b] = [addressOf(out.a), addressOf(out.difference)]
      return [
        gatherSigned(out.a, from),
        gatherSigned(out.difference, to),
        out.sum === undefined ? [] : call(add, addressOf(out.sum), a, b),
        call(isReduced ? subReduce : sub, b, b, a),
      ]
    },
    butterfly: (_, x, y, t) => call(butterflyPair, addressOf(x), addressOf(y), addressOf(t)),
    laneButterfly: (_, x, y, t, between) => [
      copyElement(t, lane(x, 1)),
      copyElement(lane(t, 1), lane(y, 1)),
      between,
      // x and y may be one pair: first lanes are written last
      ([0, 1] as const).map((i) => {
        const [z, d] = [i === 0 ? x : y, addressOf(lane(t, i))]
        return [
          call(subReduceElement, addressOf(lane(z, 1)), addressOf(z), d),
          call(addReduceElement, d, addressOf(z), d),
        ]
      }),
      copyElement(x, t),
      copyElement(y, lane(t, 1)),
    ],
  }
}
