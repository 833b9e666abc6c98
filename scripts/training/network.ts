import type { Shape } from '../../src/tensor.ts'
import { createAdam } from './adam.ts'
import type { Dataset } from './dataset.ts'
import type { Layer, LayerMaker } from './layers.ts'
import { softmaxCrossEntropy } from './layers.ts'
import type { Random } from './random.ts'
import { shuffle } from './random.ts'

/** A chain of layers, each fed by the one before. */
export type Network = { readonly shape: Shape; readonly layers: readonly Layer[] }

export function createNetwork(shape: Shape, makers: readonly LayerMaker[], random: Random): Network {
  const layers: Layer[] = []
  for (const make of makers) layers.push(make(layers.at(-1)?.shape ?? shape, random))
  return { shape, layers }
}

/** Output of the last layer; the buffer is reused by the next call. */
export const forward = ({ layers }: Network, input: Float64Array): Float64Array =>
  layers.reduce<Float64Array>((x, layer) => layer.forward(x), input)

/** Adds the gradients of the loss of one sample to those of the parameters and returns the loss. */
export function accumulate(network: Network, input: Float64Array, label: number): number {
  const logits = forward(network, input)
  const gradient = new Float64Array(logits.length)
  const loss = softmaxCrossEntropy(logits, label, gradient)
  network.layers.reduceRight<Float64Array>((dy, layer) => layer.backward(dy), gradient)
  return loss
}

export type TrainOptions = {
  readonly epochs: number
  readonly batchSize: number
  /** Adam's step at the start; it falls to 0 along a half cosine. */
  readonly rate: number
  readonly decay: number
  readonly random: Random
  /** Makes a fresh variant of a sample. */
  readonly augment?: (input: Float64Array, random: Random) => Float64Array
  readonly onEpoch?: (epoch: number, meanLoss: number) => void
}

/**
 * Trains in place; the samples come in a new order every epoch. At the end the parameters are rounded to float32, the
 * precision in which they are stored, so that what is measured is what is committed.
 */
export function train(network: Network, data: Dataset, options: TrainOptions): void {
  const { epochs, batchSize, rate, decay, random, augment, onEpoch } = options
  const parameters = network.layers.flatMap((layer) => layer.parameters)
  const adam = createAdam(parameters, decay)
  const order = data.labels.map((_, i) => i)
  const steps = epochs * Math.ceil(order.length / batchSize)
  let step = 0
  for (let epoch = 1; epoch <= epochs; epoch++) {
    shuffle(random, order)
    let loss = 0
    for (let start = 0; start < order.length; start += batchSize) {
      const batch = order.slice(start, start + batchSize)
      for (const i of batch) {
        const input = data.inputs[i]!
        loss += accumulate(network, augment ? augment(input, random) : input, data.labels[i]!)
      }
      adam.step((rate * (1 + Math.cos((Math.PI * step++) / steps))) / 2, batch.length)
    }
    onEpoch?.(epoch, loss / order.length)
  }
  for (const { value } of parameters) for (let i = 0; i < value.length; i++) value[i] = Math.fround(value[i]!)
}
