/**
 * Before and after the transforms: values of the rows, and the quotient's values as integers for the sum over H.
 * @module
 */
import { ELEMENT, type FieldKernels, PAIR } from './field.ts'
import { SCRATCH } from './tower.ts'
import {
  at,
  type Code,
  call,
  type Func,
  type FunctionBuilder,
  f64,
  type Global,
  get,
  getGlobal,
  i32,
  i64,
  ifElse,
  increase,
  type Local,
  type ModuleBuilder,
  repeat,
  set,
  whileLoop,
} from './wasm.ts'

export function quotientKernels(module: ModuleBuilder, field: FieldKernels, scratch: Global): void {
  const scratchPair = (k: number): Code => i32.add(getGlobal(scratch), i32.const(k * PAIR))

  // (entry, end, coefficients, values, wide, z, lane): a row by field arithmetic. Coefficients are elements in
  // Montgomery form, values doubles or, where not a number, the index of an element among the wide ones
  const slowRow: Func = module.func(
    undefined,
    new Array(7).fill('i32'),
    [],
    (f, entry, end, coefficients, values, wide, z, lane) => {
      const [sum, a, b, bytes] = [f.local('i32'), f.local('i32'), f.local('i32'), f.local('i32')]
      const [value, coefficient] = [f.local('f64'), f.local('i32')]
      const bits = i64.reinterpretF64(get(value))
      return [
        set(sum, scratchPair(SCRATCH.total)),
        set(a, scratchPair(SCRATCH.pair)),
        set(b, scratchPair(SCRATCH.twiddle)),
        set(bytes, scratchPair(SCRATCH.bytes)),
        field.constant(f, at(sum), 0n),
        whileLoop(i32.ltU(get(entry!), get(end!)), [
          set(value, f64.load(at(i32.add(get(values!), i32.shl(i32.load(at(entry!)), i32.const(3)))))),
          set(coefficient, i32.add(get(coefficients!), i32.mul(i32.load(at(entry!, 4)), i32.const(ELEMENT)))),
          field.gather(f, at(a), { first: coefficient, second: coefficient, offset: 0 }),
          ifElse(
            f64.lt(f64.abs(get(value)), f64.const(2 ** 53)),
            [
              call(field.fromDouble, get(b), i32.const(0), get(value)),
              call(field.fromDouble, get(b), i32.const(1), get(value)),
            ],
            [
              set(coefficient, i32.add(get(wide!), i32.mul(i32.wrap(bits), i32.const(ELEMENT)))),
              field.gather(f, at(b), { first: coefficient, second: coefficient, offset: 0 }),
            ],
          ),
          call(field.mul, get(a), get(a), get(b)),
          field.addReduce(f, at(sum), at(sum), at(a)),
          increase(entry!, 8),
        ]),
        call(field.copyLane, get(z!), get(sum), get(lane!)),
      ]
    },
  )

  // (starts, n, entries, doubles, coefficients, values, wide, z, lane): n rows, each a sum of coefficient · value, as plain
  // integers into one lane of n pairs. `starts` holds n + 1 indices of entries {u32 wire, u32 coefficient}. Exact in doubles
  // while the sum of magnitudes stays below 2⁵³; where it does not, or something is not a number, by field arithmetic.
  module.func(
    'frRows',
    new Array(9).fill('i32'),
    [],
    (f, starts, n, entries, doubles, coefficients, values, wide, z, lane) => {
      const [entry, first, end] = [f.local('i32'), f.local('i32'), f.local('i32')]
      const [sum, magnitude, term] = [f.local('f64'), f.local('f64'), f.local('f64')]
      const entryAt = (index: Code): Code => i32.add(get(entries!), i32.shl(index, i32.const(3)))
      const double = (table: Local, offset: number): Code =>
        f64.load(at(i32.add(get(table), i32.shl(i32.load(at(entry, offset)), i32.const(3)))))
      return repeat(n!, [
        set(first, entryAt(i32.load(at(starts!)))),
        set(end, entryAt(i32.load(at(starts!, 4)))),
        set(entry, get(first)),
        set(sum, f64.const(0)),
        set(magnitude, f64.const(0)),
        whileLoop(i32.ltU(get(entry), get(end)), [
          set(term, f64.mul(double(doubles!, 4), double(values!, 0))),
          set(sum, f64.add(get(sum), get(term))),
          set(magnitude, f64.add(get(magnitude), f64.abs(get(term)))),
          increase(entry, 8),
        ]),
        ifElse(
          f64.lt(get(magnitude), f64.const(2 ** 53)),
          call(field.fromDouble, get(z!), get(lane!), get(sum)),
          call(slowRow, get(first), get(end), get(coefficients!), get(values!), get(wide!), get(z!), get(lane!)),
        ),
        increase(starts!, 4),
        increase(z!, PAIR),
      ])
    },
  )

  // (z, x, y, n): n products of pairs
  module.func('frProducts', ['i32', 'i32', 'i32', 'i32'], [], (_, z, x, y, n) =>
    repeat(n!, [
      call(field.mul, get(z!), get(x!), get(y!)),
      increase(z!, PAIR),
      increase(x!, PAIR),
      increase(y!, PAIR),
    ]),
  )

  // (bytes, pointer, point, sign bit in `pointer`, bias): turns an integer v of [0, r) into v or r - v, whichever is less
  // than 2²⁵³, plus the bias, and writes the pointer with bit 0 set for r - v
  const signedInteger: Func = module.func(undefined, new Array(4).fill('i32'), [], (f, bytes, pointer, point, bias) => {
    const word = (base: Local, i: number): Code => i64.load(at(base, 8 * i))
    const [v, w, s, carry] = [
      [0, 1, 2, 3].map(() => f.local('i64')),
      [0, 1, 2, 3].map(() => f.local('i64')),
      f.local('i64'),
      f.local('i64'),
    ] as const
    const order = [0, 1, 2, 3].map((i) => i64.const((field.p >> BigInt(64 * i)) & ((1n << 64n) - 1n)))
    // w = r - v with borrows; a word borrows if it is less than what is taken off
    const negated = [0, 1, 2, 3].map((i) => [
      set(s, i64.sub(order[i]!, get(v[i]!))),
      set(w[i]!, i64.sub(get(s), get(carry))),
      set(carry, i64.extendI32U(i32.or(i64.ltU(order[i]!, get(v[i]!)), i64.ltU(get(s), get(carry))))),
    ])
    const biased = [0, 1, 2, 3].map((i) => [
      set(s, i64.add(get(v[i]!), word(bias!, i))),
      set(w[i]!, i64.add(get(s), get(carry))),
      set(carry, i64.extendI32U(i32.or(i64.ltU(get(s), get(v[i]!)), i64.ltU(get(w[i]!), get(s))))),
      i64.store(at(bytes!, 8 * i), get(w[i]!)),
    ])
    return [
      v.map((local, i) => set(local, word(bytes!, i))),
      set(carry, i64.const(0n)),
      negated,
      i32.store(at(pointer!), get(point!)),
      ifElse(i64.gtU(get(v[3]!), get(w[3]!)), [
        i32.store(at(pointer!), i32.or(get(point!), i32.const(1))),
        v.map((local, i) => set(local, get(w[i]!))),
      ]),
      set(carry, i64.const(0n)),
      biased,
    ]
  })

  // n pairs of values as signed integers plus a bias, and pointers to their points. Lane 1 belongs `upper` elements on.
  type Places = readonly [bias: Local, integers: Local, pointers: Local, points: Local, upper: Local]
  const integerPairs = (
    f: FunctionBuilder,
    n: Local,
    value: (t: Local, u: Local) => Code,
    operands: readonly Local[],
    [bias, integers, pointers, points, upper]: Places,
  ): Code => {
    const [t, u, high] = [f.local('i32'), f.local('i32'), f.local('i32')]
    const lane = (k: 0 | 1): Code => {
      const offset = (local: Local, size: number): Code =>
        k === 0 ? get(local) : i32.add(get(local), i32.mul(get(upper), i32.const(size)))
      return [
        set(high, offset(integers, 32)),
        call(field.toBytes, get(t), i32.const(k), get(high)),
        call(signedInteger, get(high), offset(pointers, 4), offset(points, PAIR), get(bias)),
      ]
    }
    return [
      set(t, scratchPair(SCRATCH.pair)),
      set(u, scratchPair(SCRATCH.twiddle)),
      repeat(n, [
        value(t, u),
        lane(0),
        lane(1),
        [...operands, points].map((local) => increase(local, PAIR)),
        increase(integers, 32),
        increase(pointers, 4),
      ]),
    ]
  }

  // (a, b, c, n, scale, unscale, …places): (a·b - c·scale)·unscale
  module.func('frQuotientIntegers', new Array(11).fill('i32'), [], (f, a, b, c, n, scale, unscale, ...places) =>
    integerPairs(
      f,
      n!,
      (t, u) => [
        call(field.mul, get(t), get(a!), get(b!)),
        call(field.mul, get(u), get(c!), get(scale!)),
        field.sub(f, at(t), at(t), at(u)),
        call(field.mul, get(t), get(t), get(unscale!)),
      ],
      [a!, b!, c!],
      places as unknown as Places,
    ),
  )

  // (a, b, n, unscale, …places): a·b·unscale
  module.func('frProductIntegers', new Array(9).fill('i32'), [], (f, a, b, n, unscale, ...places) =>
    integerPairs(
      f,
      n!,
      (t) => [call(field.mul, get(t), get(a!), get(b!)), call(field.mul, get(t), get(t), get(unscale!))],
      [a!, b!],
      places as unknown as Places,
    ),
  )
}
