/**
 * BN254 as Groth16's files write it: constants, numbers as bytes, points in Montgomery form.
 * @module
 */
import { Fr } from '../../circuits/field.ts'
import type { G1, G2 } from './keys.ts'

/** Order of the base field, where coordinates live (EIP-196). */
export const Q = 21888242871839275222246405745257275088696311157297823662689037894645226208583n

/** Order of the groups and of the scalar field, where witnesses live (EIP-196). */
export const R = Fr.p

/** r - 1 is divisible by 2²⁸ and by no higher power of two: the largest evaluation domain. */
export const MAX_POWER = 28

/** 5^((r-1)/2²⁸), the root of unity of order 2²⁸ that snarkjs' files are written for. */
const ROOT = 19103219067921713944291392827692070036145651957329286315305642004821462161904n

/** Generator of the subgroup of order 2^power, 0 ≤ power ≤ 28. */
export function rootOfUnity(power: number): bigint {
  let root = ROOT
  for (let k = MAX_POWER; k > power; k--) root = (root * root) % R
  return root
}

/** base^exponent in the scalar field, exponent ≥ 0. */
export function powR(base: bigint, exponent: bigint): bigint {
  let [result, square] = [1n, base % R]
  for (let e = exponent; e > 0n; e >>= 1n) {
    if (e & 1n) result = (result * square) % R
    square = (square * square) % R
  }
  return result
}

/** 2²⁵⁶ mod q and its inverse: the Montgomery factor of coordinates. */
const MONTGOMERY = (1n << 256n) % Q
const MONTGOMERY_INVERSE = (() => {
  let [result, square] = [1n, MONTGOMERY]
  for (let e = Q - 2n; e > 0n; e >>= 1n) {
    if (e & 1n) result = (result * square) % Q
    square = (square * square) % Q
  }
  return result
})()

/** 2⁵¹² mod r: coefficients of a .zkey are stored times this. */
export const DOUBLE_MONTGOMERY = (1n << 512n) % R

export const viewOf = (bytes: Uint8Array): DataView =>
  new DataView(bytes.buffer as ArrayBuffer, bytes.byteOffset, bytes.byteLength)

/** 32 bytes, least significant first, as an integer in [0, 2²⁵⁶). */
export const readLE32 = (view: DataView, offset: number): bigint =>
  (view.getBigUint64(offset + 24, true) << 192n) |
  (view.getBigUint64(offset + 16, true) << 128n) |
  (view.getBigUint64(offset + 8, true) << 64n) |
  view.getBigUint64(offset, true)

/** Writes an integer of [0, 2²⁵⁶) as 32 bytes, least significant first. */
export function writeLE32(view: DataView, offset: number, value: bigint): void {
  view.setBigUint64(offset, BigInt.asUintN(64, value), true)
  view.setBigUint64(offset + 8, BigInt.asUintN(64, value >> 64n), true)
  view.setBigUint64(offset + 16, BigInt.asUintN(64, value >> 128n), true)
  view.setBigUint64(offset + 24, value >> 192n, true)
}

/** The same as bytes of their own. */
export function le32(value: bigint): Uint8Array {
  const bytes = new Uint8Array(32)
  writeLE32(viewOf(bytes), 0, value)
  return bytes
}

/** A coordinate in Montgomery form as a plain integer of [0, q); undefined if it is not below q. */
function coordinate(view: DataView, offset: number): bigint | undefined {
  const value = readLE32(view, offset)
  return value < Q ? (value * MONTGOMERY_INVERSE) % Q : undefined
}

/** Reads 64 bytes of a key file; infinity comes as (0, 0). Undefined for a coordinate ≥ q. No check of the curve. */
export function readG1(view: DataView, offset: number): G1 | undefined {
  const [x, y] = [coordinate(view, offset), coordinate(view, offset + 32)]
  return x === undefined || y === undefined ? undefined : { x, y }
}

/** Reads 128 bytes of a key file; infinity comes as zeros. Undefined for a coordinate ≥ q. No check of the curve. */
export function readG2(view: DataView, offset: number): G2 | undefined {
  const [x0, x1] = [coordinate(view, offset), coordinate(view, offset + 32)]
  const [y0, y1] = [coordinate(view, offset + 64), coordinate(view, offset + 96)]
  if (x0 === undefined || x1 === undefined || y0 === undefined || y1 === undefined) return undefined
  return { x: [x0, x1], y: [y0, y1] }
}
