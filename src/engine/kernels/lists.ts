/**
 * Integers to buckets, and lists of points to pairs for the additions: no field arithmetic here.
 *
 * A segment is a list of pointers that are to be summed: `starts[s]` is its first place in `order`, `lengths[s]` how many
 * there are.
 * @module
 */
import {
  at,
  type Code,
  type Func,
  get,
  i32,
  i64,
  ifElse,
  increase,
  type Local,
  type ModuleBuilder,
  repeat,
  select,
  set,
  tee,
} from './wasm.ts'

export function listKernels(module: ModuleBuilder): void {
  const word = (base: Local, index: Code): Code => i32.add(get(base), i32.shl(index, i32.const(2)))

  // The digit of an integer: (bits `shift`… under the mask of the 64 at its address) - half, as magnitude and sign
  const digits = (
    name: string,
    body: (magnitude: Local, negative: Local, extra: readonly Local[]) => Code,
    extras: number,
  ): Func =>
    module.func(name, new Array(6 + extras).fill('i32'), [], (f, integers, stride, shift, mask, half, n, ...extra) => {
      const [digit, negative] = [f.local('i32'), f.local('i32')]
      const value = i64.shrU(i64.loadUnaligned(at(integers!)), i64.extendI32U(get(shift!)))
      return repeat(n!, [
        set(digit, i32.sub(i32.and(i32.wrap(value), get(mask!)), get(half!))),
        set(negative, i32.shrU(get(digit), i32.const(31))),
        // |d| = (d xor -s) + s
        set(digit, i32.add(i32.xor(get(digit), i32.sub(i32.const(0), get(negative))), get(negative))),
        body(digit, negative, extra),
        increase(integers!, get(stride!)),
      ])
    })
  // (…, counts): counts[|d|]++
  digits(
    'countDigits',
    (digit, _, [counts]) => {
      const place = at(word(counts!, get(digit)))
      return i32.store(place, i32.add(i32.load(place), i32.const(1)))
    },
    1,
  )
  // (…, pointers, next, order): order[next[|d|]++] = pointer, its sign changed for d < 0
  digits(
    'placeDigits',
    (digit, negative, [pointers, next, order]) => {
      const cell = at(word(next!, get(digit)))
      return [
        i32.store(at(word(order!, i32.load(cell))), i32.xor(i32.load(at(pointers!)), get(negative))),
        i32.store(cell, i32.add(i32.load(cell), i32.const(1))),
        increase(pointers!, 4),
      ]
    },
    3,
  )

  // (integers, n, width, windows, table, rowBytes, size, starts, lengths, order): for each biased integer of 32 bytes a list of
  // pointers to its digits' multiples: digit d of window w points to table + w·rowBytes + (|d| - 1)·size
  module.func(
    'spreadDigits',
    new Array(10).fill('i32'),
    [],
    (f, integers, n, width, windows, table, rowBytes, size, starts, lengths, order) => {
      const [bit, row, digit, negative, next, first, left] = [0, 1, 2, 3, 4, 5, 6].map(() => f.local('i32')) as [
        ...[Local, Local, Local, Local, Local, Local, Local],
      ]
      const [word64, half] = [f.local('i64'), f.local('i32')]
      // 64 bits that hold the digit and do not pass the end of the integer
      const byte = select(
        i32.const(24),
        i32.shrU(get(bit), i32.const(3)),
        i32.gtU(i32.shrU(get(bit), i32.const(3)), i32.const(24)),
      )
      return [
        set(next, get(order!)),
        repeat(n!, [
          set(first, get(next)),
          i32.store(at(starts!), i32.shrU(i32.sub(get(next), get(order!)), i32.const(2))),
          set(bit, i32.const(0)),
          set(row, get(table!)),
          set(left, get(windows!)),
          repeat(left, [
            set(digit, byte),
            set(word64, i64.loadUnaligned(at(i32.add(get(integers!), get(digit))))),
            set(word64, i64.shrU(get(word64), i64.extendI32U(i32.sub(get(bit), i32.shl(get(digit), i32.const(3)))))),
            // the last digit is not biased
            set(
              half,
              select(
                i32.const(0),
                i32.shl(i32.const(1), i32.sub(get(width!), i32.const(1))),
                i32.eq(get(left), i32.const(1)),
              ),
            ),
            set(
              digit,
              i32.sub(
                i32.and(i32.wrap(get(word64)), i32.sub(i32.shl(i32.const(1), get(width!)), i32.const(1))),
                get(half),
              ),
            ),
            set(negative, i32.shrU(get(digit), i32.const(31))),
            set(digit, i32.add(i32.xor(get(digit), i32.sub(i32.const(0), get(negative))), get(negative))),
            ifElse(get(digit), [
              i32.store(
                at(next),
                i32.or(i32.add(get(row), i32.mul(i32.sub(get(digit), i32.const(1)), get(size!))), get(negative)),
              ),
              increase(next, 4),
            ]),
            increase(bit, get(width!)),
            increase(row, get(rowBytes!)),
          ]),
          i32.store(at(lengths!), i32.shrU(i32.sub(get(next), get(first)), i32.const(2))),
          increase(integers!, 32),
          increase(starts!, 4),
          increase(lengths!, 4),
        ]),
      ]
    },
  )

  // (counts, previous, starts, lengths, order, n, from) → end: lays segments out from place `from` on, each with its previous
  // sum first if there is one; counts become the next free places
  module.func('layOut', new Array(7).fill('i32'), ['i32'], (f, counts, previous, starts, lengths, order, n, from) => {
    const [count, pointer] = [f.local('i32'), f.local('i32')]
    return [
      repeat(n!, [
        set(count, i32.load(at(counts!))),
        i32.store(at(starts!), get(from!)),
        i32.store(at(counts!), get(from!)),
        ifElse(
          tee(pointer, i32.load(at(previous!))),
          [
            i32.store(at(word(order!, get(from!))), get(pointer)),
            i32.store(at(counts!), i32.add(get(from!), i32.const(1))),
            i32.store(at(lengths!), i32.add(get(count), i32.const(1))),
            increase(from!, i32.add(get(count), i32.const(1))),
          ],
          [i32.store(at(lengths!), get(count)), increase(from!, get(count))],
        ),
        [counts!, previous!, starts!, lengths!].map((local) => increase(local, 4)),
      ]),
      get(from!),
    ]
  })

  // (order, starts, lengths, n, list, outs, arena, cell, slots, size) → pairs: halves every segment of more than one point.
  // Sums go to the place of an operand in the arena, else to fresh room, whose address is kept in `cell`; the last sum of
  // segment s goes to slots + s·size.
  module.func(
    'pairUp',
    new Array(10).fill('i32'),
    ['i32'],
    (f, order, starts, lengths, n, list, outs, arena, cell, slots, size) => {
      const [length, from, to, left, a, b, out, fresh, first] = [0, 1, 2, 3, 4, 5, 6, 7, 8].map(() =>
        f.local('i32'),
      ) as [Local, Local, Local, Local, Local, Local, Local, Local, Local]
      return [
        set(first, get(list!)),
        set(fresh, i32.load(at(cell!))),
        repeat(n!, [
          ifElse(i32.gtU(tee(length, i32.load(at(lengths!))), i32.const(1)), [
            set(from, word(order!, i32.load(at(starts!)))),
            set(to, get(from)),
            set(left, i32.shrU(get(length), i32.const(1))),
            repeat(left, [
              set(a, i32.load(at(from))),
              set(b, i32.load(at(from, 4))),
              ifElse(
                i32.geU(get(a), get(arena!)),
                set(out, get(a)),
                ifElse(i32.geU(get(b), get(arena!)), set(out, get(b)), [
                  set(out, get(fresh)),
                  increase(fresh, get(size!)),
                ]),
              ),
              set(out, select(get(slots!), get(out), i32.eq(get(length), i32.const(2)))),
              i32.store(at(list!), get(a)),
              i32.store(at(list!, 4), get(b)),
              i32.store(at(outs!), get(out)),
              i32.store(at(to), get(out)),
              increase(from, 8),
              increase(to, 4),
              increase(list!, 8),
              increase(outs!, 4),
            ]),
            ifElse(i32.and(get(length), i32.const(1)), i32.store(at(to), i32.load(at(from)))),
            i32.store(at(lengths!), i32.shrU(i32.add(get(length), i32.const(1)), i32.const(1))),
          ]),
          increase(lengths!, 4),
          increase(starts!, 4),
          increase(slots!, get(size!)),
        ]),
        i32.store(at(cell!), get(fresh)),
        i32.shrU(i32.sub(get(list!), get(first)), i32.const(3)),
      ]
    },
  )
}
