import { afterAll, describe, expect, test } from 'vitest'
import { solve } from '../../circuits/solve.ts'
import type { Variant } from '../../src/engine/kernels/build.ts'
import { pairingPlace } from '../../src/engine/pairing.ts'
import { openSession } from '../../src/engine/session.ts'
import { R } from '../../src/groth16/bn254.ts'
import { encodeProof, encodePublicSignals, encodeVerifyingKey } from '../../src/groth16/keys.ts'
import { readQuotientKey } from '../../src/groth16/qkey.ts'
import { verify } from '../../src/groth16/verify.ts'
import { encodeWtns } from '../../src/groth16/wtns.ts'
import { readZkey } from '../../src/groth16/zkey.ts'
import { openEngineProver } from '../../src/workers/engineProver.ts'
import { openPool, type Pool, WorkerDiedError } from '../../src/workers/pool.ts'
import type { ProverData, Source, Task } from '../../src/workers/tasks.ts'
import { cube, empty, layer, layerInputs, oneRow } from '../groth16/circuits.ts'
import { codeOf } from '../groth16/tools.ts'
import { edgeCircuits, type Provable, randomCircuit } from './circuits.ts'
import { openReference } from './snarkjsReference.ts'
import { devKey, devKeys, openDirect, variants } from './support.ts'

const reference = await openReference()
afterAll(() => reference.close())

const blinding = { r: 0x1234567890abcdef1234567890abcdefn ** 2n % R, s: R - 3n }

type Wrap = (pool: Pool) => Pool

/** Opens an engine of a variant for a key; `wrap` may stand between it and its threads. */
async function open(
  { circuit }: Pick<Provable, 'circuit'>,
  zkey: Uint8Array,
  options: { variant?: Variant; threads?: number; expected?: number; wrap?: Wrap; qkey?: Uint8Array | undefined } = {},
) {
  const { variant = variants[0]!, threads = 2, expected = 1, wrap = (pool) => pool, qkey } = options
  const key = readZkey(zkey)
  const session = await openSession({
    ...{ key, variant, threads, proofs: threads, wideWire: circuit.wideWire, expected },
    quotientKey: qkey && readQuotientKey(qkey, key),
  })
  const workerData: ProverData = { engine: 'ours', circuit, session }
  const pool = wrap(openPool({ threads, maxQueue: 100, workerData }))
  const prover = openEngineProver(session, pool, 100, 'auto')
  return { ...prover, session, verifyingKey: key.verifyingKey }
}

const same = { blinding }

describe('proofs equal those of snarkjs for the same key, witness and blinding', () => {
  const shapes: Provable[] = [
    { name: 'cube', circuit: cube(), inputs: [(R - 2n) ** 3n % R, R - 2n] },
    { name: 'one row', circuit: oneRow(), inputs: [1] },
    { name: 'nothing', circuit: empty(0), inputs: [5] },
    { name: 'nothing public', circuit: empty(2), inputs: [3, -4, 5] },
    ...edgeCircuits(),
    ...Array.from({ length: 8 }, (_, i) => randomCircuit(i)),
  ]
  test.each(shapes.map((shape) => [shape.name, shape] as const))('%s', async (_, { circuit, inputs }) => {
    const { zkey, qkey } = await devKeys(circuit)
    const witness = solve(circuit, inputs)
    const expected = await reference.prove(zkey, encodeWtns(witness), blinding)
    // with multiples of the points of H and without, with a quotient key and without
    for (const [variant, proofs, quotientKey] of [
      ['int', 1, undefined],
      [variants[0]!, 1000, undefined],
      ['int', 1000, qkey],
      [variants[0]!, 1, qkey],
    ] as const) {
      const { key, prove } = await openDirect(zkey, variant, circuit, proofs, quotientKey)
      const proof = prove(witness, blinding)
      expect([variant, proof]).toEqual([variant, expected.proof])
      const { publicSignals } = expected
      expect(verify(key.verifyingKey, publicSignals, proof)).toBe(true)
      const json = [encodeVerifyingKey(key.verifyingKey), encodePublicSignals(publicSignals), encodeProof(proof)]
      expect(await reference.verify(json[0], json[1], json[2])).toBe(true)
    }
  })

  test.each(variants)('a layer of 1,300 rows, on one and on two threads, with %s', async (variant) => {
    const circuit = layer(10, 60)
    const inputs = layerInputs(10)
    const { zkey, qkey } = await devKeys(circuit)
    const witness = solve(circuit, inputs)
    const { proof: expected, publicSignals } = await reference.prove(zkey, encodeWtns(witness), blinding)
    for (const [proofs, quotientKey] of [
      [1, undefined],
      [1000, undefined],
      [1, qkey],
      [1000, qkey],
    ] as const) {
      const prover = await open({ circuit }, zkey, { variant, expected: proofs, qkey: quotientKey })
      for (const mode of ['throughput', 'latency'] as const)
        expect(await prover.prove({ inputs }, { ...same, mode })).toMatchObject({ proof: expected, publicSignals })
      expect((await prover.prove({ values: witness })).proof).not.toEqual(expected)
      await prover.close()
    }
  })
})

describe('threads that die', async () => {
  const circuit = layer(4, 3)
  const inputs = layerInputs(4)
  const zkey = await devKey(circuit)
  const died = () => new WorkerDiedError('test', { outOfMemory: false })

  /** Fails the first `times` tasks that a predicate names. */
  const failing =
    (times: number, which: (task: Task) => boolean): Wrap =>
    (pool) => ({
      ...pool,
      run: async (task, options) => {
        if (times > 0 && which(task as Task)) {
          times--
          throw died()
        }
        return pool.run(task, options)
      },
    })

  test.each(['pass', 'sum'] as const)('in a %s: it is made again, and the proof is the same', async (kind) => {
    const whole = await open({ circuit }, zkey)
    const expected = await whole.prove({ inputs }, same)
    await whole.close()
    const prover = await open({ circuit }, zkey, {
      wrap: failing(1, (task) => task.kind === kind && (task.kind !== 'pass' || task.pass === 'results')),
    })
    expect((await prover.prove({ inputs }, { ...same, mode: 'latency' })).proof).toEqual(expected.proof)
    await prover.close()
  })

  test('in a whole proof: it is made again once, and no more', async () => {
    for (const [times, outcome] of [
      [1, 'nothing thrown'],
      [2, 'internal/worker-died'],
    ] as const) {
      const prover = await open({ circuit }, zkey, { wrap: failing(times, (task) => task.kind === 'prove') })
      expect(await codeOf(() => prover.prove({ inputs }, { mode: 'throughput' }))).toBe(outcome)
      // the rooms are free again
      expect(await codeOf(() => prover.prove({ inputs }, { mode: 'latency' }))).toBe('nothing thrown')
      await prover.close()
    }
  })

  test('a signal stops either way of proving, and the next proof is made', async () => {
    const prover = await open({ circuit }, zkey)
    for (const mode of ['throughput', 'latency'] as const)
      for (const phase of ['witness', 'rows', 'sum H']) {
        const abort = new AbortController()
        const options = {
          mode,
          signal: abort.signal,
          onProgress: (_: number, at: string) => at === phase && abort.abort(),
        }
        // what is over before the word comes through is a proof
        expect(['aborted/by-caller', 'nothing thrown']).toContain(await codeOf(() => prover.prove({ inputs }, options)))
      }
    expect(await codeOf(() => prover.prove({ inputs }, { signal: AbortSignal.abort() }))).toBe('aborted/by-caller')
    expect(await codeOf(() => prover.prove({ inputs }))).toBe('nothing thrown')
    await prover.close()
  })
})

test.each(['throughput', 'latency'] as const)(
  'the engine’s check is asked about every proof, and must agree with the verifier: %s',
  async (mode) => {
    const circuit = layer(4, 3)
    const inputs = layerInputs(4)
    const { prove, close, session } = await open({ circuit }, await devKey(circuit), { threads: 1 })
    const { alphaBeta } = pairingPlace(session.verifyingKey.nPublic, session.layout.key.pairing)
    const damage = (): void => {
      const words = new Uint32Array(session.memory.buffer, alphaBeta, 1)
      words[0]! ^= 1
    }
    const outcome = () => codeOf(() => prove({ inputs }, { mode }))
    damage()
    expect(await outcome()).toBe('environment/engine-self-test')
    damage()
    expect([await outcome(), await outcome()]).toEqual(['nothing thrown', 'nothing thrown'])
    damage()
    expect(await outcome()).toBe('environment/engine-self-test')
    await close()
  },
)

test('a source that needs a circuit is refused where there is none', async () => {
  const circuit = layer(4, 3)
  const zkey = await devKey(circuit)
  const key = readZkey(zkey)
  const session = await openSession({ key, variant: 'int', threads: 1, proofs: 1 })
  const pool = openPool({
    threads: 1,
    workerData: { engine: 'ours', circuit: undefined, session } satisfies ProverData,
  })
  const prover = openEngineProver(session, pool, 0, 'auto')
  const inputs: Source = { inputs: layerInputs(4) }
  expect(await codeOf(() => prover.prove(inputs))).toBe('internal/unexpected')
  expect(await codeOf(() => prover.prove({ values: solve(circuit, layerInputs(4)) }))).toBe('nothing thrown')
  await prover.close()
})
