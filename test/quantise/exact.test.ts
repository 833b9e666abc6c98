import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { bigints } from '../../circuits/arithmetic.ts'
import { solve } from '../../circuits/solve.ts'
import { compile } from '../../src/compile.ts'
import type { Graph } from '../../src/graph/graph.ts'
import { type AttributeSpec, decodeTensorProto, encodeModel } from '../../src/graph/onnx.ts'
import { runFloat } from '../../src/graph/run.ts'
import { decodeModelFile, encodeModelFile } from '../../src/model/encode.ts'
import { evaluateModel, type IntegerModel, prepareInteger } from '../../src/model/model.ts'
import { compileModel, importGraph } from '../../src/pipeline/compileModel.ts'
import { isQuantised, quantiseExactly } from '../../src/quantise/exact.ts'
import { dequantise, quantiseInput } from '../../src/quantise/ports.ts'
import { type DType, type Shape, sizeOf, type Tensor } from '../../src/tensor.ts'
import { corpus, hasCorpus } from '../support/corpus.ts'
import { refusal } from '../support/errors.ts'
import { type Random, seeded } from '../support/random.ts'
import { tensor } from '../support/tensors.ts'

const SEED = 20261126

/** Real outputs of the integer model, as float32. */
function outputsOf(model: IntegerModel, inputs: readonly Tensor[]): number[][] {
  const values = prepareInteger(model)(model.inputs.map((port, i) => quantiseInput(port, inputs[i]!, 'refuse')))
  return model.outputs.map((port) => Array.from(dequantise(port, values[port.value]!).data, (v) => Math.fround(v) + 0))
}

const models = [
  'mlperf-ad-autoencoder-int8',
  'mlperf-kws-dscnn-int8',
  'ort-conv_qdq_s8s8',
  'ort-conv_qdq_s8s8_perchannel',
  'ort-conv_qdq_u8u8',
  'ort-qdq_conv',
  'ort-qdq_convs',
  'tflm-hello-world-int8',
  'tflm-micro-speech-int8',
  'tract-qrelu_1',
  'tract-qsigmoid_1',
  'tract-qtanh_1',
]

describe.skipIf(!hasCorpus('models'))('quantised models of the corpus, bit for bit', () => {
  for (const name of models)
    test(name, () => {
      const folder = join(corpus, 'models', name)
      const sets = readdirSync(folder).filter((f) => f.startsWith('test_data_set_'))
      const read = (set: string, file: string): Tensor => decodeTensorProto(readFileSync(join(folder, set, file)))
      const shapes = name.startsWith('tract-') ? { input: read(sets[0]!, 'input_0.pb').shape } : {}
      const graph = importGraph(readFileSync(join(folder, 'model.onnx')), shapes)
      expect(isQuantised(graph)).toBe(true)
      const model = quantiseExactly(graph)
      expect(sets.length).toBeGreaterThan(0)
      for (const set of sets) {
        const inputs = graph.inputs.map(({ shape }, i) => ({ ...read(set, `input_${i}.pb`), shape }))
        const expected = graph.outputs.map((_, i) => {
          // where the author's runtime and onnxruntime differ, the latter's output stands beside
          const own = `output_${i}.ort.pb`
          return read(set, existsSync(join(folder, set, own)) ? own : `output_${i}.pb`)
        })
        expect(outputsOf(model, inputs), set).toEqual(expected.map(({ data }) => Array.from(data, (v) => v + 0)))
      }
    })
})

type Attributes = Record<string, AttributeSpec>

type Parts = {
  readonly nodes: { op: string; domain?: string; inputs: string[]; outputs: string[]; attributes?: Attributes }[]
  readonly constants: Record<string, Tensor>
}

/** A random chain of quantised layers on an image or a matrix. */
function randomNetwork(random: Random): { readonly onnx: Uint8Array; readonly shape: Shape; readonly dtype: DType } {
  const { nodes, constants }: Parts = { nodes: [], constants: {} }
  const type = random.pick(['int8', 'uint8'] as const)
  const window = type === 'int8' ? [-128, 127] : [0, 255]
  let count = 0
  const fresh = (): string => `t${count++}`
  const constant = (t: Tensor): string => {
    const name = fresh()
    constants[name] = t
    return name
  }
  const add = (op: string, inputs: string[], given: Record<string, number | number[]> = {}): string => {
    const y = fresh()
    const spec = (v: number | number[]): AttributeSpec => (typeof v === 'number' ? { int: v } : { ints: v })
    const attributes = Object.fromEntries(Object.entries(given).map(([key, v]) => [key, spec(v)]))
    nodes.push({ op, inputs, outputs: [y], attributes })
    return y
  }
  const scale = (): number => Math.fround(2 ** -(2 + 5 * random.unit()))
  const grid = () => {
    const zero = random.pick([window[0]!, 0, random.integer(window[0]!, window[1]!)])
    const s = random.unit() < 0.2 ? 2 ** -random.integer(1, 6) : scale()
    return { s, pair: [constant(tensor([], [s])), constant(tensor([], [zero], type))] }
  }
  const spatial = random.unit() < 0.6
  let shape: number[] = spatial ? [1, random.integer(1, 3), random.integer(3, 5), random.integer(3, 5)] : [2, 5]
  const first = [...shape]
  const float = random.unit() < 0.5
  let at = grid()
  let x = float ? add('QuantizeLinear', ['x', ...at.pair]) : 'x'
  const steps = random.integer(1, 4)
  for (let k = 0; k < steps; k++) {
    let y = add('DequantizeLinear', [x, ...at.pair])
    const kind = random.pick(
      spatial
        ? ['conv', 'pool', 'global', 'max', 'unary', 'pair']
        : ['gemm', 'matMul', 'unary', 'softmax', 'pair', 'affine'],
    )
    const weights = (dims: Shape, axis: number): { name: string; scales: Float64Array } => {
      const per = random.unit() < 0.5 ? dims[axis]! : 1
      const scales = Float64Array.from({ length: per }, scale)
      const w = tensor(
        dims,
        Array.from({ length: sizeOf(dims) }, () => random.integer(-128, 127)),
        'int8',
      )
      const inputs = [constant(w), constant(tensor(per === 1 ? [] : [per], scales))]
      return { name: add('DequantizeLinear', inputs, per === 1 ? {} : { axis }), scales }
    }
    const bias = (n: number, scales: Float64Array): string => {
      const b = tensor(
        [n],
        Array.from({ length: n }, () => random.integer(-3000, 3000)),
        'int32',
      )
      const units = scales.map((s) => Math.fround(s * at.s))
      return add(
        'DequantizeLinear',
        [constant(b), constant(tensor(units.length === 1 ? [] : [n], units))],
        units.length === 1 ? {} : { axis: 0 },
      )
    }
    if (kind === 'conv' && shape[2]! > 1 && shape[3]! > 1) {
      const filters = random.integer(1, 3)
      const w = weights([filters, shape[1]!, 2, 2], 0)
      const pads = random.integer(0, 1)
      y = add('Conv', [y, w.name, bias(filters, w.scales)], { pads: [pads, pads, pads, pads] })
      shape = [shape[0]!, filters, shape[2]! + 2 * pads - 1, shape[3]! + 2 * pads - 1]
    } else if (kind === 'gemm') {
      const n = random.integer(2, 4)
      const w = weights([n, shape[1]!], 0)
      y = add('Gemm', [y, w.name, bias(n, w.scales)], { transB: 1 })
      shape = [shape[0]!, n]
    } else if (kind === 'matMul') {
      const n = random.integer(2, 4)
      y = add('MatMul', [y, weights([shape[1]!, n], 1).name])
      shape = [shape[0]!, n]
    } else if (kind === 'pool' && shape[2]! > 1 && shape[3]! > 1) {
      y = add('AveragePool', [y], { kernel_shape: [2, 2], pads: [1, 0, 0, 0], count_include_pad: random.integer(0, 1) })
      shape = [shape[0]!, shape[1]!, shape[2]!, shape[3]! - 1]
    } else if (kind === 'global') {
      y = add('GlobalAveragePool', [y])
      shape = [shape[0]!, shape[1]!, 1, 1]
    } else if (kind === 'max' && shape[2]! > 1 && shape[3]! > 1) {
      y = add('MaxPool', [y], { kernel_shape: [2, 2] })
      shape = [shape[0]!, shape[1]!, shape[2]! - 1, shape[3]! - 1]
    } else if (kind === 'unary') y = add(random.pick(['Sigmoid', 'Tanh', 'LeakyRelu']), [y])
    if (kind === 'pair') {
      const other = add('DequantizeLinear', [x, ...grid().pair])
      if (random.unit() < 0.3) {
        y = add('Concat', [y, other], { axis: 0 })
        shape = [2 * shape[0]!, ...shape.slice(1)]
      } else y = add(random.pick(['Add', 'Sub', 'Mul']), [y, other])
    } else if (kind === 'affine') {
      const values = Array.from({ length: shape[1]! }, () => Math.fround(random.unit() + 0.25))
      y = add(random.pick(['Add', 'Sub', 'Mul']), [y, constant(tensor([shape[1]!], values))])
    }
    if (kind === 'softmax') {
      y = add('Softmax', [y])
      at = { s: 2 ** -8, pair: [constant(tensor([], [2 ** -8])), constant(tensor([], [window[0]!], type))] }
    } else {
      if (random.unit() < 0.4) y = add('Relu', [y])
      at = grid()
    }
    x = add('QuantizeLinear', [y, ...at.pair])
  }
  if (random.unit() < 0.5) x = add('DequantizeLinear', [x, ...at.pair])
  const dtype: DType = float ? 'float32' : type
  const onnx = encodeModel({
    opset: 13,
    inputs: [{ name: 'x', dtype, shape: first }],
    outputs: [{ name: x }],
    nodes,
    initializers: constants,
  })
  return { onnx, shape: first, dtype }
}

const randomInput = (random: Random, shape: Shape, dtype: DType): Tensor => {
  const draw = (): number =>
    dtype === 'float32'
      ? Math.fround(8 * random.normal())
      : random.integer(dtype === 'int8' ? -128 : 0, dtype === 'int8' ? 127 : 255)
  return tensor(shape, Array.from({ length: sizeOf(shape) }, draw), dtype)
}

const floatOutputs = (graph: Graph, x: Tensor): number[][] => {
  const values = runFloat(graph, new Map([['x', x]]))
  return graph.outputs.map((name) => Array.from(values.get(name)!.data, (v) => Math.fround(v) + 0))
}

describe('random quantised networks', () => {
  test(`integers, bigints and circuits agree, and differ from floats by ties only (seed ${SEED})`, () => {
    const random = seeded(SEED)
    let [compared, differing] = [0, 0]
    for (let k = 0; k < 40; k++) {
      const { onnx, shape, dtype } = randomNetwork(random)
      const graph = importGraph(onnx)
      const model = quantiseExactly(graph)
      expect(decodeModelFile(encodeModelFile(model))).toEqual(model)
      const run = prepareInteger(model)
      const circuit = compile(model, { input: 'private', output: 'public' })
      for (let i = 0; i < 3; i++) {
        const x = randomInput(random, shape, dtype)
        const integers = model.inputs.map((port) => quantiseInput(port, x, 'refuse'))
        const values = run(integers)
        const slow = evaluateModel(
          model,
          bigints,
          integers.map((v) => Array.from(v, BigInt)),
        )
        values.forEach((v, id) => {
          expect(Array.from(v, BigInt), `value ${id} of network ${k}`).toEqual(Array.from(slow[id]!))
        })
        const y = Array.from(values[model.outputs[0]!.value]!, Number)
        const witness = solve(circuit, Float64Array.from(integers.flatMap((v) => [...v])))
        expect(Array.from(witness.small.subarray(1, 1 + y.length)), `network ${k}`).toEqual(y)
        const [got, expected] = [outputsOf(model, [x])[0]!, floatOutputs(graph, x)[0]!]
        got.forEach((v, j) => {
          compared++
          if (v !== expected[j]) differing++
        })
      }
    }
    expect(compared).toBeGreaterThan(500)
    // the float run sums in doubles and rounds elsewhere: only values next to a half may differ
    expect(differing).toBeLessThan(compared / 50)
  })

  test('compile without calibration', () => {
    const { onnx } = randomNetwork(seeded(SEED + 1))
    const { report, circuit, model } = compileModel(onnx, {})
    expect(report.samples).toBe(0)
    expect(circuit.rows).toBeGreaterThan(0)
    expect(model.layers.length).toBeGreaterThan(0)
  })
})

describe('operators on quantised tensors', () => {
  const random = seeded(SEED + 2)
  const grid = (name: string, scale: number | number[], zero = 0, type: DType = 'uint8'): Record<string, Tensor> => {
    const scales = [scale].flat()
    const shape = typeof scale === 'number' ? [] : [scales.length]
    return {
      [`${name}s`]: tensor(shape, scales.map(Math.fround)),
      [`${name}z`]: tensor(
        shape,
        scales.map(() => zero),
        type,
      ),
    }
  }
  const bytes = (shape: Shape, dtype: DType): Tensor => randomInput(random, shape, dtype)
  const x = [...['x', 'xs', 'xz']]
  const cases: Record<
    string,
    { domain?: string; shape: Shape; inputs: string[]; constants: Record<string, Tensor>; attributes?: Attributes }
  > = {
    QLinearConv: {
      shape: [1, 2, 4, 4],
      inputs: [...x, 'w', 'ws', 'wz', 'ys', 'yz', 'b'],
      constants: {
        ...grid('x', 0.05, 120),
        ...grid('w', [0.02, 0.03, 0.01], 3, 'int8'),
        ...grid('y', 0.21, 100),
        w: bytes([3, 2, 3, 3], 'int8'),
        b: tensor([3], [-500, 40, 3000], 'int32'),
      },
      attributes: { pads: { ints: [1, 1, 0, 0] } },
    },
    QLinearMatMul: {
      shape: [3, 4],
      inputs: [...x, 'w', 'ws', 'wz', 'ys', 'yz'],
      constants: { ...grid('x', 0.05, 120), ...grid('w', 0.02, 100), ...grid('y', 0.3, 90), w: bytes([4, 5], 'uint8') },
    },
    ConvInteger: {
      shape: [1, 1, 4, 4],
      inputs: ['x', 'w', 'xz'],
      constants: { ...grid('x', 1, 77), w: bytes([2, 1, 2, 2], 'uint8') },
    },
    MatMulInteger: {
      shape: [3, 4],
      inputs: ['x', 'w', 'xz', 'wz'],
      constants: { ...grid('x', 1, 77), ...grid('w', [1, 1, 1], -5, 'int8'), w: bytes([4, 3], 'int8') },
    },
  }
  const microsoft = { domain: 'com.microsoft', shape: [1, 3, 4, 4] }
  const ends = { ...grid('x', 0.05, 120), ...grid('y', 0.0707, 100) }
  const unaries: Record<string, Attributes> = {
    QLinearAveragePool: { kernel_shape: { ints: [3, 3] } },
    QLinearGlobalAveragePool: {},
    QLinearSigmoid: {},
    QLinearLeakyRelu: { alpha: { float: 0.2 } },
  }
  for (const [op, attributes] of Object.entries(unaries))
    cases[op] = { ...microsoft, inputs: [...x, 'ys', 'yz'], constants: ends, attributes }
  cases.QLinearSoftmax = {
    ...microsoft,
    shape: [2, 7],
    inputs: [...x, 'ys', 'yz'],
    constants: { ...grid('x', 0.05, 120), ...grid('y', 1 / 256, 0) },
    attributes: { axis: { int: 1 }, opset: { int: 13 } },
  }
  const second = { ...ends, ...grid('w', 0.031, 40) }
  for (const op of ['QLinearAdd', 'QLinearMul'])
    cases[op] = { ...microsoft, inputs: [...x, 'x', 'ws', 'wz', 'ys', 'yz'], constants: second }
  cases.QLinearConcat = {
    ...microsoft,
    inputs: ['ys', 'yz', ...x, 'x', 'ws', 'wz'],
    constants: second,
    attributes: { axis: { int: 1 } },
  }
  for (const [op, { domain = '', shape, inputs, constants, attributes = {} }] of Object.entries(cases))
    test(op, () => {
      const onnx = encodeModel({
        opset: 13,
        opsets: { 'com.microsoft': 1 },
        inputs: [{ name: 'x', dtype: 'uint8', shape }],
        outputs: [{ name: 'y' }],
        nodes: [{ op, domain, inputs, outputs: ['y'], attributes }],
        initializers: constants,
      })
      const graph = importGraph(onnx)
      const model = quantiseExactly(graph)
      const circuit = compile(model, { input: 'private', output: 'public' })
      let [compared, differing] = [0, 0]
      for (let i = 0; i < 20; i++) {
        const sample = bytes(shape, 'uint8')
        const [got, expected] = [outputsOf(model, [sample])[0]!, floatOutputs(graph, sample)[0]!]
        got.forEach((v, j) => {
          compared++
          if (v !== expected[j]) differing++
          expect(Math.abs(v - expected[j]!)).toBeLessThanOrEqual(1)
        })
        if (i > 2) continue
        const witness = solve(circuit, Float64Array.from(sample.data))
        expect(Array.from(witness.small.subarray(1, 1 + got.length))).toEqual(got)
      }
      expect(new Set(outputsOf(model, [bytes(shape, 'uint8')])[0]).size).toBeGreaterThan(2)
      expect(differing).toBeLessThanOrEqual(1 + compared / 100)
    })
})

/** y = QuantizeLinear(DequantizeLinear(x)) between whole tensors. */
const requantised = (from: DType, to: DType, [a, b]: readonly [number, number]): Uint8Array =>
  encodeModel({
    opset: 21,
    inputs: [{ name: 'x', dtype: from, shape: [2, 3] }],
    outputs: [{ name: 'y' }],
    nodes: [
      { op: 'DequantizeLinear', inputs: ['x', 'a'], outputs: ['r'] },
      { op: 'QuantizeLinear', inputs: ['r', 'b', 'z'], outputs: ['y'] },
    ],
    initializers: {
      a: tensor([], [Math.fround(a)]),
      b: tensor([], [Math.fround(b)]),
      z: tensor([], [to === 'int8' ? 5 : 0], to),
    },
  })

describe('steps that float32 moves off every line', () => {
  test('are told apart by the places where they begin', () => {
    const random = seeded(SEED + 3)
    const graph = importGraph(requantised('int32', 'int8', [0.001, 16900]))
    const model = quantiseExactly(graph)
    expect(model.layers.map(({ kind }) => kind)).toContain('locate')
    const circuit = compile(model, { input: 'private', output: 'public' })
    const limit = 2 ** 31
    for (let i = 0; i < 50; i++) {
      const x = tensor(
        [2, 3],
        Array.from({ length: 6 }, () => random.integer(-limit, limit - 1)),
        'int32',
      )
      const got = outputsOf(model, [x])[0]!
      expect(got).toEqual(floatOutputs(graph, x)[0])
      if (i > 4) continue
      expect(Array.from(solve(circuit, x.data).small.subarray(1, 7))).toEqual(got)
    }
  })

  test('are refused where they are too many', () => {
    const of = (scales: [number, number]): string =>
      refusal(() => quantiseExactly(importGraph(requantised('int16', 'int16', scales))))
    expect(of([0.05123, 0.07377])).toMatch(/not-quantisable.*no ratio of integers does/)
    expect(of([2 ** -5, 2 ** -3])).toBe('nothing was thrown')
  })
})

describe('what has no exact form', () => {
  const model = (nodes: Parts['nodes'], initializers: Record<string, Tensor>, dtype: DType = 'float32') =>
    encodeModel({
      opset: 13,
      inputs: [{ name: 'x', dtype, shape: [1, 2] }],
      outputs: [{ name: 'y' }],
      nodes,
      initializers,
    })
  const grid = { s: tensor([], [0.5]), z: tensor([], [3], 'int8') }
  test('is refused by name', () => {
    const q = { op: 'QuantizeLinear', inputs: ['a', 's', 'z'], outputs: ['y'] }
    const code = (nodes: Parts['nodes'], constants: Record<string, Tensor> = {}): string =>
      refusal(() => quantiseExactly(importGraph(model(nodes, { ...grid, ...constants }))))
    expect(code([{ op: 'Relu', inputs: ['x'], outputs: ['a'] }, q])).toMatch(/not-quantisable/)
    expect(code([{ op: 'DynamicQuantizeLinear', inputs: ['x'], outputs: ['y', 'b', 'c'] }])).toMatch(/input to input/)
    const weights = { w: tensor([2, 2], [1, 2, 3, 4], 'int8'), zero: tensor([2], [0.5, 0]) }
    const product = [
      { ...q, inputs: ['x', 's', 'z'], outputs: ['c'] },
      { op: 'DequantizeLinear', inputs: ['c', 's', 'z'], outputs: ['d'] },
      { op: 'DequantizeLinear', inputs: ['w', 'zero'], outputs: ['e'] },
      { op: 'MatMul', inputs: ['d', 'e'], outputs: ['a'] },
    ]
    expect(code([...product, q], weights)).toMatch(/not-quantisable.*scales is 0/)
    expect(code([...product, q], { ...weights, zero: tensor([2], [0.5, Number.NaN]) })).toMatch(/scales is NaN/)
    expect(code([...product, q], { ...weights, zero: tensor([2], [0.5, 0.25]) })).toBe('nothing was thrown')
    const pair = { s: tensor([2], [0.5, 0.25]), z: tensor([2], [3, 4], 'int8') }
    expect(code([{ ...q, inputs: ['x', 's', 'z'] }], pair)).toMatch(/not-quantisable.*scale per axis or block/)
    const both = { op: 'QuantizeLinear', inputs: ['x', 's2', 'z'], outputs: ['b'] }
    const join = { op: 'Concat', inputs: ['b', 'c'], outputs: ['y'], attributes: { axis: { int: 0 } } }
    expect(code([{ ...q, inputs: ['x', 's', 'z'], outputs: ['c'] }, both, join], { s2: tensor([], [0.25]) })).toMatch(
      /not-quantisable/,
    )
  })
})
