import { expect, test } from 'vitest'
import { attributesAsked, graphOf } from '../../scripts/operators/example.ts'
import { operatorsPage, writtenPage } from '../../scripts/operators/page.ts'
import { rowsOfExample } from '../../scripts/operators/rows.ts'
import { runFloat } from '../../src/graph/run.ts'
import { ops } from '../../src/ops/index.ts'
import type { Op } from '../../src/ops/op.ts'

const opOf = (type: string, domain = ''): Op => ops.find((op) => op.type === type && op.domain === domain)!

test('docs/operators.md is up to date (npm run docs:operators)', () => {
  expect(writtenPage()).toBe(operatorsPage())
})

test('every operator has an example that it takes', () => {
  for (const op of ops) {
    expect(op.doc, op.type).toBeDefined()
    const { graph, sample } = graphOf(op)
    const found = runFloat(graph, sample)
    for (const name of graph.outputs)
      expect(found.get(name)!.shape, `${op.type} ${name}`).toEqual(graph.types.get(name)!.shape)
  }
})

test('attributes are those that the operator asks for, in the opsets in which it does', () => {
  const asked = (type: string, domain = '') =>
    Object.fromEntries([...attributesAsked(opOf(type, domain))].map(([name, { opsets }]) => [name, opsets]))
  expect(asked('Relu')).toEqual({})
  expect(asked('LeakyRelu')).toEqual({ alpha: [6, 25] })
  expect(asked('Clip')).toEqual({ max: [6, 10], min: [6, 10] })
  expect(asked('Squeeze')).toEqual({ axes: [1, 12] })
  expect(asked('ReduceSum')).toEqual({ axes: [1, 12], keepdims: [1, 25], noop_with_empty_axes: [13, 25] })
  expect(asked('TopK')).toEqual({ axis: [1, 25], k: [1, 9], largest: [11, 25], sorted: [11, 25] })
  expect(asked('Scaler', 'ai.onnx.ml')).toEqual({ offset: [1, 5], scale: [1, 5] })
})

/** Rows of examples as the stated formulas have them: six elements of 8 bits. */
test.each([
  ['Abs', 6 * 2 * (8 + 2)],
  ['LeakyRelu', 6 * (8 + 2)],
  ['Mul', 6],
  ['MatMul', 2 * 2 * 3],
  ['Gemm', 0],
  ['Sigmoid', 6 * 46],
  ['MaxPool', 4 * 3 * (8 + 3)],
  ['ReduceMax', 2 * 2 * (8 + 3)],
  ['ReduceSumSquare', 6],
  ['Where', 6],
  ['And', 3],
  ['Add', 0],
  ['Conv', 0],
  ['Transpose', 0],
])('the rows of %s', (type, rows) => {
  // an interval may take a bit more or less than b
  const found = rowsOfExample(opOf(type))!.rows
  expect(found).toBeGreaterThanOrEqual(0.9 * rows)
  expect(found).toBeLessThanOrEqual(1.1 * rows)
})
