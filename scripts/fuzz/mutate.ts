/**
 * Mutations of ONNX files: of their bytes, and of the messages that the bytes hold.
 * @module
 */
import type { onnx as Onnx } from 'onnx-proto'
import onnxProto from 'onnx-proto'
import { ops } from '../../src/ops/index.ts'
import type { Random } from '../training/random.ts'

const { onnx } = onnxProto // the package is CommonJS, its names hidden from ESM
const { AttributeType } = onnx.AttributeProto

/** A mutated file and what was done to it. */
export type Mutant = { readonly bytes: Uint8Array; readonly steps: readonly string[] }

const pick = <T>(random: Random, items: readonly T[]): T => items[random.below(items.length)]!
const chance = (random: Random, share: number): boolean => random.uniform() < share

/**
 * A mutant of a file: one to three steps, half of the time of its bytes, else of its messages. `other` is a file from which
 * pieces may be taken. The same random numbers give the same mutant.
 */
export function mutate(bytes: Uint8Array, other: Uint8Array, random: Random): Mutant {
  const count = pick(random, [1, 1, 1, 2, 3])
  let current = bytes
  const steps: string[] = []
  for (let k = 0; k < count; k++) {
    const structural = chance(random, 0.8) ? decoded(current) : undefined
    if (structural === undefined) {
      const [name, change] = pick(random, byteMutations)
      current = change(current, other, random)
      steps.push(name)
    } else {
      const [name, change] = pick(random, modelMutations)
      change(structural, random)
      steps.push(name)
      current = encoded(structural) ?? current
    }
  }
  return { bytes: current, steps }
}

function decoded(bytes: Uint8Array): Onnx.ModelProto | undefined {
  try {
    return onnx.ModelProto.decode(bytes)
  } catch {
    return undefined
  }
}

/** Undefined where the message holds what protobuf can't write. */
function encoded(model: Onnx.ModelProto): Uint8Array | undefined {
  try {
    return new Uint8Array(onnx.ModelProto.encode(model).finish())
  } catch {
    return undefined
  }
}

type ByteMutation = readonly [
  name: string,
  change: (bytes: Uint8Array, other: Uint8Array, random: Random) => Uint8Array,
]

/** A piece [from, to) of at most `most` bytes. */
function piece(bytes: Uint8Array, random: Random, most: number): readonly [from: number, to: number] {
  const from = random.below(bytes.length + 1)
  return [from, Math.min(bytes.length, from + random.below(most + 1))]
}

const joined = (...parts: readonly Uint8Array[]): Uint8Array => Uint8Array.from(Buffer.concat(parts))

const byteMutations: readonly ByteMutation[] = [
  [
    'flip bits',
    (bytes, _, random) => {
      const changed = new Uint8Array(bytes)
      if (bytes.length === 0) return changed
      for (let n = 1 + random.below(4); n > 0; n--) changed[random.below(bytes.length)]! ^= 1 << random.below(8)
      return changed
    },
  ],
  [
    'replace bytes',
    (bytes, _, random) => {
      const changed = new Uint8Array(bytes)
      if (bytes.length === 0) return changed
      for (let n = 1 + random.below(4); n > 0; n--)
        changed[random.below(bytes.length)] = pick(random, [0, 1, 0x7f, 0x80, 0xff, random.below(256)])
      return changed
    },
  ],
  ['truncate', (bytes, _, random) => bytes.subarray(0, random.below(bytes.length + 1))],
  [
    'cut out',
    (bytes, _, random) => {
      const [from, to] = piece(bytes, random, 64)
      return joined(bytes.subarray(0, from), bytes.subarray(to))
    },
  ],
  [
    'double',
    (bytes, _, random) => {
      const [from, to] = piece(bytes, random, 200)
      return joined(bytes.subarray(0, to), bytes.subarray(from))
    },
  ],
  [
    'splice',
    (bytes, other, random) => {
      const [from, to] = piece(other, random, 200)
      const at = random.below(bytes.length + 1)
      return joined(bytes.subarray(0, at), other.subarray(from, to), bytes.subarray(at))
    },
  ],
  ['append', (bytes, other) => joined(bytes, other)],
]

/** Sizes and indices at the ends of what numbers hold. */
const edges = [
  0,
  1,
  -1,
  2,
  3,
  7,
  255,
  1000,
  65536,
  2 ** 24,
  2 ** 31 - 1,
  2 ** 31,
  2 ** 40,
  -(2 ** 31),
  2 ** 53,
  -(2 ** 62),
]
const floats = [0, -0, 1, -1, 0.5, 1e-45, 1e-20, 1e20, 3.4e38, Number.NaN, Infinity, -Infinity]

/** A changed size: an edge, or a neighbour of what it was. */
const size = (random: Random, before: unknown): number =>
  chance(random, 0.5) ? pick(random, edges) : Number(before ?? 0) + pick(random, [-2, -1, 1, 2])

/** Changes, adds or removes an element of a list. */
function alter<T>(list: T[], random: Random, change: (before: T | undefined) => T): void {
  const at = random.below(list.length + 1)
  if (at === list.length || chance(random, 0.1)) list.splice(at, 0, change(list[at]))
  else if (chance(random, 0.2)) list.splice(at, 1)
  else list[at] = change(list[at])
}

type ModelMutation = readonly [name: string, change: (model: Onnx.ModelProto, random: Random) => void]

/** Something to change in the graph; nothing happens where it has none. */
const inGraph =
  (change: (graph: Onnx.IGraphProto, random: Random) => void): ModelMutation[1] =>
  ({ graph }, random) => {
    if (graph) change(graph, random)
  }

const inNode = (change: (node: Onnx.INodeProto, random: Random, graph: Onnx.IGraphProto) => void): ModelMutation[1] =>
  inGraph((graph, random) => {
    const node = graph.node?.length ? pick(random, graph.node) : undefined
    if (node !== undefined) change(node, random, graph)
  })

const inAttribute = (change: (attribute: Onnx.IAttributeProto, random: Random) => void): ModelMutation[1] =>
  inGraph((graph, random) => {
    const all = (graph.node ?? []).flatMap((node) => node.attribute ?? [])
    if (all.length > 0) change(pick(random, all), random)
  })

const inTensor = (change: (tensor: Onnx.ITensorProto, random: Random) => void): ModelMutation[1] =>
  inGraph((graph, random) => {
    const held = (graph.node ?? []).flatMap((node) => (node.attribute ?? []).flatMap(({ t }) => (t ? [t] : [])))
    const all = [...(graph.initializer ?? []), ...held]
    if (all.length > 0) change(pick(random, all), random)
  })

/** All names of values in the graph. */
const namesOf = ({ node, input, initializer, output }: Onnx.IGraphProto): string[] => [
  ...(node ?? []).flatMap((each) => [...(each.input ?? []), ...(each.output ?? [])]),
  ...[input, initializer, output].flatMap((list) => (list ?? []).map(({ name }) => name ?? '')),
]

const otherName = (graph: Onnx.IGraphProto, random: Random): string =>
  pick(random, ['', 'nowhere', ...namesOf(graph), ...namesOf(graph)])

const types = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 16, 17, 22, 99, -1]

const modelMutations: readonly ModelMutation[] = [
  [
    'attribute: number',
    inAttribute((attribute, random) => {
      if (attribute.ints?.length) alter(attribute.ints as number[], random, (before) => size(random, before))
      else if (attribute.floats?.length) alter(attribute.floats, random, () => pick(random, floats))
      else if (attribute.type === AttributeType.FLOAT) attribute.f = pick(random, floats)
      else attribute.i = size(random, attribute.i)
    }),
  ],
  [
    'attribute: string',
    inAttribute((attribute, random) => {
      const text = pick(random, [
        '',
        'SAME_UPPER',
        'VALID',
        'reflect',
        'linear',
        'forward',
        '\u0000',
        'x'.repeat(10000),
      ])
      if (attribute.strings?.length) alter(attribute.strings, random, () => new TextEncoder().encode(text))
      else attribute.s = new TextEncoder().encode(text)
    }),
  ],
  [
    'attribute: type',
    inAttribute((attribute, random) => {
      attribute.type = random.below(16)
    }),
  ],
  [
    'attribute: name',
    inAttribute((attribute, random) => {
      attribute.name = pick(random, ['', 'axis', 'axes', 'kernel_shape', 'pads', 'alpha', 'constructor', '__proto__'])
    }),
  ],
  [
    'attribute: remove, repeat',
    inNode((node, random) => {
      const list = node.attribute ?? []
      if (list.length === 0) return
      const at = random.below(list.length)
      if (chance(random, 0.5)) list.splice(at, 1)
      else list.push({ ...list[at]! })
    }),
  ],
  [
    'attribute: add',
    inNode((node, random) => {
      const name = pick(random, [
        'axis',
        'axes',
        'keepdims',
        'group',
        'pads',
        'strides',
        'dilations',
        'to',
        'perm',
        'mode',
      ])
      const [a, b] = [pick(random, edges), pick(random, edges)]
      const added: Onnx.IAttributeProto = chance(random, 0.5)
        ? { name, type: AttributeType.INT, i: a }
        : { name, type: AttributeType.INTS, ints: [a, b] }
      node.attribute = [...(node.attribute ?? []), added]
    }),
  ],
  [
    'input: shape',
    inGraph((graph, random) => {
      const input = graph.input?.length ? pick(random, graph.input) : undefined
      const dims = input?.type?.tensorType?.shape?.dim
      if (!dims) return
      alter(dims, random, (before) =>
        chance(random, 0.2) ? { dimParam: 'n' } : { dimValue: size(random, before?.dimValue) },
      )
    }),
  ],
  [
    'input: type',
    inGraph((graph, random) => {
      const input = graph.input?.length ? pick(random, graph.input) : undefined
      if (input?.type?.tensorType) input.type.tensorType.elemType = pick(random, types)
      else if (input) input.type = null
    }),
  ],
  [
    'inputs, outputs: list',
    inGraph((graph, random) => {
      const list = pick(random, [graph.input ?? [], graph.output ?? []])
      alter(list, random, (before) => ({ ...before, name: otherName(graph, random) }))
    }),
  ],
  [
    'tensor: dims',
    inTensor((tensor, random) => {
      const dims = (tensor.dims ?? []) as number[]
      alter(dims, random, (before) => size(random, before))
      tensor.dims = dims
    }),
  ],
  [
    'tensor: size',
    inTensor((tensor, random) => {
      // data of the size that the new dims ask for
      const dims = (tensor.dims ?? []) as number[]
      const before = dims.reduce((n, d) => n * Number(d), 1)
      alter(dims, random, (d) => pick(random, [1, 2, 5, Number(d ?? 1) + 1]))
      if (chance(random, 0.3)) dims.reverse()
      const after = dims.reduce((n, d) => n * Number(d), 1)
      const raw = tensor.rawData
      if (!raw?.length || !(before > 0) || after > 2 ** 16) return
      const width = raw.length / before
      tensor.rawData = Uint8Array.from({ length: Math.floor(width * after) }, (_, i) => raw[i % raw.length]!)
    }),
  ],
  [
    'tensor: type',
    inTensor((tensor, random) => {
      tensor.dataType = pick(random, types)
    }),
  ],
  [
    'tensor: data',
    inTensor((tensor, random) => {
      const raw = tensor.rawData
      if (raw?.length) {
        const bytes = new Uint8Array(raw)
        for (let n = 1 + random.below(8); n > 0; n--)
          bytes[random.below(bytes.length)] = pick(random, [0, 0x7f, 0x80, 0xff])
        tensor.rawData = pick(random, [bytes, bytes, bytes.slice(0, random.below(bytes.length)), joined(bytes, bytes)])
      } else if (tensor.floatData?.length) alter(tensor.floatData, random, () => pick(random, floats))
      else if (tensor.int64Data?.length) alter(tensor.int64Data as number[], random, (before) => size(random, before))
      else if (tensor.int32Data?.length) alter(tensor.int32Data, random, (before) => size(random, before) | 0)
    }),
  ],
  ['tensor: name', inGraph((graph, random) => rename(graph.initializer ?? [], graph, random))],
  [
    'node: inputs',
    inNode((node, random, graph) => {
      node.input ??= []
      alter(node.input, random, () => otherName(graph, random))
    }),
  ],
  [
    'node: outputs',
    inNode((node, random, graph) => {
      node.output ??= []
      alter(node.output, random, () => otherName(graph, random))
    }),
  ],
  [
    'node: cycle',
    inNode((node, random) => {
      if (!node.output?.length) return
      node.input ??= []
      node.input[random.below(node.input.length + 1)] = node.output[0]!
    }),
  ],
  [
    'node: operator',
    inNode((node, random) => {
      const op = pick(random, ops)
      ;[node.opType, node.domain] = [op.type, op.domain]
    }),
  ],
  [
    'node: swap inputs',
    inNode((node, random) => {
      const list = node.input ?? []
      if (list.length < 2) return
      const [i, j] = [random.below(list.length), random.below(list.length)]
      ;[list[i], list[j]] = [list[j]!, list[i]!]
    }),
  ],
  [
    'nodes: remove, repeat, move',
    inGraph((graph, random) => {
      const list = graph.node ?? []
      if (list.length === 0) return
      const at = random.below(list.length)
      const [node] = list.splice(at, 1)
      if (chance(random, 0.3)) return
      list.splice(random.below(list.length + 1), 0, node!)
      if (chance(random, 0.5)) list.splice(random.below(list.length + 1), 0, { ...node! })
    }),
  ],
  [
    'nodes: chain',
    inGraph((graph, random) => {
      // a long chain of copies of one node, each working on the result of the one before
      const list = graph.node ?? []
      const node = list.length > 0 ? pick(random, list) : undefined
      if (!node?.output?.length || !node.input?.length) return
      let last = node.output[0]!
      for (let k = pick(random, [1, 3, 30]); k > 0; k--) {
        const made = `${last}'`
        list.push({ ...node, name: made, input: [last, ...node.input.slice(1)], output: [made] })
        last = made
      }
      if (graph.output?.length) graph.output[0] = { ...graph.output[0]!, name: last }
    }),
  ],
  [
    'opset',
    (model, random) => {
      const list = model.opsetImport ?? []
      if (list.length === 0 || chance(random, 0.2))
        list.push({ domain: pick(random, ['', 'ai.onnx.ml', 'x']), version: 1 })
      else pick(random, list).version = pick(random, [0, 1, 6, 7, 9, 11, 12, 13, 17, 18, 21, 23, 25, 26, -1, 2 ** 40])
    },
  ],
  ['names', inGraph((graph, random) => rename(graph.node ?? [], graph, random))],
]

function rename(list: { name?: string | null }[], graph: Onnx.IGraphProto, random: Random): void {
  if (list.length > 0) pick(random, list).name = otherName(graph, random)
}
