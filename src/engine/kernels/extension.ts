/**
 * The fields that pairings take their values in: Fq⁶ = Fq²[v]/(v³ - ξ) and Fq¹² = Fq⁶[w]/(w² - v), ξ = 9 + i, so that
 * w⁶ = ξ. A pair of elements of Fq⁶ is the pairs of its coefficients of 1, v, v²; one of Fq¹² those of 1, v, v², then of w,
 * vw, v²w.
 *
 * Bounds: coefficients that come in are carried and at most 0.8p (1.4p on integers); those of what is inverted in Fq⁶,
 * squared by `fq12CyclotomicSqr` or goes to `fq12Frobenius` are reduced, at most p/2 (1.01p), and constants are at most 0.6p.
 * Results are reduced, but those of `fq6Inverse` and `fq12Frobenius`, which are products of Fq² and at most 0.8p. Within,
 * operands of products are carried, or one of them is a sum of two such (at most 1.6p) and the other reduced:
 * |z| ≤ 2·1.6p·0.5p/2²⁵⁵ + p/2 < 1.2p; what is added up from these, at most eight of them, is reduced before it is multiplied.
 * @module
 */
import { type FieldKernels, PAIR } from './field.ts'
import { SCRATCH, type Tower } from './tower.ts'
import {
  type Address,
  addressOf,
  at,
  type Code,
  call,
  type Func,
  type FunctionBuilder,
  type Global,
  getGlobal,
  ifElse,
  type Local,
  type ModuleBuilder,
  plus,
  set,
} from './wasm.ts'

/** Pairs in a pair of elements of Fq², Fq⁶ and Fq¹². */
const QUADRATIC = 2
const SEXTIC = 6
export const DODECIC = 12

/** Calls a function with addresses. */
export const run = (fn: Func, ...places: readonly Address[]): Code => call(fn, ...places.map(addressOf))

/** Fq² as functions that larger kernels call. Results are reduced where nothing else is said. */
export type Quadratic = {
  /** (z, x, y): z = x·y, not reduced; one operand may be lazy. */
  readonly mul: Func
  /** (z, x): z = x², not reduced; x reduced. */
  readonly sqr: Func
  /** (z, x, y): z = x + y, lazy. */
  readonly sum: Func
  readonly add: Func
  readonly sub: Func
  /** (z, x, y, u): z = x - y - u. */
  readonly less: Func
  /** (z, x): z = ξ·x. */
  readonly timesXi: Func
  /** (z, x): the conjugate, x = a + bi ↦ a - bi; a stays as it is. */
  readonly conjugate: Func
}

/** A function with all locals but its parameters in the thread's scratch pairs, which begin at the local that it is given. */
export const withScratch =
  (module: ModuleBuilder, scratch: Global) =>
  (
    name: string | undefined,
    params: number,
    body: (pair: (k: number) => Address, places: readonly Address[], f: FunctionBuilder) => Code,
  ): Func =>
    module.func(name, new Array(params).fill('i32'), [], (f, ...given: Local[]) => {
      const base = f.local('i32')
      const code = body(
        (k) => at(base, k * PAIR),
        given.map((local) => at(local)),
        f,
      )
      return [set(base, getGlobal(scratch)), code]
    })

export function quadraticFunctions(
  module: ModuleBuilder,
  field: FieldKernels,
  tower: Tower,
  scratch: Global,
): Quadratic {
  const define = withScratch(module, scratch)
  const imaginary = (a: Address): Address => plus(a, PAIR)
  const binary = (operation: Tower['add']): Func => define(undefined, 3, (_, [z, x, y], f) => operation(f, z!, x!, y!))
  return {
    mul: tower.mul,
    sqr: tower.sqr,
    sum: binary(tower.add),
    add: binary(tower.addReduce),
    sub: binary(tower.subReduce),
    less: define(undefined, 4, (pair, [z, x, y, u], f) => {
      const t = pair(SCRATCH.quadratic)
      return [tower.sub(f, t, x!, y!), tower.subReduce(f, z!, t, u!)]
    }),
    // (9 + i)(a + bi) = 8a + (a - b) + (8b + (a + b))i
    timesXi: define(undefined, 2, (pair, [z, x], f) => {
      const [eight, rest] = [pair(SCRATCH.quadratic), pair(SCRATCH.quadratic + QUADRATIC)]
      return [
        tower.add(f, eight, x!, x!),
        tower.addReduce(f, eight, eight, eight),
        tower.add(f, eight, eight, eight),
        field.sub(f, rest, x!, imaginary(x!)),
        field.add(f, imaginary(rest), x!, imaginary(x!)),
        tower.addReduce(f, z!, eight, rest),
      ]
    }),
    conjugate: define(undefined, 2, (pair, [z, x], f) => {
      const zero = pair(SCRATCH.quadratic)
      return [
        field.constant(f, zero, 0n),
        field.copy(f, z!, x!),
        field.subReduce(f, imaginary(z!), zero, imaginary(x!)),
      ]
    }),
  }
}

/** The three coefficients of an element of Fq⁶, and the two halves of one of Fq¹². */
const parts = (a: Address): [Address, Address, Address] => [a, plus(a, QUADRATIC * PAIR), plus(a, 2 * QUADRATIC * PAIR)]
const halves = (a: Address): [Address, Address] => [a, plus(a, SEXTIC * PAIR)]

/** The coefficient of wⁱ. */
const power = (a: Address, i: number): Address => parts(halves(a)[(i % 2) as 0 | 1])[(i >> 1) as 0 | 1 | 2]

/** Adds `fq6Mul`, `fq6Inverse` and the kernels `fq12…` to the module. */
export function extensionKernels(
  module: ModuleBuilder,
  field: FieldKernels,
  tower: Tower,
  quadratic: Quadratic,
  scratch: Global,
): void {
  const define = withScratch(module, scratch)
  const { mul, sqr, sum, add, sub, less, timesXi, conjugate } = quadratic

  // Karatsuba's products (Devegili, Ó hÉigeartaigh, Scott, Dahab 2006): six of Fq²
  const sexticMul = define('fq6Mul', 3, (pair, [z, x, y]) => {
    const t = (k: number): Address => pair(SCRATCH.sextic + QUADRATIC * k)
    const [xs, ys, zs] = [parts(x!), parts(y!), parts(z!)]
    const cross = (to: Address, i: 0 | 1 | 2, j: 0 | 1 | 2): Code => [
      run(sum, t(6), xs[i], xs[j]),
      run(add, t(7), ys[i], ys[j]),
      run(mul, to, t(6), t(7)),
      run(less, to, to, t(i), t(j)),
    ]
    return [
      ([0, 1, 2] as const).map((i) => run(mul, t(i), xs[i], ys[i])),
      cross(t(3), 1, 2),
      cross(t(4), 0, 1),
      cross(t(5), 0, 2),
      run(timesXi, t(3), t(3)),
      run(add, zs[0], t(0), t(3)),
      run(timesXi, t(6), t(2)),
      run(add, zs[1], t(4), t(6)),
      run(add, zs[2], t(5), t(1)),
    ]
  })
  // (z, x, b): z = x·(b₀ + b₁v), b of two coefficients
  const sexticMulPart = define(undefined, 3, (pair, [z, x, b]) => {
    const t = (k: number): Address => pair(SCRATCH.sextic + QUADRATIC * k)
    const [xs, zs] = [parts(x!), parts(z!)]
    const [b0, b1] = parts(b!)
    return [
      run(mul, t(0), xs[0], b0),
      run(mul, t(1), xs[1], b1),
      run(add, t(6), xs[1], xs[2]),
      run(mul, t(2), t(6), b1),
      run(sub, t(2), t(2), t(1)),
      run(timesXi, t(2), t(2)),
      run(add, t(6), xs[0], xs[2]),
      run(mul, t(3), t(6), b0),
      run(sum, t(6), xs[0], xs[1]),
      run(add, t(7), b0, b1),
      run(mul, t(4), t(6), t(7)),
      run(add, zs[0], t(2), t(0)),
      run(less, zs[1], t(4), t(0), t(1)),
      run(sub, t(3), t(3), t(0)),
      run(add, zs[2], t(3), t(1)),
    ]
  })
  const sexticAdd = define(undefined, 3, (_, [z, x, y]) =>
    parts(z!).map((part, i) => run(add, part, parts(x!)[i]!, parts(y!)[i]!)),
  )
  // (z, x, y): z = x + v·y, z not y
  const addShifted = define(undefined, 3, (pair, [z, x, y]) => {
    const t = pair(SCRATCH.sextic)
    const [xs, ys, zs] = [parts(x!), parts(y!), parts(z!)]
    return [
      run(timesXi, t, ys[2]),
      run(add, zs[0], xs[0], t),
      run(add, zs[1], xs[1], ys[0]),
      run(add, zs[2], xs[2], ys[1]),
    ]
  })
  const sexticSub = define(undefined, 3, (_, [z, x, y]) =>
    parts(z!).map((part, i) => run(sub, part, parts(x!)[i]!, parts(y!)[i]!)),
  )
  // Scott 2007, "Implementing cryptographic pairings": one inversion of Fq²
  const sexticInverse = define('fq6Inverse', 2, (pair, [z, x]) => {
    const t = (k: number): Address => pair(SCRATCH.sextic + QUADRATIC * k)
    const [x0, x1, x2] = parts(x!)
    return [
      run(sqr, t(0), x0),
      run(mul, t(6), x1, x2),
      run(timesXi, t(6), t(6)),
      run(sub, t(0), t(0), t(6)), // x₀² - ξ·x₁x₂
      run(sqr, t(1), x2),
      run(timesXi, t(1), t(1)),
      run(mul, t(6), x0, x1),
      run(sub, t(1), t(1), t(6)), // ξ·x₂² - x₀x₁
      run(sqr, t(2), x1),
      run(mul, t(6), x0, x2),
      run(sub, t(2), t(2), t(6)), // x₁² - x₀x₂
      run(mul, t(3), x1, t(2)),
      run(mul, t(4), x2, t(1)),
      run(add, t(3), t(3), t(4)),
      run(timesXi, t(3), t(3)),
      run(mul, t(4), x0, t(0)),
      run(add, t(3), t(3), t(4)), // the norm
      run(tower.inverse, t(4), t(3)),
      parts(z!).map((part, i) => run(mul, part, t(i), t(4))),
    ]
  })

  const large = (pair: (k: number) => Address, k: number): Address => pair(SCRATCH.dodecic + SEXTIC * k)
  // (z): from t₀ = x₀y₀, t₁ = x₁y₁ and t₂ = (x₀ + x₁)(y₀ + y₁) in scratch, z = t₀ + v·t₁ + (t₂ - t₀ - t₁)w
  const combine = define(undefined, 1, (pair, [z]) => {
    const [t0, t1, t2] = [0, 1, 2].map((k) => large(pair, k)) as [Address, Address, Address]
    const [low, high] = halves(z!)
    return [
      parts(high).map((part, i) => run(less, part, parts(t2)[i]!, parts(t0)[i]!, parts(t1)[i]!)),
      run(addShifted, low, t0, t1),
    ]
  })
  define('fq12Mul', 3, (pair, [z, x, y]) => {
    const t = (k: number): Address => large(pair, k)
    const [[x0, x1], [y0, y1]] = [halves(x!), halves(y!)]
    return [
      run(sexticMul, t(0), x0, y0),
      run(sexticMul, t(1), x1, y1),
      run(sexticAdd, t(2), x0, x1),
      run(sexticAdd, t(3), y0, y1),
      run(sexticMul, t(2), t(2), t(3)),
      run(combine, z!),
    ]
  })
  // (x₀ + x₁w)² = (x₀ + x₁)(x₀ + v·x₁) - (1 + v)x₀x₁ + 2·x₀x₁w
  define('fq12Sqr', 2, (pair, [z, x]) => {
    const t = (k: number): Address => large(pair, k)
    const [[x0, x1], [z0, z1]] = [halves(x!), halves(z!)]
    return [
      run(sexticMul, t(0), x0, x1),
      run(sexticAdd, t(2), x0, x1),
      run(addShifted, t(3), x0, x1),
      run(sexticMul, t(2), t(2), t(3)),
      run(addShifted, t(1), t(0), t(0)),
      run(sexticSub, z0, t(2), t(1)),
      run(sexticAdd, z1, t(0), t(0)),
    ]
  })
  // (z, x, l): z = x·(l₀ + l₁w + l₂vw)
  define('fq12MulLine', 3, (pair, [z, x, l], f) => {
    const t = (k: number): Address => large(pair, k)
    const [x0, x1] = halves(x!)
    const [l0, l1, l2] = parts(l!)
    const factor = parts(t(3))
    return [
      parts(t(0)).map((part, i) => run(mul, part, parts(x0)[i]!, l0)),
      run(sexticMulPart, t(1), x1, l1),
      run(sexticAdd, t(2), x0, x1),
      run(add, factor[0], l0, l1),
      tower.copy(f, factor[1], l2),
      run(sexticMulPart, t(2), t(2), factor[0]),
      run(combine, z!),
    ]
  })

  const negate = define(undefined, 2, (pair, [z, x], f) => {
    const zero = pair(SCRATCH.quadratic)
    return [
      field.constant(f, zero, 0n),
      field.constant(f, plus(zero, PAIR), 0n),
      parts(z!).map((part, i) => tower.subReduce(f, part, zero, parts(x!)[i]!)),
    ]
  })
  // (z, x): x^(q⁶), which is 1/x where x^(q⁶ + 1) = 1
  define('fq12Conjugate', 2, (_, [z, x], f) => [
    parts(z!).map((part, i) => tower.copy(f, part, parts(x!)[i]!)),
    run(negate, halves(z!)[1], halves(x!)[1]),
  ])
  // 1/(x₀ + x₁w) = (x₀ - x₁w)/(x₀² - v·x₁²)
  define('fq12Inverse', 2, (pair, [z, x]) => {
    const t = (k: number): Address => large(pair, k)
    const [[x0, x1], [z0, z1]] = [halves(x!), halves(z!)]
    const [a, b] = [parts(t(0)), parts(t(1))]
    return [
      run(sexticMul, t(0), x0, x0),
      run(sexticMul, t(1), x1, x1),
      run(timesXi, b[2], b[2]),
      [2, 0, 1].map((from, i) => run(sub, a[i]!, a[i]!, b[from]!)),
      run(sexticInverse, t(0), t(0)),
      run(sexticMul, z0, x0, t(0)),
      run(negate, t(1), x1),
      run(sexticMul, z1, t(1), t(0)),
    ]
  })
  // (z, x, c, odd): x^(qⁿ), n odd or even, with c = ξ^(i(qⁿ - 1)/6) for i = 0 … 5
  define('fq12Frobenius', 4, (pair, [z, x, c, odd]) => {
    const t = pair(SCRATCH.sextic)
    return [0, 1, 2, 3, 4, 5].map((i) => {
      const factor = plus(c!, i * QUADRATIC * PAIR)
      return ifElse(
        addressOf(odd!),
        [run(conjugate, t, power(x!, i)), run(mul, power(z!, i), t, factor)],
        run(mul, power(z!, i), power(x!, i), factor),
      )
    })
  })

  // (z, x, y): z = 3x - 2y, and z = 3x + 2y
  const [tripleLess, tripleMore] = [sub, add].map((operation) =>
    define(undefined, 3, (pair, [z, x, y]) => {
      const t = pair(SCRATCH.sextic)
      return [run(operation, t, x!, y!), run(sum, t, t, t), run(add, z!, t, x!)]
    }),
  ) as [Func, Func]
  // (z, x): z = x² where x^(q⁴ - q² + 1) = 1 (Granger, Scott 2010). With s = w³, s² = ξ, and x = a + bw + cw² over
  // Fq²[s]: x² = 3a² - 2ā + (3s·c² + 2b̄)w + (3b² - 2c̄)w²
  define('fq12CyclotomicSqr', 2, (pair, [z, x]) => {
    const t = (k: number): Address => pair(SCRATCH.dodecic + QUADRATIC * k)
    /** (g + hs)² to places k and k + 1. */
    const square = (k: number, g: Address, h: Address): Code => [
      run(sqr, t(k), g),
      run(sqr, t(6), h),
      run(timesXi, t(6), t(6)),
      run(add, t(k), t(k), t(6)),
      run(sum, t(6), g, g),
      run(mul, t(k + 1), t(6), h),
    ]
    const from = (i: number): Address => power(x!, i)
    const to = (i: number): Address => power(z!, i)
    return [
      [0, 1, 2].map((i) => square(2 * i, from(i), from(i + 3))),
      run(timesXi, t(5), t(5)),
      run(tripleLess, to(0), t(0), from(0)),
      run(tripleMore, to(3), t(1), from(3)),
      run(tripleMore, to(1), t(5), from(1)),
      run(tripleLess, to(4), t(4), from(4)),
      run(tripleLess, to(2), t(2), from(2)),
      run(tripleMore, to(5), t(3), from(5)),
    ]
  })
}
