/**
 * Field arithmetic on the fused multiply-add of relaxed SIMD: two elements in a vector, five limbs of 51 bits held as
 * doubles, R = 2²⁵⁵.
 *
 * A carried element has its low four limbs in [-2⁵⁰, 2⁵⁰]; its value is centred about 0. Limb i of lane 0 lies at 16i of a
 * pair, of lane 1 at 16i + 8.
 *
 * The product of two limbs with |ab| ≤ 2¹⁰² is split exactly (Emmart, Zheng, Weems, "Faster modular exponentiation using
 * double precision floating point arithmetic on the GPU", ARITH 2018):
 *
 *     h = fma(a, b, 1.5·2¹⁰³)                     bits(h) = bits(1.5·2¹⁰³) + round(ab/2⁵¹)
 *     l = fma(a, b, (1.5·2¹⁰³ + 1.5·2⁵²) - h)     bits(l) = bits(1.5·2⁵²) + ab - 2⁵¹·round(ab/2⁵¹)
 *
 * so that sums of halves are sums of 64-bit integers. The five low columns go like this: columns 0 to 2 each give a
 * balanced digit t, and t·2^(51k-153) mod p is added three columns up, all at once; columns 3 and 4 take a Montgomery step
 * each. 25 + 15 + 10 products and 2 quotients: 104 fused operations for two elements.
 *
 * Bounds: |z| ≤ |x||y|/2²⁵⁵ + p/2·(1 + 2⁻⁴⁰), and p < 2²⁵⁵·0.379. From operands of at most 0.6p comes at most 0.64p, and
 * from lazy ones (1.28p each) at most 1.13p. Limbs of operands: one below 2⁵² and the other carried, or both below 2⁵¹·(1 + ε),
 * so that |ab| ≤ 2¹⁰². A column holds at most 20 low halves (each ≤ 2⁵⁰) and 20 high ones (≤ 2⁵¹): below 2⁵⁶, which the bias
 * 2⁶² of a column exceeds.
 * @module
 */
import { type FieldKernels, invert, type Scattered } from './field.ts'
import {
  type Address,
  at,
  bitsOf,
  type Code,
  type Func,
  type FunctionBuilder,
  f64,
  f64x2,
  get,
  getGlobal,
  i32,
  i64,
  i64x2,
  ifElse,
  type Local,
  type ModuleBuilder,
  plus,
  set,
  v128,
} from './wasm.ts'

const B51 = 1n << 51n
const M51 = B51 - 1n
const LOW = bitsOf(1.5 * 2 ** 52)
const HIGH = bitsOf(1.5 * 2 ** 103)
const BOTH = bitsOf(1.5 * 2 ** 103 + 1.5 * 2 ** 52)
const LIMBS = [0, 1, 2, 3, 4] as const

/** What a column is raised by, in units of 2⁵¹, so that a logical shift serves; the next column takes it off. */
const BIAS = 2048n

/** x mod 2⁵¹ in [-2⁵⁰, 2⁵⁰). */
const balanced = (x: bigint): bigint => BigInt.asIntN(51, x)

/** Five limbs of an integer, the low four balanced. */
export function split(x: bigint): number[] {
  const limbs: number[] = []
  let rest = x
  for (let i = 0; i < 4; i++) {
    const limb = balanced(rest)
    limbs.push(Number(limb))
    rest = (rest - limb) / B51
  }
  return [...limbs, Number(rest)]
}

/** Limbs of a residue, centred about 0. */
export function fmaLimbs(value: bigint, p: bigint): number[] {
  const residue = ((value % p) + p) % p
  return split(residue > p / 2n ? residue - p : residue)
}

/**
 * 64-bit constants, the same in both lanes, from globals: 17.7 ns a product on V8 11.3, 12.4 and 13.6. As immediates they are
 * put together from halves and spilled (18.5 ns on V8 11, 27 on 13); loads from memory keep the compiler from ordering the
 * code freely (36 and 19 ns).
 */
const constantsOf =
  (module: ModuleBuilder) =>
  (bits: bigint): Code =>
    getGlobal(module.constant(bits))

type Vector = readonly Code[]

const load = (a: Address): Vector => LIMBS.map((i) => v128.load(plus(a, 16 * i)))
const store = (a: Address, x: Vector): Code => x.map((limb, i) => v128.store(plus(a, 16 * i), limb))
const sum = (x: Vector, y: Vector): Vector => x.map((limb, i) => f64x2.add(limb, y[i]!))
const difference = (x: Vector, y: Vector): Vector => x.map((limb, i) => f64x2.sub(limb, y[i]!))
const into = (locals: readonly Local[], x: Vector): Code => x.map((limb, i) => set(locals[i]!, limb))
const vectorLocals = (f: FunctionBuilder, name: string): Local[] => LIMBS.map((i) => f.scratch(`${name}${i}`, 'v128'))

/** One product, or the sum or difference of two. */
type Shape = 'mul' | 'sqr' | 'mulAdd' | 'mulSub'

/** The code of z = x·y/R and its like; parameters are addresses of pairs. */
function product(
  module: ModuleBuilder,
  f: FunctionBuilder,
  p: bigint,
  shape: Shape,
  z: Local,
  operands: readonly Local[],
): Code {
  const body: Code[] = []
  const constant = constantsOf(module)
  const i64c = (value: bigint): Code => constant(BigInt.asUintN(64, value))
  const f64c = (value: bigint): Code => constant(bitsOf(Number(value)))
  const column = Array.from({ length: 11 }, (_, k) => f.scratch(`T${k}`, 'v128'))
  const [h, l] = ['h', 'l'].map((name) => LIMBS.slice(1).map((i) => f.scratch(`${name}${i}`, 'v128'))) as [
    Local[],
    Local[],
  ]

  // products of limbs: which two locals, and the column of their low half
  const terms: (readonly [Local, Local, number])[] = []
  const operand = (name: string, from: Local, negated = false): Local[] => {
    const limbs = vectorLocals(f, name)
    const loaded = load(at(from))
    body.push(into(limbs, negated ? loaded.map((limb) => f64x2.neg(limb)) : loaded))
    return limbs
  }
  const all = (x: readonly Local[], y: readonly Local[]): void => {
    for (let k = 0; k <= 8; k++)
      for (let i = Math.max(0, k - 4); i <= Math.min(4, k); i++) terms.push([x[i]!, y[k - i]!, k])
  }
  const x = operand('x', operands[0]!)
  if (shape === 'sqr') {
    const twice = vectorLocals(f, 'y')
    body.push(
      into(
        twice,
        LIMBS.map((i) => f64x2.add(get(x[i]!), get(x[i]!))),
      ),
    )
    for (let k = 0; k <= 8; k++)
      for (let i = Math.max(0, k - 4); 2 * i <= k; i++) terms.push([2 * i === k ? x[i]! : twice[i]!, x[k - i]!, k])
  } else all(x, operand('y', operands[1]!))
  if (shape === 'mulAdd' || shape === 'mulSub')
    all(operand('u', operands[2]!, shape === 'mulSub'), operand('v', operands[3]!))
  const folds = LIMBS.flatMap((j) => [0, 1, 2].map((t) => [t, j, 3 + j] as const))

  // start values cancel the patterns of the halves that a column will receive
  const lows = new Array<bigint>(11).fill(0n)
  const highs = new Array<bigint>(11).fill(0n)
  const count = (k: number): void => {
    lows[k]!++
    highs[k + 1]!++
  }
  for (const [, , k] of terms) count(k)
  for (const [, , k] of folds) count(k)
  for (const k of [3, 4]) for (const j of LIMBS) count(k + j)
  const start = (k: number): bigint => {
    let value = -(lows[k]! * LOW + highs[k]! * HIGH)
    if (k <= 8) value += BIAS * B51
    if (k <= 2 || (k >= 5 && k <= 8)) value += B51 / 2n // the low 51 bits then round to a balanced digit
    if (k >= 1 && k <= 9) value -= BIAS
    return value
  }
  const started = new Array<boolean>(11).fill(false)
  const accumulate = (k: number, value: Code): void => {
    body.push(set(column[k]!, i64x2.add(started[k] ? get(column[k]!) : i64c(start(k)), value)))
    started[k] = true
  }
  let turn = 0
  const multiply = (a: Code, b: Code, k: number): void => {
    const [high, low] = [h[turn % 4]!, l[turn % 4]!]
    turn++
    body.push(set(high, f64x2.madd(a, b, constant(HIGH))))
    accumulate(k + 1, get(high))
    body.push(set(low, f64x2.madd(a, b, f64x2.sub(constant(BOTH), get(high)))))
    accumulate(k, get(low))
  }
  /** The low 51 bits of a column as a double, less 2⁵⁰. */
  const digit = (value: Code): Code =>
    f64x2.sub(v128.or(v128.and(value, i64c(M51)), constant(bitsOf(2 ** 52))), f64c(2n ** 52n + 2n ** 50n))
  const carry = (k: number): void => {
    body.push(set(column[k + 1]!, i64x2.add(get(column[k + 1]!), i64x2.shrU(get(column[k]!), i32.const(51)))))
  }

  for (const [a, b, k] of terms) multiply(get(a), get(b), k)
  const digits = [0, 1, 2].map((k) => f.scratch(`t${k}`, 'v128'))
  for (const k of [0, 1, 2]) {
    body.push(set(digits[k]!, digit(get(column[k]!))))
    carry(k)
  }
  const powers = [1n, 2n, 3n].map((k) => fmaLimbs(invert(1n << (51n * k), p), p))
  for (const [t, j, k] of folds) multiply(get(digits[t]!), f64c(BigInt(powers[2 - t]![j]!)), k)
  const minusInverse = balanced(B51 - invert(p % B51, B51))
  const limbsOfP = split(p)
  const q = f.scratch('q', 'v128')
  for (const k of [3, 4]) {
    const [v, high] = [digits[0]!, h[0]!]
    body.push(set(v, digit(i64x2.add(get(column[k]!), i64c(B51 / 2n)))))
    body.push(set(high, f64x2.madd(get(v), f64c(minusInverse), constant(HIGH))))
    const low = f64x2.madd(get(v), f64c(minusInverse), f64x2.sub(constant(BOTH), get(high)))
    body.push(set(q, f64x2.sub(low, constant(LOW))))
    for (const j of LIMBS) multiply(get(q), f64c(BigInt(limbsOfP[j]!)), k + j)
    carry(k)
  }
  for (let k = 5; k < 9; k++) {
    carry(k)
    body.push(v128.store(at(z, 16 * (k - 5)), digit(get(column[k]!))))
  }
  body.push(v128.store(at(z, 64), f64x2.sub(i64x2.add(get(column[9]!), i64c(LOW)), constant(LOW))))
  return body
}

/** The field of order p, 2²⁵³ < p < 2²⁵⁴. */
export function fmaField(module: ModuleBuilder, p: bigint): FieldKernels {
  const constant = constantsOf(module)
  const define = (shape: Shape, operands: number): Func =>
    module.func(undefined, new Array(operands + 1).fill('i32'), [], (f, z, ...rest) =>
      product(module, f, p, shape, z!, rest),
    )
  const number = (value: number): Code => constant(bitsOf(value))
  const limbsOfP = split(p)

  /** The locals, brought to within p/2 of 0 and carried: about 28 instructions. |value| may be up to 2⁵⁰ times p. */
  const reduce = (f: FunctionBuilder, r: readonly Local[]): Code => {
    const k = f.scratch('k', 'v128')
    const rounded = f64x2.sub(
      f64x2.add(f64x2.mul(get(r[4]!), number(2 ** 204 / Number(p))), constant(LOW)),
      constant(LOW),
    )
    return [
      set(k, rounded),
      r.map((limb, i) => set(limb, f64x2.nmadd(get(k), number(limbsOfP[i]!), get(limb)))),
      [0, 1, 2, 3].map((i) => [
        set(k, f64x2.sub(f64x2.add(get(r[i]!), constant(HIGH)), constant(HIGH))),
        set(r[i]!, f64x2.sub(get(r[i]!), get(k))),
        set(r[i + 1]!, f64x2.madd(get(k), number(2 ** -51), get(r[i + 1]!))),
      ]),
    ]
  }
  const reduced = (f: FunctionBuilder, z: Address, x: Vector): Code => {
    const r = vectorLocals(f, 'r')
    return [into(r, x), reduce(f, r), store(z, r.map(get))]
  }
  const maskOf = (f: FunctionBuilder, name: string): Local => f.scratch(`mask${name}`, 'v128')
  /** Sets the sign bits of both lanes, if the elements have signs. */
  const masks = (f: FunctionBuilder, name: string, { signs }: Scattered): Code => {
    if (signs === undefined) return []
    const [first, second] = signs.map((sign) => i64.extendI32U(get(sign))) as [Code, Code]
    return set(maskOf(f, name), i64x2.shl(i64x2.replaceLane(1, i64x2.splat(first), second), i32.const(63)))
  }
  const gathered = (f: FunctionBuilder, name: string, a: Scattered): Vector =>
    LIMBS.map((i) => {
      const offset = a.offset + 8 * i
      const limb = v128.load64Lane(1, at(a.second, offset), v128.load64Zero(at(a.first, offset)))
      return a.signs === undefined ? limb : v128.xor(limb, get(maskOf(f, name)))
    })

  const fromDouble = module.func(undefined, ['i32', 'i32', 'f64'], [], (f, z, lane, value) => {
    const high = f.local('f64')
    return [
      set(z!, i32.add(get(z!), i32.shl(get(lane!), i32.const(3)))),
      set(high, f64.nearest(f64.mul(get(value!), f64.const(2 ** -51)))),
      f64.store(at(z!), f64.sub(get(value!), f64.mul(get(high), f64.const(2 ** 51)))),
      f64.store(at(z!, 16), get(high)),
      [32, 48, 64].map((offset) => f64.store(at(z!, offset), f64.const(0))),
    ]
  })

  const fromBytes = module.func(undefined, ['i32', 'i32', 'i32'], [], (f, z, a, b) => {
    const w = [0, 1, 2, 3].map(() => f.local('i64'))
    const low51 = (value: Code): Code => i64.and(value, i64.const(M51))
    const part = (i: number, shift: number): Code =>
      i64.or(i64.shrU(get(w[i]!), i64.const(BigInt(shift))), i64.shl(get(w[i + 1]!), i64.const(BigInt(64 - shift))))
    const limbs = [
      low51(get(w[0]!)),
      low51(part(0, 51)),
      low51(part(1, 38)),
      low51(part(2, 25)),
      i64.shrU(get(w[3]!), i64.const(12n)),
    ]
    const lane = (from: Local, offset: number): Code => [
      w.map((word, i) => set(word, i64.loadUnaligned(at(from, 8 * i)))),
      limbs.map((limb, i) => f64.store(at(z!, offset + 16 * i), f64.convertI64S(limb))),
    ]
    return [lane(a!, 0), lane(b!, 8), reduced(f, at(z!), load(at(z!)))]
  })

  const toBytes = module.func(undefined, ['i32', 'i32', 'i32'], [], (f, x, lane, out) => {
    const r = LIMBS.map(() => f.local('i64'))
    const carry = (i: number): Code => [
      set(r[i + 1]!, i64.add(get(r[i + 1]!), i64.shrS(get(r[i]!), i64.const(51n)))),
      set(r[i]!, i64.and(get(r[i]!), i64.const(M51))),
    ]
    const carries = [0, 1, 2, 3].map(carry)
    const plain = LIMBS.map((i) => (p >> (51n * BigInt(i))) & (i < 4 ? M51 : -1n))
    const word = (i: number, shift: number): Code =>
      i64.or(i64.shrU(get(r[i]!), i64.const(BigInt(shift))), i64.shl(get(r[i + 1]!), i64.const(BigInt(51 - shift))))
    return [
      set(x!, i32.add(get(x!), i32.shl(get(lane!), i32.const(3)))),
      r.map((limb, i) => set(limb, i64.truncF64(f64.load(at(x!, 16 * i))))),
      carries,
      ifElse(i64.ltS(get(r[4]!), i64.const(0n)), [
        r.map((limb, i) => set(limb, i64.add(get(limb), i64.const(plain[i]!)))),
        carries,
      ]),
      // words of 64 bits: limb 0 and 13 bits of limb 1, then 26, 39 and the rest
      [0, 13, 26, 39].map((shift, i) =>
        i64.store(at(out!, 8 * i), i === 0 ? i64.or(get(r[0]!), i64.shl(get(r[1]!), i64.const(51n))) : word(i, shift)),
      ),
    ]
  })

  const copyLane = module.func(undefined, ['i32', 'i32', 'i32'], [], (_, z, x, lane) => [
    set(lane!, i32.shl(get(lane!), i32.const(3))),
    set(z!, i32.add(get(z!), get(lane!))),
    set(x!, i32.add(get(x!), get(lane!))),
    LIMBS.map((i) => f64.store(at(z!, 16 * i), f64.load(at(x!, 16 * i)))),
  ])

  return {
    p,
    montgomery: 1n << 255n,
    mul: define('mul', 2),
    sqr: define('sqr', 1),
    mulAdd: define('mulAdd', 4),
    mulSub: define('mulSub', 4),
    fromDouble,
    fromBytes,
    toBytes,
    copyLane,
    add: (_, z, x, y) => store(z, sum(load(x), load(y))),
    sub: (_, z, x, y) => store(z, difference(load(x), load(y))),
    addReduce: (f, z, x, y) => reduced(f, z, sum(load(x), load(y))),
    subReduce: (f, z, x, y) => reduced(f, z, difference(load(x), load(y))),
    copy: (_, z, x) => store(z, load(x)),
    swap: (_, z, x) =>
      store(
        z,
        load(x).map((limb) => v128.shuffle64(1, 0, limb, limb)),
      ),
    constant: (_, z, value) => store(z, fmaLimbs(value, p).map(number)),
    gather: (f, z, a) => [masks(f, 'A', a), store(z, gathered(f, 'A', a))],
    scatter: (_, z, x) =>
      LIMBS.map((i) => [
        v128.store64Lane(0, at(z.first, z.offset + 8 * i), v128.load(plus(x, 16 * i))),
        v128.store64Lane(1, at(z.second, z.offset + 8 * i), v128.load(plus(x, 16 * i))),
      ]),
    gatherDifference(f, from, to, out, isReduced) {
      const [a, b] = [vectorLocals(f, 'a'), vectorLocals(f, 'b')]
      const delta = difference(b.map(get), a.map(get))
      return [
        masks(f, 'A', from),
        masks(f, 'B', to),
        into(a, gathered(f, 'A', from)),
        into(b, gathered(f, 'B', to)),
        store(out.a, a.map(get)),
        isReduced ? reduced(f, out.difference, delta) : store(out.difference, delta),
        out.sum === undefined ? [] : store(out.sum, sum(a.map(get), b.map(get))),
      ]
    },
    butterfly(f, x, y, t) {
      const [a, b] = [vectorLocals(f, 'a'), vectorLocals(f, 'b')]
      return [
        into(a, load(x)),
        into(b, load(t)),
        reduced(f, x, sum(a.map(get), b.map(get))),
        reduced(f, y, difference(a.map(get), b.map(get))),
      ]
    },
    laneButterfly(f, x, y, t, between) {
      const [a, b] = [vectorLocals(f, 'a'), vectorLocals(f, 'b')]
      const halves = (lane: 0 | 1): Vector =>
        load(x).map((limb, i) => v128.shuffle64(lane, 2 + lane, limb, v128.load(plus(y, 16 * i))))
      return [
        store(t, halves(1)),
        between,
        into(a, halves(0)),
        into(b, load(t)),
        into(vectorLocals(f, 'r'), sum(a.map(get), b.map(get))),
        reduce(f, vectorLocals(f, 'r')),
        store(t, vectorLocals(f, 'r').map(get)),
        into(vectorLocals(f, 'r'), difference(a.map(get), b.map(get))),
        reduce(f, vectorLocals(f, 'r')),
        ([0, 1] as const).map((lane) =>
          store(
            lane === 0 ? x : y,
            load(t).map((limb, i) => v128.shuffle64(lane, 2 + lane, limb, get(vectorLocals(f, 'r')[i]!))),
          ),
        ),
      ]
    },
  }
}
