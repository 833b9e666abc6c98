/**
 * Known answers, asked of the kernels before any key: a wrong compiler or processor must not go unnoticed, and what is
 * asked often is compiled well afterwards.
 * @module
 */
import { bn254 } from '@noble/curves/bn254.js'
import { VeritensorError } from '../errors.ts'
import { Q, R } from '../groth16/bn254.ts'
import { weightedSum } from './assemble.ts'
import { invert } from './kernels/field.ts'
import { type Msm, multiScalar, windowsOf } from './msm.ts'
import { montgomeryOf, POINT_BYTES, type Runtime, readInteger, SHARED, writeInteger } from './runtime.ts'

/** The kernels compute wrongly on this machine. */
export class SelfTestError extends VeritensorError {
  constructor(what: string) {
    super('environment/engine-self-test', `the proving kernels compute wrongly here: ${what}`, {
      fix: 'Set VERITENSOR_ENGINE=int or snarkjs, and please report the processor and the version of Node.',
    })
  }
}

/** Throws SelfTestError. Uses the memory from `room` on: a few kilobytes. */
export function selfTest(runtime: Runtime, room: number): void {
  products(runtime, room)
  sums(runtime, room)
}

/** A chain of products from edge values, whose end depends on every step. */
function products({ kernels, words, variant }: Runtime, room: number): void {
  const [x, y, z, bytes] = [room, room + 80, room + 160, room + 256]
  for (const [name, p] of [
    ['fq', Q],
    ['fr', R],
  ] as const) {
    const inverse = invert(montgomeryOf(variant), p)
    let [a, b] = [p - 1n, (p + 1n) / 2n]
    const put = (address: number, value: bigint): void => {
      writeInteger(words, bytes, value)
      kernels[`${name}Set`]!(address, bytes)
    }
    put(x, a)
    put(y, b)
    for (let i = 0; i < 200; i++) {
      // y = (x + xy)(y - xy), then x = (xy)² + (xy)·y
      kernels[`${name}Mul`]!(z, x, y)
      kernels[`${name}Add`]!(x, x, z)
      kernels[`${name}Sub`]!(y, y, z)
      kernels[`${name}Mul`]!(y, x, y)
      kernels[`${name}MulAdd`]!(x, z, z, z, y)
      const product = (a * b * inverse) % p
      b = ((((((a + product) * (b - product)) % p) * inverse) % p) + p) % p
      a = (product * (product + b) * inverse) % p
    }
    kernels[`${name}Mul`]!(x, x, name === 'fq' ? SHARED.toPlain : SHARED.scalarToPlain)
    a = (a * inverse) % p
    for (const lane of [0, 1]) {
      kernels[`${name}ToBytes`]!(x, lane, bytes)
      if (readInteger(words, bytes) !== a) throw new SelfTestError(`products in ${name}, lane ${lane}`)
    }
  }
}

/** Alternating multiples of one point in both groups: equal and opposite points meet all the time. */
function sums(runtime: Runtime, room: number): void {
  const { kernels, words } = runtime
  const count = 24
  const generators = {
    g1: [1n, 2n],
    g2: (({ x, y }) => [x.c0, x.c1, y.c0, y.c1])(bn254.G2.Point.BASE.toAffine()),
  }
  for (const group of ['g1', 'g2'] as const) {
    const [point, pointers, integers] = [room, room + 512, room + 1024]
    const from = room + 2048
    generators[group].forEach((value, i) => {
      writeInteger(words, from + 32 * i, value)
    })
    words[pointers / 4] = 0
    kernels.fqImport!(point, from, pointers, 1, POINT_BYTES[group] / 80, SHARED.fromPlain)
    const windows = windowsOf(64, 5)
    let expected = 0n
    for (let i = 0; i < count; i++) {
      const k = (0x9e3779b97f4a7c15n * BigInt(i + 1)) & ((1n << 64n) - 1n)
      writeInteger(words, integers + 32 * i, k + windows.bias)
      words[pointers / 4 + i] = point | (i & 1)
      expected += i & 1 ? -k : k
    }
    const msm: Msm = {
      ...{ group, integers, stride: 32, pointers, count, windows },
      ...{ firstWindow: 0, windowCount: windows.count, multiples: 0 },
    }
    const sum = multiScalar(runtime, msm)
    const multiple = ((expected % R) + R) % R
    const right =
      group === 'g1'
        ? weightedSum.g1([sum]).equals(bn254.G1.Point.BASE.multiplyUnsafe(multiple))
        : weightedSum.g2([sum]).equals(bn254.G2.Point.BASE.multiplyUnsafe(multiple))
    if (!right) throw new SelfTestError(`sums in ${group}`)
  }
}
