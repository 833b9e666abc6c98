import { describe, expect, test } from 'vitest'
import { commitmentOf } from '../../circuits/commitment.ts'
import { Fr } from '../../circuits/field.ts'
import { firstViolated, runProgram, solve, wireValue } from '../../circuits/solve.ts'
import { setup } from '../../src/artefacts/keys.ts'
import { circuitAssignment, compile } from '../../src/compile.ts'
import { R } from '../../src/groth16/bn254.ts'
import { verifierOf } from '../../src/groth16/verify.ts'
import { type IntegerModel, runInteger } from '../../src/model/model.ts'
import { compileModel } from '../../src/pipeline/compileModel.ts'
import { circuitInputs, integersOf, prove } from '../../src/pipeline/prove.ts'
import { layoutOf, outputPorts, readSignals, signalLayout } from '../../src/pipeline/signals.ts'
import type { Sample } from '../../src/samples/samples.ts'
import type { Visibility } from '../../src/visibility.ts'
import { randomSalt } from '../../src/workers/salt.ts'
import { tinyInputs, tinyModel } from '../cli/support.ts'
import { refusal } from '../support/errors.ts'

const sample = (values: readonly number[]): Sample =>
  new Map([['x', { dtype: 'float32', shape: [1, 4], data: Float64Array.from(values) }]])
const calibration = [[1, 1, 1, 1], [-1, -1, -1, -1], ...tinyInputs(8)].map(sample)

/** The digests that the model's tensors must have. */
function digestsOf(model: IntegerModel, visibility: Visibility, inputs: Float64Array, salt?: bigint): bigint[] {
  const values = runInteger(model, [inputs])
  const [input, output] = [model.inputs[0]!, outputPorts(visibility, model)[0]!]
  const count = values[output.value]!.length
  return [
    ...(visibility.output === 'committed'
      ? [commitmentOf({ count, lo: output.lo!, hi: output.hi!, salted: false }, values[output.value]!)]
      : []),
    ...(visibility.input === 'committed'
      ? [commitmentOf({ count: 4, lo: input.lo, hi: input.hi, salted: salt !== undefined }, inputs, salt)]
      : []),
  ]
}

describe('digests instead of elements', () => {
  test.each([
    [{ input: 'committed', output: 'committed' }, 2],
    [{ input: 'committed', output: 'committed', unsalted: true }, 2],
    [{ input: 'committed', output: 'public' }, 4],
    [{ input: 'public', output: 'committed' }, 5],
    [{ input: 'private', output: 'committed' }, 1],
    [{ input: 'committed', output: 'private' }, 1],
  ] as const)('%j equals the twin, for %i signals', (visibility, signals) => {
    const { model } = compileModel(tinyModel(), { calibration })
    const circuit = compile(model, visibility)
    const layout = layoutOf(visibility, model)
    expect(circuit.publicOutputs + circuit.publicInputs).toBe(signals)
    expect(layout.reduce((n, { count }) => n + count, 0)).toBe(signals)
    const salt = circuit.privateInputs + circuit.publicInputs === 5 ? 1234n : undefined
    expect(salt !== undefined).toBe(visibility.input === 'committed' && !('unsalted' in visibility))
    for (const values of tinyInputs(3, 4)) {
      const [inputs] = integersOf(model, sample(values), 'refuse') as [Float64Array]
      const salts = salt === undefined ? [] : [salt]
      const witness = solve(circuit, circuitInputs({ model, visibility }, sample(values), { salts }))
      const read = layout.flatMap(({ from, commitment }) =>
        commitment === undefined ? [] : [wireValue(Fr, witness, 1 + from)],
      )
      expect(read).toEqual(digestsOf(model, visibility, inputs, salt))
    }
  })

  test('range rows remain: no witness for inputs outside the window', () => {
    const { model } = compileModel(tinyModel(), { calibration })
    const circuit = compile(model, { input: 'committed', output: 'private' })
    const open = { ...circuit, inputRanges: circuit.inputRanges.map((v) => v * 1000) }
    const { lo, hi } = model.inputs[0]!
    expect(firstViolated(open, runProgram(open, [lo, hi, 0, 0, 5n]))).toBeUndefined()
    for (const x of [lo - 1, hi + 1, 300])
      expect(firstViolated(open, runProgram(open, [0, x, 0, 0, 5n])), `${x}`).toBeDefined()
  })

  test('an output’s digest is the next model’s input digest', () => {
    const link = { shape: [3], scale: 1, lo: -7, hi: 8 }
    // both pass their inputs on: the same integers in the same window
    const model: IntegerModel = {
      name: 'link',
      inputs: [{ name: 'x', value: 0, ...link }],
      layers: [],
      outputs: [{ name: 'y', shape: [3], scale: 1, value: 0 }],
    }
    const first = compile(model, { input: 'private', output: 'committed' })
    const second = compile(model, { input: 'committed', output: 'public', unsalted: true })
    const digest = wireValue(Fr, solve(first, [-7, 0, 8]), 1)
    expect(wireValue(Fr, solve(second, [-7, 0, 8]), 4)).toBe(digest)
    expect(wireValue(Fr, solve(second, [-7, 1, 8]), 4)).not.toBe(digest)
  })
})

test('each input and output has a visibility of its own, in all combinations', () => {
  const [lo, hi] = [-7, 8]
  const port = (name: string, value: number, shape: number[]) => ({ name, value, shape, scale: 1, lo, hi })
  const model: IntegerModel = {
    name: 'pass',
    inputs: [port('a', 0, [2]), port('b', 1, [3])],
    layers: [],
    outputs: [port('y', 1, [3]), port('z', 0, [2])],
  }
  const values = [Float64Array.of(1, -2), Float64Array.of(3, -4, 5)]
  const all = ['public', 'private', 'committed'] as const
  for (const a of all)
    for (const b of all)
      for (const y of all)
        for (const z of all) {
          const visibility: Visibility = { input: a, output: z, inputs: { b }, outputs: { y } }
          const salts = [a, b].flatMap((v, i) => (v === 'committed' ? [77n + BigInt(i)] : []))
          const circuit = compile(model, visibility)
          const witness = solve(circuit, circuitAssignment(model, visibility, values, salts))
          const signals = Array.from({ length: circuit.publicOutputs + circuit.publicInputs }, (_, i) =>
            wireValue(Fr, witness, 1 + i),
          )
          const expected = (elements: Float64Array, seen: string, salt?: bigint) =>
            seen === 'public'
              ? { integers: Array.from(elements, BigInt), digest: undefined }
              : {
                  integers: [],
                  digest: commitmentOf({ count: elements.length, lo, hi, salted: salt !== undefined }, elements, salt),
                }
          const at = JSON.stringify(visibility)
          const statement = readSignals(layoutOf(visibility, model), signals)
          for (const { kind, name, integers, digest } of statement) {
            const [i, of] =
              kind === 'input' ? [name === 'a' ? 0 : 1, name === 'a' ? a : b] : name === 'y' ? [1, y] : [0, z]
            const salt = kind === 'input' && of === 'committed' ? 77n + BigInt(i) : undefined
            expect({ integers, digest }, `${at} ${name}`).toEqual(expected(values[i]!, of, salt))
          }
          expect(statement.map(({ kind, name }) => `${kind} ${name}`).sort()).toEqual(
            Object.entries({ 'input a': a, 'input b': b, 'output y': y, 'output z': z }).flatMap(([name, v]) =>
              v === 'private' ? [] : [name],
            ),
          )
        }
})

test('proofs carry digests, and openings open them', async () => {
  const compiled = compileModel(tinyModel(), { calibration, input: 'committed', output: 'committed' })
  const keys = await setup(compiled, { dev: true, threads: 1 })
  const inputs = tinyInputs(1, 6).map(sample)
  const [drawn] = await prove(compiled, keys, inputs)
  const [given] = await prove(compiled, keys, inputs, { salts: [[42n]] })
  const isValid = verifierOf(keys.verifyingKey)
  for (const { proof, publicSignals, openings } of [drawn!, given!]) {
    expect(isValid(publicSignals, proof)).toBe(true)
    expect(openings.map(({ kind }) => kind)).toEqual(['output', 'input'])
    expect(openings.map(({ digest }) => digest)).toEqual(publicSignals)
    for (const { integers, lo, hi, salt, digest } of openings)
      expect(commitmentOf({ count: integers.length, lo, hi, salted: salt !== undefined }, integers, salt)).toBe(digest)
    expect(isValid([publicSignals[0]!, publicSignals[1]! ^ 1n], proof)).toBe(false)
  }
  expect(given!.openings[1]!.salt).toBe(42n)
  expect(given!.statement.map(({ digest }) => digest)).toEqual(given!.publicSignals)
  expect(drawn!.publicSignals[0]).toBe(given!.publicSignals[0])
  expect(drawn!.publicSignals[1]).not.toBe(given!.publicSignals[1])
  for (const salts of [[[]], [[R]], [[-1n]], [[1n, 2n]], []])
    await expect(prove(compiled, keys, inputs, { salts })).rejects.toMatchObject({ code: 'input/salt' })
})

test('salts are field elements, each another', () => {
  const salts = Array.from({ length: 50 }, randomSalt)
  expect(salts.every((salt) => salt >= 0n && salt < R)).toBe(true)
  expect(new Set(salts).size).toBe(50)
})

test('what makes no sense is refused', () => {
  expect(refusal(() => compileModel(tinyModel(), { calibration, unsalted: true }))).toMatch(/^usage\/unsalted/)
  expect(refusal(() => compileModel(tinyModel(), { calibration, inputs: { y: 'public' } }))).toMatch(
    /^usage\/visibility: no input of the model is called "y"/,
  )
  expect(refusal(() => compileModel(tinyModel(), { calibration, outputs: { toString: 'public' as const } }))).toMatch(
    /^usage\/visibility/,
  )
  const port = { name: 'y', shape: [3], scale: 1 }
  expect(refusal(() => signalLayout({ input: 'private', output: 'committed' }, [], [port]))).toMatch(
    /^model\/malformed/,
  )
})
