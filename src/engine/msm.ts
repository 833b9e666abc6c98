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
import { DEGREE, FILE_BYTES, FRESH, type Group, KEPT, LISTS, POINT_BYTES, type Runtime, SHARED } from './runtime.ts'
import { freePlaces, sumItems, waiting } from './sums.ts'

/** Magnitudes of residues are below 2^WIDE_BITS: at most (r - 1)/2. */
export const WIDE_BITS = 253

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

/** Widest window: its buckets fill the room for lists. */
export const MAX_WIDTH: Readonly<Record<Group, number>> = { g1: 16, g2: 15 }

/**
 * The width of least cost for integers of which `counts[b]` have b bits (a magnitude in [2^(b-1), 2^b)).
 *
 * Cost in additions: one for each digit that is not 0, one more for each bucket in use (the first point of a bucket costs
 * none, the sum of the bucket two), and a thirtieth to look at a digit.
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
      cost += digits + Math.min(digits, 2 ** (width - 1)) + total / 30 + 60
    }
    if (cost < least) [best, least] = [width, cost]
  }
  return best
}

/** The width for full-size integers, `threads` of which take windows side by side. */
export function wideWidth(count: number, bits: number, threads: number): number {
  let [best, least] = [2, Number.POSITIVE_INFINITY]
  for (let width = 2; width <= MAX_WIDTH.g1; width++) {
    const cost = Math.ceil(Math.ceil((bits + 1) / width) / threads) * (1.03 * count + 2 ** (width - 1) + 60)
    if (cost < least) [best, least] = [width, cost]
  }
  return best
}

/** The width of windows that share their buckets, of `count` full-size integers. */
export function sharedWidth(count: number, bits: number): number {
  const cost = (width: number): number => Math.ceil((bits + 1) / width) * count + 2 ** (width - 1)
  return Array.from({ length: MAX_WIDTH.g1 - 1 }, (_, i) => i + 2).reduce((a, b) => (cost(b) < cost(a) ? b : a))
}

/** Parts of a sum that take some milliseconds each, about `pieces` of them: by windows, or by points if windows are few. */
export function splitSum(msm: Msm, pieces: number): Msm[] {
  const { count, windowCount, firstWindow, windows, group, stride, multiples } = msm
  const additions = (count + 2 ** (windows.width - 1)) * windowCount
  const milliseconds = additions * (group === 'g1' ? 0.15e-3 : 0.42e-3)
  const wanted = Math.max(1, Math.min(pieces, Math.floor(milliseconds / LEAST_MS)))
  if (wanted === 1) return [msm]
  if (windowCount >= wanted && multiples === 0) {
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
  /**
   * Bytes from each point to its multiple by 2^width, from there to that by 2^(2·width) and so on: all windows then share
   * their buckets. 0 if there are no multiples.
   */
  readonly multiples: number
}

/** Sums with weights 2^exponent: points as plain integers, x then y, 64 or 128 bytes each. */
export type WeightedSums = { readonly exponents: readonly number[]; readonly points: Uint8Array<ArrayBuffer> }

/** Windows whose buckets are filled together: few points share their batches across windows. */
export const windowsAtOnce = (group: Group, { width }: Windows): number =>
  Math.max(1, Math.floor(LISTS / DEGREE[group] / (2 ** (width - 1) + 1)))

/** How a bucket's number is split: 2^low columns, and rows. */
function grid({ width }: Windows) {
  const low = width >> 1
  const [columns, rows] = [2 ** low, 2 ** (width - 1 - low) + 1]
  return { low, columns, rows, lists: columns + rows }
}

const bucketSets = ({ multiples, windowCount }: Msm): number => (multiples > 0 ? 1 : windowCount)

/** Computes a sum, or some windows of it. `onRound` is called every few milliseconds and may throw to end the work. */
export function multiScalar(runtime: Runtime, msm: Msm, onRound: (share: number) => void = () => {}): WeightedSums {
  const { group, count, windows, firstWindow, windowCount, multiples } = msm
  const { lists } = grid(windows)
  if (bucketSets(msm) * lists > KEPT / DEGREE[group]) throw new Error('windows have too many rows and columns')
  const step = multiples > 0 ? windowCount : windowsAtOnce(group, windows)
  const kept: number[] = []
  for (let w = 0; w < windowCount; w += step) {
    const some = { ...msm, firstWindow: firstWindow + w, windowCount: Math.min(step, windowCount - w) }
    // the points of a window, and two for each bucket, of which there are no more than points
    freePlaces(runtime, group, 3 * count * some.windowCount)
    fillBuckets(runtime, some, (share) => onRound((w + share * some.windowCount) / windowCount))
    sumRowsAndColumns(runtime, some)
    kept.push(...keepSums(runtime, group, kept.length, bucketSets(some) * lists))
  }
  return sumBits(runtime, msm, kept)
}

/** Sums the points of each bucket. A window has buckets 0 … 2^(width-1), the first of which stays empty. */
function fillBuckets(runtime: Runtime, msm: Msm, onRound: (share: number) => void): void {
  const { kernels, slot } = runtime
  const { group, integers, stride, pointers, count, windows, firstWindow, windowCount, multiples } = msm
  const { width } = windows
  const buckets = 2 ** (width - 1) + 1
  const block = Math.floor(FRESH / DEGREE[group] / windowCount)
  let from = 0
  sumItems(runtime, group, slot.buckets, bucketSets(msm) * buckets, (items) => {
    if (from >= count) return undefined
    onRound(from / count)
    const n = Math.min(block, count - from)
    let end = items
    for (let i = 0; i < windowCount; i++) {
      const w = firstWindow + i
      const bit = width * w
      // 64 bits that hold the digit and do not pass the end of the integer
      const byte = stride === 8 ? 0 : Math.min(bit >> 3, 24)
      const half = w === windows.count - 1 ? 0 : 2 ** (width - 1)
      end = kernels.digitItems!(
        ...[integers + stride * from + byte, stride, bit - 8 * byte, 2 ** width - 1, half, n],
        ...[pointers + 4 * from, multiples * w, multiples > 0 ? 0 : i * buckets, end],
      )
    }
    from += n
    return end
  })
}

/** Sums the buckets of each column and of each row but the first ones. */
function sumRowsAndColumns(runtime: Runtime, msm: Msm): void {
  const { kernels, slot } = runtime
  const { group, windows } = msm
  const sets = bucketSets(msm)
  const { low, lists } = grid(windows)
  const buckets = 2 ** (windows.width - 1) + 1
  const block = FRESH / 2 / DEGREE[group]
  let [set, from] = [0, 0]
  sumItems(runtime, group, slot.sums, sets * lists, (items) => {
    if (set === sets) return undefined
    let end = items
    for (let room = block; set < sets && room > 0; ) {
      const n = Math.min(room, buckets - from)
      end = kernels.splitBuckets!(slot.buckets + 4 * set * buckets, from, n, low, set * lists, end)
      room -= n
      from += n
      if (from === buckets) [set, from] = [set + 1, 0]
    }
    return end
  })
}

/** Moves sums to room of their own, from place `first` on. Returns pointers, 0 for lists that are empty. */
function keepSums(runtime: Runtime, group: Group, first: number, count: number): number[] {
  const { words, slot } = runtime
  const size = POINT_BYTES[group]
  return Array.from({ length: count }, (_, i) => {
    const pointer = waiting(runtime, slot.sums, i)
    if (pointer === 0) return 0
    const [from, to] = [pointer - (pointer & 1), slot.kept + (first + i) * size]
    words.copyWithin(to / 4, from / 4, (from + size) / 4)
    return to + (pointer & 1)
  })
}

/** From sums of rows and columns of all windows to sums for powers of two: each goes to the bits of its number. */
function sumBits(runtime: Runtime, msm: Msm, kept: readonly number[]): WeightedSums {
  const { words, slot } = runtime
  const { group, windows, firstWindow, multiples } = msm
  const { width } = windows
  const { low, columns, lists } = grid(windows)
  const powers = width * bucketSets(msm) + 1
  freePlaces(runtime, group, width * kept.length)
  let next = 0
  sumItems(runtime, group, slot.buckets, powers, (items) => {
    if (next === kept.length) return undefined
    let end = items / 4
    for (const most = end + 2 * (FRESH / DEGREE[group] - width); next < kept.length && end < most; next++) {
      const pointer = kept[next]!
      if (pointer === 0) continue
      const [w, i] = [Math.floor(next / lists), next % lists]
      const [weight, shift] = i < columns ? [i, 0] : [i - columns, low]
      for (let bit = 0; weight >> bit !== 0; bit++) {
        if (((weight >> bit) & 1) === 0) continue
        words[end++] = pointer
        words[end++] = width * w + shift + bit
      }
    }
    return 4 * end
  })
  const exponents: number[] = []
  const found: number[] = []
  for (let e = 0; e < powers; e++) {
    const pointer = waiting(runtime, slot.buckets, e)
    if (pointer === 0) continue
    exponents.push((multiples > 0 ? 0 : width * firstWindow) + e)
    found.push(pointer)
  }
  return { exponents, points: exportPoints(runtime, group, found, SHARED.toPlain) }
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
