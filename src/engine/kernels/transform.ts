/**
 * Butterflies of the transforms over the scalar field.
 *
 * A vector of N elements is N/2 pairs: pair j holds elements j and j + N/2, so that in all levels but one the lanes do the
 * same work and never meet. Twiddles are single elements in bit-reversed order, one for a whole block: lane 0 takes block b,
 * lane 1 block b + m/2 of a level with m blocks.
 * @module
 */
import { ELEMENT, type FieldKernels, PAIR } from './field.ts'
import { SCRATCH } from './tower.ts'
import {
  at,
  type Code,
  call,
  type FunctionBuilder,
  type Global,
  get,
  getGlobal,
  i32,
  increase,
  type Local,
  type ModuleBuilder,
  repeat,
  set,
} from './wasm.ts'

type Butterfly = (f: FunctionBuilder, x: Local, y: Local, w: Local, t: Local) => Code

export function transformKernels(module: ModuleBuilder, field: FieldKernels, scratch: Global): void {
  const scratchPair = (k: number): Code => i32.add(getGlobal(scratch), i32.const(k * PAIR))

  // (base, blocks, blockStride, rows, rowStride, width, half, twiddle0, twiddle1): for each block, for each of its rows,
  // `width` butterflies between neighbouring pairs and those `half` bytes on
  const level = (name: string, butterfly: Butterfly): void => {
    module.func(
      name,
      new Array(9).fill('i32'),
      [],
      (f, base, blocks, blockStride, rows, rowStride, width, half, first, second) => {
        const [x, y, w, t] = [f.local('i32'), f.local('i32'), f.local('i32'), f.local('i32')]
        const [row, left, start] = [f.local('i32'), f.local('i32'), f.local('i32')]
        return [
          set(w, scratchPair(SCRATCH.twiddle)),
          set(t, scratchPair(SCRATCH.pair)),
          repeat(blocks!, [
            field.gather(f, at(w), { first: first!, second: second!, offset: 0 }),
            set(start, get(base!)),
            set(row, get(rows!)),
            repeat(row, [
              set(x, get(start)),
              set(y, i32.add(get(start), get(half!))),
              set(left, get(width!)),
              repeat(left, [butterfly(f, x, y, w, t), increase(x, PAIR), increase(y, PAIR)]),
              increase(start, get(rowStride!)),
            ]),
            increase(base!, get(blockStride!)),
            increase(first!, ELEMENT),
            increase(second!, ELEMENT),
          ]),
        ]
      },
    )
  }
  // x, y ↦ x + wy, x - wy (Cooley, Tukey 1965)
  level('frForward', (f, x, y, w, t) => [
    call(field.mul, get(t), get(y), get(w)),
    field.butterfly(f, at(x), at(y), at(t)),
  ])
  // x, y ↦ x + y, w(x - y) (Gentleman, Sande 1966)
  level('frInverse', (f, x, y, w, t) => [
    field.sub(f, at(t), at(x), at(y)),
    field.addReduce(f, at(x), at(x), at(y)),
    call(field.mul, get(y), get(t), get(w)),
  ])

  // (base, n, step, w): the level between the lanes, for 2n pairs, two at a time and `step` bytes apart (0 for a single pair)
  const lanes = (name: string, between: (t: Local, w: Local) => Code): void => {
    module.func(name, ['i32', 'i32', 'i32', 'i32'], [], (f, x, n, step, w) => {
      const [y, t] = [f.local('i32'), f.local('i32')]
      return [
        set(t, scratchPair(SCRATCH.pair)),
        repeat(n!, [
          set(y, i32.add(get(x!), get(step!))),
          field.laneButterfly(f, at(x!), at(y), at(t), between(t, w!)),
          increase(x!, 2 * PAIR),
        ]),
      ]
    })
  }
  lanes('frForwardLanes', (t, w) => call(field.mul, get(t), get(t), get(w)))
  lanes('frInverseLanes', () => [])
}
