import { beforeAll, describe, expect, test } from 'vitest'
import { type Keys, setup } from '../../src/artefacts/keys.ts'
import { VeritensorError } from '../../src/errors.ts'
import { verifierOf } from '../../src/groth16/verify.ts'
import { prepareInteger } from '../../src/model/model.ts'
import { type Compiled, compileModel } from '../../src/pipeline/compileModel.ts'
import { integersOf, prove } from '../../src/pipeline/prove.ts'
import type { Sample } from '../../src/samples/samples.ts'
import { tinyInputs, tinyModel } from '../cli/support.ts'

const sample = (values: readonly number[], shape: readonly number[] = [1, 4]): Sample =>
  new Map([['x', { dtype: 'float32', shape, data: Float64Array.from(values) }]])

const refused = async (action: () => unknown): Promise<string> => {
  try {
    await action()
  } catch (error) {
    if (error instanceof VeritensorError) return `${error.code}: ${error.message}`
    throw error
  }
  return 'nothing was thrown'
}

let compiled: Compiled
let keys: Keys
beforeAll(async () => {
  const calibration = [[1, 1, 1, 1], [-1, -1, -1, -1], ...tinyInputs(8)].map((x) => sample(x))
  compiled = compileModel(tinyModel(), { calibration, input: 'public' })
  keys = await setup(compiled, { dev: true, threads: 1 })
})

describe('prove', () => {
  test('every sample, in order, with progress over all of them', async () => {
    const inputs = tinyInputs(5, 3)
    const seen: [number, number][] = []
    const proved = new Set<number>()
    const inferences = await prove(
      compiled,
      keys,
      inputs.map((x) => sample(x)),
      {
        threads: 2,
        maxQueue: 0, // more samples than fit at a time: they wait
        onProgress: (fraction, complete) => seen.push([fraction, complete]),
        onProof: async (_, i) => {
          proved.add(i)
        },
      },
    )
    const check = verifierOf(keys.verifyingKey)
    const run = prepareInteger(compiled.model)
    const [port] = compiled.model.outputs
    inferences.forEach(({ proof, publicSignals, statement }, i) => {
      expect(check(publicSignals, proof)).toBe(true)
      const [integers] = integersOf(compiled.model, sample(inputs[i]!), 'refuse') as [Float64Array]
      expect(statement.map(({ kind }) => kind)).toEqual(['output', 'input'])
      expect(statement[1]!.integers.map(Number)).toEqual([...integers])
      expect(statement[0]!.integers.map(Number)).toEqual(Array.from(run([integers])[port!.value]!, Number))
    })
    expect([...proved].sort()).toEqual([0, 1, 2, 3, 4])
    expect(seen.every(([fraction], i) => i === 0 || fraction >= seen[i - 1]![0])).toBe(true)
    expect(seen.at(-1)).toEqual([1, 5])
    // honest: a share is never ahead of the proofs that it counts by more than the work under way
    for (const [fraction, complete] of seen) expect(fraction * 5 - complete).toBeLessThanOrEqual(2 + 1e-9)
  })

  test('nothing to prove is nothing to do', async () => {
    expect(await prove(compiled, keys, [])).toEqual([])
  })

  test('a bad sample is named before any work', async () => {
    const bad = (x: Sample, names?: string[]) =>
      refused(() => prove(compiled, keys, [sample([0, 0, 0, 0]), x], { ...(names && { names }) }))
    expect(await bad(sample([0, 0, 0, 9]))).toMatch(/^input\/out-of-range: sample 1: input "x"\[3\] is 9/)
    expect(await bad(sample([0, 0, Number.NaN, 0]), ['a', 'b'])).toMatch(/^input\/not-finite: b: /)
    expect(await bad(sample([0, 0, 0]), ['a', 'b'])).toMatch(/^input\/wrong-shape: b: /)
    expect(await bad(sample([0, 0, 0, 0], [4]))).toMatch(/^input\/wrong-shape: sample 1: /)
    expect(await bad(new Map())).toBe('input/count: sample 1: input "x" is missing')
    const [saturated] = await prove(compiled, keys, [sample([0, 0, 0, 9])], { outOfRange: 'saturate' })
    expect(saturated!.statement[1]!.integers[3]).toBe(BigInt(compiled.model.inputs[0]!.hi))
  })

  test('an abort, or a failure of the caller, ends all proofs', async () => {
    const samples = tinyInputs(6).map((x) => sample(x))
    const abort = new AbortController()
    const aborted = prove(compiled, keys, samples, { threads: 1, signal: abort.signal, onProof: () => abort.abort() })
    expect(await refused(() => aborted)).toMatch(/^aborted\/by-caller/)
    let made = 0
    const failing = prove(compiled, keys, samples, {
      threads: 1,
      onProof: async () => {
        made++
        throw new VeritensorError('input/unwritable', 'the disk is full')
      },
    })
    expect(await refused(() => failing)).toBe('input/unwritable: sample 0: the disk is full')
    expect(made).toBe(1)
  })

  test('a key of another circuit is refused', async () => {
    const other = compileModel(tinyModel(), { calibration: [sample([1, 1, 1, 1])] })
    expect(await refused(() => prove(other, keys, [sample([0, 0, 0, 0])]))).toMatch(/^key\/other-circuit/)
  })
})
