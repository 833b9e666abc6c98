/**
 * Sums of many lists of points at a time. Points come as items, each for a list, in any order; two of a list make a pair, and
 * their sum is an item again. Pairs of all lists are added together, in batches that share an inversion. Nothing is assumed
 * of the points: equal, opposite and vanishing sums are met by a slow path.
 *
 * Points that meet in a list are near each other in the stream, and so in memory: less is waited for than with sorted lists,
 * whose points lie all over the key.
 * @module
 */
import { PAIR } from './kernels/field.ts'
import { BATCH, DEGREE, type Group, PLACES, POINT_BYTES, type Runtime, SHARED } from './runtime.ts'
import { type CallSite, callFrom, callSite } from './stack.ts'

/** What marks a sum that vanishes: the first eight bytes of a place, a pattern that no limbs have. */
export const VANISHED = 0xffffffff

/** Bit of a pointer that says that its place in the arena is free once the point has been used. */
const OWN = 2

/** The pointer that is left in a list, without what only `sumItems` needs to know; 0 for an empty list. */
export const waiting = ({ words }: Runtime, lists: number, list: number): number =>
  (words[lists / 4 + list]! & ~OWN) >>> 0

/** Frees the arena, and of its places as many as `items` items can need. */
export function freePlaces({ words, slot }: Runtime, group: Group, items: number): void {
  const places = Math.min(Math.ceil(items / 2), Math.floor(PLACES / DEGREE[group]))
  const size = POINT_BYTES[group]
  const free = slot.free / 4
  for (let i = 0; i < places; i++) words[free + i] = slot.arena + (places - 1 - i) * size
  words[slot.cell / 4] = slot.free + 4 * places
}

/**
 * Adds items to `count` lists at `lists`, which are empty at first. Each call of `more` writes up to FRESH items (for G2 half
 * as many) from an address on and returns where they end, or nothing when there are no more. Afterwards every list holds one
 * pointer, or 0.
 */
export function sumItems(
  runtime: Runtime,
  group: Group,
  lists: number,
  count: number,
  more: (items: number) => number | undefined,
): void {
  const { kernels, words, slot } = runtime
  words.fill(0, lists / 4, lists / 4 + count)
  for (let end: number | undefined = slot.items, rest = slot.items; end !== undefined || rest > slot.items; ) {
    if (end !== undefined) end = more(rest)
    // addresses that kernels return are negative from 2 GiB on
    const items = (((end ?? rest) >>> 0) - slot.items) / 8
    const pairs = kernels.pairUp!(slot.items, items, lists, slot.list, slot.outs, slot.cell)
    const sums = pairs > 0 && addPairs(runtime, group, pairs) ? dropVanished(runtime, pairs) : pairs
    rest = slot.items + 8 * sums
  }
}

/** Takes items whose sums vanish out of the first `count`; returns how many are left. */
function dropVanished({ words, slot }: Runtime, count: number): number {
  const items = slot.items / 4
  let kept = 0
  for (let i = 0; i < count; i++) {
    const [pointer, list] = [words[items + 2 * i]!, words[items + 2 * i + 1]!]
    const place = (pointer & ~OWN) >>> 2
    if (words[place] === VANISHED && words[place + 1] === VANISHED) {
      words[words[slot.cell / 4]! >>> 2] = pointer & ~OWN
      words[slot.cell / 4]! += 4
      continue
    }
    words[items + 2 * kept] = pointer
    words[items + 2 * kept++ + 1] = list
  }
  return kept
}

const additions: Readonly<Record<Group, CallSite>> = { g1: callSite(), g2: callSite() }

/** Adds the pairs of `slot.list`, each sum to its place in `slot.outs`. Returns whether a sum vanished. */
export const addPairs = (runtime: Runtime, group: Group, pairs: number): boolean =>
  callFrom(additions[group], pairs, addAll, [runtime, group, pairs])

function addAll(runtime: Runtime, group: Group, pairs: number): boolean {
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

/** Doubles the first points of the pairs in `slot.list`, to places in `slot.outs`. Returns false if one of them has y = 0. */
export function doubleFirsts({ kernels, words, slot }: Runtime, group: Group, pairs: number): boolean {
  if (pairs % 2 === 1) {
    words[slot.list / 4 + 2 * pairs] = words[slot.list / 4]!
    words[slot.list / 4 + 2 * pairs + 1] = words[slot.list / 4]!
    words[slot.outs / 4 + pairs] = slot.filled
  }
  const records = Math.ceil(pairs / 2)
  const done = kernels[`${group}Double`]!(
    ...[slot.list, slot.outs, records, slot.records, slot.chain, BATCH / DEGREE[group]],
  )
  return done === records
}
