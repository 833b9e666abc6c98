import { getRandomValues } from 'node:crypto'
import { bn254 } from '@noble/curves/bn254.js'
import type { Circuit } from '../../circuits/circuit.ts'
import type { Witness } from '../../circuits/solve.ts'
import { assembleProof, type Blinding, keyPoints } from '../../src/engine/assemble.ts'
import { MULTIPLES, makeTables, multiples, type Tables } from '../../src/engine/fixedBase.ts'
import type { Variant } from '../../src/engine/kernels/build.ts'
import { invert } from '../../src/engine/kernels/field.ts'
import { split } from '../../src/engine/kernels/fma.ts'
import { intLimbs } from '../../src/engine/kernels/int.ts'
import { proofSums } from '../../src/engine/prove.ts'
import {
  DEGREE,
  type Group,
  montgomeryOf,
  openRuntime,
  POINT_BYTES,
  type Runtime,
  readInteger,
  SHARED,
  SLOT_BYTES,
  writeInteger,
  writeShared,
} from '../../src/engine/runtime.ts'
import { openSession } from '../../src/engine/session.ts'
import { chooseEngine, kernelModule } from '../../src/engine/variant.ts'
import { Q, R } from '../../src/groth16/bn254.ts'
import { drawSecrets, type Secrets, writeDevKey } from '../../src/groth16/devSetup.ts'
import type { Proof } from '../../src/groth16/keys.ts'
import { readQuotientKey } from '../../src/groth16/qkey.ts'
import type { R1cs } from '../../src/groth16/r1cs.ts'
import { Wasm } from '../../src/groth16/wasm.ts'
import { readZkey } from '../../src/groth16/zkey.ts'
import { integers } from '../groth16/circuits.ts'

/** Variants that this machine runs. */
export const variants: readonly Variant[] = chooseEngine('') === 'fma' ? ['fma', 'int'] : ['int']

/** Free memory of a test's runtime. */
export const ROOM = 1 << 20

/** A runtime with `bytes` of room for the test. */
export function testRuntime(variant: Variant, bytes = 1 << 20): Runtime {
  const base = ROOM + bytes
  const memory = new Wasm.Memory({ initial: Math.ceil((base + SLOT_BYTES) / 65536), maximum: 65536, shared: true })
  const runtime = openRuntime(variant, kernelModule(variant), memory, base)
  writeShared(runtime, R)
  return runtime
}

/** Pseudorandom integers of up to `bits` bits, from a seed; a third of them near edges of limbs. */
export function bigintegers(seed: number): (bits: number) => bigint {
  const random = integers(seed)
  return (bits) => {
    let value = 0n
    for (let i = 0; i < bits; i += 16) value = (value << 16n) | BigInt(random(65536))
    value &= (1n << BigInt(bits)) - 1n
    if (random(3) > 0) return value
    // a power of two, a word of ones, and neighbours
    const edge = (1n << BigInt(random(bits))) - BigInt(random(2)) * (1n << BigInt(random(bits)))
    return edge < 0n ? -edge : edge
  }
}

export const fields = [
  ['fq', Q],
  ['fr', R],
] as const

/** Numbers at which arithmetic is most likely to go wrong. */
export const edges = (p: bigint): bigint[] => [
  ...[0n, 1n, 2n, p - 1n, p - 2n, (p - 1n) / 2n, (p + 1n) / 2n],
  ...[50n, 51n, 102n, 153n, 204n, 29n, 58n, 232n].flatMap((bit) => [(1n << bit) - 1n, 1n << bit]),
]

const mod = (x: bigint, p: bigint): bigint => ((x % p) + p) % p

/**
 * Compares every operation of a field with bigints, on `count` pairs of inputs each, and products of operands whose limbs are
 * at their bounds. Returns what differs.
 */
export function fieldDifferences(runtime: Runtime, name: 'fq' | 'fr', p: bigint, count: number): string[] {
  const { kernels, words, variant } = runtime
  const factor = montgomeryOf(variant)
  const inverse = invert(factor, p)
  const random = bigintegers(1)
  const special = edges(p)
  const [X, Y, U, V, Z, W] = [0, 1, 2, 3, 4, 5].map((i) => ROOM + 80 * i) as [
    ...[number, number, number, number, number, number],
  ]
  const bytes = ROOM + 1024
  const call = (operation: string, ...operands: number[]): number => kernels[name + operation]!(...operands)
  const put = (at: number, a: bigint, b: bigint): void => {
    writeInteger(words, bytes, a)
    writeInteger(words, bytes + 32, b)
    call('FromBytes', at, bytes, bytes + 32)
  }
  const read = (at: number): bigint[] =>
    [0, 1].map((lane) => {
      call('ToBytes', at, lane, bytes)
      return readInteger(words, bytes)
    })
  const differences: string[] = []
  const expect = (what: string, got: readonly bigint[], want: readonly bigint[]): void => {
    const residues = want.map((value) => mod(value, p))
    if (String(got) !== String(residues)) differences.push(`${variant} ${name} ${what}: ${got} instead of ${residues}`)
  }
  // lazy and reduced results are seen through a product with 1
  const seen = (at: number): bigint[] => {
    put(W, factor % p, factor % p)
    call('Mul', W, at, W)
    return read(W)
  }
  for (let i = 0; i < count; i++) {
    const pick = (): bigint => (i % 3 === 0 ? special[Number(random(16)) % special.length]! % p : random(254) % p)
    const [a, b, c, d, e, f, g, h] = Array.from({ length: 8 }, pick) as [
      ...[bigint, bigint, bigint, bigint, bigint, bigint, bigint, bigint],
    ]
    put(X, a, b)
    put(Y, c, d)
    put(U, e, f)
    put(V, g, h)
    call('Mul', Z, X, Y)
    expect('mul', read(Z), [a * c * inverse, b * d * inverse])
    call('Sqr', Z, X)
    expect('sqr', read(Z), [a * a * inverse, b * b * inverse])
    call('MulAdd', Z, X, Y, U, V)
    expect('mulAdd', read(Z), [(a * c + e * g) * inverse, (b * d + f * h) * inverse])
    call('MulSub', Z, X, Y, U, V)
    expect('mulSub', read(Z), [(a * c - e * g) * inverse, (b * d - f * h) * inverse])
    for (const [operation, sum, difference] of [
      ['Add', a + c, b + d],
      ['Sub', a - c, b - d],
      ['AddReduce', a + c, b + d],
      ['SubReduce', a - c, b - d],
    ] as const) {
      call(operation, Z, X, Y)
      expect(operation, seen(Z), [sum, difference])
    }
    // lazy operands on both sides, and the longest sums that are allowed
    call('Add', Z, X, Y)
    call('Sub', W, U, V)
    call('Mul', Z, Z, W)
    expect('(a+c)(e-g)', read(Z), [(a + c) * (e - g) * inverse, (b + d) * (f - h) * inverse])
    call('Sub', Z, X, Y)
    call('MulSub', Z, Z, U, V, X)
    expect('(a-c)e-ga', read(Z), [((a - c) * e - g * a) * inverse, ((b - d) * f - h * b) * inverse])
    const [v, w] = [Number(random(53)), -Number(random(53))]
    call('FromDouble', Z, 0, v)
    call('FromDouble', Z, 1, w)
    expect('fromDouble', seen(Z), [BigInt(v), BigInt(w)])
    extremes(i)
  }
  /** Limbs at the ends of their ranges, which no residue need have. */
  function extremes(i: number): void {
    const signs = Array.from({ length: 20 }, (_, k) => Number((random(20) >> BigInt(k)) & 1n))
    const values: bigint[] = []
    for (const [k, at] of [X, X, Y, Y].entries()) {
      const lane = k % 2
      const limbs = Array.from({ length: 5 }, (_, j) => signs[5 * k + j]!)
      if (variant === 'int') {
        // any integer below 8p, carried
        const value = (limbs.reduce((sum, bit) => 2n * sum + BigInt(bit), 0n) * p) / 4n + BigInt(i)
        intLimbs(value).forEach((limb, j) => {
          words[(at + 40 * lane) / 4 + j] = limb
        })
        values.push(value)
      } else {
        // low limbs of ±2⁵⁰, or ±2⁵¹ for the lazy second operand; the value within ±1.3 p
        const size = at === X ? 2 ** 50 : 2 ** 51
        const top = split(p)[4]! * (at === X ? 0.6 : 1.2)
        const numbers = limbs.map((bit, j) => (bit ? 1 : -1) * (j < 4 ? size : Math.floor(top)))
        numbers.forEach((limb, j) => {
          runtime.doubles[(at + 8 * lane) / 8 + 2 * j] = limb
        })
        values.push(numbers.reduceRight((sum, limb) => (sum << 51n) + BigInt(limb), 0n))
      }
    }
    call('Mul', Z, X, Y)
    expect('product of extreme limbs', read(Z), [values[0]! * values[2]! * inverse, values[1]! * values[3]! * inverse])
  }
  return differences
}

type Curve = typeof bn254.G1.Point
/** Reference arithmetic of a group; both have the same methods. */
export const curves: Readonly<Record<Group, Curve>> = {
  g1: bn254.G1.Point,
  g2: bn254.G2.Point as unknown as Curve,
}
export type CurvePoint = InstanceType<Curve>

/** The coordinates of a point: two, or four. */
export function coordinates(group: Group, point: CurvePoint): bigint[] {
  const { x, y } = point.toAffine() as unknown as { x: never; y: never }
  type Pair = { c0: bigint; c1: bigint }
  return group === 'g1' ? [x, y] : [(x as Pair).c0, (x as Pair).c1, (y as Pair).c0, (y as Pair).c1]
}

/** Writes points in limbs from `to` on; `staging` is overwritten. */
export function writePoints(
  { kernels, words }: Runtime,
  group: Group,
  points: readonly CurvePoint[],
  to: number,
  staging: number,
): void {
  words[staging / 4] = 0
  points.forEach((point, i) => {
    coordinates(group, point).forEach((value, k) => {
      writeInteger(words, staging + 64 + 32 * k, value)
    })
    kernels.fqImport!(to + POINT_BYTES[group] * i, staging + 64, staging, 1, DEGREE[group], SHARED.fromPlain)
  })
}

/** A development key and its quotient key, made on this thread. */
export async function devKeys(
  circuit: R1cs,
  secrets: Secrets = drawSecrets((b) => getRandomValues(b)),
): Promise<{ readonly zkey: Uint8Array; readonly qkey: Uint8Array }> {
  tables ??= makeTables(variants[0]!, kernelModule(variants[0]!), 1)
  const { variant, module, memory, slots, tables: at } = tables
  thread ??= openRuntime(variant, module, memory, slots[0]!)
  const [zkey, qkey] = [growing(), growing()]
  await writeDevKey(circuit, secrets, {
    blocks: MULTIPLES,
    multiply: async (group, scalars) => multiples(thread!, at[group], group, scalars),
    write: zkey.write,
    writeQuotient: qkey.write,
  })
  return { zkey: zkey.bytes(), qkey: qkey.bytes() }
}

/** A development key alone. */
export const devKey = async (circuit: R1cs, secrets?: Secrets): Promise<Uint8Array> =>
  (await devKeys(circuit, secrets)).zkey

/** A file in memory that is as long as what was written. */
function growing() {
  let file = new Uint8Array(0)
  return {
    bytes: () => file,
    write(position: number, bytes: Uint8Array): void {
      if (position + bytes.length > file.length) {
        const longer = new Uint8Array(position + bytes.length)
        longer.set(file)
        file = longer
      }
      file.set(bytes, position)
    },
  }
}
let tables: Tables | undefined
let thread: Runtime | undefined

/** A session of one thread for about `expected` proofs, and that thread: this one. */
export async function openDirect(
  zkey: Uint8Array,
  variant: Variant,
  circuit?: Pick<Circuit, 'wideWire'>,
  expected = 1,
  qkey?: Uint8Array,
) {
  const key = readZkey(zkey)
  const session = await openSession({
    ...{ key, variant, threads: 1, proofs: 1, wideWire: circuit?.wideWire, expected },
    quotientKey: qkey && readQuotientKey(qkey, key),
  })
  const { layout, module, memory } = session
  const runtime = openRuntime(variant, module, memory, layout.slots[0]!)
  const points = keyPoints(session.header, key.verifyingKey)
  return {
    key,
    session,
    runtime,
    prove: (witness: Witness, blinding: Blinding): Proof =>
      assembleProof(
        ...([runtime, layout.key, points] as const),
        proofSums(runtime, session.plan, layout.key, layout.proofs[0]!, witness),
        blinding,
      ),
  }
}
