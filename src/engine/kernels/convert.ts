/**
 * Between the 32-byte integers of files and limbs.
 * @module
 */
import { ELEMENT, type FieldKernels, PAIR } from './field.ts'
import { SCRATCH } from './tower.ts'
import {
  at,
  type Code,
  call,
  type Func,
  type Global,
  get,
  getGlobal,
  i32,
  i64,
  ifElse,
  increase,
  type ModuleBuilder,
  repeat,
  select,
  set,
  whileLoop,
} from './wasm.ts'

/** (pair) → mask of the lanes that are 0 modulo the prime; the pair may be lazy. */
export function zeroTest(module: ModuleBuilder, name: string, field: FieldKernels, scratch: Global): Func {
  return module.func(name, ['i32'], ['i32'], (f, x) => {
    const [t, bytes] = [f.local('i32'), f.local('i32')]
    const zero = (lane: number): Code => [
      call(field.toBytes, get(t), i32.const(lane), get(bytes)),
      i64.eqz([0, 8, 16, 24].map((offset) => i64.load(at(bytes, offset))).reduce((all, word) => i64.or(all, word))),
    ]
    return [
      set(t, i32.add(getGlobal(scratch), i32.const(SCRATCH.pair * PAIR))),
      set(bytes, i32.add(getGlobal(scratch), i32.const(SCRATCH.bytes * PAIR))),
      field.constant(f, at(bytes), field.montgomery % field.p),
      call(field.mul, get(t), get(x!), get(bytes)),
      i32.or(zero(0), i32.shl(zero(1), i32.const(1))),
    ]
  })
}

/** Adds `NAMEImport`, `NAMEExport`, `NAMEScale` and what they build on to the module. */
export function conversionKernels(module: ModuleBuilder, name: string, field: FieldKernels, scratch: Global): void {
  // (to, from, index, n, pairs, factor): elements of points `index` at `from`, times a factor over R. A point has `pairs`
  // pairs of integers of 32 bytes.
  module.func(
    `${name}Import`,
    ['i32', 'i32', 'i32', 'i32', 'i32', 'i32'],
    [],
    (f, to, from, index, n, pairs, factor) => {
      const [t, source, k, second] = [f.local('i32'), f.local('i32'), f.local('i32'), f.local('i32')]
      return [
        set(t, i32.add(getGlobal(scratch), i32.const(SCRATCH.pair * PAIR))),
        repeat(n!, [
          set(source, i32.add(get(from!), i32.mul(i32.load(at(index!)), i32.shl(get(pairs!), i32.const(6))))),
          set(k, get(pairs!)),
          repeat(k, [
            call(field.fromBytes, get(t), get(source), i32.add(get(source), i32.const(32))),
            call(field.mul, get(t), get(t), get(factor!)),
            set(second, i32.add(get(to!), i32.const(ELEMENT))),
            field.scatter(f, { first: to!, second, offset: 0 }, at(t)),
            increase(source, 64),
            increase(to!, PAIR),
          ]),
          increase(index!, 4),
        ]),
      ]
    },
  )

  // (to, pointers, n, pairs, factor): the integers of points, times a factor over R; zeros for the pointer 0. Pairs but the
  // last hold x; of the last, both are y if there are two, else the second.
  module.func(`${name}Export`, ['i32', 'i32', 'i32', 'i32', 'i32'], [], (f, to, pointers, n, pairs, factor) => {
    const [t, point, k, second] = [f.local('i32'), f.local('i32'), f.local('i32'), f.local('i32')]
    const [sign, signX, signY] = [f.local('i32'), f.local('i32'), f.local('i32')]
    return [
      set(t, i32.add(getGlobal(scratch), i32.const(SCRATCH.pair * PAIR))),
      repeat(n!, [
        set(sign, i32.and(i32.load(at(pointers!)), i32.const(1))),
        set(point, i32.sub(i32.load(at(pointers!)), get(sign))),
        set(k, get(pairs!)),
        repeat(k, [
          set(signY, i32.and(get(sign), i32.eq(get(k), i32.const(1)))),
          set(signX, i32.and(get(signY), i32.eq(get(pairs!), i32.const(2)))),
          set(second, i32.add(get(point), i32.const(ELEMENT))),
          ifElse(
            get(point),
            [
              field.gather(f, at(t), { first: point, second, offset: 0, signs: [signX, signY] }),
              call(field.mul, get(t), get(t), get(factor!)),
              call(field.toBytes, get(t), i32.const(0), get(to!)),
              call(field.toBytes, get(t), i32.const(1), i32.add(get(to!), i32.const(32))),
              increase(point, PAIR),
            ],
            [0, 1, 2, 3, 4, 5, 6, 7].map((w) => i64.store(at(to!, 8 * w), i64.const(0n))),
          ),
          increase(to!, 64),
        ]),
        increase(pointers!, 4),
      ]),
    ]
  })

  // (to, from, n, factor): n elements times a factor over R, two at a time; of an odd number the last one twice
  module.func(`${name}Scale`, ['i32', 'i32', 'i32', 'i32'], [], (f, to, from, n, factor) => {
    const [t, a, b, step] = [f.local('i32'), f.local('i32'), f.local('i32'), f.local('i32')]
    return [
      set(t, i32.add(getGlobal(scratch), i32.const(SCRATCH.pair * PAIR))),
      whileLoop(get(n!), [
        set(step, select(i32.const(1), i32.const(0), i32.gtU(get(n!), i32.const(1)))),
        set(a, i32.add(get(from!), i32.mul(get(step), i32.const(ELEMENT)))),
        set(b, i32.add(get(to!), i32.mul(get(step), i32.const(ELEMENT)))),
        field.gather(f, at(t), { first: from!, second: a, offset: 0 }),
        call(field.mul, get(t), get(t), get(factor!)),
        field.scatter(f, { first: to!, second: b, offset: 0 }, at(t)),
        increase(from!, PAIR),
        increase(to!, PAIR),
        set(n!, i32.sub(i32.sub(get(n!), i32.const(1)), get(step))),
      ]),
    ]
  })

  // (to, x): the element in lane 0 of a pair
  module.func(`${name}Put`, ['i32', 'i32'], [], (f, to, x) =>
    field.scatter(f, { first: to!, second: to!, offset: 0 }, at(x!)),
  )

  // (z, from): both lanes the integer of 32 bytes
  module.func(`${name}Set`, ['i32', 'i32'], [], (_, z, from) => call(field.fromBytes, get(z!), get(from!), get(from!)))
}
