import { expect, test } from 'vitest'
import { importOnnx } from '../../src/graph/import.ts'
import { contextOf } from '../../src/graph/infer.ts'
import { runFloat } from '../../src/graph/run.ts'
import { findOp, ops } from '../../src/ops/index.ts'
import { seeded } from '../support/random.ts'
import { int64s, normal, type SingleNode, singleNode, tensor } from '../support/tensors.ts'

const random = seeded(2)
const x = normal(random, [2, 3, 4])

/** One node for every operator that only moves data. */
const nodes: readonly SingleNode[] = [
  { op: 'Identity', inputs: [x] },
  { op: 'Dropout', inputs: [x] },
  { op: 'Flatten', inputs: [x] },
  { op: 'Reshape', inputs: [x], constants: [int64s(4, -1)] },
  { op: 'Squeeze', inputs: [normal(random, [1, 3])] },
  { op: 'Unsqueeze', inputs: [x], constants: [int64s(1)] },
  { op: 'Transpose', attributes: { perm: { ints: [2, 0, 1] } }, inputs: [x] },
  { op: 'Concat', attributes: { axis: { int: 1 } }, inputs: [x, normal(random, [2, 1, 4]), x] },
  { op: 'Slice', inputs: [x], constants: [int64s(2, 3), int64s(0, -9), int64s(1, 2), int64s(-1, -2)] },
  { op: 'Pad', inputs: [x], constants: [int64s(0, 1, 2, 1, 0, -1), tensor([], [7])] },
  { op: 'Expand', inputs: [normal(random, [3, 1])], constants: [int64s(2, 1, 4)] },
  { op: 'Tile', inputs: [x], constants: [int64s(1, 2, 3)] },
  { op: 'GatherND', inputs: [x], constants: [tensor([2, 2], [1, -1, 0, 2], 'int64')] },
  { op: 'DepthToSpace', attributes: { blocksize: { int: 2 } }, inputs: [normal(random, [1, 8, 1, 2])] },
  { op: 'SpaceToDepth', attributes: { blocksize: { int: 2 } }, inputs: [normal(random, [1, 2, 4, 2])] },
  { op: 'Trilu', opset: 14, inputs: [x], constants: [tensor([], [1], 'int64')] },
]

test('every operator that moves data is tried', () => {
  const moving = ops.filter((op) => op.domain === '' && op.moves !== undefined).map((op) => op.type)
  expect(nodes.map((node) => node.op).sort()).toEqual(moving.sort())
})

test.each(nodes)('the index map of $op gives what the operator computes', (node) => {
  const graph = importOnnx(singleNode(node))
  const inputs = new Map(graph.inputs.map(({ name }, i) => [name, node.inputs[i]!]))
  const { map, fill } = findOp('', node.op, node.opset ?? 13).moves!(contextOf(graph.nodes[0]!, graph))
  const data = node.inputs.flatMap((t) => [...t!.data])
  expect([...map].map((at) => (at < 0 ? fill : data[at]))).toEqual([...runFloat(graph, inputs).get('y')!.data])
})
