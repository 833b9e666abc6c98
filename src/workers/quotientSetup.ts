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
import { columnsOf, digitsOf, matrixOf } from '../engine/columns.ts'
import { POINT_BYTES } from '../engine/runtime.ts'
import { AbortedError } from '../errors.ts'
import { R, rootOfUnity } from '../groth16/bn254.ts'
import { KeyError } from '../groth16/keys.ts'
import { cutOfKey, quotientFile, quotientFrame } from '../groth16/qkey.ts'
import { type CutValues, cutValues, exponentOf, isWhole, type QuotientCut, reverseBits } from '../groth16/quotient.ts'
import type { R1cs } from '../groth16/r1cs.ts'
import { checkKeyOfCircuit, type ProvingKey } from '../groth16/zkey.ts'
import { type Combiner, importPoints, isInfinity, openCombiner } from './combiner.ts'
import { writeAll, writeWhole } from './files.ts'
import {
  bytesForPoints,
  factorsOf,
  type Points,
  pointTransforms,
  powersOf,
  SIZE,
  transformWork,
} from './pointTransforms.ts'

export type QuotientSetupOptions = {
  /** Where the .qkey goes; it appears when it is complete. */
  readonly path: string
  /** Default: as many as the machine can run at once. */
  readonly threads?: number | undefined
  readonly signal?: AbortSignal | undefined
  readonly onProgress?: ((fraction: number) => void) | undefined
}

/**
 * Makes the quotient key of a proving key.
 *
 * Throws `key/other-circuit`, KeyError `key/malformed`, `limit/engine-memory`, `environment/engine`,
 * `environment/engine-self-test`, `aborted/by-caller`, what a pool throws, and errors of the file system.
 */
export async function setupQuotient(circuit: R1cs, key: ProvingKey, options: QuotientSetupOptions): Promise<void> {
  const { path, signal, onProgress } = options
  checkKeyOfCircuit(key, circuit)
  const cut = cutOfKey(key)
  const values = await cutValues(cut, async () => {
    await setImmediate()
    if (signal?.aborted) throw new AbortedError('the setup')
  })
  const most = Math.max(2 * key.domainSize, cut.used + key.nVars)
  const combiner = openCombiner(bytesForPoints(most), `a quotient key of 2^${key.power} rows`, options)
  try {
    const { weights, points } = await quotientPoints(combiner, most, key.sections.get(9)!, cut, values, onProgress)
    const c = await withWeights(combiner, circuit, key, weights)
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

/** What the rows of C weigh, and the points of S. */
async function quotientPoints(
  combiner: Combiner,
  most: number,
  h: Points,
  cut: QuotientCut,
  values: CutValues,
  onProgress: ((fraction: number) => void) | undefined,
): Promise<{ readonly weights: Points; readonly points: Points }> {
  const { power, used, kept } = cut
  const N = 2 ** power
  const whole = isWhole(cut)
  // multiplications by full-size numbers take nearly all of the time
  const total = (whole ? 2 : 5) * transformWork(power) + (whole ? N : 3 * N + used + 2 * kept)
  let done = 0
  const advance = (count: number): void => {
    done += count
    onProgress?.(Math.min(done / total, 1))
  }
  const { sums, scale, forward, backward } = pointTransforms(combiner, most, power, advance)
  const inverse = Fr.inv(BigInt(-N))
  const twist = factorsOf(powersOf(rootOfUnity(power + 1), N).map((value) => Fr.mul(value, inverse)))
  /** -Σᵢ λⱼ(ψ·ω^i)·Pᵢ for all j. */
  const convolved = async (transformed: Points): Promise<Points> =>
    backward(await scale(transformed, twist, (i) => reverseBits(i, power)))
  const main = await convolved(await forward(h))
  if (whole) return { weights: main.subarray(0, SIZE * used), points: pick(h, cut) }

  // outside of S, times M; at infinity in S
  const place = new Map(values.others.map(({ exponent }, k) => [exponent, k]))
  const others = factorsOf(values.others.map(({ value }) => value))
  const outside = await forward(await sums(h, others, N, (i) => (place.has(i) ? [[i, place.get(i)!]] : []), advance))
  const both = Buffer.concat([main, await convolved(outside)])
  const rows = factorsOf(values.rows.map((value) => R - value))
  const weights = await sums(both, rows, used, (j) => [[j], [N + j, j]], advance)

  const numbers = factorsOf(Array.from({ length: N }, (_, t) => BigInt(t)))
  const differences = await backward(await sums(outside, numbers, N, (i) => [[i, reverseBits(i, power)]]))
  const factors = factorsOf(values.points.map((value) => Fr.mod(-value * inverse)))
  const around = Buffer.concat([pick(h, cut), pick(differences, cut)])
  const points = await sums(around, factors, 2 * kept, (k) => [[k], [2 * kept + k, k]], advance)
  return { weights, points }
}

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
