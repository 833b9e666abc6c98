/**
 * Sums Σ kᵢ·Pᵢ over integers of either sign, by Pippenger's buckets (Bernstein, Doumen, Lange, Oosterwijk 2012, section 4)
 * with signed digits.
 *
 * An integer is stored as |k| plus a bias, which makes the signed digits of its windows independent of each other:
 * bias = Σ 2^(c-1)·2^(cw) over all windows w but the last, digit w = (bits cw … cw+c-1) - 2^(c-1), and the last one is not
 * biased. The sign is bit 0 of the pointer.
 *
 * A bucket b of window w stands for b·2^(cw). Its weight is split, b = 2^l·h + m: sums over equal h and over equal m need one
 * addition a bucket each, as the usual running sums, but the lists are independent. What is left are few sums with weights
 * of some bits, which are split into the bits: in the end there is one sum for each power of two.
 * @module
 */
import { DEGREE, FILE_BYTES, type Group, POINT_BYTES, POINTS, type Runtime, SEGMENTS, SHARED } from './runtime.ts'
import { sumLists } from './sums.ts'

/** Shortest piece of work that is worth its way to another thread. */
const LEAST_MS = 4

/** How integers are cut into digits. */
export type Windows = { readonly width: number; readonly count: number; readonly bias: bigint }

/** Windows of `width` bits for magnitudes below 2^bits. The last digit is at most 2^(width-1). */
export function windowsOf(bits: number, width: number): Windows {
  const count = Math.ceil((bits + 1) / width)
  let bias = 0n
  for (let w = 0; w < count - 1; w++) bias |= 1n << BigInt(width * w + width - 1)
  return { width, count, bias }
}

/** Widest window: its buckets fill the room for segments. */
export const MAX_WIDTH: Readonly<Record<Group, number>> = { g1: 16, g2: 15 }

/**
 * The width of least cost for integers of which `counts[b]` have b bits (a magnitude in [2^(b-1), 2^b)).
 *
 * Cost in additions: one for each digit that is not 0, two for each bucket in use, and a thirtieth to look at a digit.
 */
export function bestWidth(group: Group, counts: ArrayLike<number>): number {
  let bits = 0
  for (let b = 1; b < counts.length; b++) if (counts[b]! > 0) bits = b
  let [best, least] = [2, Number.POSITIVE_INFINITY]
  for (let width = 2; width <= MAX_WIDTH[group]; width++) {
    let cost = 0
    for (let w = 0; w < Math.ceil((bits + 1) / width); w++) {
      let [digits, total] = [0, 0]
      for (let b = 1; b <= bits; b++) {
        total += counts[b]!
        if (b > width * w - 1) digits += counts[b]!
      }
      cost += digits + 2 * Math.min(digits, 2 ** (width - 1)) + total / 30 + 60
    }
    if (cost < least) [best, least] = [width, cost]
  }
  return best
}

/** The width for full-size integers, `threads` of which take windows side by side. */
export function wideWidth(count: number, bits: number, threads: number): number {
  let [best, least] = [2, Number.POSITIVE_INFINITY]
  for (let width = 2; width <= MAX_WIDTH.g1; width++) {
    const cost = Math.ceil(Math.ceil((bits + 1) / width) / threads) * (1.03 * count + 2 ** width + 60)
    if (cost < least) [best, least] = [width, cost]
  }
  return best
}

/** Parts of a sum that take some milliseconds each, about `pieces` of them: by windows, or by points if windows are few. */
export function splitSum(msm: Msm, pieces: number): Msm[] {
  const { count, windowCount, firstWindow, windows, group, stride } = msm
  const additions = (count + 2 ** windows.width) * windowCount
  const milliseconds = additions * (group === 'g1' ? 0.15e-3 : 0.42e-3)
  const wanted = Math.max(1, Math.min(pieces, Math.floor(milliseconds / LEAST_MS)))
  if (wanted === 1) return [msm]
  if (windowCount >= wanted) {
    const step = Math.ceil(windowCount / wanted)
    return Array.from({ length: Math.ceil(windowCount / step) }, (_, i) => ({
      ...msm,
      firstWindow: firstWindow + i * step,
      windowCount: Math.min(step, windowCount - i * step),
    }))
  }
  const step = Math.ceil(count / wanted)
  return Array.from({ length: Math.ceil(count / step) }, (_, i) => ({
    ...msm,
    integers: msm.integers + stride * i * step,
    pointers: msm.pointers + 4 * i * step,
    count: Math.min(step, count - i * step),
  }))
}

/** What is to be summed: integers and pointers in memory, the windows, and which of them are meant here. */
export type Msm = {
  readonly group: Group
  readonly integers: number
  /** Bytes of an integer: 8 or 32. */
  readonly stride: 8 | 32
  readonly pointers: number
  readonly count: number
  readonly windows: Windows
  readonly firstWindow: number
  readonly windowCount: number
}

/** Sums with weights 2^exponent: points as plain integers, x then y, 64 or 128 bytes each. */
export type WeightedSums = { readonly exponents: readonly number[]; readonly points: Uint8Array<ArrayBuffer> }

/** Windows that one round takes together: few points share their batches across windows. */
export function windowsAtOnce(group: Group, count: number, { width }: Windows): number {
  const segments = 2 ** (width - 1) + 1
  const [points, buckets] = [POINTS / DEGREE[group], SEGMENTS / DEGREE[group]]
  return Math.max(1, Math.min(Math.floor(points / Math.max(count, 1)), Math.floor(buckets / 4 / segments)))
}

/** Computes a sum, or some windows of it. `onRound` is called before each round and may throw to end the work. */
export function multiScalar(runtime: Runtime, msm: Msm, onRound: (share: number) => void = () => {}): WeightedSums {
  const exponents: number[] = []
  const parts: Uint8Array<ArrayBuffer>[] = []
  const step = windowsAtOnce(msm.group, msm.count, msm.windows)
  for (let w = msm.firstWindow; w < msm.firstWindow + msm.windowCount; w += step) {
    onRound((w - msm.firstWindow) / msm.windowCount)
    const some = Math.min(step, msm.firstWindow + msm.windowCount - w)
    const segments = fillBuckets(runtime, { ...msm, firstWindow: w, windowCount: some })
    const sums = sumBuckets(runtime, msm, w, some, segments)
    exponents.push(...sums.exponents)
    parts.push(sums.points)
  }
  return { exponents, points: new Uint8Array(Buffer.concat(parts)) }
}

/** Sums the points of each bucket; `slot.previous` then holds the pointers, 0 for an empty bucket. Returns their number. */
function fillBuckets(runtime: Runtime, msm: Msm): number {
  const { kernels, words, slot } = runtime
  const { group, integers, stride, pointers, count, windows, firstWindow, windowCount } = msm
  const { width } = windows
  const segment = 2 ** (width - 1) + 1 // the first one, for digit 0, stays empty
  const segments = windowCount * segment
  const room = (address: number): number => address / 4
  words.fill(0, room(slot.previous), room(slot.previous) + segments)
  const block = Math.floor(POINTS / DEGREE[group] / windowCount)
  for (let from = 0; from < count; from += block) {
    const n = Math.min(block, count - from)
    words.fill(0, room(slot.counts), room(slot.counts) + segments)
    const digits = (w: number): readonly number[] => {
      const bit = width * w
      // 64 bits that hold the digit and do not pass the end of the integer
      const byte = stride === 8 ? 0 : Math.min(bit >> 3, 24)
      const half = w === windows.count - 1 ? 0 : 2 ** (width - 1)
      return [integers + stride * from + byte, stride, bit - 8 * byte, 2 ** width - 1, half, n]
    }
    for (let i = 0; i < windowCount; i++) {
      const counts = slot.counts + 4 * i * segment
      kernels.countDigits!(...digits(firstWindow + i), counts)
      words[counts / 4] = 0
    }
    const end = kernels.layOut!(...[slot.counts, slot.previous, slot.starts, slot.lengths, slot.order, segments, 0])
    for (let i = 0; i < windowCount; i++) {
      const next = slot.counts + 4 * i * segment
      words[next / 4] = end // zeros go behind
      kernels.placeDigits!(...digits(firstWindow + i), pointers + 4 * from, next, slot.order)
    }
    sumLists(runtime, group, { count: segments, sums: slot.buckets, arena: slot.buckets })
    for (let s = 0; s < segments; s++)
      words[room(slot.previous) + s] =
        words[room(slot.lengths) + s] === 0 ? 0 : words[room(slot.order) + words[room(slot.starts) + s]!]!
  }
  return segments
}

/** From the buckets in `slot.previous` to sums for powers of two. */
function sumBuckets(
  runtime: Runtime,
  { group, windows: { width } }: Msm,
  firstWindow: number,
  windowCount: number,
  segments: number,
): WeightedSums {
  const { words, slot } = runtime
  const size = POINT_BYTES[group]
  const segment = segments / windowCount
  const low = width >> 1
  const [columns, rows] = [2 ** low, 2 ** (width - 1 - low) + 1]
  const kept = windowCount * (columns + rows)
  // rows h and columns m of all windows; those of 0 stay empty
  const lists: Lists = createLists(runtime, kept)
  const bucket = (s: number): number => words[slot.previous / 4 + s]!
  const place = (s: number): readonly [row: number, column: number] => {
    const [w, b] = [Math.floor(s / segment), s % segment]
    const base = w * (columns + rows)
    return [base + (b >> low), base + rows + (b & (columns - 1))]
  }
  lists.fill((put) => {
    for (let s = 0; s < segments; s++) {
      const pointer = bucket(s)
      if (pointer === 0) continue
      const [row, column] = place(s)
      if (row % (columns + rows) !== 0) put(row, pointer)
      if ((column - rows) % (columns + rows) !== 0) put(column, pointer)
    }
  })
  sumLists(runtime, group, { count: kept, sums: slot.kept, arena: slot.kept })
  const sums = Array.from({ length: kept }, (_, s) => lists.sum(s))

  // bits of h and m: a list for each power of two
  const powers = width * windowCount + 1
  const bits = createLists(runtime, powers)
  bits.fill((put) => {
    sums.forEach((pointer, s) => {
      if (pointer === 0) return
      const [w, i] = [Math.floor(s / (columns + rows)), s % (columns + rows)]
      const [weight, shift] = i < rows ? [i, low] : [i - rows, 0]
      for (let bit = 0; weight >> bit !== 0; bit++) if ((weight >> bit) & 1) put(width * w + shift + bit, pointer)
    })
  })
  const last = slot.kept + kept * size
  sumLists(runtime, group, { count: powers, sums: last, arena: last })
  const exponents: number[] = []
  const found: number[] = []
  for (let e = 0; e < powers; e++) {
    const pointer = bits.sum(e)
    if (pointer === 0) continue
    exponents.push(width * firstWindow + e)
    found.push(pointer)
  }
  return { exponents, points: exportPoints(runtime, group, found, SHARED.toPlain) }
}

type Lists = {
  /** Calls `each` twice with a function that takes a list and a pointer: first to count, then to place. */
  fill(each: (put: (list: number, pointer: number) => void) => void): void
  /** The only pointer of a list, or 0. */
  sum(list: number): number
}

/** Empty lists in the thread's room. */
function createLists({ words, slot }: Runtime, count: number): Lists {
  const [starts, lengths, order] = [slot.starts / 4, slot.lengths / 4, slot.order / 4]
  return {
    fill(each) {
      words.fill(0, lengths, lengths + count)
      each((list) => {
        words[lengths + list]!++
      })
      let at = 0
      for (let s = 0; s < count; s++) {
        words[starts + s] = at
        at += words[lengths + s]!
        words[lengths + s] = 0
      }
      each((list, pointer) => {
        words[order + words[starts + list]! + words[lengths + list]!++] = pointer
      })
    },
    sum: (list) => (words[lengths + list] === 0 ? 0 : words[order + words[starts + list]!]!),
  }
}

/** Points at pointers as integers times a factor. At most as many as the thread's room for lists holds. */
export function exportPoints(
  { kernels, words, bytes, slot }: Runtime,
  group: Group,
  pointers: readonly number[],
  factor: number,
): Uint8Array<ArrayBuffer> {
  const size = FILE_BYTES[group]
  const out = new Uint8Array(pointers.length * size)
  const step = 16
  for (let from = 0; from < pointers.length; from += step) {
    const some = pointers.slice(from, from + step)
    words.set(some, slot.exchange / 4)
    const to = slot.exchange + 4 * step
    kernels.fqExport!(to, slot.exchange, some.length, DEGREE[group], factor)
    out.set(bytes.subarray(to, to + some.length * size), from * size)
  }
  return out
}
