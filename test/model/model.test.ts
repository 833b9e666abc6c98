import { describe, expect, test } from 'vitest'
import { bigints } from '../../circuits/arithmetic.ts'
import { setCommitmentOf } from '../../circuits/commitment.ts'
import { Fr } from '../../circuits/field.ts'
import { firstViolated, runProgram, solve, wireValue } from '../../circuits/solve.ts'
import { circuitAssignment, compile, weightsForm } from '../../src/compile.ts'
import { arrange } from '../../src/model/arrange.ts'
import { decodeModelFile, encodeModelFile } from '../../src/model/encode.ts'
import type { Layer } from '../../src/model/layers/index.ts'
import { linearMap } from '../../src/model/layers/linear.ts'
import { analyse, evaluateModel, type IntegerModel, ModelError, prepareInteger } from '../../src/model/model.ts'
import { orderMaxima } from '../../src/model/rewrites/maxima.ts'
import { fuseRounding } from '../../src/model/rewrites/products.ts'
import { seeded } from '../support/random.ts'
import { randomInput, randomModel } from '../support/randomModel.ts'

const SEED = 20261124

describe('random integer models', () => {
  test(`doubles, bigint and circuit agree on every value (seed ${SEED})`, () => {
    const random = seeded(SEED)
    let rows = 0
    for (let k = 0; k < 150; k++) {
      const model = randomModel(random)
      const circuit = compile(model, { input: 'private', output: 'public' })
      rows += circuit.rows
      const run = prepareInteger(model)
      for (let i = 0; i < 3; i++) {
        const x = randomInput(random, model)
        const values = run([x])
        const slow = evaluateModel(model, bigints, [Array.from(x, BigInt)])
        values.forEach((v, id) => {
          expect(Array.from(v, BigInt), `value ${id} of model ${k}`).toEqual(Array.from(slow[id]!))
        })
        const witness = solve(circuit, x)
        const y = Array.from(values[model.outputs[0]!.value]!, Number)
        expect(Array.from(witness.small.subarray(1, 1 + y.length)), `model ${k}`).toEqual(y)
      }
      const infos = analyse(model)
      const values = run([randomInput(random, model)])
      values.forEach((v, id) => {
        for (let j = 0; j < v.length; j++) {
          expect(Number(v[j])).toBeGreaterThanOrEqual(infos[id]!.lo)
          expect(Number(v[j])).toBeLessThanOrEqual(infos[id]!.hi)
        }
      })
    }
    expect(rows).toBeGreaterThan(1000)
  })

  test('ordering maxima keeps the function', () => {
    const random = seeded(SEED + 1)
    let swapped = 0
    for (let k = 0; k < 120; k++) {
      const channels = random.integer(1, 3)
      const side = random.pick([2, 4])
      const size = channels * side * side
      const groups: number[][] = []
      const overlap = random.unit() < 0.5
      for (let c = 0; c < channels; c++)
        for (let i = 0; i < side - 1; i += overlap ? 1 : 2)
          for (let j = 0; j < side - 1; j += overlap ? 1 : 2) {
            const at = (c * side + i) * side + j
            groups.push([at, at + 1, at + side, at + side + 1])
          }
      const pooled = groups.length
      const max: Layer = {
        kind: 'max',
        name: 'pool',
        inputs: [0],
        shape: [pooled],
        starts: Uint32Array.from({ length: pooled + 1 }, (_, i) => 4 * i),
        positions: Uint32Array.from(groups.flat()),
      }
      const first = random.unit() < 0.5
      const shifts = Uint8Array.from({ length: channels }, () => random.integer(0, 8))
      const requantise: Layer = {
        kind: 'requantise',
        name: 'requantise',
        inputs: [0],
        shape: [first ? size : pooled],
        shifts,
        inner: (first ? size : pooled) / channels,
        lo: random.pick([0, -128]),
        hi: 127,
      }
      const model: IntegerModel = {
        name: 'pool',
        inputs: [{ name: 'x', shape: [size], scale: 1, value: 0, lo: -40000, hi: 40000 }],
        layers: first ? [requantise, { ...max, inputs: [1] }] : [max, { ...requantise, inputs: [1] }],
        outputs: [{ name: 'y', shape: [pooled], scale: 1, value: 2 }],
      }
      const ordered = orderMaxima(model)
      if (ordered.layers[0]!.kind !== model.layers[0]!.kind) swapped++
      analyse(ordered)
      const x = randomInput(random, model)
      expect(Array.from(prepareInteger(ordered)([x])[2]!)).toEqual(Array.from(prepareInteger(model)([x])[2]!))
      const rows = (m: IntegerModel): number => {
        const circuit = compile(m, { input: 'private', output: 'private' })
        expect(firstViolated(circuit, runProgram(circuit, x))).toBeUndefined()
        return circuit.rows
      }
      rows(model)
    }
    expect(swapped).toBeGreaterThan(20)
  })
})

/** The model with the weights of its convolutions and matrix products taken out, as a weight set beside it. */
function withoutWeights(model: IntegerModel): { readonly model: IntegerModel; readonly weights: Float64Array[] } {
  const layers: Layer[] = []
  const weights: Float64Array[] = []
  const moved = [0]
  const push = (layer: Layer): number => layers.push(layer)
  for (const layer of model.layers) {
    const inputs = layer.inputs.map((id) => moved[id]!)
    if (layer.kind !== 'linear' || layer.map.type === 'sparse') push({ ...layer, inputs })
    else {
      const { weights: w, bias, ...map } = layer.map
      const given = [w, bias].map((tensor, i) => {
        weights.push(tensor)
        const name = `${layer.name}.${i}`
        return push({ kind: 'weights', name, inputs: [], shape: [tensor.length], lo: -16, hi: 15, scale: 1 })
      })
      push({ ...layer, kind: 'product', inputs: [...inputs, ...given], map })
    }
    moved.push(layers.length)
  }
  const outputs = model.outputs.map((port) => ({ ...port, value: moved[port.value]! }))
  return { model: { ...model, layers, outputs }, weights }
}

describe('weights that the model does not hold', () => {
  test('products equal linear maps of these weights, in doubles, bigint and circuits of each visibility', () => {
    const random = seeded(SEED + 3)
    let [products, fused] = [0, 0]
    for (let k = 0; products < 60; k++) {
      const fixed = randomModel(random)
      const { model, weights } = withoutWeights(fixed)
      // tables and thresholds are made for the bounds that fixed weights give
      const narrow = fixed.layers.some(({ kind }) => ['lookup', 'locate', 'forest', 'multiply'].includes(kind))
      if (weights.length === 0 || narrow) continue
      products += weights.length / 2
      fused += fuseRounding(model).layers.filter((l) => l.kind === 'product' && l.rounding !== undefined).length
      const seen = random.pick(['public', 'private', 'committed'] as const)
      const visibility = {
        input: random.pick(['public', 'private'] as const),
        output: 'public',
        weights: seen,
      } as const
      const circuit = compile(model, visibility)
      const salt = seen === 'private' ? 5n : undefined
      const [run, same] = [prepareInteger(model), prepareInteger(arrange(model))]
      for (let i = 0; i < 3; i++) {
        const x = randomInput(random, model)
        const values = run([x, ...weights])
        const y = Array.from(values[model.outputs[0]!.value]!, Number)
        expect(y, `model ${k}`).toEqual(Array.from(prepareInteger(fixed)([x])[fixed.outputs[0]!.value]!, Number))
        expect(Array.from(same([x, ...weights]).at(-1)!, Number), `arranged model ${k}`).toEqual(y)
        const slow = evaluateModel(
          model,
          bigints,
          [x, ...weights].map((xs) => Array.from(xs, BigInt)),
        )
        values.forEach((v, id) => {
          expect(Array.from(v, BigInt), `value ${id} of model ${k}`).toEqual(Array.from(slow[id]!))
        })
        const infos = analyse(model)
        values.forEach((v, id) => {
          const outside = Array.from(v, Number).filter((q) => q < infos[id]!.lo || q > infos[id]!.hi)
          expect(outside, `value ${id} of model ${k}`).toEqual([])
        })
        const witness = solve(circuit, circuitAssignment(model, visibility, [x], [], { integers: weights, salt }))
        expect(Array.from(witness.small.subarray(1, 1 + y.length)), `model ${k}`).toEqual(y)
        if (seen !== 'public')
          expect(wireValue(Fr, witness, 1 + y.length), `digest of model ${k}`).toBe(
            setCommitmentOf(weightsForm(model, visibility), weights, salt),
          )
      }
    }
    expect(fused).toBeGreaterThan(4)
  })

  test('are refused where they do not fit, and so is a visibility that contradicts the model', () => {
    const layers: Layer[] = [
      { kind: 'weights', name: 'w', inputs: [], shape: [2, 3], lo: -4, hi: 3, scale: 1 },
      {
        kind: 'product',
        name: 'y',
        inputs: [0, 1],
        shape: [1, 3],
        map: { type: 'matMul', rows: 1, inner: 2, columns: 3 },
      },
    ]
    const model: IntegerModel = {
      name: 'product',
      inputs: [{ name: 'x', shape: [1, 2], scale: 1, value: 0, lo: 0, hi: 9 }],
      layers,
      outputs: [{ name: 'y', shape: [1, 3], scale: 1, value: 2 }],
    }
    const run = prepareInteger(model)
    expect(
      Array.from(
        run([
          [1, 2],
          [1, 2, 3, -1, -2, -3],
        ])[2]!,
      ),
    ).toEqual([-1, -2, -3])
    expect(decodeModelFile(encodeModelFile(model))).toEqual(model)
    for (const w of [
      [1, 2, 3, -1, -2],
      [4, 0, 0, 0, 0, 0],
      [0.5, 0, 0, 0, 0, 0],
    ])
      expect(() => run([[1, 2], w])).toThrow(ModelError)
    expect(() => run([[1, 2]])).toThrow(ModelError)
    const changed: Partial<Layer>[] = [
      { lo: -3 },
      { hi: 2.5 },
      { scale: 0 },
      { inputs: [0] },
      { lo: 0, hi: 2 ** 49 - 1 },
    ]
    for (const change of changed)
      expect(() => analyse({ ...model, layers: [{ ...layers[0]!, ...change } as Layer, layers[1]!] })).toThrow(
        ModelError,
      )
    const wrong: Partial<Extract<Layer, { kind: 'product' }>>[] = [
      { inputs: [0] },
      { inputs: [1, 0] },
      { inputs: [0, 1, 0] },
      { shape: [4] },
      { map: { type: 'matMul', rows: 0, inner: 2, columns: 3 } },
      { map: { type: 'matMul', rows: 1, inner: 3, columns: 2 } },
      { rounding: { shift: 49, lo: 0, hi: 1 } },
      { rounding: { shift: 1, lo: 1, hi: 0 } },
    ]
    for (const change of wrong)
      expect(() => analyse({ ...model, layers: [layers[0]!, { ...layers[1]!, ...change } as Layer] })).toThrow(
        ModelError,
      )
    expect(() => compile(model, { input: 'public', output: 'public' })).toThrow(ModelError)
    expect(() => compile(good, { input: 'public', output: 'public', weights: 'committed' })).toThrow(ModelError)
  })
})

describe('linear maps', () => {
  test('the fast kernels equal their terms', () => {
    const random = seeded(SEED + 2)
    for (let k = 0; k < 200; k++) {
      const model = randomModel(random)
      for (const layer of model.layers) {
        if (layer.kind !== 'linear') continue
        const map = linearMap(layer.map)
        const size = layer.map.type === 'sparse' ? Math.max(0, ...layer.map.positions) + 1 : 0
        const length =
          size ||
          (layer.map.type === 'conv'
            ? layer.map.channels * layer.map.size[0] * layer.map.size[1]
            : layer.map.type === 'matMul'
              ? layer.map.inner
              : 0)
        const x = Float64Array.from({ length }, () => random.integer(-255, 255))
        const { apply, ...slow } = map
        const positions = new Int32Array(map.maxTerms)
        const weights = new Float64Array(map.maxTerms)
        const expected = Array.from({ length: map.outputs }, (_, j) => {
          const count = slow.terms(j, positions, weights)
          let sum = slow.bias(j)
          for (let i = 0; i < count; i++) sum += weights[i]! * x[positions[i]!]!
          return sum
        })
        expect(Array.from(apply!(x))).toEqual(expected)
      }
    }
  })
})

const good = randomModel(seeded(5))

describe('malformed models', () => {
  test('are refused', () => {
    const layer = good.layers[0]!
    expect(() => analyse({ ...good, layers: [{ ...layer, inputs: [7] }] })).toThrow(ModelError)
    expect(() => analyse({ ...good, layers: [{ ...layer, shape: [0] }] })).toThrow(ModelError)
    expect(() => analyse({ ...good, inputs: [{ ...good.inputs[0]!, lo: 0.5 }] })).toThrow(ModelError)
    expect(() => analyse({ ...good, layers: [{ ...layer, kind: 'nothing' as never }] })).toThrow(ModelError)
  })
})
