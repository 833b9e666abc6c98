/**
 * Kernels on a memory: an instance for each thread, all on one shared memory, in which every thread has a place of its own.
 * @module
 */
import { Q } from '../groth16/bn254.ts'
import { Wasm, type WasmMemory, type WasmModule } from '../groth16/wasm.ts'
import { RESERVED, type Variant } from './kernels/build.ts'
import { CHAIN, RECORD } from './kernels/curve.ts'
import { DODECIC } from './kernels/extension.ts'
import { PAIR } from './kernels/field.ts'
import { SCRATCH } from './kernels/tower.ts'

export type Group = 'g1' | 'g2'

/** Pairs of field elements in a coordinate of a group: points take two of them. */
export const DEGREE: Readonly<Record<Group, 1 | 2>> = { g1: 1, g2: 2 }

/** Bytes of a point in limbs. */
export const POINT_BYTES: Readonly<Record<Group, number>> = { g1: PAIR, g2: 2 * PAIR }

/** Bytes of a point in a key file. */
export const FILE_BYTES: Readonly<Record<Group, number>> = { g1: 64, g2: 128 }

/** The Montgomery factor of a variant. */
export const montgomeryOf = (variant: Variant): bigint => (variant === 'int' ? 1n << 261n : 1n << 255n)

type Kernel = (...operands: number[]) => number

/** Instance, memory and its views for one thread. */
export type Runtime = {
  readonly variant: Variant
  readonly memory: WasmMemory
  readonly kernels: Readonly<Record<string, Kernel>>
  readonly bytes: Uint8Array
  readonly words: Uint32Array
  readonly doubles: Float64Array
  readonly slot: Slot
}

/** Pairs of constants that all threads share, and two points that fill an odd place in a batch. */
export const SHARED = {
  /** Factors that take integers of key files (times 2²⁵⁶) to elements and back, and elements to plain integers. */
  fromFile: RESERVED,
  toFile: RESERVED + PAIR,
  toPlain: RESERVED + 2 * PAIR,
  fromPlain: RESERVED + 3 * PAIR,
  /** The same for the scalar field. */
  scalarToPlain: RESERVED + 4 * PAIR,
  scalarFromPlain: RESERVED + 5 * PAIR,
  fillers: RESERVED + 8 * PAIR,
  end: RESERVED + 8 * PAIR + 4 * PAIR + 64,
} as const

/** Most lists that are summed together, for points of G1; for G2 half as many. */
export const LISTS = (1 << 15) + 256

/** Items that are added to those under way at a time, likewise. */
export const FRESH = 1 << 14

/**
 * Sums under way, likewise, at most: they are made from fresh items, from sums of the round before and from what waits in
 * the lists, two at a time, so that s ≤ (FRESH + s + LISTS) / 2.
 */
const UNDER_WAY = FRESH + LISTS

/** Places for sums, likewise: those under way, and those that wait in the lists. */
export const PLACES = UNDER_WAY + LISTS

/** Sums of rows and columns of buckets, likewise, of all windows: for points of G1 7,872 with windows of 8 bits. */
export const KEPT = 9 * 1024

/** Records in a batch of additions, likewise: 1 MB of scratch, which a cache of the second level holds. */
export const BATCH = 2048

/** Addresses within a thread's own room. */
export type Slot = ReturnType<typeof slotAt>

/** Hands out addresses, each a multiple of 64. */
export function allocator(start: number) {
  let next = Math.ceil(start / 64) * 64
  return {
    take: (bytes: number): number => {
      const address = next
      next = Math.ceil((next + bytes) / 64) * 64
      return address
    },
    end: (): number => next,
  }
}

export function slotAt(base: number) {
  const { take, end } = allocator(base)
  const words = (count: number): number => take(4 * count)
  return {
    base,
    pairs: take(SCRATCH.end * PAIR),
    /** Room for a few points and integers on their way. */
    exchange: take(4096),
    chain: take(CHAIN * 2 * PAIR),
    spare: take(RECORD * 2 * PAIR),
    cell: words(1),
    filled: take(2 * PAIR),
    /** For the check of proofs: values of Fq¹², and points and lines. */
    values: take(14 * DODECIC * PAIR),
    points: take(64 * PAIR),
    records: take(BATCH * RECORD * PAIR),
    /** Pairs of pointers, and where their sums go; one more than there may be, and a filler. */
    list: words(2 * (UNDER_WAY + 2)),
    outs: words(UNDER_WAY + 2),
    items: words(2 * (UNDER_WAY + FRESH + 1)),
    /** Pointers that wait in lists: in buckets, and in what buckets are added up to. */
    buckets: words(LISTS),
    sums: words(KEPT),
    free: words(PLACES + 1),
    kept: take(KEPT * PAIR),
    arena: take(PLACES * PAIR),
    end: end(),
  }
}

/** Bytes that a thread needs. */
export const SLOT_BYTES = slotAt(0).end

/** An instance for this thread, with its room at `base`. */
export function openRuntime(variant: Variant, module: WasmModule, memory: WasmMemory, base: number): Runtime {
  const { exports } = new Wasm.Instance(module, { env: { memory } })
  const kernels = exports as unknown as Readonly<Record<string, Kernel>>
  const slot = slotAt(base)
  kernels.useScratch!(slot.pairs)
  const { buffer } = memory
  return {
    ...{ variant, memory, kernels, slot },
    bytes: new Uint8Array(buffer),
    words: new Uint32Array(buffer),
    doubles: new Float64Array(buffer),
  }
}

/** The same instance with its room elsewhere: a thread takes whatever room is free. */
export function atSlot(runtime: Runtime, base: number): Runtime {
  if (runtime.slot.base === base) return runtime
  const slot = slotAt(base)
  runtime.kernels.useScratch!(slot.pairs)
  return { ...runtime, slot }
}

/** Writes what all threads share; once for a memory, by a thread that has a room. */
export function writeShared({ variant, kernels, words, slot, bytes }: Runtime, scalarField: bigint): void {
  const factor = montgomeryOf(variant)
  const pair = (field: 'fq' | 'fr', address: number, value: bigint): void => {
    writeInteger(words, slot.exchange, value % (field === 'fq' ? Q : scalarField))
    kernels[`${field}Set`]!(address, slot.exchange)
  }
  pair('fq', SHARED.fromFile, fileFactor(factor, Q))
  pair('fq', SHARED.toFile, 1n << 256n)
  pair('fq', SHARED.toPlain, 1n)
  pair('fq', SHARED.fromPlain, factor * factor)
  pair('fr', SHARED.scalarToPlain, 1n)
  pair('fr', SHARED.scalarFromPlain, factor * factor)
  bytes.fill(0, SHARED.fillers, SHARED.end)
  // the fillers need not be on the curve: (0, 0) and a point with x = 1
  const one = slot.exchange
  words.fill(0, one / 4, one / 4 + 64)
  words[one / 4] = 1
  kernels.fqImport!(SHARED.fillers + 2 * PAIR, one, one + 200, 1, 2, SHARED.fromPlain)
}

/** R²/2²⁵⁶. */
const fileFactor = (factor: bigint, p: bigint): bigint => {
  const shift = factor * factor // a power of two above 2²⁵⁶
  return (shift >> 256n) % p
}

/** 32 bytes, little-endian, at an address. */
export function writeInteger(words: Uint32Array, address: number, value: bigint): void {
  for (let i = 0; i < 8; i++) words[address / 4 + i] = Number((value >> BigInt(32 * i)) & 0xffffffffn)
}

export function readInteger(words: Uint32Array, address: number): bigint {
  let value = 0n
  for (let i = 7; i >= 0; i--) value = (value << 32n) | BigInt(words[address / 4 + i]!)
  return value
}
