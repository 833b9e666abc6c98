/**
 * Where everything lies in the memory of a prover. The memory is made once, as large as needed, and never grown: views of
 * a shared memory keep their old length when it grows.
 * @module
 */
import { VeritensorError } from '../errors.ts'
import { TABLE_BYTES } from './fixedBase.ts'
import { ELEMENT, PAIR } from './kernels/field.ts'
import { sharedWidth, WIDE_BITS, windowsOf } from './msm.ts'
import { pairingBytes } from './pairing.ts'
import { allocator, POINT_BYTES, SHARED, SLOT_BYTES } from './runtime.ts'

/** WebAssembly's memories end here. */
export const MAX_BYTES = 2 ** 32

/** A key, or what is asked of it, does not fit into WebAssembly's memory. */
export class EngineMemoryError extends VeritensorError {
  constructor(
    bytes: number,
    what: string,
    fix = 'Split the model, prove with fewer threads, or set VERITENSOR_ENGINE=snarkjs.',
  ) {
    super('limit/engine-memory', `${what} takes ${gibibytes(bytes)} GiB; WebAssembly's memory ends at 4 GiB`, {
      details: { bytes, limit: MAX_BYTES },
      fix,
    })
  }
}

const gibibytes = (bytes: number): string => (bytes / 2 ** 30).toFixed(1)

/** How many points and coefficients of a key are used. */
export type KeyCounts = {
  readonly nVars: number
  readonly nPublic: number
  readonly power: number
  /** Points of A, B and C that are not at infinity, equal ones counted once. */
  readonly a: number
  readonly b: number
  readonly c: number
  /** Coefficients of the matrices A and B, and different ones among both. */
  readonly entriesA: number
  readonly entriesB: number
  readonly coefficients: number
  /** Pairs of the transforms' results, the first ones, whose values have points of H. */
  readonly kept: number
  /** Vectors that are transformed: A, B, and C unless a quotient key has it in its points. */
  readonly vectors: 2 | 3
}

export type KeyLayout = ReturnType<typeof keyLayout>

/** Most points of H that get multiples: 18 points take the place of one. */
const MULTIPLES_POINTS = 2 ** 14

/** Fewest proofs for which multiples pay: each of these saves a fortieth of what they cost. */
const MULTIPLES_PROOFS = 64

/**
 * A prepared key, from `start` on. For many proofs with a small key, points of H have multiples beside them: as many as the
 * windows `hMultiples` need, first all points, then all by 2^width, and so on.
 */
export function keyLayout(counts: KeyCounts, proofs: number, start: number = SHARED.end) {
  const { take, end } = allocator(start)
  const domain = 2 ** counts.power
  const points = 2 * counts.kept
  const hMultiples =
    points <= MULTIPLES_POINTS && proofs >= MULTIPLES_PROOFS
      ? windowsOf(WIDE_BITS, sharedWidth(points, WIDE_BITS))
      : undefined
  return {
    counts,
    domain,
    /** Points of H. */
    points,
    a: take(POINT_BYTES.g1 * counts.a),
    b1: take(POINT_BYTES.g1 * counts.b),
    b2: take(POINT_BYTES.g2 * counts.b),
    c: take(POINT_BYTES.g1 * counts.c),
    /** In the order of the transforms' results: the kept places of the first half, then those of the second. */
    h: take(POINT_BYTES.g1 * points * (hMultiples?.count ?? 1)),
    hMultiples,
    /** Rows in bit-reversed order: where each begins among the entries {u32 wire, u32 coefficient}. */
    startsA: take(4 * (domain + 1)),
    startsB: take(4 * (domain + 1)),
    entriesA: take(8 * counts.entriesA),
    entriesB: take(8 * counts.entriesB),
    /** Different coefficients as doubles, not a number where they are too large, and as elements. */
    doubles: take(8 * counts.coefficients),
    elements: take(ELEMENT * counts.coefficients),
    /** Twiddles: ω^-brv(b) for N/2 blocks b, and ψ^brv(i) for N places, ψ² = ω. */
    inverse: take(ELEMENT * Math.max(domain / 2, 1)),
    forward: take(ELEMENT * domain),
    /** Pairs: ψ^(N/2), and the factors of the quotient. */
    middle: take(PAIR),
    scale: take(PAIR),
    unscale: take(PAIR),
    /** Multiples of δ in both groups. */
    delta: { g1: take(TABLE_BYTES.g1), g2: take(TABLE_BYTES.g2) },
    /** What the check of proofs needs: `pairingPlace`. */
    pairing: take(pairingBytes(counts.nPublic)),
    end: end(),
  }
}

/** Most values of a proof that may be wide: integers of 2⁵³ and more. */
export type WideCounts = { readonly wires: number; readonly a: number; readonly b: number; readonly c: number }

export type ProofLayout = ReturnType<typeof proofLayout>

/** Room for the values of one proof. */
export function proofLayout({ counts, domain, points }: KeyLayout, wide: WideCounts, start: number) {
  const { take, end } = allocator(start)
  const section = (count: number, wideCount: number) => ({
    small: take(8 * count),
    smallPointers: take(4 * count),
    wide: take(32 * wideCount),
    widePointers: take(4 * wideCount),
    capacity: wideCount,
  })
  return {
    /** A word: 1 asks the thread that makes the proof to stop. */
    abort: take(4),
    /** Doubles, or the index of a wide value in the low half of one that is no number. */
    values: take(8 * counts.nVars),
    /** Wide values as elements, not in Montgomery form. */
    wide: take(ELEMENT * wide.wires),
    wideCapacity: wide.wires,
    vectors: Array.from({ length: counts.vectors }, () => take(ELEMENT * domain)),
    integers: take(32 * points),
    pointers: take(4 * points),
    bias: take(32),
    a: section(counts.a, wide.a),
    b: section(counts.b, wide.b),
    /** The points of B in G2 for the same integers. */
    b2: { smallPointers: take(4 * counts.b), widePointers: take(4 * wide.b) },
    c: section(counts.c, wide.c),
    end: end(),
  }
}

export type Layout = {
  readonly key: KeyLayout
  readonly proofs: readonly ProofLayout[]
  /** Base addresses of the threads' rooms. */
  readonly slots: readonly number[]
  readonly bytes: number
}

/**
 * The whole memory: a key that is for `expected` proofs, `proofs` of them at a time, `threads` threads.
 *
 * Throws EngineMemoryError.
 */
export function planMemory(counts: KeyCounts, wide: WideCounts, proofs: number, threads: number, expected = 1): Layout {
  const key = keyLayout(counts, expected)
  let end = key.end
  const places = Array.from({ length: proofs }, () => {
    const layout = proofLayout(key, wide, end)
    end = layout.end
    return layout
  })
  const slots = Array.from({ length: threads }, () => {
    const base = end
    end += SLOT_BYTES
    return base
  })
  if (end > MAX_BYTES) throw new EngineMemoryError(end, `proving 2^${counts.power} rows with ${threads} threads`)
  return { key, proofs: places, slots, bytes: end }
}
