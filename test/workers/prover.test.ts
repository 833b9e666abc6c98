import { execFile } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, describe, expect, test } from 'vitest'
import { Fr } from '../../circuits/field.ts'
import { verifierOf } from '../../src/groth16/verify.ts'
import { readZkey } from '../../src/groth16/zkey.ts'
import { setupDev } from '../../src/workers/devSetup.ts'
import { readShared } from '../../src/workers/files.ts'
import { openProver } from '../../src/workers/prover.ts'
import { cube, layer, layerInputs } from '../groth16/circuits.ts'
import { codeOf, flipBit, temporaryFolder } from '../groth16/tools.ts'

const folder = temporaryFolder()
const path = join(folder, 'layer.zkey')
const circuit = layer(10, 12)
await setupDev(circuit, { path, threads: 2 })

describe('a prover', async () => {
  const prover = await openProver({ circuit, zkey: readShared(path), threads: 2, maxQueue: 2 })
  afterAll(() => prover.close())
  const check = verifierOf(prover.verifyingKey)

  test('proves many inputs at a time, each for itself', async () => {
    const many = [3, 4, 5, 6, 7].map((seed) => layerInputs(10, seed))
    const results = await Promise.all(many.map((inputs) => prover.prove(inputs, { whenFull: 'wait' })))
    for (const { proof, publicSignals } of results) expect(check(publicSignals, proof)).toBe(true)
    // after the output comes the first input, which is public
    expect(results.map((r) => r.publicSignals[1])).toEqual(many.map(([first]) => Fr.mod(BigInt(first!))))
    expect(new Set(results.map((r) => r.publicSignals[0])).size).toBe(5)
    expect(check(results[0]!.publicSignals, results[1]!.proof)).toBe(false)
  })

  test('two proofs of one input differ: they are zero-knowledge', async () => {
    const inputs = layerInputs(10)
    const [a, b] = await Promise.all([prover.prove(inputs), prover.prove(inputs)])
    expect(a.publicSignals).toEqual(b.publicSignals)
    expect(a.proof).not.toEqual(b.proof)
  })

  test.each(['throughput', 'latency'] as const)('reports progress that grows from 0 to 1: %s', async (mode) => {
    const seen: [number, string][] = []
    const { stats } = await prover.prove(layerInputs(10), {
      mode,
      onProgress: (fraction, phase) => seen.push([fraction, phase]),
    })
    const fractions = seen.map(([fraction]) => fraction)
    expect([fractions[0], fractions.at(-1)]).toEqual([0, 1])
    expect(fractions.every((f, i) => i === 0 || f > fractions[i - 1]!)).toBe(true)
    // in latency mode the sums over A, B and C fill gaps
    const phases = ['witness', 'rows', 'polynomials', 'sum A', 'sum B1', 'sum B2', 'sum C', 'sum H', 'done']
    // word of the check, which takes a millisecond, may come after the proof, and is not told then
    const reported = [...new Set(seen.map(([, phase]) => phase))].filter((phase) => phase !== 'check')
    expect(mode === 'throughput' ? reported : reported.sort()).toEqual(mode === 'throughput' ? phases : phases.sort())
    for (const ms of Object.values(stats)) expect(ms).toBeGreaterThan(0)
  })

  test('says what is wrong with inputs', async () => {
    const inputs = layerInputs(10)
    expect(await codeOf(() => prover.prove(inputs.slice(1)))).toBe('input/count')
    expect(await codeOf(() => prover.prove(inputs.with(3, 200)))).toBe('input/out-of-range')
    expect(await codeOf(() => prover.prove(inputs.with(3, 0.5)))).toBe('input/not-an-integer')
  })

  test('stops a proof when asked to, and makes the next one', async () => {
    const abort = new AbortController()
    const code = await codeOf(() =>
      prover.prove(layerInputs(10), {
        signal: abort.signal,
        onProgress: (_, phase) => phase === 'rows' && abort.abort(),
      }),
    )
    expect(code).toBe('aborted/by-caller')
    const { proof, publicSignals } = await prover.prove(layerInputs(10))
    expect(check(publicSignals, proof)).toBe(true)
  })

  test('refuses more than the queue holds', async () => {
    const calls = Array.from({ length: 6 }, () => codeOf(() => prover.prove(layerInputs(10))))
    expect(await Promise.all(calls)).toEqual([...Array(4).fill('nothing thrown'), ...Array(2).fill('limit/queue-full')])
  })
})

test('a witness that breaks a row is refused by name of the row, not proven', async () => {
  await setupDev(cube(), { path: join(folder, 'cube.zkey'), threads: 1 })
  const prover = await openProver({ circuit: cube(), zkey: readShared(join(folder, 'cube.zkey')), threads: 1 })
  const error = await prover.prove([28, 3]).catch((e: unknown) => e)
  expect(error).toMatchObject({ code: 'circuit/unsatisfied', details: { row: 1 } })
  await prover.close()
})

describe('keys', () => {
  const good = Uint8Array.from(readFileSync(path))

  test('that are truncated, of another circuit or unreadable are refused before any proof', async () => {
    const open = (zkey: Uint8Array, of = circuit) => codeOf(() => openProver({ circuit: of, zkey, threads: 1 }))
    expect(await open(good.subarray(0, good.length / 2))).toBe('key/malformed-zkey')
    expect(await open(new Uint8Array())).toBe('key/malformed-zkey')
    expect(await open(good, cube())).toBe('key/other-circuit')
    expect(await codeOf(() => readShared(join(folder, 'none.zkey')))).toBe('input/unreadable-file')
  })

  test('with wrong points make no proof that leaves the prover', async () => {
    const { sections } = readZkey(good)
    for (const id of [5, 7, 9]) {
      const section = sections.get(id)!
      // the point of the constant, whose value is 1, or the first of H
      const zkey = flipBit(good, 8 * (section.byteOffset + 3))
      const prover = await openProver({ circuit, zkey, threads: 1 })
      expect(await codeOf(() => prover.prove(layerInputs(10)))).toBe('key/corrupt')
      await prover.close()
    }
  })

  test('with a point that is its own opposite make none either, nor does a key at an odd address', async () => {
    const at = readZkey(good).sections.get(5)!.byteOffset - good.byteOffset
    const odd = Buffer.concat([new Uint8Array(1), good]).subarray(1)
    const prover = await openProver({ circuit, zkey: odd, threads: 1 })
    expect(await codeOf(() => prover.prove(layerInputs(10)))).toBe('nothing thrown')
    await prover.close()
    const zkey = good.slice()
    zkey.fill(0, at + 32, at + 64)
    const other = await openProver({ circuit, zkey, threads: 1 })
    expect(await codeOf(() => other.prove(layerInputs(10)))).toBe('key/corrupt')
    await other.close()
  })

  test('with a wrong point that the first proof does not need: found by checks of every proof', async () => {
    const cubePath = join(folder, 'cube.zkey')
    await setupDev(cube(), { path: cubePath, threads: 1 })
    const right = readShared(cubePath)
    // A's point of x, the wire after the constant and the public y
    const zkey = flipBit(right, 8 * (readZkey(right).sections.get(5)!.byteOffset + 2 * 64))
    for (const checks of ['every', 'first'] as const) {
      const prover = await openProver({ circuit: cube(), zkey, threads: 1, checks })
      const check = verifierOf(prover.verifyingKey)
      const { proof, publicSignals } = await prover.prove([0, 0])
      expect(check(publicSignals, proof)).toBe(true)
      const second = prover.prove([27, 3])
      if (checks === 'every') expect(await codeOf(() => second)).toBe('key/corrupt')
      else {
        const wrong = await second.then(({ proof, publicSignals }) => check(publicSignals, proof)).catch(() => false)
        expect([wrong, await codeOf(() => second)]).toEqual([false, 'nothing thrown'])
      }
      await prover.close()
    }
  })
})

test.each(['close', 'leave'])('the process ends by itself: %s', async (how) => {
  const script = fileURLToPath(new URL('./exits.ts', import.meta.url))
  const { stdout, stderr } = await promisify(execFile)(process.execPath, ['--import', 'tsx', script, folder, how], {
    env: { ...process.env, NODE_OPTIONS: '' },
    timeout: 40_000,
  })
  expect([stdout, stderr]).toEqual(['valid: true\n', ''])
})

test('files that threads share are read whole', () => {
  const bytes = Uint8Array.from({ length: 100_000 }, (_, i) => i)
  writeFileSync(join(folder, 'bytes'), bytes)
  const shared = readShared(join(folder, 'bytes'))
  expect(shared.buffer).toBeInstanceOf(SharedArrayBuffer)
  expect(Buffer.compare(shared, bytes)).toBe(0)
})
