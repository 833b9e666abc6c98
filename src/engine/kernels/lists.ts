/**
 * Integers to items, and items to pairs for the additions: no field arithmetic here.
 *
 * An item is two words: a pointer to a point, and the list that it is to be added to. Bit 0 of a pointer means minus the
 * point; bit 1 that its place belongs to the thread and is free once the point has been used (`sums.ts`).
 * @module
 */
import {
  at,
  type Code,
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
} from './wasm.ts'

export function listKernels(module: ModuleBuilder): void {
  const word = (base: Local, index: Code): Code => i32.add(get(base), i32.shl(index, i32.const(2)))
  /** 1 if the value is not 0, else 0. */
  const isSet = (value: Code): Code => i32.ne(value, i32.const(0))
  const writeItem = (to: Local, pointer: Code, list: Code): Code => [
    i32.store(at(to), pointer),
    i32.store(at(to, 4), list),
  ]
  /** Moves on over an item that was written, if the condition is 1: no branch, as none could be foretold. */
  const keepItem = (to: Local, condition: Code): Code => increase(to, i32.shl(condition, i32.const(3)))

  // (integers, stride, shift, mask, half, n, pointers, offset, list, items) → end: of each integer the digit (bits `shift`… under the
  // mask of the 64 at its address) - half; where that is not 0 an item for list + |digit|: the pointer plus the offset, with its
  // sign changed for a negative one
  module.func(
    'digitItems',
    new Array(10).fill('i32'),
    ['i32'],
    (f, integers, stride, shift, mask, half, n, pointers, offset, list, items) => {
      const [digit, negative] = [f.local('i32'), f.local('i32')]
      const value = i64.shrU(i64.loadUnaligned(at(integers!)), i64.extendI32U(get(shift!)))
      return [
        repeat(n!, [
          set(digit, i32.sub(i32.and(i32.wrap(value), get(mask!)), get(half!))),
          set(negative, i32.shrU(get(digit), i32.const(31))),
          // |d| = (d xor -s) + s
          set(digit, i32.add(i32.xor(get(digit), i32.sub(i32.const(0), get(negative))), get(negative))),
          writeItem(
            items!,
            i32.xor(i32.add(i32.load(at(pointers!)), get(offset!)), get(negative)),
            i32.add(get(list!), get(digit)),
          ),
          keepItem(items!, isSet(get(digit))),
          increase(integers!, get(stride!)),
          increase(pointers!, 4),
        ]),
        get(items!),
      ]
    },
  )

  // (integers, n, width, windows, table, rowBytes, size, list, items) → end: for each biased integer of 32 bytes, which has a
  // list of its own from `list` on, items for its digits' multiples: digit d of window w points to
  // table + w·rowBytes + (|d| - 1)·size
  module.func(
    'spreadDigits',
    new Array(9).fill('i32'),
    ['i32'],
    (f, integers, n, width, windows, table, rowBytes, size, list, items) => {
      const [bit, row, digit, negative, left] = [0, 1, 2, 3, 4].map(() => f.local('i32')) as [
        ...[Local, Local, Local, Local, Local],
      ]
      const [word64, half] = [f.local('i64'), f.local('i32')]
      // 64 bits that hold the digit and do not pass the end of the integer
      const byte = select(
        i32.const(24),
        i32.shrU(get(bit), i32.const(3)),
        i32.gtU(i32.shrU(get(bit), i32.const(3)), i32.const(24)),
      )
      return [
        repeat(n!, [
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
            writeItem(
              items!,
              i32.or(i32.add(get(row), i32.mul(i32.sub(get(digit), i32.const(1)), get(size!))), get(negative)),
              get(list!),
            ),
            keepItem(items!, isSet(get(digit))),
            increase(bit, get(width!)),
            increase(row, get(rowBytes!)),
          ]),
          increase(integers!, 32),
          increase(list!, 1),
        ]),
        get(items!),
      ]
    },
  )

  // (items, n, waiting, list, outs, cell) → pairs. `waiting` has a word for each list: the pointer that waits for another one,
  // or 0. An item finds its list empty and waits there, or makes a pair with the one that waits, and an item that stands for
  // the sum takes its place at the beginning of the items. Sums go to the place of an operand that belongs to the thread, or
  // else to one from the stack of free places, whose end is kept in `cell`.
  module.func('pairUp', new Array(6).fill('i32'), ['i32'], (f, items, n, waiting, list, outs, cell) => {
    const [from, other, id, own, otherOwn, pair, out, free, first] = [0, 1, 2, 3, 4, 5, 6, 7, 8].map(() =>
      f.local('i32'),
    ) as [Local, Local, Local, Local, Local, Local, Local, Local, Local]
    const [pointer, place] = [f.local('i32'), f.local('i32')]
    const OWN = 2
    const address = (value: Local): Code => i32.and(get(value), i32.const(-4))
    const shown = (value: Local): Code => i32.and(get(value), i32.const(-1 - OWN))
    const times = (condition: Code, bytes: 4 | 8): Code => i32.shl(condition, i32.const(bytes === 4 ? 2 : 3))
    return ifElse(
      get(n!),
      [
        set(first, get(outs!)),
        set(from, get(items!)),
        set(free, i32.load(at(cell!))),
        repeat(n!, [
          set(pointer, i32.load(at(from))),
          set(id, i32.load(at(from, 4))),
          set(place, word(waiting!, get(id))),
          set(other, i32.load(at(place))),
          set(pair, isSet(get(other))),
          i32.store(at(place), select(i32.const(0), get(pointer), get(pair))),
          i32.store(at(list!), shown(other)),
          i32.store(at(list!, 4), shown(pointer)),
          set(own, i32.and(get(pointer), i32.const(OWN))),
          set(otherOwn, i32.and(get(other), i32.const(OWN))),
          set(
            out,
            select(
              address(other),
              select(address(pointer), i32.load(at(i32.sub(get(free), i32.const(4)))), get(own)),
              get(otherOwn),
            ),
          ),
          i32.store(at(outs!), get(out)),
          writeItem(items!, i32.or(get(out), i32.const(OWN)), get(id)),
          // neither place belongs to the thread: one is taken; both do: the second one is given back
          set(free, i32.sub(get(free), times(i32.and(get(pair), i32.eqz(i32.or(get(own), get(otherOwn)))), 4))),
          i32.store(at(free), address(pointer)),
          set(free, i32.add(get(free), times(i32.and(get(pair), isSet(i32.and(get(own), get(otherOwn)))), 4))),
          keepItem(items!, get(pair)),
          increase(list!, times(get(pair), 8)),
          increase(outs!, times(get(pair), 4)),
          increase(from, 8),
        ]),
        i32.store(at(cell!), get(free)),
        i32.shrU(i32.sub(get(outs!), get(first)), i32.const(2)),
      ],
      i32.const(0),
      'i32',
    )
  })

  // (buckets, from, n, low, list, items) → end: for each of n buckets from `from` on that holds a pointer, an item for its
  // row b >> low and one for its column b mod 2^low, but none for row or column 0. Lists of columns come first.
  module.func('splitBuckets', new Array(6).fill('i32'), ['i32'], (f, buckets, bucket, n, low, list, items) => {
    const [pointer, present, column, row, columns] = [0, 1, 2, 3, 4].map(() => f.local('i32')) as [
      ...[Local, Local, Local, Local, Local],
    ]
    const emit = (index: Local, from: Code): Code => [
      writeItem(items!, get(pointer), i32.add(from, get(index))),
      keepItem(items!, i32.and(get(present), isSet(get(index)))),
    ]
    return [
      set(columns, i32.shl(i32.const(1), get(low!))),
      set(buckets!, word(buckets!, get(bucket!))),
      repeat(n!, [
        set(pointer, i32.load(at(buckets!))),
        set(present, isSet(get(pointer))),
        set(pointer, i32.and(get(pointer), i32.const(-3))), // both items need it: its place is not free after the first
        set(column, i32.and(get(bucket!), i32.sub(get(columns), i32.const(1)))),
        set(row, i32.shrU(get(bucket!), get(low!))),
        emit(column, get(list!)),
        emit(row, i32.add(get(list!), get(columns))),
        increase(buckets!, 4),
        increase(bucket!, 1),
      ]),
      get(items!),
    ]
  })
}
