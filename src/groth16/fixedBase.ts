/**
 * Many multiples of a group's generator at once, on the wasm arithmetic that snarkjs loads (wasmcurves). Points come in
 * the form that key files hold: affine, Montgomery, little-endian; infinity is all zeros.
 *
 * Method: signed windows over a table of affine multiples (Brickell, Gordon, McCurley, Wilson 1992), sums in Jacobian
 * coordinates, one shared inversion per batch to make them affine.
 * @module
 */

import { Wasm, type WasmModule } from './wasm.ts'

export type Group = 'g1' | 'g2'

/** Size of an affine point in a key file. */
export const POINT_SIZE: Readonly<Record<Group, number>> = { g1: 64, g2: 128 }

/** What this module needs of a wasm curve. */
export type CurveWasm = {
  /** Of the wasm module built by wasmcurves for BN254, importing `env.memory`. */
  readonly module: WasmModule
  /** Initial content of a memory of this many pages: the first word is the first free address. */
  readonly generators: Readonly<Record<Group, number>>
}

const BATCH = 256
const SCALAR_BITS = 254

/** Window width that needs the fewest additions for `count` points, table included, at a table of a few megabytes. */
export function windowBits(group: Group, count: number): number {
  let [best, cost] = [2, Number.POSITIVE_INFINITY]
  for (let c = 2; c <= (group === 'g1' ? 13 : 12); c++) {
    const additions = Math.ceil((SCALAR_BITS + 1) / c) * (count + 1.3 * 2 ** (c - 1))
    if (additions < cost) [best, cost] = [c, additions]
  }
  return best
}

/**
 * A multiplier: 32-byte little-endian scalars, each below the group's order, to as many points.
 *
 * Not constant-time, like everything that runs on this arithmetic.
 */
export async function fixedBase(
  wasm: CurveWasm,
  group: Group,
  c: number,
): Promise<(scalars: Uint8Array) => Uint8Array<ArrayBuffer>> {
  const affine = POINT_SIZE[group]
  const jacobian = 1.5 * affine
  const windows = Math.ceil((SCALAR_BITS + 1) / c)
  const half = 2 ** (c - 1)
  const scratch = BATCH * affine // twice the inverses that one conversion to affine form holds
  const needed = windows * half * affine + BATCH * (jacobian + affine) + 2 * jacobian + scratch
  const memory = new Wasm.Memory({ initial: 2 * 25 + Math.ceil(needed / 65536) })
  const instance = await Wasm.instantiate(wasm.module, { env: { memory } })
  const exports = instance.exports as unknown as Readonly<Record<string, (...args: number[]) => number>>
  const call = (name: string) => exports[`${group}m_${name}`]!
  const [addMixed, subMixed, toAffine, batchToAffine] = [
    call('addMixed'),
    call('subMixed'),
    call('toAffine'),
    call('batchToAffine'),
  ]
  const [copy, double, zero] = [call('copy'), call('double'), call('zero')]

  const free = new Uint32Array(memory.buffer, 0, 1)
  let next = Math.ceil(free[0]! / 64) * 64
  const allocate = (size: number): number => {
    next += size
    return next - size
  }
  const table = allocate(windows * half * affine)
  const sums = allocate(BATCH * jacobian)
  const points = allocate(BATCH * affine)
  const [sum, base] = [allocate(jacobian), allocate(jacobian)]
  free[0] = next // the module's own scratch space begins here

  // table: 1 … half times 2^(c·w) · G for each window w
  copy(wasm.generators[group], sum)
  toAffine(sum, base)
  for (let w = 0; w < windows; w++) {
    zero(sum)
    for (let k = 0; k < half; ) {
      const count = Math.min(BATCH, half - k)
      for (let i = 0; i < count; i++) {
        addMixed(sum, base, sum)
        copy(sum, sums + i * jacobian)
      }
      batchToAffine(sums, count, table + (w * half + k) * affine)
      k += count
    }
    double(sum, sum)
    toAffine(sum, base)
  }

  const words = new Uint32Array(9)
  const bytes = new Uint8Array(words.buffer)
  const mask = 2 ** c - 1
  return (scalars) => {
    const count = scalars.length / 32
    const out = new Uint8Array(count * affine)
    for (let from = 0; from < count; from += BATCH) {
      const size = Math.min(BATCH, count - from)
      for (let i = 0; i < size; i++) {
        bytes.set(scalars.subarray(32 * (from + i), 32 * (from + i + 1)))
        const target = sums + i * jacobian
        zero(target)
        let carry = 0
        for (let w = 0; w < windows; w++) {
          const [at, offset] = [(c * w) >>> 5, (c * w) & 31]
          let digit = words[at]! >>> offset
          if (offset + c > 32) digit |= words[at + 1]! << (32 - offset)
          digit = (digit & mask) + carry
          carry = digit > half ? 1 : 0
          if (carry) digit -= 2 ** c
          if (digit > 0) addMixed(target, table + (w * half + digit - 1) * affine, target)
          else if (digit < 0) subMixed(target, table + (w * half - digit - 1) * affine, target)
        }
      }
      batchToAffine(sums, size, points)
      out.set(new Uint8Array(memory.buffer, points, size * affine), from * affine)
    }
    words.fill(0)
    new Uint8Array(memory.buffer, sums, BATCH * jacobian).fill(0)
    return out
  }
}
