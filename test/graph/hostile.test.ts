import { expect, test } from 'vitest'
import { VeritensorError } from '../../src/errors.ts'
import { importOnnx } from '../../src/graph/import.ts'
import { encodeModel } from '../../src/graph/onnx.ts'
import { simplify } from '../../src/graph/simplify.ts'
import { seeded } from '../support/random.ts'
import { int64s, normal } from '../support/tensors.ts'

const random = seeded(3)

/** A small model with most kinds of message: attributes of several types, initializers, optional inputs. */
const bytes = encodeModel({
  inputs: [{ name: 'x', shape: ['n', 1, 6, 6] }],
  outputs: [{ name: 'y', shape: [1, 3] }],
  nodes: [
    {
      op: 'Conv',
      inputs: ['x', 'w', 'b'],
      outputs: ['c'],
      attributes: { pads: { ints: [1, 1, 0, 0] }, strides: { ints: [2, 2] }, auto_pad: { string: 'NOTSET' } },
    },
    {
      op: 'BatchNormalization',
      inputs: ['c', 's', 's', 's', 's'],
      outputs: ['n'],
      attributes: { epsilon: { float: 1e-3 } },
    },
    { op: 'Relu', inputs: ['n'], outputs: ['r'] },
    { op: 'MaxPool', inputs: ['r'], outputs: ['m'], attributes: { kernel_shape: { ints: [2, 2] } } },
    { op: 'Clip', inputs: ['m', '', 'six'], outputs: ['k'] },
    { op: 'Slice', inputs: ['k', 'from', 'to', 'axes', 'step'], outputs: ['l'] },
    { op: 'Pad', inputs: ['l', 'pads'], outputs: ['p'], attributes: { mode: { string: 'edge' } } },
    { op: 'Reshape', inputs: ['p', 'shape'], outputs: ['f'] },
    { op: 'Gemm', inputs: ['f', 'g', 'h'], outputs: ['o'], attributes: { transB: { int: 1 }, alpha: { float: 0.5 } } },
    { op: 'Softmax', inputs: ['o'], outputs: ['y'], attributes: { axis: { int: 1 } } },
  ],
  initializers: {
    w: normal(random, [2, 1, 2, 2]),
    b: normal(random, [2]),
    s: { ...normal(random, [2]), data: Float64Array.of(1, 2) },
    six: { dtype: 'float32', shape: [], data: Float64Array.of(6) },
    from: int64s(-1),
    to: int64s(-9),
    axes: int64s(2),
    step: int64s(-1),
    pads: int64s(0, 0, 1, 0, 0, 0, 0, 1),
    shape: int64s(0, -1),
    g: normal(random, [3, 18]),
    h: normal(random, [3]),
  },
})

/** Imports and simplifies: true where it succeeds, false where it is refused; anything else is thrown. */
function accepts(candidate: Uint8Array): boolean {
  try {
    simplify(importOnnx(candidate))
    return true
  } catch (error) {
    if (error instanceof VeritensorError) return false
    throw error
  }
}

test('the model itself is accepted', () => {
  expect(accepts(bytes)).toBe(true)
})

test('every truncation gives a graph or a typed error', () => {
  for (let length = 0; length < bytes.length; length++) accepts(bytes.subarray(0, length))
  expect(accepts(bytes.subarray(0, bytes.length / 2))).toBe(false)
})

test('flipped and replaced bytes give a graph or a typed error', () => {
  let refused = 0
  for (let round = 0; round < 4000; round++) {
    const changed = bytes.slice()
    for (let n = random.integer(1, 4); n > 0; n--) {
      const at = random.integer(0, bytes.length - 1)
      changed[at] = random.pick([changed[at]! ^ (1 << random.integer(0, 7)), random.integer(0, 255), 0, 0x7f, 0xff])
    }
    if (!accepts(changed)) refused++
  }
  // most changes hit names, sizes and types; those in weights are accepted
  expect(refused).toBeGreaterThan(1000)
  expect(refused).toBeLessThan(4000)
})

test('pieces cut out, doubled and moved give a graph or a typed error', () => {
  for (let round = 0; round < 1000; round++) {
    const [a, b] = [random.integer(0, bytes.length), random.integer(0, bytes.length)].sort((x, y) => x - y) as [
      number,
      number,
    ]
    const at = random.integer(0, bytes.length)
    const piece = bytes.subarray(a, Math.min(b, a + 200))
    accepts(Uint8Array.from([...bytes.subarray(0, at), ...piece, ...bytes.subarray(at)]))
    accepts(Uint8Array.from([...bytes.subarray(0, a), ...bytes.subarray(b)]))
  }
})

test('random bytes are refused', () => {
  for (let round = 0; round < 1000; round++) {
    const noise = Uint8Array.from({ length: random.integer(0, 200) }, () => random.integer(0, 255))
    expect(accepts(noise)).toBe(false)
  }
})
