import { describe, expect, test } from 'vitest'
import { compile } from '../../src/compile.ts'
import type { Graph } from '../../src/graph/graph.ts'
import { importOnnx } from '../../src/graph/import.ts'
import { type AttributeSpec, decodeModel, encodeModel, type ModelSpec } from '../../src/graph/onnx.ts'
import { runFloat } from '../../src/graph/run.ts'
import { simplify } from '../../src/graph/simplify.ts'
import { calibrate } from '../../src/quantise/calibrate.ts'
import { quantise } from '../../src/quantise/quantise.ts'
import { comparer } from '../../src/quantise/report.ts'
import type { Shape, Tensor } from '../../src/tensor.ts'
import { difference } from '../support/corpus.ts'
import { refusal } from '../support/errors.ts'
import { type Random, seeded } from '../support/random.ts'
import { normal, tensor } from '../support/tensors.ts'

const bools = (random: Random, shape: Shape): Tensor => {
  const x = normal(random, shape)
  // the first key is always there
  return { dtype: 'bool', shape, data: x.data.map((v, i) => Number(v > 0 || i % shape.at(-1)! === 0)) }
}

const sampleOf = (graph: Graph, given: Readonly<Record<string, Tensor>>): Map<string, Tensor> =>
  new Map(graph.inputs.map(({ name }) => [name, given[name]!]))

/** Largest difference of the integers from the expected outputs, as a share of the largest expected magnitude. */
function integerError(graph: Graph, sample: ReadonlyMap<string, Tensor>, bits: number): number {
  const model = quantise(graph, calibrate(graph, [sample]), { bits, weightBits: 16 })
  const { float, integer } = comparer(graph, model, 'refuse')(sample)
  const shares = float.map(({ data }, k) => {
    const size = data.reduce((m, v) => Math.max(m, Math.abs(v)), 1e-9)
    return data.reduce((m, v, i) => Math.max(m, Math.abs(v - integer[k]!.data[i]!)), 0) / size
  })
  return Math.max(...shares)
}

type Case = { readonly bytes: Uint8Array; readonly given: Readonly<Record<string, Tensor>>; readonly what: string }

/** A model of one Attention node with random sizes and options. */
function randomAttention(random: Random): Case {
  const [batch, kvHeads, groups, queries, fresh, size, valueSize] = [2, 2, 3, 4, 4, 4, 4].map((most) =>
    random.integer(1, most),
  ) as [number, number, number, number, number, number, number]
  const heads = kvHeads * groups
  const past = random.pick([0, 0, 2])
  const keys = past + fresh
  const flat = random.unit() < 0.5
  const shape = (count: number, positions: number, width: number): Shape =>
    flat ? [batch, positions, count * width] : [batch, count, positions, width]
  const given: Record<string, Tensor> = {
    Q: normal(random, shape(heads, queries, size)),
    K: normal(random, shape(kvHeads, fresh, size)),
    V: normal(random, shape(kvHeads, fresh, valueSize)),
  }
  const mask = random.pick(['none', 'bool', 'float', 'constant bool', 'infinite', 'short'])
  const maskShape = random.pick([
    [queries, keys],
    [batch, 1, queries, keys],
    [heads, 1, keys],
  ])
  const initializers: Record<string, Tensor> = {}
  if (mask === 'bool') given.mask = bools(random, maskShape)
  if (mask === 'float') given.mask = normal(random, maskShape)
  if (mask === 'constant bool') initializers.mask = bools(random, maskShape)
  if (mask === 'infinite') {
    const there = bools(random, maskShape)
    const data = there.data.map((v, i) => (v === 0 ? Number.NEGATIVE_INFINITY : (i % 3) / 4))
    initializers.mask = { dtype: 'float32', shape: maskShape, data }
  }
  if (mask === 'short' && keys > 2) initializers.mask = normal(random, [queries, keys - 1])
  if (past > 0) {
    given.pastK = normal(random, [batch, kvHeads, past, size])
    given.pastV = normal(random, [batch, kvHeads, past, valueSize])
  }
  const causal = random.unit() < 0.4
  const masked = causal || ['bool', 'constant bool', 'infinite', 'short'].includes(mask)
  const attributes: Record<string, AttributeSpec> = {
    is_causal: { int: Number(causal) },
    qk_matmul_output_mode: { int: random.pick(masked ? [0, 1, 3] : [0, 1, 2, 3]) },
    ...(flat ? { q_num_heads: { int: heads }, kv_num_heads: { int: kvHeads } } : {}),
    ...(random.unit() < 0.3 ? { softcap: { float: 2 } } : {}),
    ...(random.unit() < 0.3 ? { scale: { float: 0.5 } } : {}),
  }
  const has = (name: string): string => (name in given || name in initializers ? name : '')
  const bytes = encodeModel({
    opset: 24,
    inputs: Object.entries(given).map(([name, { dtype, shape: of }]) => ({ name, dtype, shape: of })),
    outputs: ['Y', 'presentK', 'presentV', 'shown'].map((name) => ({ name })),
    nodes: [
      {
        op: 'Attention',
        inputs: ['Q', 'K', 'V', has('mask'), has('pastK'), has('pastV')],
        outputs: ['Y', 'presentK', 'presentV', 'shown'],
        attributes,
      },
    ],
    initializers,
  })
  return { bytes, given, what: JSON.stringify({ flat, groups, past, mask, maskShape, attributes }) }
}

describe('Attention', () => {
  test('60 random nodes are the nodes that are put in their place; integers are close (seed 91)', () => {
    const random = seeded(91)
    for (let k = 0; k < 60; k++) {
      const { bytes, given, what } = randomAttention(random)
      const graph = importOnnx(bytes)
      const sample = sampleOf(graph, given)
      const plain = simplify(graph)
      expect(plain.nodes.map(({ op }) => op)).not.toContain('Attention')
      const [wanted, got] = [runFloat(graph, sample), runFloat(plain, sample)]
      for (const [name, tensor_] of wanted)
        expect(difference(got.get(name)!, tensor_, 1e-9, 1e-9), `${name} of ${what}`).toBeUndefined()
      expect(integerError(plain, sample, 12), what).toBeLessThan(0.01)
    }
  })

  const node = (mode: number, mask: Shape, inputs: readonly string[]): Uint8Array =>
    encodeModel({
      opset: 24,
      inputs: [
        ...['Q', 'K', 'V'].map((name) => ({ name, shape: [1, 1, 3, 2] })),
        { name: 'mask', shape: mask },
        { name: 'lengths', dtype: 'int64' as const, shape: [1] },
      ],
      outputs: [{ name: 'Y' }, { name: 'shown' }],
      nodes: [
        {
          op: 'Attention',
          inputs,
          outputs: ['Y', '', '', 'shown'],
          attributes: { is_causal: { int: 1 }, qk_matmul_output_mode: { int: mode } },
        },
      ],
    })
  test.each([
    ['qk_matmul_output_mode = 2 is not supported', node(2, [3, 3], ['Q', 'K', 'V', 'mask'])],
    ['columns of attn_mask = 2 is not supported', node(0, [3, 2], ['Q', 'K', 'V', 'mask'])],
    ['attn_mask = "[2, 3]" is not supported', node(0, [2, 3], ['Q', 'K', 'V', 'mask'])],
    ['input "nonpad_kv_seqlen" = "lengths" is not supported', node(0, [3, 3], ['Q', 'K', 'V', '', '', '', 'lengths'])],
  ])('%s', (what, bytes) => {
    expect(refusal(() => simplify(importOnnx(bytes)))).toContain(`model/unsupported: Attention "Attention_0": ${what}`)
  })
})

/** Scores q · kᵀ / 2 with a mask, Softmax, times v: as PyTorch writes it out. */
function pieces(mask: ModelSpec['nodes'], initializers: Readonly<Record<string, Tensor>>): Uint8Array {
  return encodeModel({
    opset: 17,
    inputs: [
      ...['q', 'k', 'v'].map((name) => ({ name, shape: [1, 2, 4, 3] })),
      ...(mask.some(({ inputs }) => inputs.includes('there'))
        ? [{ name: 'there', dtype: 'bool' as const, shape: [4, 4] }]
        : []),
    ],
    outputs: [{ name: 'y' }],
    nodes: [
      { op: 'Transpose', inputs: ['k'], outputs: ['kt'], attributes: { perm: { ints: [0, 1, 3, 2] } } },
      { op: 'Mul', inputs: ['q', 'root'], outputs: ['qs'] },
      { op: 'Mul', inputs: ['kt', 'root'], outputs: ['ks'] },
      { op: 'MatMul', inputs: ['qs', 'ks'], outputs: ['scores'] },
      ...mask,
      { op: 'Softmax', inputs: ['masked'], outputs: ['p'], attributes: { axis: { int: -1 } } },
      { op: 'MatMul', inputs: ['p', 'v'], outputs: ['y'] },
    ],
    initializers: { root: tensor([], [Math.SQRT1_2]), ...initializers },
  })
}

describe('masks before a Softmax', () => {
  const random = seeded(5)
  const given = {
    ...Object.fromEntries(['q', 'k', 'v'].map((name) => [name, normal(random, [1, 2, 4, 3])])),
    there: tensor([4, 4], [1, 0, 0, 0, 1, 1, 0, 0, 1, 0, 1, 0, 0, 0, 0, 1], 'bool'),
  }
  const causal = (hidden: number, seen: number): Tensor =>
    tensor(
      [1, 1, 4, 4],
      Array.from({ length: 16 }, (_, i) => (i % 4 > Math.floor(i / 4) ? hidden : seen)),
    )
  const where = (a: string, b: string) => ({ op: 'Where', inputs: ['there', a, b], outputs: ['bias'] })
  const add = { op: 'Add', inputs: ['scores', 'bias'], outputs: ['masked'] }
  const perm = { perm: { ints: [0, 1, 3, 2] } }
  const constants = { zero: tensor([], [0]), low: tensor([], [Number.NEGATIVE_INFINITY]) }

  test.each([
    ['a constant with infinities', [add], { bias: causal(Number.NEGATIVE_INFINITY, 0) }],
    ['a constant of -10,000 and a bias', [{ ...add, inputs: ['bias', 'scores'] }], { bias: causal(-10_000, 0.5) }],
    ['Where before Add', [where('zero', 'low'), add], constants],
    ['the reverse', [where('low', 'zero'), add], constants],
    ['Where instead of Add', [{ ...where('scores', 'low'), outputs: ['masked'] }], constants],
    ['the reverse of that', [{ ...where('low', 'scores'), outputs: ['masked'] }], constants],
    [
      'Where by a constant',
      [{ op: 'Where', inputs: ['c', 'low', 'scores'], outputs: ['masked'] }],
      { ...constants, c: { ...causal(1, 0), dtype: 'bool' as const } },
    ],
  ])('%s becomes MaskedSoftmax', (_, mask, initializers) => {
    const graph = importOnnx(pieces(mask, initializers))
    const plain = simplify(graph)
    expect(plain.nodes.map(({ op }) => op)).toContain('MaskedSoftmax')
    expect(plain.nodes.map(({ op }) => op)).not.toContain('Where')
    const sample = sampleOf(graph, given)
    expect(difference(runFloat(plain, sample).get('y')!, runFloat(graph, sample).get('y')!, 1e-9, 1e-9)).toBeUndefined()
    expect(integerError(plain, sample, 12)).toBeLessThan(0.01)
  })

  test('what guards against NaN after it costs nothing', () => {
    const plain = pieces([where('zero', 'low'), add], constants)
    const { nodes, ...model } = decodeModel(plain)
    const guard = [
      { op: 'IsNaN', inputs: ['p'], outputs: ['nan'] },
      { op: 'Where', inputs: ['nan', 'zero', 'p'], outputs: ['safe'] },
    ]
    const guarded = encodeModel({
      opset: 17,
      inputs: model.inputs.map(({ name, dtype, dims }) => ({ name, dtype, shape: dims as number[] })),
      outputs: [{ name: 'y' }],
      nodes: [
        ...nodes.slice(0, -1).map((node) => ({ ...node, attributes: node.op === 'Transpose' ? perm : {} })),
        ...guard,
        { op: 'MatMul', inputs: ['safe', 'v'], outputs: ['y'] },
      ],
      initializers: Object.fromEntries(model.initializers),
    })
    const rows = [plain, guarded].map((onnx) => {
      const graph = simplify(importOnnx(onnx))
      const sample = sampleOf(graph, given)
      expect(integerError(graph, sample, 12)).toBeLessThan(0.01)
      return compile(quantise(graph, calibrate(graph, [sample])), { input: 'private', output: 'public' }).rows
    })
    expect(rows[1]).toBe(rows[0])
  })

  test('moderate numbers, scores that are used elsewhere and masks that widen the scores stay as they are', () => {
    const softmaxOf = (mask: ModelSpec['nodes'], initializers: Readonly<Record<string, Tensor>>): string[] =>
      simplify(importOnnx(pieces(mask, initializers)))
        .nodes.map(({ op }) => op)
        .filter((op) => op.endsWith('Softmax'))
    expect(softmaxOf([add], { bias: causal(-20, 0) })).toEqual(['Softmax'])
    const wide = tensor([2, 1, 4, 4], causal(-1e9, 0).data)
    expect(softmaxOf([add], { bias: { ...wide, data: Float64Array.of(...wide.data, ...wide.data) } })).toEqual([
      'Softmax',
    ])
    const twice = [
      { ...add, outputs: ['once'] },
      { op: 'Identity', inputs: ['once'], outputs: ['masked'] },
      { op: 'ReduceMax', inputs: ['once'], outputs: ['unused'] },
    ]
    expect(softmaxOf(twice, { bias: causal(-1e9, 0) })).toEqual(['Softmax'])
  })

  test('a line without any key gives 0', () => {
    const graph = simplify(importOnnx(pieces([where('zero', 'low'), add], constants)))
    const sample = new Map([...sampleOf(graph, given), ['there', tensor([4, 4], Array(16).fill(0), 'bool')]])
    const plain = sampleOf(graph, given)
    const model = quantise(graph, calibrate(graph, [plain]), { bits: 8, weightBits: 16 })
    const { float, integer } = comparer(graph, model, 'refuse')(sample)
    expect([...float[0]!.data]).toEqual(Array(24).fill(0))
    expect([...integer[0]!.data]).toEqual(Array(24).fill(0))
  })
})
