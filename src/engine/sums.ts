/**
 * Sums of lists of points, all lists at once: every level of a tree halves each list, and the additions of all lists share
 * their inversions. Nothing is assumed of the points: equal, opposite and vanishing sums are met by a slow path.
 * @module
 */
import { PAIR } from './kernels/field.ts'
import { BATCH, DEGREE, type Group, POINT_BYTES, type Runtime, SHARED } from './runtime.ts'

/**
 * Lists in a thread's room: `slot.starts` and `slot.lengths` tell where each begins in `slot.order` and how long it is.
 * Pointers below `arena` are left as they are, the others may be overwritten; sums go to slots from `sums` on.
 */
export type Lists = { readonly count: number; readonly sums: number; readonly arena: number }

/** What marks a sum that vanishes: the first eight bytes of a place, a pattern that no limbs have. */
export const VANISHED = 0xffffffff

/** Reduces every list to one pointer, or none where the sum vanishes. */
export function sumLists(runtime: Runtime, group: Group, { count, sums, arena }: Lists): void {
  const { kernels, words, slot } = runtime
  const size = POINT_BYTES[group]
  words[slot.cell / 4] = slot.arena
  for (;;) {
    const pairs = kernels.pairUp!(
      ...[slot.order, slot.starts, slot.lengths, count, slot.list, slot.outs, arena, slot.cell, sums, size],
    )
    if (pairs === 0) return
    if (addPairs(runtime, group, pairs)) dropVanished(runtime, size, count, sums)
  }
}

/** Adds the pairs of `slot.list`, each sum to its place in `slot.outs`. Returns whether a sum vanished. */
export function addPairs(runtime: Runtime, group: Group, pairs: number): boolean {
  const { kernels, words, slot } = runtime
  const records = Math.ceil(pairs / 2)
  if (pairs % 2 === 1) {
    words[slot.list / 4 + 2 * pairs] = SHARED.fillers
    words[slot.list / 4 + 2 * pairs + 1] = SHARED.fillers + 2 * PAIR
    words[slot.outs / 4 + pairs] = slot.filled
  }
  const batch = BATCH / DEGREE[group]
  let vanished = false
  for (let done = 0; ; ) {
    const [list, outs] = [slot.list + 16 * done, slot.outs + 8 * done]
    done += kernels[`${group}Add`]!(list, outs, records - done, slot.records, slot.chain, batch)
    if (done === records) return vanished
    const next = Math.min(batch, records - done)
    if (addUnlikely(runtime, group, slot.outs + 8 * done, next)) vanished = true
    done += next
  }
}

/**
 * The batch that lies gathered in `slot.records`, where some points have equal x: doubles equal ones and marks the places of
 * sums that vanish. Returns whether there are any.
 */
function addUnlikely(runtime: Runtime, group: Group, outs: number, records: number): boolean {
  const { kernels, words, slot } = runtime
  const [degree, size] = [DEGREE[group], DEGREE[group] * PAIR]
  const zeros = (address: number): number => {
    let mask = 3
    for (let k = 0; k < degree; k++) mask &= kernels.fqZero!(address + k * PAIR)
    return mask
  }
  const copyLane = (to: number, from: number, lane: number): void => {
    for (let k = 0; k < degree; k++) kernels.fqCopyLane!(to + k * PAIR, from + k * PAIR, lane)
  }
  const vanished: number[] = []
  for (let i = 0; i < records; i++) {
    const record = slot.records + 6 * size * i
    const mask = zeros(record)
    if (mask === 0) continue
    const equal = mask & zeros(record + 5 * size)
    for (const lane of [0, 1]) {
      if (((mask >> lane) & 1) === 0) continue
      words.copyWithin(slot.spare / 4, record / 4, (record + 6 * size) / 4)
      if ((equal >> lane) & 1) {
        kernels[`${group}Tangent`]!(slot.spare)
        copyLane(record, slot.spare, lane)
        copyLane(record + 5 * size, slot.spare + 5 * size, lane)
      }
      // opposite points, or a point with y = 0, which no key should hold
      if ((zeros(record) >> lane) & 1) {
        kernels[`${group}One`]!(slot.spare)
        copyLane(record, slot.spare, lane)
        vanished.push(words[outs / 4 + 2 * i + lane]!)
      }
    }
  }
  kernels[`${group}Prefix`]!(records, slot.records, slot.chain)
  if (kernels[`${group}Invert`]!(slot.chain) === 0) throw new Error('a batch of additions has no inverse')
  kernels[`${group}Back`]!(records, slot.records, outs, slot.chain)
  for (const place of vanished) words.fill(VANISHED, place / 4, place / 4 + 2)
  return vanished.length > 0
}

/** Takes pointers to vanished sums out of the lists. What is left alone goes to its slot, as the arena is used again. */
function dropVanished({ words, bytes, slot }: Runtime, size: number, count: number, sums: number): void {
  for (let s = 0; s < count; s++) {
    const length = words[slot.lengths / 4 + s]!
    const start = slot.order / 4 + words[slot.starts / 4 + s]!
    let kept = 0
    for (let i = 0; i < length; i++) {
      const pointer = words[start + i]!
      const place = (pointer & ~1) >>> 2
      if (words[place] !== VANISHED || words[place + 1] !== VANISHED) words[start + kept++] = pointer
    }
    words[slot.lengths / 4 + s] = kept
    const last = words[start]!
    if (kept !== 1 || length === 1 || last < slot.arena) continue
    bytes.copyWithin(sums + s * size, last, last + size)
    words[start] = sums + s * size
  }
}
