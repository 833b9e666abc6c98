/**
 * Witness values on their way to the sums: most of them are small, and stay small.
 * @module
 */
import { R } from '../groth16/bn254.ts'
import { EngineMemoryError, type KeyLayout, type ProofLayout } from './layout.ts'
import { bestWidth, type Msm, WIDE_BITS, type Windows, windowsOf } from './msm.ts'
import { type ProofPlan, type Wires, writeElements } from './prepare.ts'
import { type Group, POINT_BYTES, type Runtime, writeInteger } from './runtime.ts'

/** All wire values: signed integers below 2⁵³ in `small`, except for the wires in `wide`, whose values lie in [0, r). */
export type Values = { readonly small: Float64Array; readonly wide: ReadonlyMap<number, bigint> }

/** Sums over one section of the key: over small and over wide values, where there are any. */
export type SectionSums = readonly Msm[]

export type Intake = {
  readonly a: SectionSums
  readonly b1: SectionSums
  readonly b2: SectionSums
  readonly c: SectionSums
}

const LIMIT = 2 ** 53
/** High word of a double that is no number; the low word is the index of a wide value. */
const WIDE = 0x7ff80000

const signed = (value: bigint): bigint => (value > R / 2n ? value - R : value)

/**
 * Writes the values of a witness into a proof's room and plans the sums over A, B and C.
 *
 * Throws EngineMemoryError if there are more wide values than the room was made for.
 */
export function takeIn(
  runtime: Runtime,
  plan: Omit<ProofPlan, 'vanishing'>,
  key: KeyLayout,
  proof: ProofLayout,
  values: Values,
): Intake {
  const { doubles, words } = runtime
  const base = proof.values / 8
  doubles.set(values.small, base)
  const wide: bigint[] = []
  for (const [wire, value] of values.wide) {
    const v = signed(value)
    if (v > -BigInt(LIMIT) && v < BigInt(LIMIT)) doubles[base + wire] = Number(v)
    else {
      words[2 * (base + wire)] = wide.length
      words[2 * (base + wire) + 1] = WIDE
      wide.push(v)
    }
  }
  if (wide.length > proof.wideCapacity) throw new EngineMemoryError(32 * wide.length, 'a witness of more wide values')
  writeElements(runtime, proof.wide, wide, false)
  const take = (used: Wires, place: Place, points: readonly Points[]) =>
    section(runtime, proof.values, wide, used, place, points)
  const [a] = take(plan.a, proof.a, [{ group: 'g1', points: key.a, ...proof.a }])
  const [b1, b2] = take(plan.b, proof.b, [
    { group: 'g1', points: key.b1, ...proof.b },
    { group: 'g2', points: key.b2, ...proof.b2 },
  ])
  const [c] = take(plan.c, proof.c, [{ group: 'g1', points: key.c, ...proof.c }])
  return { a: a!, b1: b1!, b2: b2!, c: c! }
}

type Place = ProofLayout['a']
type Points = {
  readonly group: Group
  readonly points: number
  readonly smallPointers: number
  readonly widePointers: number
}

/** The sums over one list of values, for each set of points that takes part with the same integers. */
function section(
  { doubles, words }: Runtime,
  values: number,
  wide: readonly bigint[],
  used: Wires,
  place: Place,
  targets: readonly Points[],
): SectionSums[] {
  const count = used.wire.length
  const base = values / 8
  const isWide = (wire: number): boolean => words[2 * (base + wire) + 1] === WIDE
  const wideValue = (wire: number): bigint => wide[words[2 * (base + wire)]!]!

  // wires that share a point: their values add up
  const sums = new Map<number, number>()
  const wideSums = new Map<number, bigint>()
  const { merged, wire: wires } = used
  for (let m = 0; m < merged.length; m += 3) {
    const [entry, wire, minus] = [merged[m]!, merged[m + 1]!, merged[m + 2]!]
    const known = wideSums.get(entry)
    const sum = sums.get(entry) ?? (isWide(wires[entry]!) ? Number.NaN : doubles[base + wires[entry]!]!)
    const next = minus ? sum - doubles[base + wire]! : sum + doubles[base + wire]!
    if (known === undefined && Math.abs(next) < LIMIT) sums.set(entry, next)
    else {
      const exact = (w: number): bigint => (isWide(w) ? wideValue(w) : BigInt(doubles[base + w]!))
      const before = known ?? (Number.isNaN(sum) ? wideValue(wires[entry]!) : BigInt(sum))
      wideSums.set(entry, minus ? before - exact(wire) : before + exact(wire))
      sums.set(entry, Number.NaN)
    }
  }
  const wideEntries: [entry: number, value: bigint][] = []
  for (const [entry, value] of wideSums) {
    const v = signed(((value % R) + R) % R)
    if (v > -BigInt(LIMIT) && v < BigInt(LIMIT)) sums.set(entry, Number(v))
    else wideEntries.push([entry, v])
  }

  // small values: how many bits each has
  const counts = new Float64Array(64)
  const small = place.small / 8
  let n = 0
  const pointers = targets.map(({ smallPointers }) => smallPointers / 4)
  const sizes = targets.map(({ group }) => POINT_BYTES[group])
  for (let i = 0; i < count; i++) {
    const wire = wires[i]!
    const value = sums.size > 0 && sums.has(i) ? sums.get(i)! : doubles[base + wire]!
    if (value === 0) continue
    if (Number.isNaN(value)) {
      if (!wideSums.has(i)) wideEntries.push([i, wideValue(wire)])
      continue
    }
    const magnitude = Math.abs(value)
    doubles[small + n] = magnitude
    const sign = value < 0 ? 1 : 0
    for (let t = 0; t < targets.length; t++) words[pointers[t]! + n] = targets[t]!.points + sizes[t]! * i + sign
    // the exponent of a double in [2^(b-1), 2^b)
    counts[(words[2 * (small + n) + 1]! >>> 20) - 1022]!++
    n++
  }
  const bits = counts.findLastIndex((k) => k > 0)
  // all sets of points take the same integers, so that these are cut alike
  const narrowest = (list: ArrayLike<number>) => Math.min(...targets.map(({ group }) => bestWidth(group, list)))
  const windows = windowsOf(Math.max(bits, 1), narrowest(counts))
  addBias(doubles, words, place.small, n, windows)

  if (wideEntries.length > place.capacity)
    throw new EngineMemoryError(32 * wideEntries.length, 'a sum of more wide values')
  const wideCounts = new Float64Array(WIDE_BITS + 1)
  wideCounts[WIDE_BITS] = wideEntries.length
  const wideWindows = windowsOf(WIDE_BITS, narrowest(wideCounts))
  wideEntries.forEach(([i, value], k) => {
    writeInteger(words, place.wide + 32 * k, (value < 0n ? -value : value) + wideWindows.bias)
    targets.forEach(({ widePointers, points }, t) => {
      words[widePointers / 4 + k] = points + sizes[t]! * i + (value < 0n ? 1 : 0)
    })
  })
  const whole = (windowCount: number) => ({ firstWindow: 0, windowCount, multiples: 0 })
  return targets.map(({ group, smallPointers, widePointers }): Msm[] => [
    ...(n === 0
      ? []
      : [
          {
            ...{ group, integers: place.small, stride: 8 as const, pointers: smallPointers, count: n },
            ...{ windows, ...whole(windows.count) },
          },
        ]),
    ...(wideEntries.length === 0
      ? []
      : [
          {
            ...{ group, integers: place.wide, stride: 32 as const, pointers: widePointers, count: wideEntries.length },
            ...{ windows: wideWindows, ...whole(wideWindows.count) },
          },
        ]),
  ])
}

/** Turns doubles below 2⁵³ into integers of 64 bits with the bias added. */
function addBias(doubles: Float64Array, words: Uint32Array, at: number, count: number, { bias }: Windows): void {
  const [low, high] = [Number(bias & 0xffffffffn), Number(bias >> 32n)]
  for (let i = at / 8; i < at / 8 + count; i++) {
    const value = doubles[i]!
    const sum = (value >>> 0) + low
    words[2 * i] = sum
    words[2 * i + 1] = Math.floor(value / 2 ** 32) + high + (sum > 0xffffffff ? 1 : 0)
  }
}
