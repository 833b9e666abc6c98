import { describe, expect, test } from 'vitest'
import { solve } from '../../circuits/solve.ts'
import { type AttributeSpec, encodeModel } from '../../src/graph/onnx.ts'
import { runFloat } from '../../src/graph/run.ts'
import { prepareInteger } from '../../src/model/model.ts'
import { compileModel } from '../../src/pipeline/compileModel.ts'
import { isQuantised } from '../../src/quantise/exact.ts'
import { dequantise, quantiseInput } from '../../src/quantise/ports.ts'
import { type DType, integerRange, type Shape, sizeOf, type Tensor } from '../../src/tensor.ts'
import { refusal } from '../support/errors.ts'
import { type Random, seeded } from '../support/random.ts'
import { normal, tensor } from '../support/tensors.ts'

const SEED = 20261130

const integersOf = (random: Random, shape: Shape, dtype: DType): Tensor => {
  const [lo, hi] = integerRange(dtype)!
  return tensor(
    shape,
    Array.from({ length: sizeOf(shape) }, () => random.integer(lo, hi)),
    dtype,
  )
}

type Node = {
  readonly op: string
  readonly inputs: string[]
  readonly outputs: string[]
  readonly attributes?: Record<string, AttributeSpec>
}

/** Compiles nodes on computed and constant tensors; outputs of floats, integers and the circuit for samples. */
function compiled(
  nodes: readonly Node[],
  computed: Readonly<Record<string, Tensor>>,
  constants: Readonly<Record<string, Tensor>>,
  samples: readonly Readonly<Record<string, Tensor>>[],
) {
  const onnx = encodeModel({
    inputs: Object.entries(computed).map(([name, { dtype, shape }]) => ({ name, dtype, shape })),
    outputs: [{ name: 'y' }],
    nodes,
    initializers: constants,
  })
  const calibration = [computed, ...samples].map((sample) => new Map(Object.entries(sample)))
  const { graph, model, circuit, scheme } = compileModel(onnx, { calibration, compress: false })
  const run = prepareInteger(model)
  return {
    graph,
    bits: scheme.bits,
    results: samples.map((sample) => {
      const inputs = new Map(Object.entries(sample))
      const integers = model.inputs.map((port) => quantiseInput(port, inputs.get(port.name)!, 'refuse'))
      const [port] = model.outputs
      const values = run(integers)[port!.value]!
      const { small } = solve(circuit, Float64Array.from(integers.flatMap((v) => [...v])))
      expect(Array.from(small.subarray(1, 1 + values.length))).toEqual(Array.from(values, Number))
      return { float: runFloat(graph, inputs).get('y')!, integer: dequantise(port!, values) }
    }),
  }
}

describe('products of integers with computed operands', () => {
  const random = seeded(SEED)
  const draw: Readonly<Record<string, () => Tensor>> = {
    a: () => integersOf(random, [2, 3, 4], 'uint8'),
    b: () => integersOf(random, [4, 5], 'int8'),
    stack: () => integersOf(random, [2, 4, 5], 'int8'),
    za: () => integersOf(random, [], 'uint8'),
    zb: () => integersOf(random, [5], 'int8'),
    rows: () => integersOf(random, [3], 'uint8'),
  }
  test.each([
    ['both', 'a', 'b', '', '', 'a b'],
    ['both with zero points', 'a', 'b', 'za', 'zb', 'a b'],
    ['everything', 'a', 'b', 'za', 'zb', 'a b za zb'],
    ['the left one and its zero point', 'a', 'b', 'za', '', 'a za'],
    ['the left one beside a stack', 'a', 'stack', 'za', '', 'a'],
    ['the right one', 'a', 'b', 'za', 'zb', 'b'],
    ['the right one, and zero points of rows', 'a', 'stack', '', '', 'stack'],
    ['zero points alone', 'a', 'b', 'za', '', 'za'],
  ])(`MatMulInteger, computed: %s (seed ${SEED})`, (_, a, b, za, zb, computedNames) => {
    const names = [a, b, za, zb].filter((name) => name !== '')
    const values = Object.fromEntries(names.map((name) => [name, draw[name]!()]))
    const isComputed = (name: string): boolean => computedNames.split(' ').includes(name)
    const computed = Object.fromEntries(names.filter(isComputed).map((name) => [name, values[name]!]))
    const constants = Object.fromEntries(names.filter((name) => !isComputed(name)).map((name) => [name, values[name]!]))
    const samples = Array.from({ length: 3 }, () =>
      Object.fromEntries(Object.keys(computed).map((name) => [name, draw[name]!()])),
    )
    const node = { op: 'MatMulInteger', inputs: [a, b, za, zb], outputs: ['y'] }
    const { graph, results } = compiled([node], computed, constants, samples)
    const onlyLeft = computedNames === 'a'
    expect(isQuantised(graph)).toBe(onlyLeft)
    for (const { float, integer } of results) expect(integer.data).toEqual(float.data)
  })

  test(`ConvInteger after DynamicQuantizeLinear keeps within 1 % (seed ${SEED})`, () => {
    const x = (): Tensor => normal(random, [1, 2, 5, 5])
    const nodes = [
      { op: 'DynamicQuantizeLinear', inputs: ['x'], outputs: ['q', 's', 'z'] },
      {
        ...{ op: 'ConvInteger', inputs: ['q', 'w', 'z'], outputs: ['sum'] },
        attributes: { pads: { ints: [1, 1, 1, 1] } },
      },
      { op: 'Cast', inputs: ['sum'], outputs: ['real'], attributes: { to: { int: 1 } } },
      { op: 'Mul', inputs: ['real', 's'], outputs: ['y'] },
    ]
    const samples = Array.from({ length: 3 }, () => ({ x: x() }))
    const { results } = compiled(nodes, { x: x() }, { w: integersOf(random, [3, 2, 3, 3], 'uint8') }, samples)
    const all = results.flatMap(({ float }) => [...float.data])
    const span = Math.max(...all) - Math.min(...all)
    for (const { float, integer } of results)
      integer.data.forEach((v, j) => {
        expect(Math.abs(v - float.data[j]!)).toBeLessThan(0.01 * span)
      })
  })

  test('weights of ConvInteger must be constant', () => {
    const computed = { x: integersOf(random, [1, 1, 3, 3], 'uint8'), w: integersOf(random, [1, 1, 2, 2], 'uint8') }
    const node = { op: 'ConvInteger', inputs: ['x', 'w'], outputs: ['y'] }
    expect(refusal(() => compiled([node], computed, {}, []))).toMatch(/^model\/unsupported.*computed weights/)
  })
})

describe('DynamicQuantizeLinear', () => {
  const random = seeded(SEED + 1)
  const multiplied = [
    { op: 'DynamicQuantizeLinear', inputs: ['x'], outputs: ['q', 's', 'z'] },
    { op: 'MatMulInteger', inputs: ['q', 'w', 'z'], outputs: ['sum'] },
    { op: 'Cast', inputs: ['sum'], outputs: ['real'], attributes: { to: { int: 1 } } },
    { op: 'Mul', inputs: ['real', 's'], outputs: ['y'] },
  ]
  const w = integersOf(random, [4, 3], 'int8')

  test.each([
    ['of either sign', (v: number) => v],
    ['not negative', (v: number) => Math.abs(v)],
    ['negative', (v: number) => -Math.abs(v) - 0.1],
  ])(`quantises a tensor %s by its own range (seed ${SEED + 1})`, (_, change) => {
    const x = (): Tensor => ({ ...normal(random, [2, 4]), data: normal(random, [2, 4]).data.map(change) })
    const samples = Array.from({ length: 4 }, () => ({ x: x() }))
    const { results } = compiled(multiplied, { x: x() }, { w }, samples)
    const all = results.flatMap(({ float }) => [...float.data])
    const span = Math.max(...all) - Math.min(...all)
    for (const { float, integer } of results)
      integer.data.forEach((v, j) => {
        expect(Math.abs(v - float.data[j]!)).toBeLessThan(0.01 * span)
      })
  })

  test('of zeros gives zeros', () => {
    const zeros = tensor([2, 4], new Array(8).fill(0))
    const { results } = compiled(multiplied, { x: normal(random, [2, 4]) }, { w }, [{ x: zeros }])
    expect([...results[0]!.integer.data].every((v) => v === 0)).toBe(true)
  })

  test('gives its scale', () => {
    const [node] = multiplied
    const samples = Array.from({ length: 3 }, () => ({ x: normal(random, [2, 4]) }))
    const outputs = ['q', 'y', 'z']
    const { results } = compiled([{ ...node!, outputs }], { x: normal(random, [2, 4]) }, {}, samples)
    for (const { float, integer } of results)
      expect(Math.abs(integer.data[0]! - float.data[0]!)).toBeLessThan(0.01 * float.data[0]!)
  })

  test('does not give its integers as outputs', () => {
    for (const outputs of [
      ['y', 's', 'z'],
      ['q', 's', 'y'],
    ])
      expect(refusal(() => compiled([{ ...multiplied[0]!, outputs }], { x: normal(random, [2, 4]) }, {}, []))).toMatch(
        /^model\/unsupported.*as outputs of the model/,
      )
  })
})
