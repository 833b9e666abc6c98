import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { bn254 } from '@noble/curves/bn254.js'
import { describe, expect, test } from 'vitest'
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
