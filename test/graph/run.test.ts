import { expect, test } from 'vitest'
import { importOnnx } from '../../src/graph/import.ts'
import { encodeModel } from '../../src/graph/onnx.ts'
import { runFloat } from '../../src/graph/run.ts'
import type { Tensor } from '../../src/tensor.ts'
import { refusal } from '../support/errors.ts'
import { counting, tensor } from '../support/tensors.ts'

const graph = importOnnx(
  encodeModel({
    inputs: [
      { name: 'a', shape: [2] },
      { name: 'b', shape: [2] },
    ],
    outputs: [{ name: 'y' }, { name: 's' }],
    nodes: [
      { op: 'Add', inputs: ['a', 'b'], outputs: ['s'] },
      { op: 'Relu', inputs: ['s'], outputs: ['y'] },
    ],
  }),
)
const a = tensor([2], [1, -5])
const b = tensor([2], [2, 3])

test('gives the outputs and shows what lies between', () => {
  const seen: [string, number[]][] = []
  const outputs = runFloat(
    graph,
    new Map([
      ['a', a],
      ['b', b],
    ]),
    (name, t) => seen.push([name, [...t.data]]),
  )
  expect([...outputs.keys()]).toEqual(['y', 's'])
  expect([...outputs.get('y')!.data]).toEqual([3, 0])
  expect(seen).toEqual([
    ['s', [3, -2]],
    ['y', [3, 0]],
  ])
})

test('any float type does', () => {
  const inputs = new Map([
    ['a', { ...a, dtype: 'float64' } as Tensor],
    ['b', b],
  ])
  expect([...runFloat(graph, inputs).get('s')!.data]).toEqual([3, -2])
})

test.each<[string, [string, Tensor][]]>([
  ['input/missing: input "b" is missing', [['a', a]]],
  [
    'input/unknown: the model has no input "c"',
    [
      ['a', a],
      ['b', b],
      ['c', b],
    ],
  ],
  [
    'input/wrong-shape: input "b" has shape [1, 2], the model takes [2]',
    [
      ['a', a],
      ['b', counting([1, 2])],
    ],
  ],
  [
    'input/wrong-shape: input "b" has shape [2], the model takes [2]',
    [
      ['a', a],
      ['b', { ...b, data: Float64Array.of(1) }],
    ],
  ],
  [
    'input/wrong-type: input "b" is int64, the model takes float32',
    [
      ['a', a],
      ['b', tensor([2], [1, 2], 'int64')],
    ],
  ],
])('%s', (message, inputs) => {
  expect(refusal(() => runFloat(graph, new Map(inputs)))).toBe(message)
})
