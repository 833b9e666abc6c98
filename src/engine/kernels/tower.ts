/**
 * Coordinates of points as the curve kernels see them: Fq for G1, Fq² = Fq[i]/(i² + 1) for G2. A pair of coordinates is one
 * pair of field elements, or two (real parts, imaginary parts).
 * @module
 */
import { ELEMENT, type FieldKernels, PAIR, type Scattered } from './field.ts'
import {
  type Address,
  addressOf,
  at,
  type Code,
  call,
  type Func,
  type FunctionBuilder,
  type Global,
  get,
  getGlobal,
  i32,
  increase,
  type Local,
  type ModuleBuilder,
  plus,
  repeat,
  set,
} from './wasm.ts'

/** Scratch pairs that every thread has at the address in the module's global: what lies where. */
export const SCRATCH = {
  product: 0,
  total: 2,
  inverse: 4,
  square: 6,
  table: 8,
  pair: 24,
  twiddle: 25,
  bytes: 26,
  // for pairings: of Fq², of Fq⁶, of Fq¹², of steps and sums
  quadratic: 28,
  sextic: 32,
  dodecic: 48,
  lines: 72,
  end: 90,
}

export type Tower = {
  /** Bytes of a coordinate, and of a pair of coordinates. */
  readonly coordinate: number
  readonly size: number
  /** (z, x, y): z = x·y; z may be x or y. One operand may be lazy. */
  readonly mul: Func
  /** (z, x): z = x², x not lazy; z may be x. */
  readonly sqr: Func
  /** (z, x): z = 1/x for the product of what is in both lanes; 0 for 0. x is the result of a product. */
  readonly inverse: Func
  add(f: FunctionBuilder, z: Address, x: Address, y: Address): Code
  sub(f: FunctionBuilder, z: Address, x: Address, y: Address): Code
  addReduce(f: FunctionBuilder, z: Address, x: Address, y: Address): Code
  subReduce(f: FunctionBuilder, z: Address, x: Address, y: Address): Code
  copy(f: FunctionBuilder, z: Address, x: Address): Code
  swap(f: FunctionBuilder, z: Address, x: Address): Code
  one(f: FunctionBuilder, z: Address): Code
  scatter(f: FunctionBuilder, z: Scattered, x: Address): Code
  gatherDifference(
    f: FunctionBuilder,
    from: Scattered,
    to: Scattered,
    out: { readonly a: Address; readonly difference: Address; readonly sum?: Address },
  ): Code
}

/** (z, x): z = x^(p-2), that is 1/x, and 0 for 0. Windows of four bits: 252 squarings and 78 products. */
function inversion(module: ModuleBuilder, field: FieldKernels, scratch: Global, digitsAt: number): Func {
  const exponent = field.p - 2n
  const digits = Array.from({ length: 64 }, (_, i) => Number((exponent >> BigInt(4 * (63 - i))) & 15n))
  module.data(
    digitsAt,
    digits.flatMap((digit) => [digit, 0, 0, 0]),
  )
  const one = field.montgomery % field.p
  return module.func(undefined, ['i32', 'i32'], [], (f, z, x) => {
    const [table, count, digit] = [f.local('i32'), f.local('i32'), f.local('i32')]
    const entry = (k: Code): Code => i32.add(get(table), i32.mul(k, i32.const(PAIR)))
    return [
      set(table, i32.add(getGlobal(scratch), i32.const(SCRATCH.table * PAIR))),
      field.constant(f, at(table), one),
      field.copy(f, at(table, PAIR), at(x!)),
      set(count, i32.const(14)),
      set(digit, i32.add(get(table), i32.const(2 * PAIR))),
      repeat(count, [
        call(field.mul, get(digit), i32.sub(get(digit), i32.const(PAIR)), i32.add(get(table), i32.const(PAIR))),
        increase(digit, PAIR),
      ]),
      field.constant(f, at(z!), one),
      set(digit, i32.const(digitsAt)),
      set(count, i32.const(64)),
      repeat(count, [
        [0, 1, 2, 3].map(() => call(field.sqr, get(z!), get(z!))),
        call(field.mul, get(z!), get(z!), entry(i32.load(at(digit)))),
        increase(digit, 4),
      ]),
    ]
  })
}

/** The coordinates of G1. */
export function prime(module: ModuleBuilder, field: FieldKernels, scratch: Global, digitsAt: number): Tower {
  return {
    coordinate: ELEMENT,
    size: PAIR,
    mul: field.mul,
    sqr: field.sqr,
    inverse: inversion(module, field, scratch, digitsAt),
    add: field.add,
    sub: field.sub,
    addReduce: field.addReduce,
    subReduce: field.subReduce,
    copy: field.copy,
    swap: field.swap,
    one: (f, z) => field.constant(f, z, field.montgomery % field.p),
    scatter: field.scatter,
    gatherDifference: (f, from, to, out) => field.gatherDifference(f, from, to, out, false),
  }
}

/** The coordinates of G2; `base` is the field below, whose inversion serves here too. */
export function quadratic(module: ModuleBuilder, field: FieldKernels, base: Tower, scratch: Global): Tower {
  const second = (a: Address): Address => plus(a, PAIR)
  const scratchPair = (k: number): Code => i32.add(getGlobal(scratch), i32.const(k * PAIR))
  const both =
    (op: (f: FunctionBuilder, z: Address, x: Address, y: Address) => Code) =>
    (f: FunctionBuilder, z: Address, x: Address, y: Address): Code => [
      op(f, z, x, y),
      op(f, second(z), second(x), second(y)),
    ]
  const half = (a: Local): Code => addressOf(at(a, PAIR))
  const mul = module.func(undefined, ['i32', 'i32', 'i32'], [], (f, z, x, y) => {
    const t = f.local('i32')
    return [
      set(t, scratchPair(SCRATCH.product)),
      call(field.mulSub, get(t), get(x!), get(y!), half(x!), half(y!)),
      call(field.mulAdd, half(z!), get(x!), half(y!), half(x!), get(y!)),
      field.copy(f, at(z!), at(t)),
    ]
  })
  // (a + bi)² = (a + b)(a - b) + 2ab·i
  const sqr = module.func(undefined, ['i32', 'i32'], [], (f, z, x) => {
    const t = f.local('i32')
    return [
      set(t, scratchPair(SCRATCH.product)),
      field.add(f, at(t), at(x!), at(x!, PAIR)),
      field.sub(f, at(t, PAIR), at(x!), at(x!, PAIR)),
      call(field.mul, get(t), get(t), half(t)),
      field.add(f, at(t, PAIR), at(x!), at(x!)),
      call(field.mul, half(z!), half(t), half(x!)),
      field.copy(f, at(z!), at(t)),
    ]
  })
  // 1/(a + bi) = (a - bi)/(a² + b²); -1 is no square, so that the norm is 0 for 0 only
  const inverse = module.func(undefined, ['i32', 'i32'], [], (f, z, x) => {
    const t = f.local('i32')
    return [
      set(t, scratchPair(SCRATCH.square)),
      call(field.mulAdd, get(t), get(x!), get(x!), half(x!), half(x!)),
      call(base.inverse, half(t), get(t)),
      call(field.mul, get(z!), get(x!), half(t)),
      call(field.mul, get(t), half(x!), half(t)),
      field.constant(f, at(t, PAIR), 0n),
      field.subReduce(f, at(z!, PAIR), at(t, PAIR), at(t)),
    ]
  })
  const component = (a: Scattered, k: number): Scattered => ({ ...a, offset: a.offset + ELEMENT * k })
  return {
    coordinate: 2 * ELEMENT,
    size: 2 * PAIR,
    mul,
    sqr,
    inverse,
    add: both(field.add),
    sub: both(field.sub),
    addReduce: both(field.addReduce),
    subReduce: both(field.subReduce),
    copy: (f, z, x) => [field.copy(f, z, x), field.copy(f, second(z), second(x))],
    swap: (f, z, x) => [field.swap(f, z, x), field.swap(f, second(z), second(x))],
    one: (f, z) => [field.constant(f, z, field.montgomery % field.p), field.constant(f, second(z), 0n)],
    scatter: (f, z, x) => [field.scatter(f, z, x), field.scatter(f, component(z, 1), second(x))],
    // products of pairs of products need reduced differences: 2·1.34·0.38 > 1 would let a chain grow
    gatherDifference: (f, from, to, out) =>
      [0, 1].map((k) => {
        const place = (a: Address): Address => plus(a, PAIR * k)
        const parts = { a: place(out.a), difference: place(out.difference) }
        return field.gatherDifference(
          f,
          component(from, k),
          component(to, k),
          out.sum === undefined ? parts : { ...parts, sum: place(out.sum) },
          true,
        )
      }),
  }
}
