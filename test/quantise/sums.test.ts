import { describe, expect, test } from 'vitest'
import { Fr } from '../../circuits/field.ts'
import { solve, wireValue } from '../../circuits/solve.ts'
import { compile } from '../../src/compile.ts'
import { encodeModel, type ModelSpec } from '../../src/graph/onnx.ts'
import { runInteger } from '../../src/model/model.ts'
import { importGraph } from '../../src/pipeline/compileModel.ts'
import { calibrate } from '../../src/quantise/calibrate.ts'
import { quantiseInput } from '../../src/quantise/ports.ts'
import { quantise } from '../../src/quantise/quantise.ts'
import { comparer, reportOn } from '../../src/quantise/report.ts'
import type { Tensor } from '../../src/tensor.ts'
import { seeded } from '../support/random.ts'

const SEED = 5

const floats = (shape: readonly number[], next: () => number): Tensor => ({
  dtype: 'float32',
  shape,
  data: Float64Array.from({ length: shape.reduce((n, d) => n * d, 1) }, () => Math.fround(next())),
})

/** x [2, 6] through nodes over weights W, V [6, 6] and U [6, 1]. */
function build(nodes: ModelSpec['nodes'], outputs = ['y']) {
  const random = seeded(SEED)
  const weights = (shape: readonly number[]): Tensor => floats(shape, () => random.normal())
  const onnx = encodeModel({
    inputs: [{ name: 'x', shape: [2, 6] }],
    outputs: outputs.map((name) => ({ name })),
    initializers: { W: weights([6, 6]), V: weights([6, 6]), U: weights([6, 1]) },
    nodes,
  })
  const samples = Array.from({ length: 8 }, () => new Map([['x', weights([2, 6])]]))
  const graph = importGraph(onnx)
  const model = quantise(graph, calibrate(graph, samples))
  return { graph, model, samples }
}

const gemm = (w: string, to: string, from = 'x') => ({ op: 'MatMul', inputs: [from, w], outputs: [to] })

const roundings = ({ model }: ReturnType<typeof build>): string[] =>
  model.layers.filter(({ kind }) => kind === 'requantise').map(({ name }) => name)

describe(`sums of accumulators (seed ${SEED})`, () => {
  const residual = build([
    gemm('W', 'a'),
    gemm('V', 'b'),
    { op: 'Add', inputs: ['a', 'b'], outputs: ['s'] },
    { op: 'Sub', inputs: ['s', 'x'], outputs: ['t'] },
    { op: 'Relu', inputs: ['t'], outputs: ['r'] },
    gemm('U', 'y', 'r'),
  ])

  test('are rounded once, behind the last of them', () => {
    expect(roundings(residual)).toHaveLength(1)
    const { graph, model, samples } = residual
    expect(reportOn(samples.map(comparer(graph, model, 'saturate'))).relativeError).toBeLessThan(0.01)
  })

  test('are the same integers in the circuit', () => {
    const { model, samples } = residual
    const circuit = compile(model, { input: 'private', output: 'public' })
    for (const sample of samples) {
      const x = quantiseInput(model.inputs[0]!, sample.get('x')!, 'saturate')
      const [values, witness] = [runInteger(model, [x]), solve(circuit, x)]
      const got = model.outputs[0]!.shape.reduce((n, d) => n * d, 1)
      for (let j = 0; j < got; j++)
        expect(Fr.signed(wireValue(Fr, witness, 1 + j))).toBe(BigInt(values[model.outputs[0]!.value]![j]!))
    }
  })

  test('that something else reads as well are rounded for both', () => {
    const shared = build(
      [
        gemm('W', 'a'),
        gemm('V', 'b'),
        { op: 'Add', inputs: ['a', 'b'], outputs: ['s'] },
        gemm('V', 'c', 'a'),
        { op: 'Add', inputs: ['s', 'c'], outputs: ['y'] },
      ],
      ['y'],
    )
    // a, for its product and for the sum
    expect(roundings(shared)).toHaveLength(1)
  })

  test('that many elements of a sum read are rounded first', () => {
    const spread = build([
      gemm('U', 'a'),
      gemm('W', 'b'),
      { op: 'Add', inputs: ['a', 'b'], outputs: ['s'] },
      { op: 'Relu', inputs: ['s'], outputs: ['r'] },
      gemm('U', 'y', 'r'),
    ])
    expect(roundings(spread)).toHaveLength(2)
  })
})
