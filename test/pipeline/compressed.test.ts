import { describe, expect, test } from 'vitest'
import { digestOf, encodeTensors, evaluate } from '../../circuits/compression.ts'
import { Fr } from '../../circuits/field.ts'
import { rowHolds, solve, wireValue } from '../../circuits/solve.ts'
import { setup } from '../../src/artefacts/keys.ts'
import { circuitAssignment, compile } from '../../src/compile.ts'
import { VeritensorError } from '../../src/errors.ts'
import { importOnnx } from '../../src/graph/import.ts'
import { simplify } from '../../src/graph/simplify.ts'
import { ProofFormatError } from '../../src/groth16/keys.ts'
import { verify } from '../../src/groth16/verify.ts'
import { analyse, prepareInteger } from '../../src/model/model.ts'
import { type CompileModelOptions, compileModel } from '../../src/pipeline/compileModel.ts'
import {
  checkCompressed,
  compressor,
  decodeCompressed,
  encodeCompressed,
  signalsOf,
} from '../../src/pipeline/compressed.ts'
import { circuitInputs, prove } from '../../src/pipeline/prove.ts'
import { provenStatement } from '../../src/pipeline/provenStatement.ts'
import { byteCount, layoutOf, readSignals, signalCount } from '../../src/pipeline/signals.ts'
import { calibrate } from '../../src/quantise/calibrate.ts'
import { quantiseInput } from '../../src/quantise/ports.ts'
import { quantise } from '../../src/quantise/quantise.ts'
import type { Sample } from '../../src/samples/samples.ts'
import { OFF_CHAIN } from '../../src/solidity/compression.ts'
import { verifyingKeyDigest } from '../../src/solidity/verifier.ts'
import type { Visibility } from '../../src/visibility.ts'
import { tinyInputs, tinyModel } from '../cli/support.ts'
import { randomBetween } from '../support/lies.ts'
import { seeded } from '../support/random.ts'
import { randomGraph } from '../support/randomGraph.ts'
import { rowsOfWires } from '../support/rowsOfWire.ts'

const sample = (values: readonly number[]): Sample =>
  new Map([['x', { dtype: 'float32', shape: [1, 4], data: Float64Array.from(values) }]])
const calibration = [[1, 1, 1, 1], [-1, -1, -1, -1], ...tinyInputs(8)].map(sample)
const tiny = (options: Partial<CompileModelOptions>) => compileModel(tinyModel(), { calibration, ...options })

const refusal = (action: () => unknown): string => {
  try {
    action()
  } catch (error) {
    if (error instanceof VeritensorError) return error.code
    throw error
  }
  return 'nothing was thrown'
}

const SEED = 1331
const GRAPHS = 40

test(`${GRAPHS} random graphs: y and e are those of the bytes (seed ${SEED})`, () => {
  const random = seeded(SEED)
  for (let k = 0; k < GRAPHS; ) {
    const { onnx, samples, ops } = randomGraph(random)
    const graph = simplify(importOnnx(onnx))
    const named = samples.map((x) => new Map([['x', x]]))
    const model = quantise(graph, calibrate(graph, named), { bits: 8, weightBits: 16 })
    const infos = analyse(model)
    const { lo, hi } = infos[model.outputs[0]!.value]!
    // too wide for bytes
    if (!Number.isSafeInteger(lo) || !Number.isSafeInteger(hi)) continue
    k++
    const input = random.pick(['public', 'private', 'committed'] as const)
    const seen: Visibility = { input, output: 'public', compressed: true }
    const circuit = compile(model, seen)
    const layout = layoutOf(seen, model)
    expect(circuit.publicInputs + circuit.publicOutputs).toBe(signalCount(layout))
    expect(signalCount(layout)).toBe(seen.input === 'committed' ? 4 : 3)
    const run = prepareInteger(model)
    const x = quantiseInput(model.inputs[0]!, samples[0]!, 'refuse')
    const output = run([x])[model.outputs[0]!.value]!
    const forms = [{ count: output.length, lo, hi }]
    const tensors: ArrayLike<number | bigint>[] = [output]
    if (seen.input === 'public') {
      forms.push({ count: x.length, lo: model.inputs[0]!.lo, hi: model.inputs[0]!.hi })
      tensors.push(x)
    }
    const bytes = encodeTensors(forms, tensors)
    expect(bytes.length).toBe(byteCount(layout))
    const r = randomBetween(random, 0n, Fr.p - 1n)
    const salts = seen.input === 'committed' ? [7n] : []
    const witness = solve(circuit, circuitAssignment(model, seen, [x], salts, undefined, r))
    const signals = Array.from({ length: signalCount(layout) }, (_, i) => wireValue(Fr, witness, 1 + i))
    expect(signals.slice(0, 3), `graph ${k} (${ops.join(' ')})`).toEqual([digestOf(bytes), r, evaluate(bytes, r)])
    const statement = readSignals(layout, signals, bytes)
    const told = statement.find(({ kind }) => kind === 'output')!
    expect(told.integers).toEqual(Array.from(output, BigInt))
  }
})

test('1000 mutated witnesses are refused (seed 5)', () => {
  const { circuit, model, visibility } = tiny({ input: 'public', compress: true })
  const random = seeded(5)
  const rows = rowsOfWires(circuit)
  const x = quantiseInput(model.inputs[0]!, calibration[3]!.get('x')!, 'refuse')
  const witness = solve(circuit, circuitAssignment(model, visibility, [x], [], undefined, 12345678901234567890n))
  const honest = Array.from({ length: circuit.wires }, (_, w) => wireValue(Fr, witness, w))
  const values = [...honest]
  for (let k = 0; k < 1000; k++) {
    const wires = new Set(Array.from({ length: random.pick([1, 1, 2, 5]) }, () => random.integer(1, circuit.wires - 1)))
    for (const wire of wires) {
      const lie = random.pick([honest[wire]! + 1n, -honest[wire]! - 1n, BigInt(random.integer(2, 2 ** 31))])
      values[wire] = Fr.mod(lie) === honest[wire] ? Fr.mod(honest[wire]! + 7n) : Fr.mod(lie)
    }
    const touched = new Set([...wires].flatMap((w) => rows[w]!))
    expect([...touched].some((row) => !rowHolds(Fr, circuit, row, values))).toBe(true)
    for (const wire of wires) values[wire] = honest[wire]!
  }
})

describe('compiling', () => {
  const compressed = (options: Partial<CompileModelOptions>): boolean => tiny(options).visibility.compressed === true

  test('compresses above eight public elements', () => {
    // three outputs, four inputs, 27 weights
    expect(compressed({})).toBe(false)
    expect(compressed({ input: 'public' })).toBe(false)
    expect(compressed({ weights: 'public' })).toBe(true)
    expect(compressed({ weights: 'public', output: 'private' })).toBe(true)
    expect(compressed({ weights: 'committed', input: 'public' })).toBe(false)
    const wide = compileModel(tinyModel(9), { calibration, weights: 'public', compress: false })
    expect(wide.visibility.compressed).toBeUndefined()
    expect(wide.circuit.publicOutputs + wide.circuit.publicInputs).toBe(3 + 9 * 4 + 9 + 9 * 3 + 3)
  })

  test('does as it is told', () => {
    expect(compressed({ compress: true })).toBe(true)
    expect(compressed({ weights: 'public', compress: false })).toBe(false)
    expect(refusal(() => tiny({ compress: true, output: 'private' }))).toBe('usage/compressed')
    expect(refusal(() => tiny({ compress: true, output: 'committed' }))).toBe('usage/compressed')
  })

  test('puts public weights behind outputs and inputs', () => {
    const { visibility, model, circuit, weights } = tiny({ input: 'public', weights: 'public' })
    const layout = layoutOf(visibility, model)
    expect(layout.map(({ kind }) => kind)).toEqual(['output', 'input', ...new Array(4).fill('weights')])
    const [key, x] = [`0x${'11'.repeat(32)}`, quantiseInput(model.inputs[0]!, calibration[2]!.get('x')!, 'refuse')]
    const compress = compressor(visibility, model, key, OFF_CHAIN, weights!.integers)!
    const made = compress([x])
    const witness = solve(circuit, circuitAssignment(model, visibility, [x], [], weights, made.r))
    const signals = [1, 2, 3].map((w) => wireValue(Fr, witness, w))
    checkCompressed(key, signals, { ...OFF_CHAIN, x: made.x })
    const told = readSignals(layout, signals, made.x).filter(({ kind }) => kind === 'weights')
    expect(told.map(({ integers }) => integers.map(Number))).toEqual(weights!.integers.map((w) => Array.from(w)))
  })
})

describe('proving', async () => {
  const compiled = tiny({ input: 'public', compress: true })
  const keys = await setup(compiled, { dev: true, threads: 1 })
  const vkDigest = verifyingKeyDigest(keys.verifyingKey)
  const layout = layoutOf(compiled.visibility, compiled.model)
  const destination = { chainId: 5n, contract: `0x${'ab'.repeat(20)}`, ctx: `0x${'cd'.repeat(32)}` }
  const [made] = await prove(compiled, keys, [sample([0.5, -0.25, 1, 0])], { destination })
  const { proof, publicSignals, compressed, statement } = made!

  test('gives a proof of the bytes, for its destination', () => {
    expect(compressed).toMatchObject(destination)
    const signals = signalsOf(vkDigest, publicSignals, compressed!)
    expect(signals).toEqual(publicSignals)
    expect(verify(keys.verifyingKey, signals, proof)).toBe(true)
    expect(statement).toEqual(readSignals(layout, publicSignals, compressed!.x))
    const run = prepareInteger(compiled.model)
    const inputs = statement[1]!.integers.map(Number)
    expect(statement[0]!.integers.map(Number)).toEqual(
      Array.from(run([inputs])[compiled.model.outputs[0]!.value]!, Number),
    )
  })

  test('no other bytes, destination, digest or key verify with it', () => {
    const valid = (change: object, key = vkDigest, signals = publicSignals): boolean => {
      const claim = { ...compressed!, ...change }
      if (key === vkDigest && signals === publicSignals)
        expect(() => checkCompressed(key, signals, claim)).toThrow(ProofFormatError)
      return verify(keys.verifyingKey, signalsOf(key, signals, claim), proof)
    }
    const { x } = compressed!
    for (const i of x.keys()) expect(valid({ x: x.with(i, x[i]! ^ 1) }), `byte ${i}`).toBe(false)
    expect(valid({ x: Uint8Array.of(...x, 0) })).toBe(false)
    expect(valid({ x: x.subarray(1) })).toBe(false)
    expect(valid({ chainId: 6n })).toBe(false)
    expect(valid({ contract: OFF_CHAIN.contract })).toBe(false)
    expect(valid({ ctx: OFF_CHAIN.ctx })).toBe(false)
    expect(valid({}, `0x${'22'.repeat(32)}`)).toBe(false)
    expect(valid({}, vkDigest, publicSignals.with(0, publicSignals[0]! ^ 1n))).toBe(false)
  })

  test('a statement of other tensors is no statement', () => {
    const told = (x: Uint8Array | undefined) => () => readSignals(layout, publicSignals, x)
    expect(told(undefined)).toThrow(ProofFormatError)
    expect(told(compressed!.x.subarray(1))).toThrow(/bytes instead of/)
    // an element above its bounds
    expect(told(new Uint8Array(compressed!.x.length).fill(255))).toThrow(ProofFormatError)
    const direct = layoutOf({ input: 'public', output: 'public' }, compiled.model)
    expect(() => readSignals(direct, new Array(7).fill(0n), compressed!.x)).toThrow(/not expected/)
  })

  test('what is proved is read from the bytes that were checked', () => {
    const { verifyingKey } = keys
    expect(provenStatement(layout, verifyingKey, made!)).toEqual(statement)
    // whatever r and e the file names
    expect(provenStatement(layout, verifyingKey, { ...made!, publicSignals: [publicSignals[0]!, 1n, 2n] })).toEqual(
      statement,
    )
    const { x } = compressed!
    const other = (change: object) =>
      provenStatement(layout, verifyingKey, { ...made!, compressed: { ...compressed!, ...change } })
    expect(other({ x: x.with(0, x[0]! - 1) })).toBeUndefined()
    expect(other({ ctx: OFF_CHAIN.ctx })).toBeUndefined()
    expect(() => provenStatement(layout, verifyingKey, { proof, publicSignals })).toThrow(ProofFormatError)
  })

  test('its file says for whom it is, strictly', () => {
    const json = encodeCompressed(compressed!)
    expect(decodeCompressed(JSON.parse(JSON.stringify(json)))).toEqual(compressed)
    expect(decodeCompressed(undefined)).toBeUndefined()
    for (const change of [
      { chainId: 5 },
      { chainId: '05' },
      { chainId: '-1' },
      { chainId: '9'.repeat(78) },
      { contract: '0x12' },
      { contract: undefined },
      { contract: `0x${'aB'.repeat(20)}` }, // its checksum is wrong
      { ctx: `0x${'cd'.repeat(31)}` },
      { x: '0x1' },
      { x: 'ab' },
      { x: null },
    ])
      expect(() => decodeCompressed({ ...json, ...change }), JSON.stringify(change)).toThrow(ProofFormatError)
    expect(decodeCompressed({ ...json, x: `0x${'00'.repeat(5e6)}` })?.x).toHaveLength(5e6)
    for (const wrong of [null, 'text', 5]) expect(() => decodeCompressed(wrong)).toThrow(ProofFormatError)
  })

  test('inputs of a circuit need the key, and say for whom', () => {
    const [given] = calibration
    expect(refusal(() => circuitInputs(compiled, given!))).toBe('usage/compressed')
    const inputs = circuitInputs(compiled, given!, { verifyingKey: keys.verifyingKey })
    const others = circuitInputs(compiled, given!, { verifyingKey: keys.verifyingKey, destination })
    expect(inputs.slice(0, -1)).toEqual(others.slice(0, -1))
    expect(inputs.at(-1)).not.toBe(others.at(-1))
    expect(() => solve(compiled.circuit, inputs)).not.toThrow()
  })

  test('a malformed destination is refused before anything is proved', async () => {
    const wrong = { ...destination, contract: 'nowhere' }
    await expect(prove(compiled, keys, [sample([0, 0, 0, 0])], { destination: wrong })).rejects.toMatchObject({
      code: 'usage/destination',
    })
  })
})
