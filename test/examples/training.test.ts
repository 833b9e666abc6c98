import { describe, expect, test } from 'vitest'
import { createAdam } from '../../scripts/training/adam.ts'
import type { Dataset } from '../../scripts/training/dataset.ts'
import { deal, splitByClass } from '../../scripts/training/dataset.ts'
import { argmax, score } from '../../scripts/training/evaluate.ts'
import type { LayerMaker, Parameter } from '../../scripts/training/layers.ts'
import { conv, dense, flatten, maxPool, relu, softmaxCrossEntropy } from '../../scripts/training/layers.ts'
import { distort, loadMnist, side, splitMnist } from '../../scripts/training/mnist.ts'
import { accumulate, createNetwork, forward, train } from '../../scripts/training/network.ts'
import { encodeNpy } from '../../scripts/training/npy.ts'
import { decodeNetwork, encodeNetwork } from '../../scripts/training/onnx.ts'
import { createRandom, shuffle } from '../../scripts/training/random.ts'
import type { Shape } from '../../src/tensor.ts'
import { sizeOf } from '../../src/tensor.ts'

const normals = (n: number, random: { normal: () => number }) => new Float64Array(n).map(() => random.normal())

describe('gradients equal central differences', () => {
  const nets: readonly [string, Shape, readonly LayerMaker[]][] = [
    ['dense', [5], [dense(3)]],
    ['dense, relu', [5], [dense(7), relu(), dense(3)]],
    ['conv', [2, 5, 6], [conv(3, 3, 1), flatten(), dense(3)]],
    ['conv with stride, last column unused', [2, 6, 8], [conv(3, 3, 2), relu(), flatten(), dense(3)]],
    ['max pool, ragged edge dropped', [2, 5, 7], [maxPool(2), flatten(), dense(3)]],
    [
      'all',
      [1, 11, 11],
      [conv(2, 4, 1), maxPool(2), relu(), conv(3, 2, 1), relu(), flatten(), dense(4), relu(), dense(3)],
    ],
  ]
  test.each(nets)('%s', (_, shape, makers) => {
    const random = createRandom(11)
    const network = createNetwork(shape, makers, random)
    const parameters = network.layers.flatMap((layer) => layer.parameters)
    // Biases start at 0, where a Relu has its corner.
    for (const { value } of parameters) for (let i = 0; i < value.length; i++) value[i]! += 0.1 * random.normal()
    const input = normals(sizeOf(shape), random)
    const label = 1
    const loss = () => {
      const logits = forward(network, input)
      return softmaxCrossEntropy(logits, label, new Float64Array(logits.length))
    }
    const slope = (values: Float64Array, i: number) => {
      const step = 1e-6
      const held = values[i]!
      values[i] = held + step
      const above = loss()
      values[i] = held - step
      const below = loss()
      values[i] = held
      return (above - below) / (2 * step)
    }

    accumulate(network, input, label)
    for (const { value, gradient } of parameters)
      for (let i = 0; i < value.length; i++) expect(Math.abs(gradient[i]! - slope(value, i))).toBeLessThan(1e-7)

    const logits = forward(network, input)
    const start = new Float64Array(logits.length)
    softmaxCrossEntropy(logits, label, start)
    const dx = network.layers.reduceRight<Float64Array>((dy, layer) => layer.backward(dy), start).slice()
    for (let i = 0; i < input.length; i++) expect(Math.abs(dx[i]! - slope(input, i))).toBeLessThan(1e-7)
  })

  test('gradients of several samples add up', () => {
    const random = createRandom(12)
    const network = createNetwork([4], [dense(3), relu(), dense(2)], random)
    const [a, b] = [normals(4, random), normals(4, random)]
    const gradients = () => network.layers.flatMap(({ parameters }) => parameters.flatMap((p) => [...p.gradient]))
    accumulate(network, a, 0)
    const first = gradients()
    for (const { parameters } of network.layers) for (const { gradient } of parameters) gradient.fill(0)
    accumulate(network, b, 1)
    const second = gradients()
    accumulate(network, a, 0)
    for (const [i, g] of gradients().entries()) expect(g).toBeCloseTo(first[i]! + second[i]!, 12)
  })
})

describe('layers', () => {
  test('conv by hand', () => {
    const { layers } = createNetwork([1, 3, 3], [conv(1, 2, 1)], createRandom(0))
    layers[0]!.parameters[0]!.value.set([1, 2, 3, 4])
    layers[0]!.parameters[1]!.value.set([10])
    expect([...layers[0]!.forward(Float64Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9))]).toEqual([47, 57, 77, 87])
  })

  test('max pool by hand', () => {
    const { layers } = createNetwork([1, 2, 4], [maxPool(2)], createRandom(0))
    expect([...layers[0]!.forward(Float64Array.of(1, -2, -3, -4, 5, 5, -7, -1))]).toEqual([5, -1])
    expect([...layers[0]!.backward(Float64Array.of(2, 3))]).toEqual([0, 0, 0, 0, 2, 0, 0, 3])
  })

  test('the loss stays finite for large logits', () => {
    const gradient = new Float64Array(2)
    expect(softmaxCrossEntropy(Float64Array.of(2000, 0), 1, gradient)).toBe(2000)
    expect([...gradient]).toEqual([1, -1])
  })
})

describe('training', () => {
  test('the first step of Adam has the length of the rate, whatever the gradient', () => {
    const weight: Parameter = { shape: [2, 1], value: Float64Array.of(1, 1), gradient: Float64Array.of(1e-3, -50) }
    createAdam([weight], 0).step(0.1, 4)
    expect(weight.value[0]).toBeCloseTo(0.9, 4)
    expect(weight.value[1]).toBeCloseTo(1.1, 4)
    expect([...weight.gradient]).toEqual([0, 0])
  })

  test('decay shrinks weights, not biases', () => {
    const parameter = (shape: Shape) => ({ shape, value: Float64Array.of(1), gradient: Float64Array.of(0) })
    const [weight, bias] = [parameter([1, 1]), parameter([1])]
    createAdam([weight, bias], 0.5).step(0.1, 1)
    expect([weight.value[0], bias.value[0]]).toEqual([0.95, 1])
  })

  test('learns rings, which no linear model can, and leaves float32 weights', () => {
    const random = createRandom(13)
    const inputs = Array.from({ length: 200 }, () => normals(2, random))
    const labels = inputs.map((x) => (Math.hypot(x[0]!, x[1]!) < 1.1 ? 0 : 1))
    const data: Dataset = { shape: [2], classes: ['in', 'out'], inputs, labels }
    const network = createNetwork([2], [dense(12), relu(), dense(2)], random)
    const losses: number[] = []
    const onEpoch = (_: number, loss: number) => losses.push(loss)
    train(network, data, { epochs: 60, batchSize: 10, rate: 0.02, decay: 0, random, onEpoch })
    expect(losses.at(-1)).toBeLessThan(0.2)
    expect(score((x) => forward(network, x), data).correct).toBeGreaterThan(190)
    for (const { parameters } of network.layers)
      for (const { value } of parameters) expect([...value]).toEqual([...Float32Array.from(value)])
  })

  test('the same seed gives the same bytes, another one does not', () => {
    const bytes = (seed: number) => {
      const random = createRandom(seed)
      const inputs = Array.from({ length: 30 }, () => normals(36, random))
      const data: Dataset = { shape: [1, 6, 6], classes: ['a', 'b'], inputs, labels: inputs.map((_, i) => i % 2) }
      const network = createNetwork(data.shape, [conv(2, 3, 1), maxPool(2), relu(), flatten(), dense(2)], random)
      train(network, data, { epochs: 3, batchSize: 4, rate: 0.01, decay: 0.01, random })
      return encodeNetwork(network, { graph: 'g', input: 'x', output: 'y' })
    }
    expect(bytes(1)).toEqual(bytes(1))
    expect(bytes(1)).not.toEqual(bytes(2))
  })
})

describe('data', () => {
  test('the generator is uniform, and seeds matter', () => {
    const random = createRandom(1)
    const counts = new Array<number>(10).fill(0)
    for (let i = 0; i < 10_000; i++) counts[random.below(10)]!++
    for (const count of counts) expect(Math.abs(count - 1000)).toBeLessThan(150)
    expect(createRandom(1).uniform()).not.toBe(createRandom(2).uniform())
    const draws = Array.from({ length: 10_000 }, () => random.normal())
    expect(draws.reduce((a, b) => a + b) / draws.length).toBeCloseTo(0, 1)
    expect(draws.reduce((a, b) => a + b * b) / draws.length).toBeCloseTo(1, 1)
  })

  test('shuffle keeps the items', () => {
    const items = Array.from({ length: 50 }, (_, i) => i)
    const shuffled = shuffle(createRandom(3), [...items])
    expect(shuffled).not.toEqual(items)
    expect(shuffled.sort((a, b) => a - b)).toEqual(items)
  })

  test('a split has no sample in both parts and keeps the shares of the classes', () => {
    const labels = Array.from({ length: 100 }, (_, i) => (i < 70 ? 0 : 1))
    const inputs = labels.map((_, i) => Float64Array.of(i))
    const { train, test } = splitByClass({ shape: [1], classes: ['a', 'b'], inputs, labels }, 0.2, createRandom(4))
    expect(test.labels.filter((l) => l === 0)).toHaveLength(14)
    expect(test.labels.filter((l) => l === 1)).toHaveLength(6)
    expect([...train.inputs, ...test.inputs].map((x) => x[0]!).sort((a, b) => a - b)).toEqual(inputs.map((x) => x[0]))
    expect(train.labels).toEqual(train.inputs.map((x) => labels[x[0]!]))
    expect(deal(train, 2).labels).toEqual([0, 1, 0, 1])
  })

  test('MNIST: 8,000 and 2,000 different digits of float32 grey levels', () => {
    const all = loadMnist()
    expect(all.inputs).toHaveLength(10_000)
    for (const image of all.inputs.slice(0, 100))
      expect([...image]).toEqual(Array.from(image, (v) => Math.fround(Math.round(v * 255) / 255)))
    const key = (image: Float64Array) => Buffer.from(image.map((v) => v * 255)).toString('latin1')
    expect(new Set(all.inputs.map(key)).size).toBe(10_000)
    const { train, test } = splitMnist()
    expect([train.inputs.length, test.inputs.length]).toEqual([8000, 2000])
    const trained = new Set(train.inputs.map(key))
    expect(test.inputs.filter((image) => trained.has(key(image)))).toHaveLength(0)
  })

  test('distortion moves ink by little and makes none', () => {
    const random = createRandom(5)
    const dot = new Float64Array(side * side)
    dot[14 * side + 14] = 1
    for (let i = 0; i < 100; i++) {
      const out = distort(dot, random)
      expect(out.every((v) => v >= 0 && v <= 1)).toBe(true)
      out.forEach((v, at) => {
        if (v > 0) expect(Math.max(Math.abs((at % side) - 14), Math.abs(Math.floor(at / side) - 14))).toBeLessThan(5)
      })
    }
    expect(distort(new Float64Array(side * side).fill(1), random).every((v) => v <= 1 + 1e-12)).toBe(true)
  })
})

describe('files', () => {
  test('a network survives ONNX', () => {
    const random = createRandom(6)
    const makers = [conv(2, 3, 2), maxPool(2), relu(), flatten(), dense(3), relu(), dense(2)]
    const network = createNetwork([1, 9, 9], makers, random)
    for (const { parameters } of network.layers)
      for (const { value } of parameters) value.set(normals(value.length, random).map(Math.fround))
    const read = decodeNetwork(encodeNetwork(network, { graph: 'g', input: 'x', output: 'y' }))
    const input = normals(81, random)
    expect([...forward(read, input)]).toEqual([...forward(network, input)])
  })

  test('npy layout', () => {
    const bytes = Buffer.from(encodeNpy([2], [Float64Array.of(1, 2), Float64Array.of(-3, 0.5)]))
    const dataAt = bytes.length - 16
    expect(bytes.subarray(0, 8).toString('latin1')).toBe('\x93NUMPY\x01\x00')
    expect(dataAt % 64).toBe(0)
    expect(bytes.readUInt16LE(8)).toBe(dataAt - 10)
    expect(bytes.subarray(10, dataAt).toString('latin1')).toMatch(
      /^\{'descr': '<f4', 'fortran_order': False, 'shape': \(2, 2\), \} *\n$/,
    )
    expect([0, 4, 8, 12].map((at) => bytes.readFloatLE(dataAt + at))).toEqual([1, 2, -3, 0.5])
  })
})

test('argmax takes the first of equals', () => expect(argmax([1, 3, 3, 2])).toBe(1))
