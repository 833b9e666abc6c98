import { expect, test } from 'vitest'
import { importOnnx } from '../../src/graph/import.ts'
import { runFloat } from '../../src/graph/run.ts'
import { prepareInteger } from '../../src/model/model.ts'
import { errorFunction } from '../../src/ops/special.ts'
import { calibrate } from '../../src/quantise/calibrate.ts'
import { planScales } from '../../src/quantise/plan.ts'
import { quantiseInput } from '../../src/quantise/ports.ts'
import { quantise } from '../../src/quantise/quantise.ts'
import { seeded } from '../support/random.ts'
import { type SingleNode, singleNode, tensor } from '../support/tensors.ts'

/** A node, and the real inputs that it is tried on. */
const functions: readonly (readonly [SingleNode['op'], lo: number, hi: number])[] = [
  ['Exp', -4, 2],
  ['Log', 0.05, 4],
  ['Sqrt', 0, 9],
  ['Reciprocal', 0.25, 4],
  ['Erf', -4, 4],
  ['Gelu', -5, 5],
  ['Elu', -5, 5],
  ['Selu', -5, 5],
  ['Celu', -5, 5],
  ['Softplus', -6, 6],
  ['Softsign', -9, 9],
  ['HardSigmoid', -5, 5],
  ['HardSwish', -5, 5],
  ['Mish', -5, 5],
  ['Sigmoid', -7, 7],
  ['Tanh', -3, 3],
]

for (const bits of [8, 12, 16])
  test.each(functions)(`%s of every integer of ${bits} bits in [%d, %d] is within the stated error`, (op, lo, hi) => {
    const count = 2 ** bits
    const grid = tensor(
      [count],
      Array.from({ length: count }, (_, i) => lo + ((hi - lo) * i) / (count - 1)),
    )
    const graph = importOnnx(singleNode({ op, opset: 21, inputs: [grid] }))
    const ranges = calibrate(graph, [new Map([['x0', grid]])])
    const scheme = { bits, weightBits: 16 }
    const model = quantise(graph, ranges, scheme)
    const step = planScales(graph, ranges, scheme).get('y')!.scale
    const { scale, lo: least, hi: most } = model.inputs[0]!
    const first = Math.max(least, Math.ceil(lo / scale))
    const q = Float64Array.from({ length: count }, (_, i) => Math.min(first + i, Math.floor(hi / scale), most))
    const x = { ...grid, data: q.map((v) => v * scale) }
    const expected = runFloat(graph, new Map([['x0', x]])).get('y')!.data
    const port = model.outputs[0]!
    const got = prepareInteger(model)([q])[port.value]!
    const worst = expected.reduce((m, v, i) => Math.max(m, Math.abs(v - Number(got[i]) * port.scale)), 0)
    expect(worst).toBeLessThanOrEqual(step * (bits > 12 ? 1 : 0.5))
    // and not by a table of nothing
    expect(new Set(Array.from(got, Number)).size).toBeGreaterThan(2)
  })

test.each([8, 10, 12, 16])('probabilities of %i bits are within the stated error (seed 17)', (bits) => {
  const random = seeded(17)
  const share = bits < 11 ? 0.021 : bits < 12 ? 0.011 : 0.006
  for (const [spread, k] of [
    [1, 2],
    [3, 5],
    [8, 10],
  ] as const) {
    const x = tensor(
      [40, k],
      Array.from({ length: 40 * k }, () => spread * random.normal()),
    )
    const graph = importOnnx(singleNode({ op: 'Softmax', inputs: [x] }))
    const ranges = calibrate(graph, [new Map([['x0', x]])])
    const model = quantise(graph, ranges, { bits, weightBits: 16 })
    const q = quantiseInput(model.inputs[0]!, x, 'refuse')
    const held = new Map([['x0', { ...x, data: q.map((v) => v * model.inputs[0]!.scale) }]])
    const port = model.outputs[0]!
    const got = prepareInteger(model)([q])[port.value]!
    runFloat(graph, held)
      .get('y')!
      .data.forEach((p, i) => {
        const error = Math.abs(Number(got[i]) * port.scale - p)
        expect(error).toBeLessThanOrEqual(share * p * (1 - p) + k * 2 ** -14 + 0.5 / (2 ** bits - 1))
      })
  }
})

test('the error function has its known values', () => {
  // Abramowitz and Stegun, table 7.1
  const known = [
    [0, 0],
    [0.5, 0.5204998778],
    [1, 0.8427007929],
    [2, 0.995322265],
    [3, 0.9999779095],
    [4, 0.9999999846],
  ] as const
  for (const [x, y] of known) {
    expect(errorFunction(x)).toBeCloseTo(y, 10)
    expect(errorFunction(-x)).toBeCloseTo(-y, 10)
  }
})
