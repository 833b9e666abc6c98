import { encodeModel, type ModelSpec } from '../../src/graph/onnx.ts'
import type { Sample } from '../../src/samples/samples.ts'
import { type Shape, sizeOf, type Tensor } from '../../src/tensor.ts'
import { type Random, seeded } from './random.ts'

type Node = ModelSpec['nodes'][number]

const float32 = (shape: Shape, data: Iterable<number>): Tensor => ({
  dtype: 'float32',
  shape,
  data: Float64Array.from(data, Math.fround),
})

/**
 * A network of convolutions and dense layers with what is usual between them. Equal structure seeds give equal architectures;
 * the weights are those of another seed, uniform in ±spread times a bound, the first of them at the bound.
 */
export function weightedNet(structure: number, weights: number, spread = 1): Uint8Array {
  const [random, values] = [seeded(structure), seeded(weights)]
  const nodes: Node[] = []
  const initializers: Record<string, Tensor> = {}
  const input: Shape = random.pick([
    [1, 1, 6, 6],
    [1, 2, 5, 4],
    [1, 3, 7],
    [1, 9],
    [2, 5],
  ] as Shape[])
  let [at, shape] = ['x', input]
  const weight = (of: Shape, bound: number): string => {
    const name = `w${Object.keys(initializers).length}`
    initializers[name] = float32(
      of,
      Array.from({ length: sizeOf(of) }, (_, i) => bound * spread * (i === 0 ? 1 : 2 * values.unit() - 1)),
    )
    return name
  }
  const add = (op: string, inputs: readonly string[], to: Shape, attributes: Node['attributes'] = {}): void => {
    // names of nodes and values belong to the weights, not to the architecture
    const name = `${op}${nodes.length}.${weights}`
    nodes.push({ op, name, inputs, outputs: [name], attributes })
    ;[at, shape] = [name, to]
  }
  const activation = (): void => {
    const op = random.pick(['Relu', 'Relu', 'Sigmoid', 'LeakyRelu', 'none'])
    if (op !== 'none') add(op, [at], shape)
  }
  const conv = (): void => {
    const [batch, channels, ...spatial] = shape as [number, number, ...number[]]
    const kernel = spatial.map((d) => random.integer(1, Math.min(d, 3)))
    const [stride, pad] = [random.integer(1, 2), random.integer(0, 1)]
    const group = random.pick([1, channels])
    const filters = group * random.integer(1, 3)
    const out = spatial.map((d, i) => Math.floor((d + 2 * pad - kernel[i]!) / stride) + 1)
    const bias = random.unit() < 0.6 ? [weight([filters], 0.2)] : []
    const w = weight([filters, channels / group, ...kernel], 0.6)
    add('Conv', [at, w, ...bias], [batch, filters, ...out], {
      group: { int: group },
      pads: { ints: [...spatial, ...spatial].map(() => pad) },
      strides: { ints: spatial.map(() => stride) },
    })
    if (random.unit() < 0.4) {
      const positive = float32(
        [filters],
        Array.from({ length: filters }, () => 0.5 + values.unit() * 0.5),
      )
      const [name, variance] = [`v${nodes.length}`, `u${nodes.length}`]
      initializers[name] = positive
      initializers[variance] = float32(
        [filters],
        Array.from({ length: filters }, () => 1 + values.unit()),
      )
      add('BatchNormalization', [at, name, weight([filters], 0.3), weight([filters], 0.3), variance], shape)
    }
    const same = shape.length === 4 && shape[2]! > 1 && shape[3]! > 1
    if (random.unit() < 0.5) activation()
    const pool = random.pick(['MaxPool', 'AveragePool', 'none'])
    if (pool !== 'none' && same) {
      const halves = shape.slice(2).map((d) => Math.floor(d / 2))
      add(pool, [at], [...shape.slice(0, 2), ...halves], { kernel_shape: { ints: [2, 2] }, strides: { ints: [2, 2] } })
    }
    activation()
  }
  const dense = (): void => {
    if (shape.length > 2) add('Flatten', [at], [shape[0]!, sizeOf(shape.slice(1))])
    const [rows, inner] = shape as [number, number]
    const columns = random.integer(1, 12)
    const kind = random.pick(['Gemm', 'Gemm', 'MatMul', 'residual'])
    if (kind === 'MatMul') {
      add('MatMul', [at, weight([inner, columns], 0.5)], [rows, columns])
      if (random.unit() < 0.5) add('Add', [at, weight([columns], 0.2)], shape)
    } else if (kind === 'residual') {
      const before = at
      add('Gemm', [at, weight([inner, inner], 0.5)], [rows, inner])
      add('Add', [at, before], shape)
    } else {
      const transB = random.integer(0, 1)
      const w = weight(transB === 1 ? [columns, inner] : [inner, columns], 0.5)
      const bias = random.unit() < 0.7 ? [weight(random.pick([[columns], [1, columns]]), 0.3)] : []
      add('Gemm', [at, w, ...bias], [rows, columns], {
        transB: { int: transB },
        alpha: { float: random.pick([1, 0.5]) },
        beta: { float: random.pick([1, 2]) },
      })
    }
    activation()
  }
  if (input.length > 2) for (let n = random.integer(1, 2); n > 0 && shape.slice(2).every((d) => d > 1); n--) conv()
  for (let n = random.integer(input.length > 2 ? 0 : 1, 2); n > 0; n--) dense()
  nodes[nodes.length - 1] = { ...nodes.at(-1)!, outputs: ['y'] }
  return encodeModel({
    name: 'net',
    inputs: [{ name: 'x', shape: input }],
    outputs: [{ name: 'y' }],
    nodes,
    initializers,
  })
}

/** Inputs with elements in [-1, 1]; of the first two all elements are at an end. */
export function uniformSamples(random: Random, shape: Shape, count: number): Sample[] {
  return Array.from({ length: count }, (_, k) => {
    const data = Array.from({ length: sizeOf(shape) }, () => (k === 0 ? 1 : k === 1 ? -1 : 2 * random.unit() - 1))
    return new Map([['x', float32(shape, data)]])
  })
}
