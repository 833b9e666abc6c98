/**
 * The quotient key of a proving key whose secrets nobody knows, from its points of H alone (`groth16/quotient.ts` says what it
 * holds). The .zkey's point Hᵢ for y = ψ·ω^i is worth ℓᵢ(τ)·Z(τ)/(-2δ), with ℓᵢ the Lagrange polynomial over the odd powers of ψ:
 *
 *     -λⱼ(τ)·(1 - M(τ)/M(ω^j))/δ       is  -Σᵢ λⱼ(y)·(1 - M(y)/M(ω^j))·Hᵢ, what Cⱼ weighs beside the .zkey's points of C
 *     M(τ)/((τ - y)·M'(y))·Z(τ)/(-2δ)  is  Hᵢ + Σ over u not in S of M(u)/((u - y)·M'(y))·Hᵤ
 *
 * Both are convolutions, as λⱼ(y) = -2/(N·(ψ·ω^(i-j) - 1)) and u - y = y·(ω^k - 1) depend on differences of exponents: two
 * transforms over points and a factor for each point between them. 1/(x - 1) = Σ over t < N of -x^t/2 where x^N = -1, and of
 * t·x^t/N where x^N = 1 and x is not 1.
 * @module
 */
import { setImmediate } from 'node:timers/promises'
import { Fr } from '../../circuits/field.ts'
import { columnsOf, type Digits, digitsOf, matrixOf } from '../engine/columns.ts'
import { BETA, halves } from '../engine/glv.ts'
import { PAIR } from '../engine/kernels/field.ts'
import { montgomeryOf, POINT_BYTES, type Runtime, SHARED, writeInteger } from '../engine/runtime.ts'
import { AbortedError } from '../errors.ts'
import { Q, R, rootOfUnity } from '../groth16/bn254.ts'
import { KeyError } from '../groth16/keys.ts'
import { cutOfKey, quotientFile, quotientFrame } from '../groth16/qkey.ts'
import { cutValues, exponentOf, isWhole, type QuotientCut, reverseBits } from '../groth16/quotient.ts'
import type { R1cs } from '../groth16/r1cs.ts'
import { checkKeyOfCircuit, type ProvingKey } from '../groth16/zkey.ts'
import { type Combiner, importPoints, isInfinity, openCombiner } from './combiner.ts'
import { writeAll, writeWhole } from './files.ts'

export type QuotientSetupOptions = {
  /** Where the .qkey goes; it appears when it is complete. */
  readonly path: string
  /** Default: as many as the machine can run at once. */
  readonly threads?: number | undefined
  readonly signal?: AbortSignal | undefined
  readonly onProgress?: ((fraction: number) => void) | undefined
}

/** Points of a file, one after the other. */
type Points = Uint8Array

const SIZE = 64

/** A term of a sum: which point, and which of the factors; none for the point itself. */
type Term = readonly [point: number, factor?: number | undefined]

/**
 * Makes the quotient key of a proving key.
 *
 * Throws `key/other-circuit`, KeyError `key/malformed`, `limit/engine-memory`, `aborted/by-caller`, what a pool throws, and errors
 * of the file system.
 */
export async function setupQuotient(circuit: R1cs, key: ProvingKey, options: QuotientSetupOptions): Promise<void> {
  const { path, signal, onProgress } = options
  checkKeyOfCircuit(key, circuit)
  const cut = cutOfKey(key)
  const { power, used, kept } = cut
  const N = 2 ** power
  const whole = isWhole(cut)
  const most = Math.max(4 * N, used + key.nVars) * POINT_BYTES.g1
  const combiner = openCombiner(most + PAIR, `a quotient key of 2^${power} rows`, options)
  const { runtime, room, staging } = combiner
  const breathe = async (): Promise<void> => {
    await setImmediate()
    if (signal?.aborted) throw new AbortedError('the setup')
  }

  // multiplications by full-size numbers take nearly all of the time
  const transforms = whole ? 2 : 5
  const total = (transforms * (power - 1) * N) / 2 + (whole ? N : 3 * N + used + 2 * kept)
  let done = 0
  const advance = (count: number): void => {
    done += count
    onProgress?.(Math.min(done / total, 1))
  }

  const endomorphism = room + most
  writeEndomorphism(runtime, endomorphism)
  /**
   * Sums of points times factors, `count` of them. Those at infinity are left out. A factor k is two coefficients k₁, k₂, for
   * a point and for λ times it.
   */
  const sums = async (
    points: Points,
    factors: Factors,
    count: number,
    terms: (i: number) => readonly Term[],
    onPiece?: (sums: number) => void,
  ): Promise<Points> => {
    const given = points.length / SIZE
    importPoints(runtime, 'g1', points, room, staging)
    importPoints(runtime, 'g1', points, room + given * POINT_BYTES.g1, staging, endomorphism)
    const matrix = matrixOf(count, (i) =>
      terms(i).flatMap(([point, factor]): [number, number][] => {
        if (isInfinity(points.subarray(SIZE * point, SIZE * (point + 1)))) return []
        if (factor === undefined) return [[point, 0]]
        return [
          [point, 1 + 2 * factor],
          [given + point, 2 + 2 * factor],
        ]
      }),
    )
    return combiner.sums('g1', factors, [{ matrix, points: room }], count, onPiece)
  }
  const scale = (points: Points, factors: Factors, factor: (i: number) => number | undefined, share = 1) =>
    sums(...([points, factors, points.length / SIZE, (i: number): Term[] => [[i, factor(i)]]] as const), (count) =>
      advance(share * count),
    )
  /** Sums and differences of points `half` apart; the other way round where `swapped` says so. */
  const signs = factorsOf([R - 1n])
  const butterflies = (points: Points, half: number, swapped: (j: number) => boolean): Promise<Points> =>
    sums(points, signs, N, (i) => {
      const upper = (i & half) !== 0
      const x = upper ? i - half : i
      return [[x], upper === swapped(x & (half - 1)) ? [x + half] : [x + half, 0]]
    })

  const powersOf = (base: bigint, count: number): bigint[] => {
    const powers = [1n]
    while (powers.length < count) powers.push((powers.at(-1)! * base) % R)
    return powers
  }
  const twiddles = factorsOf(powersOf(rootOfUnity(power), N / 2))
  /** Upper points times ω^exponent(j), for j from 1 on. */
  const twiddle = (points: Points, half: number, exponent: (j: number) => number): Promise<Points> => {
    const factor = (i: number): number | undefined => {
      const j = i & (half - 1)
      return (i & half) === 0 || j === 0 ? undefined : exponent(j)
    }
    return half === 1 ? Promise.resolve(points) : scale(points, twiddles, factor, 0.5)
  }
  /** Σ ω^(it)·Pᵢ for all t, in bit-reversed order. */
  const forward = async (points: Points): Promise<Points> => {
    let now = points
    for (let half = N / 2; half >= 1; half /= 2) {
      const step = N / (2 * half)
      now = await twiddle(await butterflies(now, half, () => false), half, (j) => step * j)
    }
    return now
  }
  /** Σ ω^(-bt)·Pₜ for all b, from bit-reversed order; ω^-e = -ω^(N/2 - e). */
  const backward = async (points: Points): Promise<Points> => {
    let now = points
    for (let half = 1; half < N; half *= 2) {
      const step = N / (2 * half)
      now = await butterflies(await twiddle(now, half, (j) => N / 2 - step * j), half, (j) => j !== 0)
    }
    return now
  }

  try {
    const values = await cutValues(cut, breathe)
    const h = key.sections.get(9)!
    const inverse = Fr.inv(BigInt(-N))
    const twist = factorsOf(powersOf(rootOfUnity(power + 1), N).map((value) => Fr.mul(value, inverse)))
    /** -Σᵢ λⱼ(ψ·ω^i)·Pᵢ for all j. */
    const convolved = async (transformed: Points): Promise<Points> =>
      backward(await scale(transformed, twist, (i) => reverseBits(i, power)))

    let weights = await convolved(await forward(h))
    let points: Points
    if (whole) points = pick(h, cut)
    else {
      // outside of S, times M; at infinity in S
      const place = new Map(values.others.map(({ exponent }, k) => [exponent, k]))
      const others = factorsOf(values.others.map(({ value }) => value))
      const outside = await forward(
        await sums(h, others, N, (i) => (place.has(i) ? [[i, place.get(i)!]] : []), advance),
      )
      const both = Buffer.concat([weights, await convolved(outside)])
      const rows = factorsOf(values.rows.map((value) => R - value))
      weights = await sums(both, rows, used, (j) => [[j], [N + j, j]], advance)

      const numbers = factorsOf(Array.from({ length: N }, (_, t) => BigInt(t)))
      const differences = await backward(await sums(outside, numbers, N, (i) => [[i, reverseBits(i, power)]]))
      const factors = factorsOf(values.points.map((value) => Fr.mod(-value * inverse)))
      const around = Buffer.concat([pick(h, cut), pick(differences, cut)])
      points = await sums(around, factors, 2 * kept, (k) => [[k], [2 * kept + k, k]], advance)
    }
    const c = await withWeights(combiner, circuit, key, weights.subarray(0, SIZE * used))
    const { at } = quotientFile(cut, key.nVars)
    await writeWhole(path, (fd) => {
      for (const [position, bytes] of quotientFrame(cut, key.nVars, key.sections.get(2)!, key.sections.get(3)!))
        writeAll(fd, position, bytes)
      writeAll(fd, at[2], c)
      writeAll(fd, at[3], points)
    })
    onProgress?.(1)
  } finally {
    await combiner.close()
  }
}

/** The coefficient 1, then the two halves of each factor. */
type Factors = Digits
const factorsOf = (factors: readonly bigint[]): Factors => digitsOf([1n, ...factors.flatMap(halves)])

/** Points of the odd powers in S, in its order. */
function pick(points: Points, cut: QuotientCut): Points {
  const picked = new Uint8Array(SIZE * 2 * cut.kept)
  for (let k = 0; k < 2 * cut.kept; k++) {
    const i = exponentOf(cut, k)
    picked.set(points.subarray(SIZE * i, SIZE * (i + 1)), SIZE * k)
  }
  return picked
}

/** The .zkey's points of C, and for every wire Σⱼ C[j][s] times the weights of the rows j. */
async function withWeights(combiner: Combiner, circuit: R1cs, key: ProvingKey, weights: Points): Promise<Points> {
  const { runtime, room, staging } = combiner
  const rows = weights.length / SIZE
  for (let j = 0; j < rows; j++)
    if (isInfinity(weights.subarray(SIZE * j, SIZE * (j + 1)))) throw new KeyError('malformed', 'points of H repeat')
  const c = key.sections.get(8)!
  const own = room + rows * POINT_BYTES.g1
  importPoints(runtime, 'g1', weights, room, staging)
  importPoints(runtime, 'g1', c, own, staging)
  const first = key.nPublic + 1
  const one = circuit.coefficients.length
  const identity = matrixOf(key.nVars, (wire) => {
    const i = wire - first
    return i < 0 || isInfinity(c.subarray(SIZE * i, SIZE * (i + 1))) ? [] : [[i, one]]
  })
  const parts = [
    { matrix: columnsOf(circuit, one)[2], points: room },
    { matrix: identity, points: own },
  ]
  return combiner.sums('g1', digitsOf([...circuit.coefficients, 1n]), parts, key.nVars)
}

/** The factor that takes points of files to λ times them in limbs: it multiplies x by β. */
function writeEndomorphism({ kernels, words, slot, variant }: Runtime, to: number): void {
  const beta = slot.exchange
  writeInteger(words, beta + PAIR, (BETA * montgomeryOf(variant)) % Q)
  kernels.fqSet!(beta, beta + PAIR)
  kernels.fqMul!(to, SHARED.fromFile, beta)
  kernels.fqCopyLane!(to, SHARED.fromFile, 1)
}
