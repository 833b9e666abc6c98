/**
 * Phase 2 from a ceremony's powers of tau, up to the first contribution: the file that `snarkjs zkey new` makes, bit by bit,
 * computed on the engine in worker threads.
 *
 * With L_j the Lagrange polynomials of the domain at tau, A_s = Σ A[j][s]·L_j, B_s likewise in both groups, and
 * β·A_s + α·B_s + C_s, all from the points of the ceremony; the points of H are the odd Lagrange polynomials of the doubled
 * domain. gamma = delta = 1: **every statement can be forged with such a key**, so that it must not leave this process
 * before a contribution.
 * @module
 */
import { createHash, type Hash } from 'node:crypto'
import { setImmediate } from 'node:timers/promises'
import { type Columns, columnsOf, digitsOf } from '../engine/columns.ts'
import { DEGREE, FILE_BYTES, type Group, POINT_BYTES, type Runtime, SHARED } from '../engine/runtime.ts'
import { addPairs } from '../engine/sums.ts'
import { AbortedError } from '../errors.ts'
import { FileFormatError } from '../groth16/binfile.ts'
import { viewOf } from '../groth16/bn254.ts'
import type { PtauInfo } from '../groth16/ptau.ts'
import type { R1cs } from '../groth16/r1cs.ts'
import { headerBytes, keyFile, type Write, writeCoefficients, writeSectionHeaders } from '../groth16/zkeyWriter.ts'
import { BLOCK, importPoints, isInfinity, openCombiner } from './combiner.ts'

/** What phase 2 takes from the edge. */
export type Phase2Edge = {
  readonly info: PtauInfo
  /** Bytes of the ceremony's file. */
  readonly read: (position: number, length: number) => Uint8Array
  readonly write: Write
  readonly threads?: number | undefined
  readonly signal?: AbortSignal | undefined
  /** Share done in [0, 1]. */
  readonly onProgress?: ((fraction: number) => void) | undefined
}

/** Sections of a ceremony's file. */
const TAU = { g1: 2, alpha: 4, beta: 5, beta2: 6, lagrange1: 12, lagrange2: 13, lagrangeAlpha: 14, lagrangeBeta: 15 }
/**
 * Writes the key. The ceremony must have been checked by `checkPtau`.
 *
 * Throws WrongFieldError, CircuitTooLargeError, EngineMemoryError, FileFormatError `key/malformed-ptau`, AbortedError, and
 * what a pool and the edge throw.
 */
export async function writeFreshKey(circuit: R1cs, edge: Phase2Edge): Promise<void> {
  const { info, read, write, signal, onProgress } = edge
  const { power, coefficients, sizes, at } = keyFile(circuit)
  const N = 2 ** power
  const nPublic = circuit.publicOutputs + circuit.publicInputs
  const size = N * POINT_BYTES.g1
  const combiner = openCombiner(3 * size + N * POINT_BYTES.g2, `phase 2 of 2^${power} rows`, edge)
  const { runtime, room, staging } = combiner
  const points = { tau: room, alpha: room + size, beta: room + 2 * size, tau2: room + 3 * size }
  const check = async (): Promise<void> => {
    await setImmediate()
    if (signal?.aborted) throw new AbortedError('the setup')
  }

  const section = (id: number, point: number): number =>
    info.sections.get(id)!.offset + point * FILE_BYTES[id === TAU.lagrange2 ? 'g2' : 'g1']
  const total = 4 * circuit.wires
  let done = 0

  try {
    const start = N - 1 // of a Lagrange block
    for (const [id, to, group] of [
      [TAU.lagrange1, points.tau, 'g1'],
      [TAU.lagrangeAlpha, points.alpha, 'g1'],
      [TAU.lagrangeBeta, points.beta, 'g1'],
      [TAU.lagrange2, points.tau2, 'g2'],
    ] as const)
      for (let i = 0; i < N; i += BLOCK) {
        const n = Math.min(BLOCK, N - i)
        const block = read(section(id, start + i), n * FILE_BYTES[group])
        importFinite(runtime, group, block, to + i * POINT_BYTES[group], staging)
        await check()
      }
    // the extra rows have the coefficient 1
    const matrices = columnsOf(circuit, circuit.coefficients.length)
    const digits = digitsOf([...circuit.coefficients, 1n])
    /** Bytes of sections 3 and 5 to 8, for the hash and for writing. */
    const sums = (group: Group, parts: readonly { matrix: 0 | 1 | 2; points: number }[]): Promise<Uint8Array> => {
      const all = parts.map(({ matrix, points }) => ({ matrix: matrices[matrix] as Columns, points }))
      return combiner.sums(group, digits, all, circuit.wires, (columns) => {
        done += columns
        onProgress?.(Math.min(done / total, 1))
      })
    }
    const a = await sums('g1', [{ matrix: 0, points: points.tau }])
    const b1 = await sums('g1', [{ matrix: 1, points: points.tau }])
    const b2 = await sums('g2', [{ matrix: 1, points: points.tau2 }])
    const k = await sums('g1', [
      { matrix: 0, points: points.beta },
      { matrix: 1, points: points.alpha },
      { matrix: 2, points: points.tau },
    ])
    const [ic, c] = [k.subarray(0, 64 * (nPublic + 1)), k.subarray(64 * (nPublic + 1))]
    writeSectionHeaders(write, at, sizes)
    const header = headerBytes(circuit, N)
    const [alpha1, beta1] = [TAU.alpha, TAU.beta].map((id) => read(section(id, 0), 64)) as [Uint8Array, Uint8Array]
    const beta2 = read(info.sections.get(TAU.beta2)!.offset, 128)
    const g1 = read(section(TAU.g1, 0), 64)
    const g2 = read(info.sections.get(3)!.offset, 128)
    const placed = [alpha1, beta1, beta2, g2, g1, g2]
    placed.reduce((offset, point) => {
      header.set(point, offset)
      return offset + point.length
    }, 84)
    write(at[2]!, header)
    for (const [id, bytes] of [
      [3, ic],
      [5, a],
      [6, b1],
      [7, b2],
      [8, c],
    ] as const)
      write(at[id]!, bytes)
    await writeCoefficients(circuit, coefficients, write, at[4]!, check)
    const hash = createHash('blake2b512')
    for (const point of placed) hashPoints(hash, runtime, point.length === 64 ? 'g1' : 'g2', point, staging)
    await hashList(hash, runtime, 'g1', ic, staging, check)
    await writeQuotientPoints(hash, runtime, edge, N, at[9]!, staging, check)
    for (const [group, bytes] of [
      ['g1', c],
      ['g1', a],
      ['g1', b1],
      ['g2', b2],
    ] as const)
      await hashList(hash, runtime, group, bytes, staging, check)
    const history = new Uint8Array(68)
    history.set(hash.digest())
    write(at[10]!, history)
  } finally {
    await combiner.close()
  }
}

/** Takes points of a ceremony into limbs. Throws FileFormatError for a point at infinity, which no ceremony has. */
function importFinite(runtime: Runtime, group: Group, bytes: Uint8Array, to: number, staging: number): void {
  const size = FILE_BYTES[group]
  for (let at = 0; at < bytes.length; at += size)
    if (isInfinity(bytes.subarray(at, at + size))) throw new FileFormatError('ptau', 'a point is at infinity')
  importPoints(runtime, group, bytes, to, staging)
}

/** Hashes points of a file as snarkjs does: plain numbers, big-endian, of G2 the imaginary parts first. */
function hashPoints(hash: Hash, runtime: Runtime, group: Group, points: Uint8Array, staging: number): void {
  const { kernels, words, bytes, slot } = runtime
  const size = FILE_BYTES[group]
  const step = 1024
  for (let from = 0; from < points.length; from += step * size) {
    const block = points.subarray(from, from + step * size)
    const count = block.length / size
    bytes.set(block, staging)
    const index = staging + block.length
    for (let i = 0; i < count; i++) {
      words[index / 4 + i] = i
      words[slot.outs / 4 + i] = slot.arena + i * POINT_BYTES[group]
    }
    kernels.fqImport!(slot.arena, staging, index, count, DEGREE[group], SHARED.fromFile)
    kernels.fqExport!(staging, slot.outs, count, DEGREE[group], SHARED.toPlain)
    const plain = bytes.slice(staging, staging + block.length)
    // reversing a whole coordinate also puts c1 before c0
    const coordinate = size / 2
    for (let at = 0; at < plain.length; at += coordinate) plain.subarray(at, at + coordinate).reverse()
    hash.update(plain)
  }
}

const count32 = (count: number): Uint8Array => {
  const bytes = new Uint8Array(4)
  viewOf(bytes).setUint32(0, count)
  return bytes
}

async function hashList(
  hash: Hash,
  runtime: Runtime,
  group: Group,
  points: Uint8Array,
  staging: number,
  check: () => Promise<void>,
): Promise<void> {
  const size = FILE_BYTES[group]
  hash.update(count32(points.length / size))
  for (let from = 0; from < points.length; from += BLOCK * size) {
    hashPoints(hash, runtime, group, points.subarray(from, from + BLOCK * size), staging)
    await check()
  }
}

/** Section 9, the odd points of the doubled domain; and into the hash the N - 1 points τ^(N+i) - τ^i. */
async function writeQuotientPoints(
  hash: Hash,
  runtime: Runtime,
  { info, read, write }: Phase2Edge,
  N: number,
  position: number,
  staging: number,
  check: () => Promise<void>,
): Promise<void> {
  const odd = info.sections.get(TAU.lagrange1)!.offset + 64 * (2 * N - 1)
  for (let i = 0; i < N; i += BLOCK) {
    const n = Math.min(BLOCK, N - i)
    const both = read(odd + 128 * i, 128 * n)
    const out = new Uint8Array(64 * n)
    for (let k = 0; k < n; k++) out.set(both.subarray(128 * k + 64, 128 * k + 128), 64 * k)
    write(position + 64 * i, out)
    await check()
  }
  hash.update(count32(N - 1))
  const { kernels, words, bytes, slot } = runtime
  const powers = info.sections.get(TAU.g1)!.offset
  const size = POINT_BYTES.g1
  for (let i = 0; i < N - 1; i += BLOCK / 2) {
    const n = Math.min(BLOCK / 2, N - 1 - i)
    const [low, high] = [slot.arena, slot.arena + n * size]
    importFinite(runtime, 'g1', read(powers + 64 * i, 64 * n), low, staging)
    importFinite(runtime, 'g1', read(powers + 64 * (N + i), 64 * n), high, staging)
    for (let k = 0; k < n; k++) {
      words[slot.list / 4 + 2 * k] = high + k * size
      words[slot.list / 4 + 2 * k + 1] = low + k * size + 1
      words[slot.outs / 4 + k] = high + k * size
    }
    if (addPairs(runtime, 'g1', n)) throw new FileFormatError('ptau', 'powers of tau repeat')
    for (let k = 0; k < n; k++) words[slot.outs / 4 + k] = high + k * size
    kernels.fqExport!(staging, slot.outs, n, 1, SHARED.toFile)
    hashPoints(hash, runtime, 'g1', bytes.slice(staging, staging + 64 * n), staging)
    await check()
  }
}
