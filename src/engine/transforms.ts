/**
 * From rows to the quotient: values of A and B at the rows, C = A·B there, then (A·B - C) at the odd points of the doubled
 * domain (groth16 of snarkjs: the points of H are Lagrange polynomials there). With a quotient key (`groth16/quotient.ts`) there
 * is no C, and A·B is wanted at some of these points only, those of the first pairs.
 *
 * Three passes over blocks that fit into a cache, each block a piece of work of its own:
 *
 *     rows      a block of rows in bit-reversed order, and the first levels of the inverse transforms
 *     columns   the last levels of the inverse transforms, whose results are coefficients in their natural order, and the
 *               first levels of the forward ones, which are those of the negacyclic transform mod X^N + 1: its values are
 *               at the odd powers of ψ
 *     results   the last levels of the forward transforms, and A·B - C
 *
 * Nothing is permuted: rows go in and results come out in bit-reversed order. Factors of N and of Montgomery forms are left
 * standing until the end: from plain integers a, b, with c = ab/R, results are N·a, N·b, N·ab/R, and
 * (ab/R - c·(NR)/R)·(R²/N²)/R is the plain value, without C as well.
 * @module
 */
import { ELEMENT, PAIR } from './kernels/field.ts'
import type { KeyLayout, ProofLayout } from './layout.ts'
import type { Windows } from './msm.ts'
import { POINT_BYTES, type Runtime } from './runtime.ts'
import { type CallSite, callFrom, callSite } from './stack.ts'

/** How a transform of 2^power elements is cut: pairs in a row of the matrix, rows, and pairs in a column. */
export type Cut = { readonly pairs: number; readonly rows: number; readonly length: number; readonly width: number }

/** Pairs in a row: three vectors of it take 120 KB. */
const LENGTH = 512

export function cutOf(power: number): Cut {
  const pairs = 2 ** (power - 1)
  // very large domains take longer rows, or their columns would be too long
  const length = Math.min(pairs, Math.max(LENGTH, 2 ** Math.floor((power - 1) / 2)))
  return { pairs, rows: pairs / length, length, width: Math.min(length, 8) }
}

/** Blocks that a pass consists of; of results only those that hold kept ones. */
export const passBlocks = ({ rows, length, width }: Cut, kept: number) => ({
  rows,
  columns: length / width,
  results: Math.ceil(kept / length),
})

export type Pass = keyof ReturnType<typeof passBlocks>

/** Blocks from `first` up to `end` of one pass. */
export function runPass(
  runtime: Runtime,
  key: KeyLayout,
  proof: ProofLayout,
  pass: Pass,
  first: number,
  end: number,
  vanishing: Uint32Array,
): void {
  const cut = cutOf(key.counts.power)
  for (let block = first; block < end; block++) {
    if (pass === 'rows') callFrom(sites.rows, cut.length, rowBlock, [runtime, key, proof, cut, block])
    else if (pass === 'columns') callFrom(sites.columns, cut.rows, columnBlock, [runtime, key, proof, cut, block])
    else callFrom(sites.results, cut.length, resultBlock, [runtime, key, proof, cut, block, vanishing])
  }
}

const sites: Readonly<Record<Pass, CallSite>> = { rows: callSite(), columns: callSite(), results: callSite() }

/** Addresses of a block of rows in the vectors, of which C may be missing. */
const rowsOf = ({ vectors }: ProofLayout, { length }: Cut, block: number) =>
  vectors.map((vector) => vector + PAIR * block * length) as [number, number, number?]

/** Values of the vectors at a block of rows. */
export function rowValues({ kernels }: Runtime, key: KeyLayout, proof: ProofLayout, cut: Cut, block: number): void {
  const { pairs, length } = cut
  const from = block * length
  const at = rowsOf(proof, cut, block)
  const matrices = [
    [key.startsA, key.entriesA],
    [key.startsB, key.entriesB],
  ] as const
  matrices.forEach(([starts, entries], m) => {
    for (const lane of [0, 1])
      kernels.frRows!(
        ...[starts + 4 * (from + lane * pairs), length, entries, key.doubles, key.elements],
        ...[proof.values, proof.wide, at[m]!, lane],
      )
  })
  if (at[2] !== undefined) kernels.frProducts!(at[2], at[0], at[1], length)
}

function rowBlock(runtime: Runtime, key: KeyLayout, proof: ProofLayout, cut: Cut, block: number): void {
  const { kernels } = runtime
  const { rows, length } = cut
  rowValues(runtime, key, proof, cut, block)
  const [a, b, c] = rowsOf(proof, cut, block)
  for (const vector of c === undefined ? [a, b] : [a, b, c])
    for (let half = 1; half < length; half *= 2) {
      const blocks = length / (2 * half)
      // a level with m blocks: those of lane 1 begin with the m/2-th
      const all = blocks * rows
      const twiddle = key.inverse + ELEMENT * block * blocks
      kernels.frInverse!(
        ...[vector, blocks, 2 * half * PAIR, 1, 0, half, half * PAIR, twiddle, twiddle + ELEMENT * all],
      )
    }
}

function columnBlock(
  { kernels }: Runtime,
  key: KeyLayout,
  proof: ProofLayout,
  { rows, length, width }: Cut,
  block: number,
): void {
  const rowBytes = length * PAIR
  for (const vector of proof.vectors) {
    const at = vector + PAIR * width * block
    const level = (name: 'frInverse' | 'frForward', half: number, twiddles: number): void => {
      const blocks = rows / (2 * half)
      kernels[name]!(
        ...[at, blocks, 2 * half * rowBytes, half, rowBytes, width, half * rowBytes],
        ...[twiddles, twiddles + ELEMENT * blocks],
      )
    }
    for (let half = 1; half < rows; half *= 2) level('frInverse', half, key.inverse)
    const lanes = (name: 'frInverseLanes' | 'frForwardLanes'): void => {
      const couples = Math.max(width / 2, 1)
      for (let row = 0; row < rows; row++)
        kernels[name]!(at + row * rowBytes, couples, width > 1 ? PAIR : 0, key.middle)
    }
    lanes('frInverseLanes')
    lanes('frForwardLanes')
    // a forward level with m blocks has its twiddles from the m-th on
    for (let half = rows / 2; half >= 1; half /= 2) level('frForward', half, key.forward + (ELEMENT * rows) / half)
  }
}

function resultBlock(
  runtime: Runtime,
  key: KeyLayout,
  proof: ProofLayout,
  cut: Cut,
  block: number,
  vanishing: Uint32Array,
): void {
  const { kernels, words } = runtime
  const { rows, length } = cut
  const { kept } = key.counts
  const from = block * length
  const [a, b, c] = rowsOf(proof, cut, block)
  for (const vector of c === undefined ? [a, b] : [a, b, c])
    for (let half = length / 2; half >= 1; half /= 2) {
      const blocks = length / (2 * half)
      const all = blocks * rows // of one lane: half of the level's
      const twiddle = key.forward + ELEMENT * (2 * all + block * blocks)
      kernels.frForward!(
        ...[vector, blocks, 2 * half * PAIR, 1, 0, half, half * PAIR, twiddle, twiddle + ELEMENT * all],
      )
    }
  const count = Math.min(length, kept - from)
  const places = [
    ...[key.unscale, proof.bias, proof.integers + 32 * from, proof.pointers + 4 * from],
    ...[key.h + POINT_BYTES.g1 * from, kept],
  ]
  if (c === undefined) kernels.frProductIntegers!(a, b, count, ...places)
  else kernels.frQuotientIntegers!(a, b, c, count, key.scale, ...places)
  for (const place of vanishing)
    if (place % kept >= from && place % kept < from + count)
      words.copyWithin((proof.integers + 32 * place) / 4, proof.bias / 4, proof.bias / 4 + 8)
}

/** Writes the bias of the windows that the sum over H will take. */
export function writeBias({ words }: Runtime, proof: ProofLayout, { bias }: Windows): void {
  for (let i = 0; i < 8; i++) words[proof.bias / 4 + i] = Number((bias >> BigInt(32 * i)) & 0xffffffffn)
}
