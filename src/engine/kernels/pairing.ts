/**
 * The steps of a Miller loop on the twist E'(Fq²): y² = x³ + 3/ξ, and sums of few points of G1.
 *
 * T is a point (X : Y : Z) of the twist, homogeneous; lines are three elements l₀, l₁, l₂ of Fq² with which a line takes the
 * value l₀·y - l₁·x·w + l₂·w³ at a point (x, y) of G1, up to a factor in Fq².
 *
 * Bounds: coordinates of T that come in are at most 0.6p, of other points 0.85p; coordinates of T and l₀, l₁, l₂ come out
 * reduced, values of lines as products of Fq, at most 0.66p, images of points as products of Fq². Within, the bounds of
 * `extension.ts` hold.
 * @module
 */
import { type Quadratic, run, withScratch } from './extension.ts'
import { ELEMENT, type FieldKernels, invert, PAIR } from './field.ts'
import { SCRATCH, type Tower } from './tower.ts'
import {
  type Address,
  at,
  type Code,
  call,
  type Global,
  get,
  getGlobal,
  i32,
  increase,
  type ModuleBuilder,
  plus,
  repeat,
  set,
} from './wasm.ts'

/** Bytes of a pair of elements of Fq². */
const SIZE = 2 * PAIR

const three = (a: Address, size: number): [Address, Address, Address] => [a, plus(a, size), plus(a, 2 * size)]

/** Adds the kernels `line…`, `twistFrobenius`, `complete…`, `fq2Mul` and `swapLanes` to the module. */
export function pairingKernels(
  module: ModuleBuilder,
  field: FieldKernels,
  tower: Tower,
  quadratic: Quadratic,
  scratch: Global,
): void {
  const define = withScratch(module, scratch)
  const { mul, sqr, sum, add, sub, conjugate } = quadratic
  const temporary = (pair: (k: number) => Address) => (k: number) => pair(SCRATCH.lines + 2 * k)

  // 9/ξ = 9·(9 - i)/82, times R
  const { p, montgomery } = field
  const ninth = (9n * montgomery * invert(82n, p)) % p
  const triplyB = [9n * ninth, p - ninth].map((value) => value % p) as [bigint, bigint]

  // (t, line): T = 2T and the tangent at T. Costello, Lange, Naehrig 2010, in the form of Aranha, Karabina, Longa, Gebotys,
  // López 2011, times 4 in place of halves
  define('lineDouble', 2, (pair, [point, line], f) => {
    const t = temporary(pair)
    const [[x, y, z], [l0, l1, l2]] = [three(point!, SIZE), three(line!, SIZE)]
    const [xy, b, e, f3, h] = [0, 1, 2, 3, 4].map(t) as [Address, Address, Address, Address, Address]
    const [u, v] = [t(5), t(6)]
    return [
      run(mul, xy, x, y),
      run(sqr, b, y),
      run(mul, h, y, z),
      run(add, h, h, h), // 2YZ
      run(sqr, u, z),
      field.constant(f, v, triplyB[0]),
      field.constant(f, plus(v, PAIR), triplyB[1]),
      run(mul, e, u, v), // 3b'Z²
      run(sum, u, e, e),
      run(add, f3, u, e),
      run(sqr, u, x),
      run(sum, v, u, u),
      run(add, l1, v, u), // 3X²
      tower.copy(f, l0, h),
      run(sub, l2, b, e),
      // X = 2·XY·(Y² - 9b'Z²)
      run(sub, u, b, f3),
      run(mul, u, u, xy),
      run(add, x, u, u),
      // Z = 4·Y²·2YZ
      run(mul, u, b, h),
      run(sum, u, u, u),
      run(add, z, u, u),
      // Y = (Y² + 9b'Z²)² - 12·(3b'Z²)²
      run(add, u, b, f3),
      run(sqr, y, u),
      run(add, u, e, e),
      run(sqr, v, u),
      run(sum, u, v, v),
      run(add, u, u, v),
      run(sub, y, y, u),
    ]
  })

  // (t, q, line): T = T + Q for an affine Q, and the line through both: as above, times 2. Z is 0 where T = ±Q, or was 0
  define('lineAdd', 3, (pair, [point, q, line], f) => {
    const t = temporary(pair)
    const [[x, y, z], [l0, l1, l2]] = [three(point!, SIZE), three(line!, SIZE)]
    const [qx, qy] = [q!, plus(q!, SIZE)]
    const [theta, lambda, d, e, g, h] = [0, 1, 2, 3, 4, 5].map(t) as [
      ...[Address, Address, Address, Address, Address, Address],
    ]
    const u = t(6)
    return [
      run(mul, u, qy, z),
      run(sub, theta, y, u),
      run(mul, u, qx, z),
      run(sub, lambda, x, u),
      tower.copy(f, l0, lambda),
      tower.copy(f, l1, theta),
      run(mul, u, theta, qx),
      run(mul, l2, lambda, qy),
      run(sub, l2, u, l2),
      run(sqr, d, lambda),
      run(mul, e, d, lambda),
      run(mul, g, d, x),
      run(sqr, u, theta),
      run(mul, u, u, z),
      // λ³ + θ²Z - 2·λ²X
      run(sub, u, u, g),
      run(sub, h, e, g),
      run(add, h, h, u),
      run(mul, u, lambda, h),
      run(add, x, u, u),
      run(sub, g, g, h),
      run(mul, g, g, theta),
      run(mul, u, e, y),
      run(sub, u, g, u),
      run(add, y, u, u),
      run(mul, u, e, z),
      run(add, z, u, u),
    ]
  })

  // (z, line, p): the line's value l₀·y, l₁·x, l₂, for a pair of points of G1 given as (-x, y), x first
  define('lineAt', 3, (_, [z, line, p1], f) => {
    const [[z0, z1, z2], [l0, l1, l2]] = [three(z!, SIZE), three(line!, SIZE)]
    const scaled = (to: Address, from: Address, by: Address): Code =>
      [0, PAIR].map((offset) => run(field.mul, plus(to, offset), plus(from, offset), by))
    return [scaled(z0, l0, plus(p1!, PAIR)), scaled(z1, l1, p1!), tower.copy(f, z2, l2)]
  })

  // (z, q, c): ψ(q), the Frobenius of E seen on the twist: (x̄·c₀, ȳ·c₁), c = ξ^((q - 1)/3), ξ^((q - 1)/2). Products of Fq²
  define('twistFrobenius', 3, (pair, [z, q, c]) => {
    const t = temporary(pair)(0)
    return [0, SIZE].map((offset) => [
      run(conjugate, t, plus(q!, offset)),
      run(mul, plus(z!, offset), t, plus(c!, offset)),
    ])
  })
  module.export('fq2Mul', mul)

  // (z, x, n): n pairs with their lanes exchanged, elsewhere
  module.func('swapLanes', ['i32', 'i32', 'i32'], [], (f, z, x, n) =>
    repeat(n!, [field.swap(f, at(z!), at(x!)), increase(z!, PAIR), increase(x!, PAIR)]),
  )

  // (a, b): a = a + b for points (X : Y : Z) of G1, any two: Renes, Costello, Batina 2016, algorithm 7. Coordinates of at most
  // 0.95p give such again: sums of two products are at most 1.2p, and one operand of each product of these is reduced
  const completeAdd = define('completeAdd', 2, (pair, [a, b], f) => {
    const t = (k: number): Address => pair(SCRATCH.lines + k)
    const [[x1, y1, z1], [x2, y2, z2]] = [three(a!, PAIR), three(b!, PAIR)]
    const [xx, yy, zz, xy, yz, xz, more, less] = [0, 1, 2, 3, 4, 5, 6, 7].map(t) as [
      ...[Address, Address, Address, Address, Address, Address, Address, Address],
    ]
    const nineTimes = (x: Address): Code => [
      field.add(f, more, x, x),
      field.addReduce(f, more, more, more),
      field.add(f, more, more, more),
      field.addReduce(f, x, x, more),
    ]
    return [
      run(field.mul, xx, x1, x2),
      run(field.mul, yy, y1, y2),
      run(field.mul, zz, z1, z2),
      run(field.mulAdd, xy, x1, y2, x2, y1),
      run(field.mulAdd, yz, y1, z2, y2, z1),
      run(field.mulAdd, xz, x1, z2, x2, z1),
      nineTimes(zz),
      nineTimes(xz),
      field.add(f, more, xx, xx),
      field.addReduce(f, xx, xx, more),
      field.subReduce(f, less, yy, zz),
      field.addReduce(f, more, yy, zz),
      run(field.mulSub, x1, xy, less, yz, xz),
      run(field.mulAdd, y1, less, more, xz, xx),
      run(field.mulAdd, z1, more, yz, xx, xy),
    ]
  })
  // (a, list, n): adds to a the points of n pairs of pointers, one in each lane: elements X, Y, Z one after the other
  module.func('completeSum', ['i32', 'i32', 'i32'], [], (f, a, list, n) => {
    const b = f.local('i32')
    const pointers = [f.local('i32'), f.local('i32')] as const
    const signs = [f.local('i32'), f.local('i32')] as const
    const [first, second] = pointers
    return [
      set(b, i32.add(getGlobal(scratch), i32.const((SCRATCH.lines + 8) * PAIR))),
      repeat(n!, [
        pointers.map((pointer, i) => [
          set(pointer, i32.load(at(list!, 4 * i))),
          set(signs[i]!, i32.and(get(pointer), i32.const(1))),
          set(pointer, i32.sub(get(pointer), get(signs[i]!))),
        ]),
        three(at(b), PAIR).map((place, k) =>
          field.gather(f, place, { first, second, offset: k * ELEMENT, ...(k === 1 ? { signs } : {}) }),
        ),
        call(completeAdd, get(a!), get(b)),
        increase(list!, 8),
      ]),
    ]
  })
}
