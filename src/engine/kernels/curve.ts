/**
 * Affine additions in batches, for both groups: one inversion serves thousands of additions (Montgomery's trick).
 *
 * A point is its coordinates x, y in limbs. A pointer to a point is a multiple of 8; bit 0 set means minus the point. A
 * record handles two additions, one in each lane, and takes six pairs of coordinates:
 *
 *     0 dx, later x₃    1 prefix, later 1/dx, xa - x₃, y₃    2 xa    3 xa + xb    4 ya    5 yb - ya, later λ
 *
 * The records of a batch form two chains, taken in turn, so that neighbouring products do not wait for each other. The chain
 * block holds the two products so far, then their two inverses.
 *
 * An addition costs 6 products: one for the prefix, two for 1/dx, then λ = dy/dx, x₃ = λ² - xa - xb, y₃ = λ(xa - x₃) - ya.
 * Where xa = xb the product of the whole batch is 0: `add` then stops before the batch and the caller takes a slow path.
 * @module
 */
import { PAIR, type Scattered } from './field.ts'
import { SCRATCH, type Tower } from './tower.ts'
import {
  at,
  type Code,
  call,
  type Func,
  type Global,
  get,
  getGlobal,
  i32,
  ifElse,
  increase,
  type Local,
  type ModuleBuilder,
  repeat,
  ret,
  select,
  set,
  whileLoop,
} from './wasm.ts'

/** Records that one stage of the way back handles before the next: neighbours are independent and stay in the cache. */
const BLOCK = 16

/** Pairs of coordinates in a record and in a chain block. */
export const RECORD = 6
export const CHAIN = 4

/** Adds the kernels of a group to the module. `isZero` is (pair) → mask of the lanes that are 0 modulo the prime. */
export function curveKernels(
  module: ModuleBuilder,
  name: 'g1' | 'g2',
  tower: Tower,
  isZero: Func,
  scratch: Global,
): void {
  const { size, coordinate } = tower
  const record = RECORD * size
  const field = (s: Local, k: number) => at(s, k * size)
  const address = (s: Local, k: number): Code => i32.add(get(s), i32.const(k * size))

  const gather = module.func(`${name}Gather`, ['i32', 'i32', 'i32'], [], (f, list, n, s) => {
    const pointers = [0, 1, 2, 3].map(() => f.local('i32'))
    const signs = [0, 1, 2, 3].map(() => f.local('i32'))
    const operand = (k: 0 | 1, offset: number, signed: boolean): Scattered => {
      const place = { first: pointers[k]!, second: pointers[2 + k]!, offset }
      return signed ? { ...place, signs: [signs[k]!, signs[2 + k]!] } : place
    }
    return repeat(n!, [
      pointers.map((pointer, i) => [
        set(pointer, i32.load(at(list!, 4 * i))),
        set(signs[i]!, i32.and(get(pointer), i32.const(1))),
        set(pointer, i32.sub(get(pointer), get(signs[i]!))),
      ]),
      tower.gatherDifference(f, operand(0, 0, false), operand(1, 0, false), {
        a: field(s!, 2),
        difference: field(s!, 0),
        sum: field(s!, 3),
      }),
      tower.gatherDifference(f, operand(0, coordinate, true), operand(1, coordinate, true), {
        a: field(s!, 4),
        difference: field(s!, 5),
      }),
      increase(list!, 16),
      increase(s!, record),
    ])
  })

  const prefix = module.func(`${name}Prefix`, ['i32', 'i32', 'i32'], [], (f, n, s, chain) => {
    const [current, sum] = [f.local('i32'), f.local('i32')]
    return [
      tower.one(f, at(chain!)),
      tower.one(f, at(chain!, size)),
      set(current, get(chain!)),
      set(sum, i32.add(i32.shl(get(chain!), i32.const(1)), i32.const(size))),
      repeat(n!, [
        tower.copy(f, field(s!, 1), at(current)),
        call(tower.mul, get(current), get(current), get(s!)),
        set(current, i32.sub(get(sum), get(current))),
        increase(s!, record),
      ]),
    ]
  })

  // (chain) → whether the products of the chains are invertible; their inverses, from one inversion
  const invertChains = module.func(`${name}Invert`, ['i32'], ['i32'], (f, chain) => {
    const [total, inverse] = [f.local('i32'), f.local('i32')]
    const zero = (offset: number): Code => call(isZero, i32.add(get(total), i32.const(offset)))
    const components = Array.from({ length: size / PAIR }, (_, k) => zero(k * PAIR))
    const scratchPair = (k: number): Code => i32.add(getGlobal(scratch), i32.const(k * PAIR))
    return [
      set(total, scratchPair(SCRATCH.total)),
      set(inverse, scratchPair(SCRATCH.inverse)),
      // both lanes: the product of all four
      call(tower.mul, address(chain!, 2), get(chain!), address(chain!, 1)),
      tower.swap(f, at(chain!, 3 * size), at(chain!, 2 * size)),
      call(tower.mul, get(total), address(chain!, 2), address(chain!, 3)),
      ifElse(
        components.reduce((all, one) => i32.and(all, one)),
        [i32.const(0), ret()],
      ),
      call(tower.inverse, get(inverse), get(total)),
      call(tower.mul, get(inverse), get(inverse), address(chain!, 3)), // 1/(first·second), lane by lane
      call(tower.mul, address(chain!, 2), get(inverse), address(chain!, 1)),
      call(tower.mul, address(chain!, 3), get(inverse), get(chain!)),
      i32.const(1),
    ]
  })

  const back = module.func(`${name}Back`, ['i32', 'i32', 'i32', 'i32'], [], (f, n, s, outs, chain) => {
    const [inverse, sum, count, left, r] = [0, 1, 2, 3, 4].map(() => f.local('i32')) as [
      Local,
      Local,
      Local,
      Local,
      Local,
    ]
    const [o0, o1] = [f.local('i32'), f.local('i32')]
    const stage = (code: Code): Code => [
      set(r, get(s!)),
      set(left, get(count)),
      repeat(left, [set(r, i32.sub(get(r), i32.const(record))), code]),
    ]
    return [
      // the chain of the last record comes first
      set(
        inverse,
        i32.add(address(chain!, 2), i32.mul(i32.and(i32.sub(get(n!), i32.const(1)), i32.const(1)), i32.const(size))),
      ),
      set(sum, i32.add(i32.shl(get(chain!), i32.const(1)), i32.const(5 * size))),
      set(s!, i32.add(get(s!), i32.mul(get(n!), i32.const(record)))),
      set(outs!, i32.add(get(outs!), i32.shl(get(n!), i32.const(3)))),
      whileLoop(get(n!), [
        set(count, select(i32.const(BLOCK), get(n!), i32.gtU(get(n!), i32.const(BLOCK)))),
        stage([
          call(tower.mul, address(r, 1), get(inverse), address(r, 1)),
          call(tower.mul, get(inverse), get(inverse), get(r)),
          set(inverse, i32.sub(get(sum), get(inverse))),
        ]),
        stage(call(tower.mul, address(r, 5), address(r, 5), address(r, 1))),
        stage([
          call(tower.sqr, get(r), address(r, 5)),
          tower.subReduce(f, field(r, 0), field(r, 0), field(r, 3)),
          tower.sub(f, field(r, 1), field(r, 2), field(r, 0)),
        ]),
        stage([
          call(tower.mul, address(r, 1), address(r, 1), address(r, 5)),
          tower.subReduce(f, field(r, 1), field(r, 1), field(r, 4)),
          set(outs!, i32.sub(get(outs!), i32.const(8))),
          set(o0, i32.load(at(outs!))),
          set(o1, i32.load(at(outs!, 4))),
          tower.scatter(f, { first: o0, second: o1, offset: 0 }, field(r, 0)),
          tower.scatter(f, { first: o0, second: o1, offset: coordinate }, field(r, 1)),
        ]),
        set(s!, i32.sub(get(s!), i32.mul(get(count), i32.const(record)))),
        set(n!, i32.sub(get(n!), get(count))),
      ]),
    ]
  })

  // (s) turns a record into doublings of its first points: dx = 2·ya, dy = 3·xa², both lanes
  const tangent = module.func(`${name}Tangent`, ['i32'], [], (f, s) => [
    tower.addReduce(f, field(s!, 0), field(s!, 4), field(s!, 4)),
    call(tower.sqr, address(s!, 1), address(s!, 2)),
    tower.addReduce(f, field(s!, 5), field(s!, 1), field(s!, 1)),
    tower.addReduce(f, field(s!, 5), field(s!, 5), field(s!, 1)),
  ])
  // (list, outs, n, s, chain, batch) → records done: n, or fewer where the next batch has equal x
  module.func(
    `${name}Add`,
    ['i32', 'i32', 'i32', 'i32', 'i32', 'i32'],
    ['i32'],
    (f, list, outs, n, s, chain, batch) => {
      const [done, count] = [f.local('i32'), f.local('i32')]
      return [
        whileLoop(i32.ltU(get(done), get(n!)), [
          set(count, i32.sub(get(n!), get(done))),
          set(count, select(get(batch!), get(count), i32.gtU(get(count), get(batch!)))),
          call(gather, i32.add(get(list!), i32.shl(get(done), i32.const(4))), get(count), get(s!)),
          call(prefix, get(count), get(s!), get(chain!)),
          ifElse(i32.eqz(call(invertChains, get(chain!))), [get(done), ret()]),
          call(back, get(count), get(s!), i32.add(get(outs!), i32.shl(get(done), i32.const(3))), get(chain!)),
          increase(done, get(count)),
        ]),
        get(done),
      ]
    },
  )

  // (list, outs, n, s, chain, batch) → n: doubles the first point of each pair; fewer than n only for points with y = 0
  module.func(`${name}Double`, new Array(6).fill('i32'), ['i32'], (f, list, outs, n, s, chain, batch) => {
    const [done, count, left, r] = [f.local('i32'), f.local('i32'), f.local('i32'), f.local('i32')]
    return [
      whileLoop(i32.ltU(get(done), get(n!)), [
        set(count, i32.sub(get(n!), get(done))),
        set(count, select(get(batch!), get(count), i32.gtU(get(count), get(batch!)))),
        call(gather, i32.add(get(list!), i32.shl(get(done), i32.const(4))), get(count), get(s!)),
        set(left, get(count)),
        set(r, get(s!)),
        repeat(left, [call(tangent, get(r)), increase(r, record)]),
        call(prefix, get(count), get(s!), get(chain!)),
        ifElse(i32.eqz(call(invertChains, get(chain!))), [get(done), ret()]),
        call(back, get(count), get(s!), i32.add(get(outs!), i32.shl(get(done), i32.const(3))), get(chain!)),
        increase(done, get(count)),
      ]),
      get(done),
    ]
  })
  // (s) sets dx = 1 in both lanes
  module.func(`${name}One`, ['i32'], [], (f, s) => tower.one(f, at(s!)))
}
