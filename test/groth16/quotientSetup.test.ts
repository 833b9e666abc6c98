import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { bn254 } from '@noble/curves/bn254.js'
import { describe, expect, test } from 'vitest'
import { digitsOf } from '../../src/engine/columns.ts'
import { BETA, halves, LAMBDA } from '../../src/engine/glv.ts'
import { Q, R } from '../../src/groth16/bn254.ts'
import { readZkey } from '../../src/groth16/zkey.ts'
import { setupQuotient } from '../../src/workers/quotientSetup.ts'
import { edgeCircuits, randomCircuit } from '../engine/circuits.ts'
import { bigintegers, devKeys } from '../engine/support.ts'
import { cube, empty, layer } from './circuits.ts'
import { codeOf, temporaryFolder } from './tools.ts'

const folder = temporaryFolder()

describe('the quotient key from the points of a .zkey', () => {
  test.each([
    { name: 'cube', circuit: cube() },
    { name: 'nothing', circuit: empty(0) },
    { name: 'layer', circuit: layer(4, 3) },
    ...edgeCircuits().filter((_, i) => i % 3 === 0),
    randomCircuit(1),
  ])('is that of the secrets, bit by bit: $name', async ({ name, circuit }) => {
    const { zkey, qkey } = await devKeys(circuit)
    const path = join(folder, `${name}.qkey`)
    await setupQuotient(circuit, readZkey(zkey), { path, threads: 1 })
    expect(Buffer.compare(readFileSync(path), qkey)).toBe(0)
  })
})

test('with any number of threads, telling how far it is', async () => {
  const circuit = layer(4, 3)
  const { zkey, qkey } = await devKeys(circuit)
  const path = join(folder, 'threads.qkey')
  const seen: number[] = []
  await setupQuotient(circuit, readZkey(zkey), { path, threads: 2, onProgress: (fraction) => seen.push(fraction) })
  expect(Buffer.compare(readFileSync(path), qkey)).toBe(0)
  expect(seen).toEqual([...seen].sort((a, b) => a - b))
  expect(seen.at(-2)).toBeGreaterThan(0.95)
  expect(seen.at(-1)).toBe(1)
})

test('of another circuit, with broken points, or when asked to stop there is none', async () => {
  const circuit = layer(4, 3)
  const { zkey } = await devKeys(circuit)
  const path = join(folder, 'none.qkey')
  const options = { path, threads: 1 }
  expect(await codeOf(() => setupQuotient(cube(), readZkey(zkey), options))).toBe('key/other-circuit')
  const stop = new AbortController()
  const aborted = { ...options, signal: stop.signal, onProgress: () => stop.abort() }
  expect(await codeOf(() => setupQuotient(circuit, readZkey(zkey), aborted))).toBe('aborted/by-caller')
  // all points of H at infinity: nothing weighs anything
  const empty = zkey.slice()
  readZkey(empty).sections.get(9)!.fill(0)
  expect(await codeOf(() => setupQuotient(circuit, readZkey(empty), options))).toBe('key/malformed')
  expect(existsSync(path)).toBe(false)
})

test('says what is wrong, not that the other threads ended because of it', async () => {
  const circuit = layer(10, 12)
  const { zkey } = await devKeys(circuit)
  const { sections, domainSize } = readZkey(zkey)
  const h = sections.get(9)!
  const i = domainSize / 2 - 3
  h.fill(0, 64 * i, 64 * (i + 1))
  h.fill(0, 64 * (i + domainSize / 2) + 32, 64 * (i + domainSize / 2 + 1)) // y = 0: it is to be multiplied, late in the list
  const options = { path: join(folder, 'bad.qkey'), threads: 2 }
  expect(await codeOf(() => setupQuotient(circuit, readZkey(zkey), options))).toBe('key/malformed')
})

test('digits are those of non-adjacent forms', () => {
  const random = bigintegers(3)
  const edges = [0n, 1n, 3n, 2n ** 31n, 2n ** 32n - 1n, 2n ** 32n, 2n ** 64n - 1n, R - 1n]
  const values = [...edges, ...Array.from({ length: 500 }, (_, i) => random(1 + (i % 254)))].flatMap((v) => [v, -v])
  const { starts, digits } = digitsOf(values)
  values.forEach((value, i) => {
    const list = Array.from(digits.subarray(starts[i], starts[i + 1]))
    const sum = list.reduce((total, digit) => total + (digit & 1 ? -1n : 1n) * 2n ** BigInt(digit >> 1), 0n)
    expect(sum).toBe(value)
    list.forEach((digit, k) => {
      if (k > 0) expect(digit >> 1).toBeGreaterThan((list[k - 1]! >> 1) + 1)
    })
  })
})

test('a factor is split into halves that make it up', () => {
  expect(LAMBDA ** 3n % R).toBe(1n)
  const random = bigintegers(7)
  const edges = [0n, 1n, R - 1n, R / 2n, LAMBDA, R - LAMBDA, LAMBDA - 1n, LAMBDA + 1n]
  for (const k of [...edges, ...Array.from({ length: 1000 }, () => random(254) % R)]) {
    const [k1, k2] = halves(k)
    expect((k1 + k2 * LAMBDA - k) % R).toBe(0n)
    for (const half of [k1, k2]) expect(half < 0n ? -half : half).toBeLessThan(2n ** 128n)
  }
  const { Point } = bn254.G1
  const { x, y } = Point.BASE.multiply(5n).toAffine()
  expect(Point.BASE.multiply((5n * LAMBDA) % R).toAffine()).toEqual({ x: (BETA * x) % Q, y })
})
