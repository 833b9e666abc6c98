/**
 * Networks of published layouts with seeded random weights: their circuits' sizes depend on the layout and hardly on the
 * weights, so they can be compared with other systems' figures.
 * @module
 */
import { encodeModel, type ModelSpec } from '../src/graph/onnx.ts'
import type { Tensor } from '../src/tensor.ts'
import { sizeOf } from '../src/tensor.ts'

type Node = ModelSpec['nodes'][number]

/** Uniform in [0, 1), mulberry32. */
function source(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

/** A chain of layers under construction. */
function chain(name: string, seed: number, input: readonly number[]) {
  const unit = source(seed)
  const nodes: Node[] = []
  const initializers: Record<string, Tensor> = {}
  let last = 'x'
  const weights = (label: string, shape: readonly number[], fanIn: number): string => {
    // He et al. 2015: variance 2 / fan-in; here uniform
    const bound = Math.sqrt(6 / fanIn)
    const data = Float64Array.from({ length: sizeOf(shape) }, () => Math.fround((2 * unit() - 1) * bound))
    initializers[label] = { dtype: 'float32', shape, data }
    return label
  }
  const add = (op: string, inputs: readonly string[] = [], attributes: Node['attributes'] = {}): void => {
    const output = `${op.toLowerCase()}${nodes.length}`
    nodes.push({ op, name: output, inputs: [last, ...inputs], outputs: [output], attributes })
    last = output
  }
  return {
    add,
    conv: (from: number, to: number, kernel: number, pad = 0) => {
      const w = weights(`w${nodes.length}`, [to, from, kernel, kernel], from * kernel * kernel)
      add('Conv', [w, weights(`b${nodes.length}`, [to], 100)], { pads: { ints: [pad, pad, pad, pad] } })
    },
    dense: (from: number, to: number) =>
      add('Gemm', [weights(`w${nodes.length}`, [from, to], from), weights(`b${nodes.length}`, [to], 100)]),
    build: (integers = false): Uint8Array =>
      encodeModel({
        name,
        inputs: [{ name: 'x', shape: input }],
        outputs: [{ name: last, ...(integers ? { dtype: 'int64' as const } : {}) }],
        nodes,
        initializers,
      }),
  }
}

/** A seeded image-like tensor: values in [0, 1], four fifths of them 0, as in MNIST. */
export function sparseImages(count: number, shape: readonly number[], seed: number): Tensor[] {
  const unit = source(seed)
  return Array.from({ length: count }, () => ({
    dtype: 'float32' as const,
    shape,
    data: Float64Array.from({ length: sizeOf(shape) }, () => (unit() < 0.8 ? 0 : Math.round(unit() * 255) / 255)),
  }))
}

/** MLP 784-128-10 with ReLU and argmax: the layout of ZEN's ShallowNet (eprint 2021/087). */
export function mlp784(): { readonly onnx: Uint8Array; readonly shape: readonly number[] } {
  const shape = [1, 784]
  const net = chain('mlp-784-128-10', 1, shape)
  net.dense(784, 128)
  net.add('Relu')
  net.dense(128, 10)
  net.add('ArgMax', [], { axis: { int: 1 } })
  return { onnx: net.build(true), shape }
}

/** MLP 784-32-10 with ReLU: 25,408 weights and 42 biases, for circuits that do not hold them. */
export function mlp32(): { readonly onnx: Uint8Array; readonly shape: readonly number[] } {
  const shape = [1, 784]
  const net = chain('mlp-784-32-10', 4, shape)
  net.dense(784, 32)
  net.add('Relu')
  net.dense(32, 10)
  return { onnx: net.build(), shape }
}

/**
 * The network of circomlib-ml's MNIST test: convolution 3×3 to 4 channels, ReLU (2,704), average 2×2, convolution 3×3 to
 * 8 channels, ReLU (968), average 2×2, dense to 10, argmax. Its batch normalisations fold into the convolutions.
 */
export function circomlibMlNet(): { readonly onnx: Uint8Array; readonly shape: readonly number[] } {
  const shape = [1, 1, 28, 28]
  const net = chain('circomlib-ml-mnist', 2, shape)
  const pool = { kernel_shape: { ints: [2, 2] }, strides: { ints: [2, 2] } }
  net.conv(1, 4, 3)
  net.add('Relu')
  net.add('AveragePool', [], pool)
  net.conv(4, 8, 3)
  net.add('Relu')
  net.add('AveragePool', [], pool)
  net.add('Flatten')
  net.dense(200, 10)
  net.add('ArgMax', [], { axis: { int: 1 } })
  return { onnx: net.build(true), shape }
}

/** A convolutional net on 32×32×3 with 3.7 million multiplications, to measure compiling. */
export function largeConvNet(): { readonly onnx: Uint8Array; readonly shape: readonly number[] } {
  const shape = [1, 3, 32, 32]
  const net = chain('large-conv', 3, shape)
  net.conv(3, 12, 3, 1)
  net.add('Relu')
  net.conv(12, 12, 3, 1)
  net.add('Relu')
  net.conv(12, 12, 3, 1)
  net.add('Relu')
  net.conv(12, 4, 3, 1)
  net.add('Relu')
  net.add('Flatten')
  net.dense(4096, 10)
  return { onnx: net.build(), shape }
}
